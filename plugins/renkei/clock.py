"""Japan's time: what people read, whatever zone a machine keeps."""

from __future__ import annotations

import datetime as dt
import zlib
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
DAILY_AT = dt.time(4, 30)  # 処理時刻 where a sheet says none


def daily_at(tenant: str, minutes: int) -> dt.time:
    """DAILY_AT, or for each tenant always the same of so many minutes from then on (RENKEI_SPREAD_MINUTES)."""
    later = zlib.crc32(f"run_at {tenant}".encode()) % max(1, minutes)
    return (dt.datetime.combine(dt.date(2000, 1, 1), DAILY_AT) + dt.timedelta(minutes=later)).time()


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def time_in_japan(moment: dt.datetime | str) -> str:
    """`2026/11/29 4:15` of a moment with its offset, or of its ISO 8601 text."""
    at = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    local = at.astimezone(TOKYO)
    return f"{local:%Y/%m/%d} {local.hour}:{local:%M}"


def hours_and_minutes(span: dt.timedelta) -> str:
    """`5時間12分`, and a minute where it is less."""
    minutes = max(1, int(span.total_seconds() // 60))
    return f"{minutes // 60}時間{minutes % 60}分" if minutes >= 60 else f"{minutes}分"


def next_daily(at: dt.time, now: dt.datetime, not_before: dt.date | None = None) -> dt.datetime:
    """The next time after `now` at which the clock in Japan shows `at`, on `not_before` at the earliest."""
    local = now.astimezone(TOKYO)
    tick = dt.datetime.combine(max(local.date(), not_before or local.date()), at, TOKYO)
    return tick if tick > local else tick + dt.timedelta(days=1)


def day_in_japan(moment: dt.datetime | str) -> str:
    """The day (2026-04-01) of a moment with its offset, or of its ISO 8601 text."""
    at = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.astimezone(TOKYO).date().isoformat()
