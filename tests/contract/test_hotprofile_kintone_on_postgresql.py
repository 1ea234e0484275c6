"""The runs of Hot Profile → kintone over PostgreSQL: what holds over SQLite holds there, statement by statement."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from renkei.storage.database.database import METADATA, Database, open_database
from tests.harness.hotprofile_kintone import LinkWorld
from tests.harness.postgresql import folder_of_programs
from tests.unit.links.hotprofile_kintone import test_conflicts, test_digest_key, test_keys, test_reading, test_writing

RULES = tuple(f"test_k{number}_" for number in (3, 5, 7, 15, 17, 22, 23))
pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")


def _plays(module: ModuleType) -> Iterator[tuple[str, Callable[..., None]]]:
    """The tests of a module whose rules are kept by statements, and that need a world and nothing else."""
    for name, test in vars(module).items():
        if name.startswith(RULES) and list(inspect.signature(test).parameters) in (["world"], ["watched"]):
            yield name, test


PLAYS = dict(
    one for module in (test_writing, test_reading, test_keys, test_conflicts, test_digest_key) for one in _plays(module)
)


@pytest.fixture(scope="module")
def database(postgresql_url: str) -> Iterator[Database]:
    opened = open_database(postgresql_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def world(tmp_path: Path, database: Database) -> LinkWorld:
    with database.writing() as connection:
        ours = ", ".join(name for name in METADATA.tables if name.startswith("hotprofile_kintone_"))
        connection.execute(text(f"TRUNCATE {ours}"))
    world = LinkWorld(tmp_path)
    world.database = database
    world.start()
    return world


@pytest.mark.parametrize("name", PLAYS)
def test_k5_k15_k23_it_holds_over_postgresql_too(name: str, world: LinkWorld) -> None:
    play = PLAYS[name]
    asked = next(iter(inspect.signature(play).parameters))
    play(test_conflicts.watch_three(world) if asked == "watched" else world)
