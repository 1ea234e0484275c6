"""A clock on which waiting costs nothing, for clients that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from unittest import mock

from renkei.systems import retrying
from renkei.systems.smarthr.pacer import Pacer


class SkipClock:
    """Real time, plus whatever was slept: waiting costs nothing and is on record."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._skipped = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        with self._lock:
            return time.perf_counter() + self._skipped

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._skipped += max(seconds, 0.0)


@contextmanager
def no_waits(client: ModuleType) -> Iterator[SkipClock]:
    """That client, its pacer if it has one, and what it asks again with wait on a clock that skips."""
    clock = SkipClock()
    own = {"time": clock, "Pacer": lambda rate: Pacer(rate, clock.monotonic, clock.sleep)}
    own = {name: found for name, found in own.items() if hasattr(client, name)}
    with mock.patch.multiple(client, **own), mock.patch.object(retrying, "time", clock):
        yield clock
