"""A SmartHR behind its client, without a wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from renkei.systems.smarthr import client as module
from tests.harness.clock import SkipClock, no_waits
from tests.unit.systems.smarthr.listed import SmartHR


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


@pytest.fixture
def hr(clock: SkipClock) -> SmartHR:
    """250 crews, that is three pages."""
    return SmartHR(250, clock)
