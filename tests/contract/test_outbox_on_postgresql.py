"""The outbox, and events from inbox to messenger, over PostgreSQL: what holds over SQLite holds there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from renkei.inbox import lease
from renkei.inbox.lease import Leases
from renkei.links.workplace_lineworks.events import addresses, worker
from renkei.outbox import sender
from renkei.outbox.outbox import Outbox
from renkei.storage.database.database import METADATA, Database, open_database
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.postgresql import folder_of_programs
from tests.harness.workplace_events import EventWorld
from tests.unit.links.workplace_lineworks.events import test_worker
from tests.unit.outbox import test_outbox

pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")


def _plays(module: ModuleType, *given: str) -> dict[str, Callable[..., None]]:
    """The tests of a module that need these fixtures at most."""
    found = inspect.getmembers(module, inspect.isfunction)
    return {
        name: test
        for name, test in found
        if name.startswith("test_") and set(inspect.signature(test).parameters) <= set(given)
    }


OUTBOX = _plays(test_outbox, "database", "outbox", "leases", "monkeypatch")
EVENTS = _plays(test_worker, "world")


@pytest.fixture(scope="module")
def url(postgresql_url: str) -> Iterator[str]:
    yield postgresql_url
    open_database(postgresql_url).engine.dispose()


@pytest.fixture
def database(url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 1e6)
    monkeypatch.setattr(addresses, "FRESH_S", 0.0)
    monkeypatch.setattr(worker, "SUMS_UP_EVERY_S", 0.0)
    monkeypatch.setattr(sender, "LOOKED_MEANWHILE_S", 0.005)
    opened = open_database(url)
    with opened.writing() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    return opened


@pytest.mark.parametrize("name", OUTBOX)
def test_w3_the_outbox_holds_over_postgresql_too(
    name: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    play, outbox = OUTBOX[name], Outbox(database, PLAIN, LINK, TENANT)
    with Leases(database) as leases:
        assert leases.acquire(outbox.lease)
        known: dict[str, Any] = {
            "database": database,
            "outbox": outbox,
            "leases": leases,
            "monkeypatch": monkeypatch,
        }
        play(**{wanted: known[wanted] for wanted in inspect.signature(play).parameters})


@pytest.mark.parametrize("name", EVENTS)
def test_w3_events_hold_over_postgresql_too(name: str, database: Database, url: str, tmp_path: Path) -> None:
    world = EventWorld(tmp_path, url=url)
    with world.leases:
        EVENTS[name](world)
        world.worker.close()
