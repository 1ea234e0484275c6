"""競合検知 (K23): which fields people have changed in kintone since we wrote them, and whether ours takes their place.

Of each field that the sheet watches, `written` keeps what stands for the values that are ours: the one that kintone
confirmed, and those that were sent after it without an answer. A record is sent with the revision that it had then, and
is read again only where kintone says that this has moved: one that nobody has touched costs no request.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, false, func, select, update

from renkei.links.hotprofile_kintone import LINK
from renkei.links.hotprofile_kintone.digest_key import digest_key, keyed_mark
from renkei.links.hotprofile_kintone.model import Job, Now
from renkei.links.hotprofile_kintone.sheet.mapping import KEEP, DataSet
from renkei.links.hotprofile_kintone.tables import CONFLICT, WRITTEN
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.systems.kintone.form import Form, same_number
from renkei.systems.kintone.payloads import Record

FOUND, OVERWRITTEN, KEPT = "found", "overwritten", "kept"  # and not written over yet, or what became of it then
MARK = 8  # characters that tell two values apart, and do not tell the value
Ours = Mapping[str, Sequence[str]]  # by field code, what stands for each value that may be ours


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field of one record that somebody changed in kintone; names nobody (L6)."""

    data_set: str
    source_id: str
    field: str
    record_id: str
    state: str
    seen_at: dt.datetime
    told: bool


class WatchedFields:
    """The fields of one data set that are watched."""

    def __init__(self, job: Job, data_set: DataSet, form: Form) -> None:
        self._job, self._names = job, {"tenant": job.tenant, "data_set": data_set.name}
        self._kept = {item.field for item in data_set.watched if item.conflict == KEEP}
        fields = form.fields  # one that is not there is `form_problems`'
        self._types = {one.field: fields[one.field].type for one in data_set.watched if one.field in fields}

    def __bool__(self) -> bool:
        return bool(self._types)

    @property
    def codes(self) -> list[str]:
        return [*self._types]

    def marks(self, record: Record) -> dict[str, str]:
        """What stands for each watched value of a record as kintone writes it; what kintone fills in itself is not ours."""
        found = {}
        for code, kind in self._types.items():
            if code in record:
                text = _plain(record[code].get("value"), kind)
                if text or kind != "RADIO_BUTTON":
                    found[code] = blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
        return found

    def changed(self, ours: Ours, current: Record, sent: Record | None = None) -> dict[str, str]:
        """The fields that hold another value than any of ours, and than the one that is to be written, with its mark."""
        wanted = self.marks(sent or {})
        return {
            code: mark
            for code, mark in self.marks(current).items()
            if code in ours and mark not in ours[code] and mark != wanted.get(code)
        }

    def keeps(self, code: str) -> bool:
        """残す: what people wrote stays."""
        return code in self._kept

    def read(self, source_id: str, sealed: bytes | None) -> dict[str, list[str]]:
        """Raises StoreError."""
        if sealed is None:
            return {}
        found: dict[str, list[str]] = json.loads(self._job.record.store.unseal(self._place(source_id), sealed))
        return found

    def seal(self, source_id: str, ours: Ours) -> bytes:
        return self._job.record.store.seal(self._place(source_id), json.dumps(ours, separators=(",", ":")).encode())

    def note_sent(self, records: Sequence[tuple[str, Ours, Record]]) -> None:
        """Before records that kintone has are sent: what it holds afterwards may be this, whoever hears the answer."""
        rows = []
        for source_id, ours, record in records:
            marks = self.marks(record)
            if any(mark not in ours.get(code, ()) for code, mark in marks.items()):
                both = {**ours, **{code: [*ours.get(code, ()), mark] for code, mark in marks.items()}}
                rows.append({"its": source_id, "sealed": self.seal(source_id, both)})
        if rows:
            of = (WRITTEN.c[name] == value for name, value in self._names.items())
            statement = update(WRITTEN).where(*of, WRITTEN.c.source_id == bindparam("its"))
            with self._job.database.writing() as connection:
                connection.execute(statement.values(ours=bindparam("sealed")), rows)

    def note(self, found: Sequence[tuple[str, str, Mapping[str, str]]], now: Now) -> None:
        """List the fields that `changed` gave, of records by Hot Profile's id and kintone's.

        One of which somebody has heard is not told again while it stays as it is.
        """
        if not found:
            return
        new = insert(self._job.database, CONFLICT)
        same = and_(CONFLICT.c.mark == new.excluded.mark, CONFLICT.c.state != OVERWRITTEN)
        again = new.on_conflict_do_update(
            index_elements=["tenant", "data_set", "source_id", "field"],
            set_={name: new.excluded[name] for name in ("record_id", "state", "seen_at", "mark")}
            | {"told": case((same, CONFLICT.c.told), else_=false())},
        )
        seen = {**self._names, "state": FOUND, "seen_at": now()}
        secret = digest_key(self._job.database, self._job.record.store, self._job.tenant)
        rows = [
            {
                **seen,
                "source_id": source_id,
                "record_id": record_id,
                "field": code,
                "mark": keyed_mark(mark[:MARK], secret),
            }
            for source_id, record_id, changed in found
            for code, mark in changed.items()
        ]
        with self._job.database.writing() as connection:
            for row in rows:
                connection.execute(again, row)

    def settle(self, connection: Connection, written: Mapping[str, Record]) -> None:
        """kintone has confirmed these records, by Hot Profile's ids: what had been found in them is no more, or was kept."""
        of = [CONFLICT.c[name] == value for name, value in self._names.items()]
        query = select(CONFLICT.c.source_id, CONFLICT.c.field)
        found = connection.execute(query.where(*of, CONFLICT.c.source_id.in_(written), CONFLICT.c.state == FOUND))
        for source_id, code in found.all():
            its = (*of, CONFLICT.c.source_id == source_id, CONFLICT.c.field == code)
            state = OVERWRITTEN if code in written[source_id] else KEPT
            connection.execute(update(CONFLICT).where(*its).values(state=state))

    def _place(self, source_id: str) -> str:
        return f"{LINK}/{self._names['tenant']}/{self._names['data_set']}/{source_id}/written"


def compared(watch: WatchedFields, job: Job, data_set: DataSet, page: Sequence[Record], now: Now) -> int:
    """How many of the records of a page of kintone's somebody has changed; they are listed (照合)."""
    current = {str(record["$id"]["value"]): record for record in page}
    its = (WRITTEN.c.tenant == job.tenant, WRITTEN.c.data_set == data_set.name, WRITTEN.c.record_id.in_(current))
    with job.database.reading() as connection:
        rows = connection.execute(select(WRITTEN).where(*its)).all()
    found = []
    for row in rows:
        record = current[row.record_id]
        if str(record["$revision"]["value"]) != row.revision and (
            changed := watch.changed(watch.read(row.source_id, row.ours), record)
        ):
            found.append((row.source_id, row.record_id, changed))
    watch.note(found, now)
    return len(found)


# --- for pages and mails ----------------------------------------------------------------------------------------------


def listed(database: Database, tenant: str, *, limit: int, offset: int = 0, untold: bool = False) -> list[Conflict]:
    """The newest first."""
    query = select(CONFLICT).where(*_of(tenant, untold))
    newest = query.order_by(CONFLICT.c.seen_at.desc(), CONFLICT.c.data_set, CONFLICT.c.source_id, CONFLICT.c.field)
    return [*_conflicts(database, newest.limit(limit).offset(offset))]


def count(database: Database, tenant: str, *, untold: bool = False) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(*_of(tenant, untold))) or 0


def note_told(database: Database, tenant: str, now: dt.datetime) -> None:
    """Somebody has heard of all that was seen until `now`."""
    its = (CONFLICT.c.tenant == tenant, CONFLICT.c.seen_at <= now)
    with database.writing() as connection:
        connection.execute(update(CONFLICT).where(*its).values(told=True))


def tidy(connection: Connection, before: dt.datetime) -> None:
    """Forget what has not been seen for so long."""
    connection.execute(delete(CONFLICT).where(CONFLICT.c.seen_at < before))


def _of(tenant: str, untold: bool) -> Iterator[Any]:
    yield CONFLICT.c.tenant == tenant
    if untold:
        yield CONFLICT.c.told.is_(False)


def _conflicts(database: Database, query: Any) -> Iterator[Conflict]:
    names = [field.name for field in dataclasses.fields(Conflict)]
    with database.reading() as connection:
        for row in connection.execute(query).all():
            yield Conflict(**{name: row._mapping[name] for name in names})


def _plain(value: Any, kind: str) -> str:
    """A value in the form in which what was written and what is read are the same."""
    if value is None or value == []:
        return ""
    if kind == "USER_SELECT":
        return "\n".join(sorted(str(one.get("code")) for one in value))
    text = str(value)
    if kind == "NUMBER":
        return same_number(text)
    if kind == "DATETIME" and text:
        return f"{dt.datetime.fromisoformat(text).astimezone(dt.UTC):%Y-%m-%d %H:%M}"
    return text.replace("\r\n", "\n")
