"""When KING OF TIME may be read."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.systems.kingoftime.hours import reading_opens_in


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("08:29:44", 0),
        ("08:29:45", 5445),
        ("08:30:00", 5430),
        ("09:59:59", 31),
        ("10:00:00", 30),
        ("10:00:29", 1),
        ("10:00:30", 0),
        ("12:00:00", 0),
        ("17:29:45", 3645),
        ("18:29:59", 31),
        ("18:30:30", 0),
        ("00:00:00", 0),
    ],
)
def test_p14_reading_waits_for_the_end_of_the_forbidden_hours_and_a_margin(at: str, seconds: float) -> None:
    now = dt.datetime.fromisoformat(f"2026-11-30T{at}+09:00").astimezone(dt.UTC)
    assert reading_opens_in(now) == seconds
