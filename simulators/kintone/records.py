"""Reading and writing an app's records, each write checked as a whole before any of it stands."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from simulators.kintone.domain import App, Caller, Domain, Record
from simulators.kintone.errors import DUPLICATE, REQUIRED, KintoneError, parameter
from simulators.kintone.form import WITHOUT_VALUE, unique_key
from simulators.kintone.values import Problems, Reader, default, find, normalised

KEY_TYPES = frozenset({"SINGLE_LINE_TEXT", "NUMBER"})


class Writer:
    """The writes of one request to an app; `finish` tells of all that was wrong with them."""

    def __init__(self, domain: Domain, app: App, caller: Caller) -> None:
        self.domain, self.app, self.caller = domain, app, caller
        self.problems = Problems(domain.settings.key_form)
        self.reader = Reader(domain, app, caller, self.problems)
        self.now = domain.clock.now()

    def finish(self) -> None:
        """Nothing of the request stands if any record of it had a fault.

        Raises:
            KintoneError: CB_VA01 with every path.
        """
        if self.problems.errors:
            raise KintoneError("CB_VA01", errors=self.problems.errors)

    def insert(self, sent: Any, prefix: str) -> Record:
        """A new record; fields that were not sent have their defaults."""
        app, before = self.app, len(self.problems.errors)
        values = {
            code: default(one, self.now)
            for code, one in app.fields.items()
            if one.written and (not isinstance(sent, dict) or code not in sent)
        }
        values |= self.reader.values(app.fields, cells(sent), prefix, {})
        self.reader.missing(app.fields, values, prefix)
        record = Record(app.next_id, 1, values, self.now, self.now, self.caller.name, self.caller.name)
        app.next_id += 1  # a number that a failed write took is not given again
        self._duplicates(record, values, prefix)
        if len(self.problems.errors) == before:
            app.records[record.id] = record
            insort(app.ids, record.id)
            self._index(record, values, {})
            self.domain.on_failure(lambda: self._forget(record))
        return record

    def update(self, record: Record, sent: Any, revision: Any, prefix: str) -> None:
        """Change a record; required fields are asked of what it is afterwards."""
        if revision is not None and str(revision) not in ("-1", "", str(record.revision)):
            raise KintoneError("GAIA_CO02")
        before = len(self.problems.errors)
        changes = self.reader.values(self.app.fields, cells(sent), prefix, record.values)
        values = record.values | changes
        self.reader.missing(self.app.fields, values, prefix)
        self._duplicates(record, changes, prefix)
        if len(self.problems.errors) > before:
            return
        old = (record.values, record.revision, record.updated_at, record.modifier)

        def back() -> None:
            self._index(record, old[0], record.values)
            record.values, record.revision, record.updated_at, record.modifier = old

        self._index(record, values, record.values)
        record.values, record.revision = values, record.revision + 1
        record.updated_at, record.modifier = self.now, self.caller.name
        self.domain.on_failure(back)

    def delete(self, record: Record) -> None:
        self._forget(record)

        def back() -> None:
            self.app.records[record.id] = record
            insort(self.app.ids, record.id)
            self._index(record, record.values, {})

        self.domain.on_failure(back)

    def by_key(self, key: Any, prefix: str) -> tuple[Record | None, str, Any]:
        """The record that an updateKey names, with the key's field and value.

        Raises:
            KintoneError: the field cannot be a key, or its value is empty.
        """
        code, value = (key.get("field"), key.get("value")) if isinstance(key, dict) else (None, None)
        one = self.app.fields.get(code) if isinstance(code, str) else None
        if one is None:
            raise KintoneError("GAIA_FC01", code)  # (guess)
        if one.type not in KEY_TYPES or not one.unique:
            text = ("更新キーに指定できないフィールドです。", "The field cannot be an update key.")
            raise parameter(f"{prefix}.updateKey.field", text)  # (guess)
        if value in ("", None) or (one.type == "NUMBER" and normalised(value) is None):
            raise parameter(f"{prefix}.updateKey.value", REQUIRED)  # (guess)
        return find(self.app, one, value), one.code, value

    def _duplicates(self, record: Record, values: dict[str, Any], prefix: str) -> None:
        for code, found in self.app.unique.items():
            value = unique_key(self.app.fields[code], values.get(code))
            if value and found.get(value, record.id) != record.id:
                self.problems.add(prefix, code, "value", DUPLICATE)

    def _index(self, record: Record, values: dict[str, Any], before: dict[str, Any]) -> None:
        for code, found in self.app.unique.items():
            one = self.app.fields[code]
            old, new = unique_key(one, before.get(code)), unique_key(one, values.get(code))
            if old != new:
                if old and found.get(old) == record.id:
                    del found[old]
                if new:
                    found[new] = record.id

    def _forget(self, record: Record) -> None:
        if self.app.records.pop(record.id, None) is None:
            return
        del self.app.ids[bisect_left(self.app.ids, record.id)]
        self._index(record, {}, record.values)


def cells(sent: Any) -> dict[str, Any]:
    return sent if isinstance(sent, dict) else {}


def system_value(domain: Domain, app: App, record: Record, kind: str) -> Any:
    match kind:
        case "RECORD_NUMBER":
            return f"{app.code}-{record.id}" if app.code else str(record.id)
        case "CREATED_TIME":
            return record.created_at.strftime("%Y-%m-%dT%H:%M:00Z")
        case "UPDATED_TIME":
            return record.updated_at.strftime("%Y-%m-%dT%H:%M:00Z")
        case _:
            code = record.creator if kind == "CREATOR" else record.modifier
            user = domain.users.get(code)
            return {"code": code, "name": (user.name if user else "") or code}


def told(domain: Domain, app: App, record: Record, only: set[str]) -> dict[str, Any]:
    """A record as the API tells it; `only` these codes, if any."""
    found: dict[str, Any] = {}
    for code, one in app.fields.items():
        if one.type in WITHOUT_VALUE or (only and code not in only):
            continue
        if one.type in ("RECORD_NUMBER", "CREATOR", "CREATED_TIME", "MODIFIER", "UPDATED_TIME"):
            value = system_value(domain, app, record, one.type)
        else:
            value = record.values.get(code, one.empty)
        found[code] = {"type": one.type, "value": value}
    if not only or "$id" in only:
        found["$id"] = {"type": "__ID__", "value": str(record.id)}
    if not only or "$revision" in only:
        found["$revision"] = {"type": "__REVISION__", "value": str(record.revision)}
    return found
