"""The SQLite file that holds accounts, their records and their imports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulators.emc.fileformat import DataSet, FileFormat
from simulators.emc.problems import Problem

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, version INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS departments (
    account TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, refs TEXT NOT NULL, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS users (
    account TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, refs TEXT NOT NULL,
    password_sha256 TEXT, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS imports (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, key TEXT NOT NULL,
    body TEXT NOT NULL, source TEXT NOT NULL, plan_digest TEXT NOT NULL, state TEXT NOT NULL,
    opened_at TEXT NOT NULL, finished_at TEXT, version INTEGER, counts TEXT,
    errors TEXT NOT NULL DEFAULT '[]', error_count INTEGER NOT NULL DEFAULT 0, notices TEXT NOT NULL DEFAULT '[]',
    UNIQUE (account, key));
CREATE TABLE IF NOT EXISTS import_files (
    import_id TEXT NOT NULL, file TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (import_id, file));
"""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def references(record: Mapping[str, str], data_set: DataSet) -> list[str]:
    """Ids of the departments that a record names."""
    return [record[name] for name in data_set.references if name in record]


class Store:
    """Short-lived connections to one database file; safe to use from several threads."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        self.path = path
        self.format = file_format
        with self.read() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=120, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = NORMAL")  # survives the process, which is what a crash means here
        try:
            yield db
        finally:
            db.close()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose reads all see one state of the database."""
        with self.read() as db:
            db.execute("BEGIN")
            yield db
            db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back by any exception."""
        with self.read() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def ensure_account(self, name: str, token: str) -> None:
        with self.write() as db:
            db.execute(
                "INSERT INTO accounts (name, token) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET token = ?2",
                (name, token),
            )

    def account_names(self) -> list[str]:
        with self.read() as db:
            return [row["name"] for row in db.execute("SELECT name FROM accounts ORDER BY name")]

    def account_of_token(self, token: str) -> str | None:
        with self.read() as db:
            row = db.execute("SELECT name FROM accounts WHERE token = ?", (token,)).fetchone()
        return row["name"] if row else None

    def head(self, account: str) -> dict[str, Any]:
        """Version and number of records of an account."""
        with self.snapshot() as db:
            return {
                "account": account,
                "version": version(db, account),
                "users": total(db, account, "users"),
                "departments": total(db, account, "departments"),
            }

    def page(self, account: str, file: str, after: str, limit: int, fields: Sequence[str] | None) -> dict[str, Any]:
        """Records with an id above `after`, ascending by id in code-point order."""
        names = self._exported(file, fields)
        with self.snapshot() as db:
            rows = db.execute(
                f"SELECT id, record FROM {file} WHERE account = ? AND id > ? ORDER BY id LIMIT ?",
                (account, after, limit + 1),
            ).fetchall()
            return {
                "version": version(db, account),
                "total": total(db, account, file),
                "items": [self._item(file, row, names) for row in rows[:limit]],
                "next": rows[limit - 1]["id"] if len(rows) > limit else None,
            }

    def search(self, account: str, file: str, ids: Sequence[str], fields: Sequence[str] | None) -> dict[str, Any]:
        """The records among `ids` that exist, ascending by id."""
        names = self._exported(file, fields)
        with self.snapshot() as db:
            rows = db.execute(
                f"SELECT id, record FROM {file} WHERE account = ? AND id IN (SELECT value FROM json_each(?))"
                " ORDER BY id",
                (account, dumps(list(ids))),
            ).fetchall()
            return {"version": version(db, account), "items": [self._item(file, row, names) for row in rows]}

    def _exported(self, file: str, fields: Sequence[str] | None) -> list[str]:
        stored = self.format.data_set(file).stored
        if fields is None:
            return stored
        if unknown := [name for name in fields if name not in stored]:
            raise Problem("BAD_REQUEST", f"fieldsに指定できない項目が{len(unknown)}件あります。")
        return [name for name in stored if name in fields or name == stored[0]]

    def _item(self, file: str, row: sqlite3.Row, names: Sequence[str]) -> dict[str, str]:
        record = json.loads(row["record"])
        record[self.format.data_set(file).id_column.name] = row["id"]
        return {name: record.get(name, "") for name in names}


def version(db: sqlite3.Connection, account: str) -> int:
    row = db.execute("SELECT version FROM accounts WHERE name = ?", (account,)).fetchone()
    if row is None:
        raise Problem("NOT_FOUND")
    return int(row["version"])


def total(db: sqlite3.Connection, account: str, file: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {file} WHERE account = ?", (account,)).fetchone()[0])


def grow_version(db: sqlite3.Connection, account: str) -> int:
    db.execute("UPDATE accounts SET version = version + 1 WHERE name = ?", (account,))
    return version(db, account)
