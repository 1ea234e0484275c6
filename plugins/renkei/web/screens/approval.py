"""Whether a held run may still be answered, and what became of the question. No clock, no files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from renkei.clock import hours_and_minutes, time_in_japan
from renkei.web.facts import QuestionState


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """The state of the question: a word, its tone, a sentence."""

    label: str
    tone: str
    text: str
    open: bool = False


OVER = ApprovalState(
    "実行が終わりました", "quiet", "回答のないまま実行が終わったため、回答はできません。この計画は登録していません。"
)
NOT_ASKED = ApprovalState("承認待ちではありません", "quiet", "この実行は、承認を求めていません。")


def approval_state(
    question: QuestionState | None, finished: bool, until: dt.datetime | None, now: dt.datetime, yes: str
) -> ApprovalState:
    """`yes` is the option that lets the plan through; `until` is None where nobody can say."""
    if question is None:
        return NOT_ASKED
    if question.open and not finished:
        if until is None:
            return ApprovalState("回答待ち", "wait", "回答を待っています。", True)
        if until <= now:
            return ApprovalState(
                "期限切れ", "bad", f"期限（{time_in_japan(until)}）を過ぎました。この計画は登録しません。"
            )
        text = f"期限は {time_in_japan(until)} です（あと{hours_and_minutes(until - now)}）。過ぎると「登録しない」と同じ扱いになります。"
        return ApprovalState("回答待ち", "wait", text, True)
    if question.open or not question.chosen:
        return OVER
    at = time_in_japan(question.at) if question.at else ""
    if not question.by:
        return ApprovalState("期限切れ", "bad", f"{at} までに回答がなかったため、登録しませんでした。")
    why = f"理由: {question.why}" if question.why else "理由は書かれていません。"
    if question.chosen == yes:
        return ApprovalState(f"{question.by}さんが承認", "good", f"{at} に{question.by}さんが承認しました。{why}")
    return ApprovalState(
        f"{question.by}さんが拒否", "quiet", f"{at} に{question.by}さんが「{question.chosen}」と回答しました。{why}"
    )
