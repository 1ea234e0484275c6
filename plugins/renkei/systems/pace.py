"""Keeps below a service's request limit without giving any of it away.

A server counts a request somewhere between our sending it and our receiving its answer. So the n-th next request may
leave one window after the *answer* to this one: then no window, wherever the server starts counting it, holds more than n.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

SAFETY_S = 0.005  # clocks of both sides tick differently


@dataclass(frozen=True, slots=True)
class SustainedLimit:
    """A lower limit for who has sent for `after_s` without a whole window of silence."""

    after_s: float
    most: int


class Pacer:
    """Grants permission to send, from any number of threads: `most` requests in any window of `window_s` seconds.

    `spread` lets them out evenly, else as fast as they come. `reset_s` reads from an answer's headers for how many
    seconds nothing may be sent; 0 where they do not say.
    """

    def __init__(
        self,
        most: int,
        window_s: float = 1.0,
        *,
        spread: bool = False,
        long_use: SustainedLimit | None = None,
        reset_s: Callable[[Mapping[str, str]], float] = lambda headers: 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most, self._window_s, self._spread, self._long_use = most, window_s, spread, long_use
        self._reset_s, self._clock, self._sleep = reset_s, clock, sleep
        self._lock = threading.Lock()
        self._answered = deque[float]()  # those of the last window
        self._in_flight = 0
        self._next_at = 0.0
        self._blocked_until = 0.0
        self._used_since = self._used_at = float("-inf")
        self._changed = threading.Condition(self._lock)

    def acquire(self, within_s: float | None = None) -> bool:
        """Return True when one request may be sent; `release` must follow. False if that is not within so long."""
        begun = self._clock()
        until = None if within_s is None else begun + within_s
        with self._lock:
            if begun - self._used_at >= self._window_s:  # who waits for a turn is not silent
                self._used_since = begun
            self._used_at = begun
        while True:
            with self._lock:
                wait = self._wait_s()
                if wait is not None and wait <= 0:
                    self._take()
                    return True
                left = float("inf") if until is None else until - self._clock()
                if left <= 0 or (wait is not None and wait > left):
                    return False
                if wait is None:
                    self._changed.wait(timeout=min(self._window_s, left))
                    continue
            self._sleep(wait)

    def _take(self) -> None:
        now = self._clock()
        self._in_flight += 1
        if self._spread:
            self._next_at = max(now, self._next_at) + self._window_s / self._limit(now)
        self._used_at = now

    def _limit(self, now: float) -> int:
        long = self._long_use
        return long.most if long and now - self._used_since >= long.after_s else self._most

    def _wait_s(self) -> float | None:
        """Seconds until a request may leave; None when that depends on an answer still to come."""
        now = self._clock()
        limit = self._limit(now)
        if self._in_flight >= limit:
            return None
        kept_s = self._window_s + SAFETY_S
        while self._answered and self._answered[0] + kept_s <= now:
            self._answered.popleft()
        earliest = max(self._next_at, self._blocked_until)
        over = len(self._answered) + self._in_flight - limit
        if over >= 0:
            earliest = max(earliest, self._answered[over] + kept_s)
        return earliest - now

    def release(self, headers: Mapping[str, str] | None) -> None:
        """Note that the answer came (None: no answer), and obey what its headers say is left."""
        with self._lock:
            now = self._clock()
            self._in_flight -= 1
            self._answered.append(now)
            if headers is not None:
                self._blocked_until = max(self._blocked_until, now + self._reset_s(headers))
            self._changed.notify_all()

    def next_in_s(self) -> float:
        """About how many seconds until one may be sent: for whoever does not wait for it here."""
        with self._lock:
            wait = self._wait_s()
        return self._window_s if wait is None else max(wait, SAFETY_S)

    def sent_before(self, ages_s: Iterable[float]) -> None:
        """What another process has sent, by how many seconds ago each was answered: it counts as if we had."""
        with self._lock:
            now = self._clock()
            self._answered = deque(sorted([*self._answered, *(now - age for age in ages_s)]))

    def block(self, seconds: float) -> None:
        """Send nothing for so long: what a 429 asks for."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)
