"""What every unit test leaves behind it."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest


@pytest.fixture(autouse=True)
def _patches_end() -> Iterator[None]:
    """What `network` of tests/unit/systems/transport.py put in the network's place goes with the test."""
    yield
    mock.patch.stopall()
