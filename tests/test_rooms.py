"""docs/architecture.md: imports point down, from what knows a link or Airflow to what knows neither."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

RENKEI = ROOT / "plugins" / "renkei"
BOTTOM = {"adapters", "channel", "clock", "errors", "settings", "texts"}  # files, not rooms
ARROWS = {
    **dict.fromkeys(BOTTOM, frozenset[str]()),
    **dict.fromkeys(("storage", "systems", "values", "sheets"), frozenset[str]()),
    "inbox": {"storage"},
    "outbox": {"inbox", "storage", "systems"},
    "jobs": {"storage"},
    "public": {"inbox", "sheets", "storage", "systems"},
    "runs": {"storage"},
    "notifications": {"sheets", "storage", "systems"},
    "links": {"inbox", "outbox", "notifications", "runs", "sheets", "storage", "systems", "values"},
    "web": {"jobs", "links", "notifications", "public", "runs", "sheets", "storage", "systems", "values"},
}


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_no_import_points_up(room: str) -> None:
    """A link's names are texts where a room below must reach it."""
    files = [RENKEI / f"{room}.py"] if room in BOTTOM else sorted((RENKEI / room).rglob("*.py"))
    assert files
    imported = {
        name for file in files for name in re.findall(r"^\s*(?:from|import) renkei\.(\w+)", file.read_text(), re.M)
    }
    assert imported - ARROWS[room] - BOTTOM - {room} == set()


def test_the_console_names_no_link() -> None:
    """It loops over the registry, which what mounts it knows."""
    files = [path for path in (RENKEI / "web").rglob("*") if path.suffix in (".py", ".html")]
    assert files
    named = re.compile(r"smarthr_emc|\bEMC\b|SmartHR")
    assert [str(path.relative_to(RENKEI)) for path in files if named.search(path.read_text())] == []


def test_a_simulator_shares_nothing_with_what_it_is_to_judge() -> None:
    """Nor does the product know that there are simulators."""
    ours = {"simulators": r"renkei|scripts|tests", "plugins": r"simulators|scripts|tests"}
    for folder, forbidden in ours.items():
        files = sorted((ROOT / folder).rglob("*.py"))
        assert files
        named = re.compile(rf"^\s*(?:from|import) (?:{forbidden})\b", re.M)
        assert [str(path.relative_to(ROOT)) for path in files if named.search(path.read_text())] == []
