"""LINE WORKS' request limits, counted for each API operation and tenant.

240 a minute (Standard, Advanced; 60 of the Free plan), and half of it in more than 30 minutes of continuous use
(developers.worksmobile.com, "rate-limits"). What counts as continuous it does not say: here, no minute without a request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from renkei.systems.pace import Pacer, SustainedLimit

PER_MINUTE, MINUTE_S, LONG_S = 240, 60.0, 30 * 60.0


class LineWorksPace:
    """The pacers of one tenant, by operation. Other programs of the tenant are seen in the answers' headers alone."""

    def __init__(
        self,
        per_minute: int = PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_minute, self._clock, self._sleep = per_minute, clock, sleep
        self._lock = threading.Lock()
        self._pacers: dict[str, Pacer] = {}

    def of(self, operation: str) -> Pacer:
        """`operation` as LINE WORKS' pages are called: `calendar-default-event-user-create`."""
        with self._lock:
            if operation not in self._pacers:
                self._pacers[operation] = Pacer(
                    self._per_minute,
                    MINUTE_S,
                    long_use=SustainedLimit(LONG_S, max(1, self._per_minute // 2)),
                    reset_s=reset_s,
                    clock=self._clock,
                    sleep=self._sleep,
                )
            return self._pacers[operation]


def reset_s(headers: Mapping[str, str]) -> float:
    """Seconds until the minute is over whose requests are used up; 0 while some are left, or nothing is said of them."""
    if headers.get("rateLimit-remaining", "").strip() != "0":
        return 0.0
    text = headers.get("rateLimit-reset", "").strip()
    return min(float(text[:9]), MINUTE_S) if text.isascii() and text.isdecimal() else MINUTE_S
