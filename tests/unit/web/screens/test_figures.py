"""The chart of the history: everything lies within its axes, and a day is one bar."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.web.facts import Counts, Run
from renkei.web.screens.figures import LEFT, LOWER, TOP, UPPER, WIDTH, DayFigures, by_day, chart

TODAY = dt.date(2026, 11, 30)
TICK = dt.datetime(2026, 11, 29, 19, 30, tzinfo=dt.UTC)
GOOD = Run("r", "success", TICK, TICK, TICK, "通常", True, counts=Counts(30, 2, 28, 1), subject="OK")
DAY = dt.timedelta(days=1)
COUNT = st.integers(0, 2_000_000)


def test_a_day_shows_its_last_run_that_wrote_and_marks_the_others() -> None:
    looked = dataclasses.replace(GOOD, at=TICK + DAY / 24, writes=False, counts=Counts(99, 0, 99, 0))
    earlier = dataclasses.replace(GOOD, at=TICK - DAY / 24, counts=Counts(10, 0, 10, 0))
    failed = dataclasses.replace(GOOD, at=TICK - DAY, state="failed", subject="NG")
    held = dataclasses.replace(GOOD, run_id="held", at=TICK - 2 * DAY, state="running", subject="")
    test = dataclasses.replace(failed, at=TICK, is_test=True)
    found = by_day([looked, test, GOOD, earlier, failed, held], TODAY, 30, waiting="held")
    assert found[-1] == DayFigures(TODAY, GOOD.counts, looked=True, said="11/30 OK、OK、OK")
    assert found[-2] == DayFigures(TODAY - DAY, failed=True, said="11/29 NG")
    assert found[-3] == DayFigures(TODAY - 2 * DAY, held=True, said="11/28 実行中")
    assert found[0] == DayFigures(TODAY - 29 * DAY, said="11/1 実行なし")


@given(st.lists(st.one_of(st.none(), st.builds(Counts, COUNT, COUNT, COUNT, COUNT)), min_size=1, max_size=60))
def test_nothing_is_drawn_outside(days: list[Counts | None]) -> None:
    found = chart([DayFigures(TODAY - n * DAY, counts) for n, counts in enumerate(days)])
    for box in found.boxes:
        assert box.x >= LEFT
        assert box.x + box.width <= WIDTH + 0.5
        assert box.y >= TOP - 0.11
        assert box.y + box.height <= found.height
    for point in found.line.split():
        assert TOP <= float(point.partition(",")[2]) <= TOP + UPPER
    assert len(found.line.split()) == sum(one is not None for one in days)


@pytest.mark.parametrize("days", [30, 90, 400])
def test_days_without_a_run_are_empty_and_axes_are_there(days: int) -> None:
    found = chart(by_day([], TODAY, days))
    assert (found.boxes, found.line) == ([], "")
    assert [label.text for label in found.labels][:4] == ["0", "1", "0", "1"]
    assert 8 <= len(found.labels) - 4 <= 10, "dates do not cover one another"


def test_bars_stand_on_one_another() -> None:
    """更新, 新規 and 削除 from the bottom up; the line of 有効件数 by the same scale."""
    upper = chart([DayFigures(TODAY, Counts(30, 10, 20, 10))]).boxes[:3]
    assert [box.kind for box in upper] == ["updated", "created", "deleted"]
    assert upper[0].y == pytest.approx(upper[1].y + upper[1].height, abs=0.2)
    assert upper[1].y == pytest.approx(upper[2].y + upper[2].height, abs=0.2)
    assert upper[0].height == pytest.approx(2 * upper[1].height, abs=0.2)


def test_a_first_link_does_not_hide_what_changes_later() -> None:
    """A day on which nearly everybody is new ends at the upper edge of the lower part; the others have its scale."""
    first, later = Counts(1000, 1000, 0, 0), Counts(1002, 4, 998, 2)
    found = chart([DayFigures(TODAY - DAY, first), DayFigures(TODAY, later)])
    assert [label.text for label in found.labels][:4] == ["0", "2,000", "0", "6"]
    heights = [box.height for box in found.boxes if box.kind != "updated" and box.y > TOP + UPPER]
    assert heights == [LOWER, pytest.approx(LOWER * 4 / 6, abs=0.1), pytest.approx(LOWER * 2 / 6, abs=0.1)]
