"""Companies on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.console.world import BAD, RUN_ID, ConsoleWorld
from tests.harness.airflow_rows import emptied


@pytest.fixture
def place(airflow_database: Path, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a world that has nothing yet, in Airflow's database neither."""
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)
    with emptied():
        yield tmp_path


@pytest.fixture
def empty(place: Path) -> ConsoleWorld:
    return ConsoleWorld(place)


@pytest.fixture
def world(empty: ConsoleWorld) -> ConsoleWorld:
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    empty.ran("acme", run_id=RUN_ID)
    empty.ran("beta", state="failed", subject=BAD)
    return empty
