"""Wall-clock limits of tests: said for an idle machine, kept on a busy one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


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


@pytest.fixture(autouse=True)
def patient_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Dag file waits for its sheets as long as they take: on a busy machine they would be 確認中, with other tasks."""
    from renkei.orchestration import dag_builder

    monkeypatch.setattr(dag_builder, "WAIT_S", 600)
    monkeypatch.setattr(dag_builder, "OWN_WAIT_S", 600)
