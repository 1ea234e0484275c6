"""Keep below SmartHR's request limits without giving any of them away.

SmartHR allows 10 requests a second and 5,000 an hour per token (developer.smarthr.jp, "about_api").
A server counts a request somewhere between our sending it and our receiving its answer. So the n-th
next request may leave one window after the *answer* to this one: then no second, wherever the server
starts counting it, holds more than n.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW_S = 1.0
SAFETY_S = 0.005  # clocks of both sides tick differently
LONGEST_S = 3600.0  # the longest window that SmartHR has; a reset beyond is none


class Pacer:
    """Grants permission to send, from any number of threads, evenly spread over the second."""

    def __init__(
        self,
        requests_per_second: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = requests_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._answered: deque[float] = deque(maxlen=requests_per_second)
        self._in_flight = 0
        self._next_at = 0.0
        self._blocked_until = 0.0
        self._changed = threading.Condition(self._lock)

    def acquire(self) -> None:
        """Return when one request may be sent; `release` must follow."""
        while True:
            with self._lock:
                wait = self._wait_s()
                if wait is not None and wait <= 0:
                    self._in_flight += 1
                    self._next_at = max(self._clock(), self._next_at) + WINDOW_S / self._limit
                    if len(self._answered) + self._in_flight > self._limit and self._answered:
                        self._answered.popleft()
                    return
                if wait is None:
                    self._changed.wait(timeout=WINDOW_S)
                    continue
            self._sleep(wait)

    def _wait_s(self) -> float | None:
        """Seconds until a request may leave; None when that depends on an answer still to come."""
        if self._in_flight >= self._limit:
            return None
        now = self._clock()
        earliest = max(self._next_at, self._blocked_until)
        taken = len(self._answered) + self._in_flight
        if taken >= self._limit:
            # One of the last `limit` requests was answered less than a window ago.
            earliest = max(earliest, self._answered[0] + WINDOW_S + SAFETY_S)
        return earliest - now

    def release(self, headers: Mapping[str, str] | None) -> None:
        """Note that the answer came (None: no answer), and obey what its headers say is left."""
        with self._lock:
            now = self._clock()
            self._in_flight -= 1
            self._answered.append(now)
            if headers is not None:
                self._blocked_until = max(self._blocked_until, now + _reset_s(headers))
            self._changed.notify_all()

    def block(self, seconds: float) -> None:
        """Send nothing for so long: what a 429 asks for."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)


def _reset_s(headers: Mapping[str, str]) -> float:
    """Seconds to wait because a window is used up; 0 when none is.

    SmartHR does not document which window the "intensive" headers describe, so whichever shows 0
    counts. A window that is over within a second is the one that the pacer keeps itself, to the
    millisecond, while `reset` is in whole seconds: obeying it would halve the rate.
    """
    wait = 0.0
    for prefix in ("x-rate-limit", "x-intensive-rate-limit"):
        remaining, reset = headers.get(f"{prefix}-remaining"), headers.get(f"{prefix}-reset")
        if remaining is not None and remaining.strip() == "0":
            try:
                wait = max(wait, float(reset or WINDOW_S))
            except ValueError:
                continue
    return min(wait, LONGEST_S) if wait > WINDOW_S else 0.0
