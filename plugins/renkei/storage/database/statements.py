"""Statements that SQLite and PostgreSQL have in one form, which SQLAlchemy offers under two names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from renkei.storage.database.database import Database


def insert(database: Database, table: Table) -> Any:
    """An INSERT that has `on_conflict_do_update`."""
    return (postgresql if database.engine.dialect.name == "postgresql" else sqlite).insert(table)


def replace(database: Database, table: Table) -> Any:
    """An INSERT of whole rows, each of which takes the place of the one with its primary key."""
    new = insert(database, table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
    return new.on_conflict_do_update(index_elements=keys, set_=rest)
