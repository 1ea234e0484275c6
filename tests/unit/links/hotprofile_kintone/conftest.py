from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.hotprofile_kintone import LinkWorld


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    """A tenant that is linked, and a Hot Profile and a kintone in which nothing is yet."""
    world = LinkWorld(tmp_path)
    world.start()
    return world
