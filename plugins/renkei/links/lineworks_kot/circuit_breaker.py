"""How KING OF TIME is spared while it is not well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from renkei.inbox.drain import PausedError

LONGEST_REST_S = 60.0
TURN_S = 1.0  # while one punch is tried, the others look again
WAITS = "KING OF TIMEに再び送るまで待っています。"


class CircuitBreaker:
    """While KING OF TIME is not well, one punch at a time is tried, after longer and longer rests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock, self._trying = threading.Lock(), threading.Lock()
        self._failures, self._until = 0, 0.0

    def check(self) -> None:
        """Raises PausedError: it is resting."""
        left = self._until - self._clock()
        if left > 0:
            raise PausedError(left, WAITS)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Raises PausedError: somebody else is trying."""
        if not self._failures:
            yield
            return
        if not self._trying.acquire(blocking=False):
            raise PausedError(TURN_S, WAITS)
        try:
            yield
        finally:
            self._trying.release()

    def rest(self, at_least: float = 0.0) -> float:
        """It failed: how many seconds nothing is sent. Of several that fail at once, the first one counts."""
        with self._lock:
            if self._until <= self._clock():
                self._failures += 1
                seconds = max(at_least, min(2.0**self._failures, LONGEST_REST_S))
                self._until = self._clock() + seconds
            return self._until - self._clock()

    def well(self) -> None:
        with self._lock:
            self._failures, self._until = 0, 0.0
