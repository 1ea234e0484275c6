"""Japan's time: what people read, whatever zone a machine keeps."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
DAILY_AT = dt.time(4, 30)  # 処理時刻 where a sheet says none


def day_in_japan(moment: str) -> str:
    """The day (2026-04-01) of an ISO 8601 moment with its offset; empty for an empty one."""
    return dt.datetime.fromisoformat(moment).astimezone(TOKYO).date().isoformat() if moment else ""
