"""When KING OF TIME lets itself be read: not from 8:30 to 10:00 nor from 17:30 to 18:30, every day; it is punched at any time."""

from __future__ import annotations

import datetime as dt

from renkei.clock import TOKYO

FORBIDDEN = ((dt.time(8, 30), dt.time(10, 0)), (dt.time(17, 30), dt.time(18, 30)))  # Japan's; the end is not included
BEFORE = dt.timedelta(seconds=15)  # a request takes its time, and two clocks differ
AFTER = dt.timedelta(seconds=30)


def reading_opens_in(now: dt.datetime) -> float:
    """Seconds until it may be read; 0 if it may now."""
    local = now.astimezone(TOKYO)
    for begin, end in FORBIDDEN:
        begins, ends = (dt.datetime.combine(local.date(), at, TOKYO) for at in (begin, end))
        if begins - BEFORE <= local < ends + AFTER:
            return (ends + AFTER - local).total_seconds()
    return 0.0
