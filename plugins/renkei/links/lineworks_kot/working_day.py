"""To which working day a punch belongs (P10)."""

from __future__ import annotations

import datetime as dt

from renkei.clock import TOKYO


def working_day(at: dt.datetime, boundary: dt.time) -> dt.date:
    """The day whose 日付変更時間 was the last one: at 0:30, with a boundary of 5:00, the day before."""
    local = at.astimezone(TOKYO)
    return local.date() - dt.timedelta(days=local.time() < boundary)
