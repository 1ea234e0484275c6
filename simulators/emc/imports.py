"""An import's life: opened, given its files, committed (or rejected), aborted, asked about."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import uuid
from typing import Any

from simulators.emc.applying import apply_import
from simulators.emc.problems import Problem
from simulators.emc.rows import count_rows
from simulators.emc.store import Store, dumps, grow_version, now

FILES = ("departments", "users")
BUSY_RETRY_AFTER_S = 5


class Imports:
    """The imports of all accounts; used alike by the HTTP interface and the drop folder."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._applying = threading.Lock()

    def resume(self) -> None:
        """Finish what a crash interrupted: an import that was being applied is applied now."""
        with self.store.read() as db:
            ids = [row["id"] for row in db.execute("SELECT id FROM imports WHERE state = 'applying' ORDER BY number")]
        for import_id in ids:
            self._apply(import_id)

    def open(self, account: str, key: str, body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The import of this key, and whether it is new.

        Raises:
            Problem: KEY_REUSED, IMPORT_IN_PROGRESS.
        """
        text = json.dumps(body, ensure_ascii=False, sort_keys=True)
        with self.store.write() as db:
            row = db.execute("SELECT * FROM imports WHERE account = ? AND key = ?", (account, key)).fetchone()
            if row is not None:
                if row["body"] != text:
                    raise Problem("KEY_REUSED")
                return shown(row), False
            busy = db.execute(
                "SELECT 1 FROM imports WHERE account = ? AND state IN ('open', 'applying')", (account,)
            ).fetchone()
            if busy:
                raise Problem("IMPORT_IN_PROGRESS", headers={"Retry-After": str(BUSY_RETRY_AFTER_S)})
            import_id = f"imp_{uuid.uuid4().hex}"
            db.execute(
                "INSERT INTO imports (id, account, key, body, source, plan_digest, state, opened_at)"
                " VALUES (?, ?, ?, ?, ?, ?, 'open', ?)",
                (import_id, account, key, text, body["source"], body["plan_digest"], now()),
            )
            return shown(_row(db, account, import_id)), True

    def check_open(self, account: str, import_id: str, file: str) -> None:
        """Refuse a file early, before its bytes are read."""
        with self.store.read() as db:
            self._declared(db, account, import_id, file)

    def put_file(self, account: str, import_id: str, file: str, body: bytes) -> None:
        """Keep a file for the commit, replacing an earlier upload."""
        digest, rows = hashlib.sha256(body).hexdigest(), count_rows(body)
        with self.store.write() as db:
            declared = self._declared(db, account, import_id, file)
            if digest != declared["sha256"] or rows != declared["rows"]:
                raise Problem("DIGEST_MISMATCH")
            db.execute("INSERT OR REPLACE INTO import_files VALUES (?, ?, ?)", (import_id, file, body))

    def commit(self, account: str, import_id: str, stuck_for_s: float = 0) -> dict[str, Any]:
        """The import after it was applied or rejected; a repeated commit gives the same answer.

        `stuck_for_s` leaves it in state applying for that long and answers at once.
        """
        with self.store.write() as db:
            row = _row(db, account, import_id)
            if row["state"] == "aborted":
                raise Problem("NOT_OPEN")
            if row["state"] != "open":
                return shown(row)
            body = json.loads(row["body"])
            present = {
                found["file"] for found in db.execute("SELECT file FROM import_files WHERE import_id = ?", (import_id,))
            }
            if any(body[file] is not None and file not in present for file in FILES):
                raise Problem("FILES_MISSING")
            db.execute("UPDATE imports SET state = 'applying' WHERE id = ?", (import_id,))
        if stuck_for_s:
            timer = threading.Timer(stuck_for_s, self._apply, [import_id])
            timer.daemon = True
            timer.start()
        else:
            self._apply(import_id)
        return self.get(account, import_id)

    def abort(self, account: str, import_id: str) -> dict[str, Any]:
        with self.store.write() as db:
            if _row(db, account, import_id)["state"] != "open":
                raise Problem("NOT_OPEN")
            db.execute("UPDATE imports SET state = 'aborted', finished_at = ? WHERE id = ?", (now(), import_id))
            db.execute("DELETE FROM import_files WHERE import_id = ?", (import_id,))
            return shown(_row(db, account, import_id))

    def get(self, account: str, import_id: str) -> dict[str, Any]:
        with self.store.read() as db:
            return shown(_row(db, account, import_id))

    def listed(
        self, account: str, *, limit: int, key: str | None = None, source: str | None = None, state: str | None = None
    ) -> list[dict[str, Any]]:
        """Imports of the account, newest first."""
        with self.store.read() as db:
            rows = db.execute(
                "SELECT * FROM imports WHERE account = ?1 AND (?2 IS NULL OR key = ?2)"
                " AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR state = ?4) ORDER BY number DESC LIMIT ?5",
                (account, key, source, state, limit),
            ).fetchall()
        return [shown(row) for row in rows]

    def _declared(self, db: sqlite3.Connection, account: str, import_id: str, file: str) -> dict[str, Any]:
        row = _row(db, account, import_id)
        if row["state"] != "open":
            raise Problem("NOT_OPEN")
        declared: dict[str, Any] | None = json.loads(row["body"])[file]
        if declared is None:
            raise Problem("NOT_DECLARED")
        return declared

    def _apply(self, import_id: str) -> None:
        with self._applying:
            try:
                self._apply_in_one_transaction(import_id)
            except _RejectedError as rejected:
                with self.store.write() as db:
                    db.execute(
                        "UPDATE imports SET state = 'rejected', finished_at = ?, errors = ?, error_count = ?,"
                        " notices = ? WHERE id = ?",
                        (now(), rejected.errors, rejected.error_count, rejected.notices, import_id),
                    )
                    db.execute("DELETE FROM import_files WHERE import_id = ?", (import_id,))

    def _apply_in_one_transaction(self, import_id: str) -> None:
        with self.store.write() as db:
            row = db.execute("SELECT * FROM imports WHERE id = ? AND state = 'applying'", (import_id,)).fetchone()
            if row is None:
                return
            files = dict(db.execute("SELECT file, body FROM import_files WHERE import_id = ?", (import_id,)).fetchall())
            outcome = apply_import(db, row["account"], self.store.format, files.get("departments"), files.get("users"))
            errors, notices = outcome.errors, dumps(outcome.notices.listed())
            if errors.count:
                raise _RejectedError(dumps(errors.listed()), errors.count, notices)
            db.execute(
                "UPDATE imports SET state = 'committed', finished_at = ?, version = ?, counts = ?, notices = ?"
                " WHERE id = ?",
                (now(), grow_version(db, row["account"]), dumps(outcome.counts), notices, import_id),
            )
            db.execute("DELETE FROM import_files WHERE import_id = ?", (import_id,))


class _RejectedError(Exception):
    def __init__(self, errors: str, error_count: int, notices: str) -> None:
        super().__init__("rejected")
        self.errors = errors
        self.error_count = error_count
        self.notices = notices


def _row(db: sqlite3.Connection, account: str, import_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM imports WHERE account = ? AND id = ?", (account, import_id)
    ).fetchone()
    if row is None:
        raise Problem("NOT_FOUND")
    return row


def shown(row: sqlite3.Row) -> dict[str, Any]:
    """The `Import` of the contract."""
    plain = ("id", "key", "source", "plan_digest", "state", "opened_at", "finished_at", "version", "error_count")
    return {
        **{name: row[name] for name in plain},
        "counts": json.loads(row["counts"]) if row["counts"] else None,
        "errors": json.loads(row["errors"]),
        "notices": json.loads(row["notices"]),
    }
