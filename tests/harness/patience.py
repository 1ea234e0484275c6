"""Wall-clock limits of tests: said for an idle machine, kept on a busy one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


def stretch() -> float:
    """How many times as long this machine takes now as when it is idle: programs that want a processor, per processor."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done inside must take less than `seconds`, and on a busy machine as much more as it is busy."""
    began = time.monotonic()
    yield
    taken, allowed = time.monotonic() - began, seconds * stretch()
    assert taken < allowed, f"took {taken:.1f} s, of {allowed:.1f} s"
