"""Inbox, pump and punches over PostgreSQL: what holds over SQLite holds there, statement by statement."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from renkei.inbox import drain, lease, pump
from renkei.inbox.inbox import oldest_waiting, open_messages
from renkei.storage.database.database import METADATA, Database, open_database
from tests.harness.postgresql import folder_of_programs
from tests.harness.punching import World
from tests.unit.inbox import test_pump
from tests.unit.links.lineworks_kot import test_punching_decides, test_punching_sends, test_punching_tells

pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")


def _plays(module: ModuleType, given: str) -> dict[str, Callable[..., None]]:
    """The tests of a module that need this one thing and no other."""
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and callable(test) and list(inspect.signature(test).parameters) == [given]
    }


PUNCHES = {
    name: test
    for module in (test_punching_decides, test_punching_sends, test_punching_tells)
    for name, test in _plays(module, "world").items()
}
PUMPS = _plays(test_pump, "database")
del PUMPS["test_asking_who_has_open_messages_reads_no_message_that_is_over"]  # SQLite's own plan


@pytest.fixture(scope="module")
def server(postgresql_url: str) -> Iterator[Database]:
    opened = open_database(postgresql_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def database(server: Database) -> Database:
    """With empty tables."""
    with server.writing() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY"))
    return server


@pytest.mark.parametrize("name", PUNCHES)
def test_p13_p14_p15_punches_over_postgresql(
    name: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    PUNCHES[name](World(tmp_path, url=database.engine.url.render_as_string(hide_password=False)))


@pytest.mark.parametrize("name", PUMPS)
def test_l5_p17_the_pump_over_postgresql(name: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    for setting in ("LOOKS_EVERY_S", "TRIES_EVERY_S", "ASKS_EVERY_S"):
        monkeypatch.setattr(pump, setting, 0.01)
    monkeypatch.setattr(drain, "AGAIN_S", 0.01)
    PUMPS[name](database)


def test_the_index_of_open_messages_is_the_one_that_is_used(database: Database) -> None:
    """Four times a second; what is over is never looked at."""
    assert open_messages(database) == {}
    assert oldest_waiting(database, "toy") == {}
    with database.reading() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        asked = (
            "SELECT DISTINCT link, tenant, state FROM inbox_message WHERE state IN ('waiting', 'sending', 'unknown')"
        )
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {asked}"))
    assert "inbox_message_open" in plan
