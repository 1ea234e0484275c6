"""One tenant whose WORKPLACE and calendars are memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.workplace_lineworks import AbsenceWorld


@pytest.fixture
def world(tmp_path: Path) -> AbsenceWorld:
    return AbsenceWorld(tmp_path / "world")
