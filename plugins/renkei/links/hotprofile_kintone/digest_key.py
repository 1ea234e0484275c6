"""The key of a tenant's digests: who has the database alone finds no name or address behind them by trying (L6).

It is made once and lies sealed beside the rows; when the store's key changes, it is sealed anew and stays what it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, select, tuple_, update

from renkei.links.hotprofile_kintone import LINK
from renkei.links.hotprofile_kintone.tables import CONFLICT, DIGEST_KEY, INCOMING, WORK, WRITTEN
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.storage.store import Store

PIECE = 10_000  # rows that are changed at once
_DIGESTS = {INCOMING: ("digest", "key", "old_key"), WORK: ("digest", "key", "old_key"), WRITTEN: ("digest", "key")}


def digest_key(database: Database, store: Store, tenant: str) -> bytes:
    """The tenant's; at its first use, what stands in the database without one is keyed by it.

    Raises:
        StoreError: the store's key does not open it.
    """
    place = f"{LINK}/{tenant}/digest_key"
    mine = DIGEST_KEY.c.tenant == tenant
    with database.reading() as connection:
        sealed = connection.scalar(select(DIGEST_KEY.c.sealed).where(mine))
    if sealed is None:
        new = secrets.token_bytes(32)
        row = {"tenant": tenant, "sealed": store.seal(place, new)}
        with database.writing() as connection:
            made = connection.execute(insert(database, DIGEST_KEY).values(row).on_conflict_do_nothing())
            sealed = connection.scalar(select(DIGEST_KEY.c.sealed).where(mine))
            if made.rowcount:
                _key_all(connection, tenant, new)
    assert sealed is not None
    key = store.unseal(place, sealed)
    if not store.is_sealed_as_now(sealed):
        with database.writing() as connection:
            same = (mine, DIGEST_KEY.c.sealed == sealed)
            connection.execute(update(DIGEST_KEY).where(*same).values(sealed=store.seal(place, key)))
    return key


def keyed(digest: bytes, key: bytes) -> bytes:
    """As long as `digest`, and equal where that is."""
    return blake2b(digest, digest_size=len(digest), key=key).digest()


def keyed_mark(mark: str, key: bytes) -> str:
    """The same of a mark in hex digits."""
    return blake2b(mark.encode(), digest_size=len(mark) // 2, key=key).hexdigest()


def _key_all(connection: Connection, tenant: str, key: bytes) -> None:
    """Digests of a version that had no key for them: what was written stays known as that."""
    for table, columns in _DIGESTS.items():
        for rows in _pieces(connection, table, tenant):
            changed = [
                {name: keyed(old, key) if (old := getattr(row, name)) else old for name in columns} for row in rows
            ]
            _change(connection, table, rows, changed)
    for rows in _pieces(connection, CONFLICT, tenant):
        _change(connection, CONFLICT, rows, [{"mark": keyed_mark(row.mark, key)} for row in rows])


def _pieces(connection: Connection, table: Table, tenant: str) -> Iterator[list[Any]]:
    keys = [column for column in table.primary_key if column.name != "tenant"]
    query = select(table).where(table.c.tenant == tenant).order_by(*keys).limit(PIECE)
    rows = [*connection.execute(query)]
    while rows:
        yield rows
        last = tuple(getattr(rows[-1], column.name) for column in keys)
        rows = [*connection.execute(query.where(tuple_(*keys) > last))]


def _change(connection: Connection, table: Table, rows: list[Any], changed: list[dict[str, Any]]) -> None:
    names = [column.name for column in table.primary_key]
    its = and_(*(table.c[name] == bindparam(f"its_{name}") for name in names))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in changed[0]}
    parameters = [
        {f"its_{name}": getattr(row, name) for name in names} | {f"new_{name}": value for name, value in new.items()}
        for row, new in zip(rows, changed, strict=True)
    ]
    connection.execute(update(table).where(its).values(values), parameters)
