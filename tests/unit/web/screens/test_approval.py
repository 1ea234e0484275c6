"""How the question of a held run stands: every end has its own words, and only one can be answered."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.web.facts import QuestionState
from renkei.web.screens.approval import approval_state

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(minutes=90)
OPEN = QuestionState(open=True)


def said(by: str, chosen: str, why: str = "") -> QuestionState:
    return QuestionState(False, by, chosen, why, NOW)


@pytest.mark.parametrize(
    ("question", "finished", "until", "label", "text"),
    [
        (None, False, SOON, "承認待ちではありません", "求めていません"),
        (OPEN, False, SOON, "回答待ち", "あと1時間30分"),
        (OPEN, False, NOW + dt.timedelta(seconds=20), "回答待ち", "あと1分"),
        (OPEN, False, None, "回答待ち", "回答を待っています"),
        (OPEN, False, NOW, "期限切れ", "期限（2026/11/30 10:00）を過ぎました"),
        (OPEN, True, SOON, "実行が終わりました", "回答はできません"),
        (said("花子", "はい", "確認済み"), False, SOON, "花子さんが承認", "2026/11/30 10:00 に花子さんが承認しました。理由: 確認済み"),
        (said("花子", "はい"), True, NOW, "花子さんが承認", "理由は書かれていません"),
        (said("花子", "いいえ"), True, SOON, "花子さんが拒否", "花子さんが「いいえ」と回答しました"),
        (said("", "いいえ"), True, SOON, "期限切れ", "までに回答がなかった"),
        (said("Renkei", ""), True, SOON, "実行が終わりました", "回答はできません"),
    ],
)  # fmt: skip
def test_e36_a_question_is_open_or_says_how_it_ended(
    question: QuestionState | None, finished: bool, until: dt.datetime | None, label: str, text: str
) -> None:
    """E36: in time and unanswered; whatever else is so takes no answer."""
    found = approval_state(question, finished, until, NOW, "はい")
    assert (found.label, found.open) == (label, label == "回答待ち")
    assert text in found.text
