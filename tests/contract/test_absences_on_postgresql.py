"""Absences over PostgreSQL: what holds over SQLite holds there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from renkei.errors import BusyAccountError
from renkei.links.workplace_lineworks.calendar_lease import leased_calendars
from renkei.storage.database.database import METADATA, open_database
from tests.harness.postgresql import folder_of_programs
from tests.harness.workplace_lineworks import AbsenceWorld
from tests.unit.links.workplace_lineworks import (
    test_absence_faults,
    test_absence_revisions,
    test_absences,
    test_cancellations,
    test_strays,
)

pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")


def rules_of(module: ModuleType) -> dict[str, Callable[[AbsenceWorld], None]]:
    return {
        name: test
        for name, test in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_") and set(inspect.signature(test).parameters) == {"world"}
    }


STRAYS, TESTS = rules_of(test_strays), {}
for module in (test_absences, test_absence_revisions, test_absence_faults, test_cancellations):
    TESTS |= rules_of(module)


@pytest.fixture(scope="module")
def url(postgresql_url: str) -> Iterator[str]:
    yield postgresql_url
    open_database(postgresql_url).engine.dispose()


@pytest.fixture
def world(url: str, tmp_path: Path) -> AbsenceWorld:
    with open_database(url).writing() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    return AbsenceWorld(tmp_path / "world", url=url)


@pytest.mark.parametrize("test", [*TESTS.values()], ids=[*TESTS])
def test_l4_absences_over_postgresql(test: Callable[[AbsenceWorld], None], world: AbsenceWorld) -> None:
    test(world)


@pytest.mark.parametrize("test", [*STRAYS.values()], ids=[*STRAYS])
def test_c8_events_that_no_absence_stands_for_over_postgresql(
    test: Callable[[AbsenceWorld], None], world: AbsenceWorld
) -> None:
    test(test_strays.begun_anew(world))


def test_c8_one_process_writes_calendars_over_postgresql(url: str) -> None:
    database = open_database(url)
    with leased_calendars(database, "acme") as lease:
        lease.check()
        with pytest.raises(BusyAccountError), leased_calendars(database, "acme"):
            pytest.fail("two of them write")
    with leased_calendars(database, "acme") as lease:
        lease.doubt()
    with pytest.raises(BusyAccountError), leased_calendars(database, "acme"):
        pytest.fail("its request may be carried out yet")
