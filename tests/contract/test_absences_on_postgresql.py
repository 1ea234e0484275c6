"""Absences over PostgreSQL: what holds over SQLite holds there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from renkei.storage.database.database import METADATA, open_database
from tests.harness.postgresql import folder_of_programs, postgresql
from tests.harness.workplace_lineworks import AbsenceWorld
from tests.unit.links.workplace_lineworks import test_absences

pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")

TESTS = {
    name: test
    for name, test in inspect.getmembers(test_absences, inspect.isfunction)
    if name.startswith("test_") and set(inspect.signature(test).parameters) == {"world"}
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as found:
        yield found
        open_database(found).engine.dispose()


@pytest.fixture
def world(url: str, tmp_path: Path) -> AbsenceWorld:
    with open_database(url).writing() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    return AbsenceWorld(tmp_path / "world", url=url)


@pytest.mark.parametrize("test", [*TESTS.values()], ids=[*TESTS])
def test_l4_absences_over_postgresql(test: Callable[[AbsenceWorld], None], world: AbsenceWorld) -> None:
    test(world)
