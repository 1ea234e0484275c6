"""What the tests of linking begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.notifications.members.line_account import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
