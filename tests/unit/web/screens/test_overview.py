"""The list: order, search, filters, pages, and the strip of days."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from renkei.web.facts import Company, Run
from renkei.web.screens.overview import DAYS, Day, begin_of, overview, page_of, strip
from renkei.web.screens.words import CompanyState

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 30)
GOOD = Run("r", "success", NOW, NOW, NOW, "通常", True)


def company(name: str, tenant: str = "", state: str = "success") -> Company:
    last = dataclasses.replace(GOOD, state=state)
    return Company(f"link__{tenant or name}", "甲 → 乙", tenant or name, name, last=last, last_result=NOW)


EVERYBODY = [
    company("ア商事", "alpha"),
    company("Ｂ工業", "b2"),
    company("か運輸", "c", "failed"),
    company("株式会社ガ", "g"),
]


def names(query: str = "", state: str = "") -> list[str]:
    return [row.company.tenant for row in overview(EVERYBODY, NOW, query, state).rows]


def test_what_is_urgent_comes_first_then_the_name() -> None:
    found = overview(EVERYBODY, NOW).rows
    assert found[0].company.tenant == "c"
    assert [row.company.name for row in found[1:]] == sorted(row.company.name for row in found[1:])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("b工業", ["b2"]),
        ("ｂ 工", ["b2"]),
        ("ALPHA", ["alpha"]),
        ("link__c", ["c"]),
        ("ア 工業", []),
        ("%", []),
        ("  ", None),
    ],
)
def test_words_are_found_in_any_spelling_and_all_of_them(query: str, found: list[str] | None) -> None:
    """Wide and narrow, large and small; nothing in a query is a pattern."""
    assert names(query) == (names() if found is None else found)


def test_the_numbers_count_what_was_searched_for_and_not_what_was_chosen() -> None:
    """So that a chosen number does not make the others vanish."""
    found = overview(EVERYBODY, NOW, "", "stopped")
    assert [row.company.tenant for row in found.rows] == ["c"]
    assert (found.counts[CompanyState.STOPPED], found.counts[CompanyState.WELL], found.total, found.page.total) == (
        1,
        3,
        4,
        1,
    )
    assert overview(EVERYBODY, NOW, "alpha", "stopped").counts[CompanyState.STOPPED] == 0
    assert overview(EVERYBODY, NOW, "", "nosuch").chosen is None


def test_states_without_a_tile_are_offered_where_somebody_is_in_them() -> None:
    paused = dataclasses.replace(company("止"), paused=True)
    assert overview(EVERYBODY, NOW).others == []
    assert overview([*EVERYBODY, paused], NOW).others == [CompanyState.PAUSED]
    assert overview(EVERYBODY, NOW, "", "paused").others == [CompanyState.PAUSED], "to be left again"


@pytest.mark.parametrize(
    ("asked", "total", "number", "start", "stop"),
    [("", 0, 1, 0, 0), ("1", 50, 1, 0, 50), ("2", 51, 2, 50, 51), ("3", 51, 2, 50, 51), ("0", 51, 1, 0, 50),
     ("-1", 51, 1, 0, 50), ("²", 51, 1, 0, 50), ("9" * 400, 51, 1, 0, 50), ("x", 51, 1, 0, 50)],
)  # fmt: skip
def test_a_page_that_is_none_is_the_nearest(asked: str, total: int, number: int, start: int, stop: int) -> None:
    found = page_of(asked, total, 50)
    assert (found.number, found.start, found.stop) == (number, start, stop)


def test_the_strip_has_a_square_for_each_day_in_japan() -> None:
    """The day's last run counts, 通知テスト never; 確認のみ is neither good nor bad, and no more than a run that wrote."""
    tick = dt.datetime(2026, 11, 29, 19, 30, tzinfo=dt.UTC)  # 4:30 of the 30th
    day = dt.timedelta(days=1)
    runs = [
        dataclasses.replace(GOOD, at=tick - 3 * day),
        dataclasses.replace(GOOD, at=tick - 2 * day, state="failed"),
        dataclasses.replace(GOOD, at=tick - 2 * day, writes=False, mode="照合"),
        dataclasses.replace(GOOD, at=tick - day, writes=False, mode="確認のみ"),
        dataclasses.replace(GOOD, at=tick, state="failed"),
        dataclasses.replace(GOOD, at=tick + dt.timedelta(hours=1)),
        dataclasses.replace(GOOD, at=tick + dt.timedelta(hours=2), state="failed", is_test=True),
    ]
    found = strip(runs, TODAY)
    assert [one.tone for one in found] == ["none"] * (DAYS - 4) + ["good", "bad", "look", "good"]
    assert found[-2] == Day(dt.date(2026, 11, 29), "look", "11/29 成功（確認のみ）")
    assert begin_of(TODAY).isoformat() == "2026-11-17T00:00:00+09:00"
    assert found[0].day == dt.date(2026, 11, 17)
