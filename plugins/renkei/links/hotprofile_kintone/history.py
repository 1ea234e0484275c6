"""データ処理状況一覧: what each run did with each data set, and the records that could not be written (K18, K20).

What pages and mails read; nothing in here names anybody (L6).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Executable, Row, and_, delete, func, or_, select, update

from renkei.links.hotprofile_kintone import conflicts
from renkei.links.hotprofile_kintone.model import Job, Mode
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, DataSet
from renkei.links.hotprofile_kintone.tables import DATA_SET, FAILED, HISTORY, INCOMING, QUOTA, WORK, WRITTEN
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert

PART = 2_000  # records that are held in memory at once
KEPT_IDLE = dt.timedelta(days=7)  # a run that found nothing to do


class State(StrEnum):
    """How far a data set has come in a run."""

    RUNNING = "running"
    DONE = "done"
    HELD = "held"  # the day's requests are used up (K15)
    AWAY = "away"  # kintone cannot be reached (K17)
    STOPPED = "stopped"  # a setting must be mended first


@dataclass(frozen=True, slots=True)
class Processed:
    """One line of データ処理状況一覧."""

    run: str  # the name of its record in the store
    run_id: str  # Airflow's
    data_set: str
    mode: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    since: dt.datetime | None  # the window that was read
    until: dt.datetime | None
    state: State
    read: int
    added: int
    updated: int
    unchanged: int
    failed: int
    held: int
    requests: int
    said: str  # why it stopped

    @property
    def label(self) -> str:
        return DATA_SETS[self.data_set]


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A record that is skipped until it changes or is asked for again (K18)."""

    data_set: str
    source_id: str
    failed_at: dt.datetime
    field: str
    code: str
    cause: str
    remedy: str
    told: bool
    record_id: str = ""  # kintone's, where an older version of it was written

    @property
    def label(self) -> str:
        return DATA_SETS[self.data_set]


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What kintone last confirmed of a record, and what is waiting; both empty for one that was never seen (why)."""

    written_at: dt.datetime | None = None
    record_id: str = ""  # kintone's
    updated_at: str = ""  # of the version that was written
    waiting: str = ""  # a state of `work`
    waiting_since: dt.datetime | None = None
    waiting_version: str = ""
    initial: bool = False  # it waits for 初期連携
    body: bytes = b""  # of the version that waits, sealed (`versions.Versions`)
    failed: FailedRecord | None = None
    being_read: bool = False  # a read has it that is not proven whole yet


@dataclass(frozen=True, slots=True)
class DataSetStatus:
    """The state of a data set, and how many of its records are in which."""

    data_set: str
    enabled_at: dt.datetime | None
    watermark: dt.datetime | None
    paused_at: dt.datetime | None
    waiting: int  # of them `initial` are 初期連携's
    initial: int
    failed: int
    written: int


# --- for pages and mails ----------------------------------------------------------------------------------------------


def processed(database: Database, tenant: str, *, limit: int = 200, offset: int = 0) -> list[Processed]:
    """The newest lines of データ処理状況一覧, newest first."""
    query = select(HISTORY).where(HISTORY.c.tenant == tenant)
    newest = query.order_by(HISTORY.c.started_at.desc(), HISTORY.c.run, HISTORY.c.data_set)
    return _processed(database, newest.limit(limit).offset(offset))


def last_initial(database: Database, tenant: str) -> list[Processed]:
    """The lines of the newest 初期連携; none if there was none."""
    of = (HISTORY.c.tenant == tenant, HISTORY.c.mode == Mode.INITIAL.value)
    run = select(HISTORY.c.run).where(*of).order_by(HISTORY.c.started_at.desc()).limit(1).scalar_subquery()
    return _processed(database, select(HISTORY).where(HISTORY.c.tenant == tenant, HISTORY.c.run == run))


def processed_count(database: Database, tenant: str) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(HISTORY.c.tenant == tenant)) or 0


def last_lines(database: Database, tenant: str) -> dict[str, Processed]:
    """The newest line of each data set that ever had one, without tests."""
    newest = (
        select(HISTORY.c.data_set, func.max(HISTORY.c.started_at).label("at"))
        .where(HISTORY.c.tenant == tenant, HISTORY.c.mode != Mode.TEST_ONE.value)
        .group_by(HISTORY.c.data_set)
        .subquery()
    )
    query = select(HISTORY).join(
        newest, and_(HISTORY.c.data_set == newest.c.data_set, HISTORY.c.started_at == newest.c.at)
    )
    return {one.data_set: one for one in _processed(database, query.where(HISTORY.c.tenant == tenant))}


def of_run(database: Database, tenant: str, run: str) -> list[Processed]:
    """What one run did, in the order of the data sets."""
    found = _processed(database, select(HISTORY).where(HISTORY.c.tenant == tenant, HISTORY.c.run == run))
    return sorted(found, key=lambda one: [*DATA_SETS].index(one.data_set))


def failed_records(
    database: Database, tenant: str, *, data_set: str = "", limit: int = 500, offset: int = 0
) -> list[FailedRecord]:
    """失敗レコード, the newest first."""
    written = and_(*(WORK.c[name] == WRITTEN.c[name] for name in ("tenant", "data_set", "source_id")))
    query = select(WORK, WRITTEN.c.record_id).outerjoin(WRITTEN, written)
    query = query.where(*_failed_of(tenant, data_set))
    ordered = query.order_by(WORK.c.failed_at.desc(), WORK.c.data_set, WORK.c.source_id).limit(limit).offset(offset)
    with database.reading() as connection:
        return [_failed(row, row.record_id or "") for row in connection.execute(ordered)]


def failed_parts(database: Database, tenant: str, data_set: str = "") -> Iterator[list[FailedRecord]]:
    """All 失敗レコード by data set and id, part by part; nothing is held open between two of them."""
    written = and_(*(WORK.c[name] == WRITTEN.c[name] for name in ("tenant", "data_set", "source_id")))
    query = select(WORK, WRITTEN.c.record_id).outerjoin(WRITTEN, written)
    for name in [data_set] if data_set else [*DATA_SETS]:
        its = (WORK.c.tenant == tenant, WORK.c.data_set == name, WORK.c.state == FAILED)
        part, last = query.where(*its).order_by(WORK.c.source_id).limit(PART), ""
        while True:
            with database.reading() as connection:
                rows = connection.execute(part.where(WORK.c.source_id > last)).all()
            if not rows:
                break
            yield [_failed(row, row.record_id or "") for row in rows]
            last = rows[-1].source_id


def causes(database: Database, tenant: str, data_set: str = "") -> list[tuple[str, str, int]]:
    """The fields and causes of 失敗レコード with how many each has, the most frequent first."""
    first, last = func.min(WORK.c.cause), func.max(WORK.c.cause)  # some name a length, or other records' ids
    query = select(WORK.c.field, first, last, func.count()).where(*_failed_of(tenant, data_set))
    grouped = query.group_by(WORK.c.field, WORK.c.code, WORK.c.remedy).order_by(func.count().desc(), WORK.c.field)
    with database.reading() as connection:
        rows = connection.execute(grouped).all()
    return [(row[0], row[1] if row[1] == row[2] else f"{row[1]} など", row[3]) for row in rows]


def ids_of(database: Database, tenant: str, data_set: str, text: str, keys: Sequence[bytes]) -> list[str]:
    """The ids of Hot Profile of the records that `text` is the id of, or that have one of `keys` as 更新キー."""
    found: set[str] = set()
    with database.reading() as connection:
        for table in (WRITTEN, WORK, INCOMING):
            its = (table.c.tenant == tenant, table.c.data_set == data_set)
            for same in (table.c.source_id == text, table.c.key.in_(keys)):
                found |= set(connection.scalars(select(table.c.source_id).where(*its, same)))
    return sorted(found)


def record(database: Database, tenant: str, data_set: str, source_id: str) -> KnownRecord:
    """Why a record is, or is not, in kintone."""

    def its(table: Any) -> tuple[Any, ...]:
        return table.c.tenant == tenant, table.c.data_set == data_set, table.c.source_id == source_id

    with database.reading() as connection:
        written = connection.execute(select(WRITTEN).where(*its(WRITTEN))).first()
        work = connection.execute(select(WORK).where(*its(WORK))).first()
        reading = connection.scalar(select(func.count()).where(*its(INCOMING)))
    known = KnownRecord(being_read=bool(reading))
    if written:
        at, number, version = written.written_at, written.record_id, written.updated_at
        known = dataclasses.replace(known, written_at=at, record_id=number, updated_at=version)
    if work:
        failed = _failed(work) if work.state == FAILED else None
        known = dataclasses.replace(
            known,
            waiting=work.state,
            waiting_since=work.since,
            waiting_version=work.updated_at,
            initial=work.initial,
            body=work.body,
            failed=failed,
        )
    return known


def data_set_statuses(database: Database, tenant: str) -> dict[str, DataSetStatus]:
    """Where each data set stands that was ever enabled or tested."""
    kinds = (WORK.c.data_set, WORK.c.state, WORK.c.initial)
    counts = select(*kinds, func.count()).where(WORK.c.tenant == tenant).group_by(*kinds)
    written = select(WRITTEN.c.data_set, func.count()).where(WRITTEN.c.tenant == tenant).group_by(WRITTEN.c.data_set)
    with database.reading() as connection:
        work = [tuple(row) for row in connection.execute(counts)]
        done = {row[0]: int(row[1]) for row in connection.execute(written)}
        rows = connection.execute(select(DATA_SET).where(DATA_SET.c.tenant == tenant)).all()
    found = {}
    for row in rows:
        mine = [(state, initial, count) for name, state, initial, count in work if name == row.data_set]
        found[row.data_set] = DataSetStatus(
            row.data_set,
            row.enabled_at,
            row.watermark,
            row.paused_at,
            sum(count for state, _, count in mine if state != FAILED),
            sum(count for state, initial, count in mine if state != FAILED and initial),
            sum(count for state, _, count in mine if state == FAILED),
            done.get(row.data_set, 0),
        )
    return found


def requests_by_day(database: Database, host: str, app: str, days: int = 31) -> list[tuple[dt.date, int]]:
    """How many of its requests an app has had on the last days on which it had any, newest first (K15)."""
    query = select(QUOTA.c.day, QUOTA.c.used).where(QUOTA.c.host == host, QUOTA.c.app == app)
    with database.reading() as connection:
        return [(row.day, row.used) for row in connection.execute(query.order_by(QUOTA.c.day.desc()).limit(days))]


def days_needed(records: int, requests_left: int, daily_requests: int) -> int:
    """After how many days so many waiting records are written, today being the first; 100 records are a request."""
    requests = -(-records // 100)
    return 1 if requests <= requests_left else 1 + -(-(requests - requests_left) // max(1, daily_requests))


def tidy(database: Database, now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes the lines that are old enough, of runs that found nothing to do already after a week; how many."""
    idle = and_(*(HISTORY.c[name] == 0 for name in ("added", "updated", "failed", "held")), HISTORY.c.said == "")
    old = or_(HISTORY.c.started_at < now - keep, and_(HISTORY.c.started_at < now - KEPT_IDLE, idle))
    with database.writing() as connection:
        conflicts.tidy(connection, now - keep)
        connection.execute(delete(QUOTA).where(QUOTA.c.day < (now - keep).date()))
        return connection.execute(delete(HISTORY).where(old)).rowcount


def _failed_of(tenant: str, data_set: str) -> tuple[Any, ...]:
    """Of all data sets, each by its name: an index begins with it."""
    names = [data_set] if data_set else [*DATA_SETS]
    return WORK.c.tenant == tenant, WORK.c.data_set.in_(names), WORK.c.state == FAILED


# --- for the stages ---------------------------------------------------------------------------------------------------


def begin(job: Job, data_sets: Sequence[DataSet]) -> None:
    """A line for each data set of this run; a task that is repeated finds it, and leaves its counts."""
    rows = [
        {**_line(job, one), "run_id": job.start.run_id, "mode": job.mode.value, "started_at": job.start.started_at}
        for one in data_sets
    ]
    new = insert(job.database, HISTORY).on_conflict_do_update(
        index_elements=["tenant", "run", "data_set"], set_={"state": State.RUNNING.value, "said": "", "ended_at": None}
    )
    with job.database.writing() as connection:
        for row in rows:
            connection.execute(new, {**row, "state": State.RUNNING.value})


def note(job: Job, data_set: DataSet, connection: Connection | None = None, **values: Any) -> None:
    """Sets columns of the line."""
    statement = update(HISTORY).where(*_its_line(job, data_set)).values(**values)
    if connection is not None:
        connection.execute(statement)
        return
    with job.database.writing() as own:
        own.execute(statement)


def added(job: Job, data_set: DataSet, **counts: int) -> Executable:
    """The statement that adds to counts of the line."""
    return (
        update(HISTORY)
        .where(*_its_line(job, data_set))
        .values({name: HISTORY.c[name] + n for name, n in counts.items()})
    )


def lines(job: Job) -> dict[str, Processed]:
    """This run's lines by data set."""
    return {one.data_set: one for one in of_run(job.database, job.tenant, job.record.run)}


def _line(job: Job, data_set: DataSet) -> dict[str, str]:
    return {"tenant": job.tenant, "run": job.record.run, "data_set": data_set.name}


def _its_line(job: Job, data_set: DataSet) -> Iterator[Any]:
    return (HISTORY.c[name] == value for name, value in _line(job, data_set).items())


def _processed(database: Database, query: Any) -> list[Processed]:
    names = [field.name for field in fields(Processed)]
    with database.reading() as connection:
        found = [dict(row._mapping) for row in connection.execute(query)]
    return [Processed(**{name: row[name] for name in names} | {"state": State(row["state"])}) for row in found]


def _failed(row: Row[Any], record_id: str = "") -> FailedRecord:
    at = row.failed_at or row.since
    what = (row.field, row.code, row.cause, row.remedy, row.told)
    return FailedRecord(row.data_set, row.source_id, at, *what, record_id)
