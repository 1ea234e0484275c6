"""The effect of one import on its account, inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, field

from simulators.emc.fileformat import DataSet, FileFormat
from simulators.emc.findings import Findings
from simulators.emc.rows import Row, address_code, read_rows
from simulators.emc.store import dumps, references

Counts = dict[str, int]


def no_counts() -> Counts:
    return {"added": 0, "updated": 0, "deleted": 0, "absent": 0}


@dataclass
class Outcome:
    """What an import did, or, if there are errors, why its transaction must be rolled back."""

    errors: Findings = field(default_factory=Findings)
    notices: Findings = field(default_factory=Findings)
    counts: dict[str, Counts] = field(default_factory=lambda: {"departments": no_counts(), "users": no_counts()})


def apply_import(
    db: sqlite3.Connection, account: str, file_format: FileFormat, departments: bytes | None, users: bytes | None
) -> Outcome:
    """Departments added and updated, then users, then departments deleted.

    Rows with errors are applied as far as they can be read, so that the findings of later rows are not mere
    consequences of earlier ones; the caller rolls all of it back.
    """
    return _Application(db, account, file_format).run(departments, users)


class _Application:
    def __init__(self, db: sqlite3.Connection, account: str, file_format: FileFormat) -> None:
        self.db = db
        self.account = account
        self.format = file_format
        self.outcome = Outcome()
        self.tree_known = True
        self.tree = self._load("departments")

    def run(self, departments: bytes | None, users: bytes | None) -> Outcome:
        errors = self.outcome.errors
        department_rows: list[Row] | None = []
        user_rows: list[Row] | None = []
        if departments is not None:
            department_rows = read_rows(departments, self.format.departments, self.format, errors)
        if users is not None:
            user_rows = read_rows(users, self.format.users, self.format, errors)
        # A department file that cannot be read says nothing about the departments that users refer to.
        self.tree_known = department_rows is not None
        department_rows, user_rows = department_rows or [], user_rows or []
        self._write_departments([row for row in department_rows if row.flag != self.format.delete])
        self._write_users(user_rows)
        self._delete_departments([row for row in department_rows if row.flag == self.format.delete])
        return self.outcome

    def _load(self, file: str) -> dict[str, dict[str, str]]:
        rows = self.db.execute(f"SELECT id, record FROM {file} WHERE account = ?", (self.account,))
        return {row["id"]: json.loads(row["record"]) for row in rows}

    def _error(self, data_set: DataSet, row: Row, item: str, code: str) -> None:
        self.outcome.errors.add(data_set.file, row.line, item, code)

    def _absent(self, data_set: DataSet, row: Row) -> None:
        self.outcome.notices.add(data_set.file, row.line, data_set.id_column.name, "ALREADY_ABSENT")
        self.outcome.counts[data_set.file]["absent"] += 1

    def _write_departments(self, rows: list[Row]) -> None:
        data_set, counts = self.format.departments, self.outcome.counts["departments"]
        for row in rows:
            known = row.id in self.tree
            adding = row.flag == self.format.add
            if adding and known:
                self._error(data_set, row, data_set.id_column.name, "DUPLICATE_ID")
            elif not adding and not known:
                self._error(data_set, row, data_set.id_column.name, "UNKNOWN_ID")
                continue
            self.tree[row.id] = _merged({} if adding else self.tree[row.id], row)
            counts["added" if adding else "updated"] += 1
        self._check_parents(rows)
        self.db.executemany(
            "INSERT OR REPLACE INTO departments (account, id, record, refs) VALUES (?, ?, ?, ?)",
            [
                (self.account, row.id, dumps(self.tree[row.id]), dumps(references(self.tree[row.id], data_set)))
                for row in rows
                if row.id in self.tree
            ],
        )

    def _check_parents(self, rows: list[Row]) -> None:
        data_set = self.format.departments
        for name in data_set.references:
            for row in rows:
                parent = row.values.get(name)
                if parent is None or row.id not in self.tree:
                    continue
                if parent not in self.tree:
                    self._error(data_set, row, name, "UNKNOWN_PARENT")
                elif self._returns_to(row.id, name):
                    self._error(data_set, row, name, "DEPARTMENT_LOOP")

    def _returns_to(self, start: str, name: str) -> bool:
        visited: set[str] = set()
        current = self.tree[start].get(name)
        while current is not None and current in self.tree and current not in visited:
            if current == start:
                return True
            visited.add(current)
            current = self.tree[current].get(name)
        return False

    def _write_users(self, rows: list[Row]) -> None:
        if not rows:
            return
        data_set, counts = self.format.users, self.outcome.counts["users"]
        existing = dict(self.db.execute("SELECT id, record FROM users WHERE account = ?", (self.account,)).fetchall())
        added, updated, deleted = [], [], []
        for row in rows:
            record = existing.get(row.id)
            if row.flag == self.format.delete:
                if record is None:
                    self._absent(data_set, row)
                else:
                    deleted.append((self.account, row.id))
                    del existing[row.id]
                continue
            adding = row.flag == self.format.add
            if adding and record is not None:
                self._error(data_set, row, data_set.id_column.name, "DUPLICATE_ID")
            if not adding and record is None:
                self._error(data_set, row, data_set.id_column.name, "UNKNOWN_ID")
            merged = _merged({} if adding or record is None else json.loads(record), row)
            self._check_user(row, merged, complete=adding or record is not None)
            stored = (dumps(merged), dumps(references(merged, data_set)))
            if adding:
                digest = hashlib.sha256(row.password.encode()).hexdigest() if row.password else None
                added.append((self.account, row.id, *stored, digest))
            else:
                updated.append((*stored, self.account, row.id))
        self.db.executemany("DELETE FROM users WHERE account = ? AND id = ?", deleted)
        self.db.executemany("UPDATE users SET record = ?, refs = ? WHERE account = ? AND id = ?", updated)
        self.db.executemany(
            "INSERT OR REPLACE INTO users (account, id, record, refs, password_sha256) VALUES (?, ?, ?, ?, ?)", added
        )
        counts.update(added=len(added), updated=len(updated), deleted=len(deleted))

    def _check_user(self, row: Row, merged: dict[str, str], *, complete: bool) -> None:
        data_set = self.format.users
        for name in data_set.references:
            department = row.values.get(name)
            if self.tree_known and department is not None and department not in self.tree:
                self._error(data_set, row, name, "UNKNOWN_DEPARTMENT")
        for medium_name, address_name in data_set.pairs:
            if not (
                medium_name in row.values
                or address_name in row.values
                or medium_name in row.cleared
                or address_name in row.cleared
            ):
                continue
            medium, address = merged.get(medium_name), merged.get(address_name)
            if medium and address:
                if code := address_code(self.format, medium, address):
                    self._error(data_set, row, address_name, code)
            elif complete and medium:
                self._error(data_set, row, address_name, "MEDIUM_WITHOUT_ADDRESS")
            elif complete and address:
                self._error(data_set, row, medium_name, "ADDRESS_WITHOUT_MEDIUM")

    def _delete_departments(self, rows: list[Row]) -> None:
        data_set, counts = self.format.departments, self.outcome.counts["departments"]
        going = {row.id: row for row in rows if row.id in self.tree}
        for row in rows:
            if row.id not in self.tree:
                self._absent(data_set, row)
        if not going:
            return
        used = {
            parent
            for department, record in self.tree.items()
            if department not in going
            for parent in references(record, data_set)
        }
        used.update(
            found["value"]
            for found in self.db.execute(
                "SELECT DISTINCT ref.value FROM users, json_each(users.refs) AS ref WHERE account = ?",
                (self.account,),
            )
        )
        for department, row in going.items():
            if department in used:
                self._error(data_set, row, data_set.id_column.name, "DEPARTMENT_IN_USE")
        self.db.executemany(
            "DELETE FROM departments WHERE account = ? AND id = ?", [(self.account, name) for name in going]
        )
        counts["deleted"] = len(going)


def _merged(record: dict[str, str], row: Row) -> dict[str, str]:
    merged = record | row.values
    for name in row.cleared:
        merged.pop(name, None)
    return merged
