"""How many requests one process has under way in a kintone domain, by what its answers say of the others (K16)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

LONGEST_PAUSE_S = 30.0
CROWDED = 0.8  # of the domain's requests at once: from there on we take less


class ConcurrencyLimit:
    """How many requests are under way at once: as many as we may, fewer while the domain is crowded (K16)."""

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._most = self.width = most
        self._inside = 0
        self._closed_until = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def passed(self) -> Iterator[Callable[[Mapping[str, str]], None]]:
        """Wait for one's turn; what it gives is to be told the answer's headers."""
        with self._changed:
            while self._inside >= self.width:
                self._changed.wait()
            self._inside += 1
            pause = self._closed_until - self._clock()
        try:
            if pause > 0:
                self._sleep(pause)
            yield self._note
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _note(self, headers: Mapping[str, str]) -> None:
        """Narrower by half where the answer says that the domain is nearly full; else wider by one."""
        limit, running = (_count(headers.get(f"X-ConcurrencyLimit-{name}")) for name in ("Limit", "Running"))
        if not limit:
            return
        with self._changed:
            full = running >= CROWDED * limit
            self.width = max(1, self.width // 2) if full else min(self._most, self.width + 1)

    def close(self, seconds: float | None) -> None:
        """Refused: one at a time, and none for a while."""
        with self._changed:
            self.width = 1
            pause = min(seconds or random.uniform(0.5, 1.5), LONGEST_PAUSE_S)
            self._closed_until = max(self._closed_until, self._clock() + pause)


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else 0
