"""New SQLite databases of ours made from a finished one: all migrations, one after the other, take ten times as long.

They know the statements that were compiled for those before them, too: SQLAlchemy keeps these engine by engine.
"""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine, create_engine, inspect

from renkei.storage.database import database

_upgrade = database._upgrade


@contextmanager
def databases_copied() -> Iterator[None]:
    """One that has tables already, or is no SQLite, is migrated as ever."""
    with patch.multiple(database, _upgrade=_made, create_engine=_engine):
        yield


def _engine(*args: Any, **kwargs: Any) -> Engine:
    engine = create_engine(*args, **kwargs)
    if engine.dialect.name == "sqlite":
        first = _first()
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    return engine


@functools.cache
def _first() -> Engine:
    engine = create_engine("sqlite://", query_cache_size=5_000)
    engine.connect().close()  # it learns which SQLite this is
    engine.dispose()
    return engine


def _made(connection: Connection) -> None:
    if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
        _upgrade(connection)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


@functools.cache
def _statements() -> tuple[str, ...]:
    """What makes the tables of a database that has been migrated, in order."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "renkei.db"
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            _upgrade(connection)
        engine.dispose()
        with closing(sqlite3.connect(file)) as made:
            return tuple(line for line in made.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;"))
