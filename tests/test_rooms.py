"""docs/architecture.md: imports point down, from what knows a link or Airflow to what knows neither."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

RENKEI = ROOT / "plugins" / "renkei"
BELOW = ("errors.py", "texts.py", "clock.py", "settings.py")
ABOVE = {
    **dict.fromkeys(("runs", "notifications", "sheets", "values", "systems"), "links|orchestration|commands"),
    "storage": "links|orchestration|commands|runs|notifications|sheets|values|systems",
    "links": "orchestration|commands",
    **dict.fromkeys(BELOW, r"\w+\."),  # a room of any name
}


@pytest.mark.parametrize("room", ABOVE)
def test_no_import_points_up(room: str) -> None:
    """A link's names are texts where a room below must reach it."""
    found = re.compile(rf"^\s*(from|import) renkei\.({ABOVE[room]})", re.MULTILINE)
    files = [RENKEI / room] if room in BELOW else sorted((RENKEI / room).rglob("*.py"))
    assert files
    assert [str(file.relative_to(RENKEI)) for file in files if found.search(file.read_text())] == []
