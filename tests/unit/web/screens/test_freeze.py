"""The banner of 災害時凍結: whose it is, since when, and when it asks whether it was forgotten."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.runs.freeze import ALL, FORGOTTEN
from renkei.web.facts import Company, Freeze
from renkei.web.screens.freeze import banner, is_forgotten, since

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
FROZEN = Company("a__acme", "甲 → 乙", "acme", "アクメ", frozen=True)
FREE = Company("a__beta", "甲 → 乙", "beta", "ベータ")
OF_ALL, OF_ACME = Freeze(ALL, True, NOW, "花子", "地震"), Freeze("acme", True, NOW - FORGOTTEN)


@pytest.mark.parametrize(
    ("freezes", "company", "frozen", "says", "tone", "leads"),
    [
        ({}, FREE, 0, "", "", ""),
        (None, FREE, 0, "確認できません", "bad", ""),
        ({ALL: OF_ALL, "acme": OF_ACME}, FROZEN, 1, "全社が災害時凍結中です", "cold", ""),
        ({"acme": OF_ACME}, FROZEN, 1, "この会社は、災害時凍結中です", "wait", "a__acme"),
        ({"acme": OF_ACME}, FREE, 2, "2社あります", "cold", ""),
        ({"acme": OF_ACME}, None, 0, "", "", ""),  # whoever may not see acme hears of nothing
    ],
)
def test_s4_a_banner_says_whose_freeze_it_is(
    freezes: dict[str, Freeze] | None, company: Company | None, frozen: int, says: str, tone: str, leads: str
) -> None:
    """S4: of all before one's own, and a number of the others."""
    found = banner(freezes, company, frozen, NOW)
    assert (found is not None) is bool(says)
    if found:
        assert says in found.text
        assert (found.tone, found.dag_id) == (tone, leads)


def test_s4_a_freeze_says_since_when_by_whom_and_why() -> None:
    """S4: as far as anybody knows; three days are long."""
    assert since(OF_ALL) == "2026/11/30 10:00 から、花子さんが設定、理由: 地震"
    assert since(Freeze("acme", True)) == "いつからかの記録はありません、Airflowの変数で設定"
    assert is_forgotten(OF_ACME, NOW)
    assert not is_forgotten(OF_ACME, NOW - dt.timedelta(seconds=1))
    assert not is_forgotten(Freeze("acme", True), NOW)
