"""Where each data set of a tenant stands: since when it is linked, and up to when it is read (K3, K5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone.model import Job, Mode, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.links.hotprofile_kintone.tables import DATA_SET, INCOMING, WRITTEN
from renkei.links.hotprofile_kintone.versions import sheet_digest
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert

OVERLAP = dt.timedelta(minutes=10)  # what Hot Profile commits late has an earlier time of update than its reader thinks
FIRST = dt.datetime(2000, 1, 1, tzinfo=TOKYO)  # before there was a Hot Profile
SETTLE = dt.timedelta(seconds=5)  # what is being committed as we read


@dataclass(frozen=True, slots=True)
class Window:
    """Both ends inclusive. Nothing is in it where `until` lies before `since`."""

    since: dt.datetime
    until: dt.datetime

    @property
    def is_empty(self) -> bool:
        return self.until < self.since


@dataclass(frozen=True, slots=True)
class Progress:
    """The row of a data set."""

    enabled_at: dt.datetime | None = None
    watermark: dt.datetime | None = None
    paused_at: dt.datetime | None = None
    tested: str = ""


def window(mode: Mode, progress: Progress, now: dt.datetime, since: dt.date | None = None) -> Window:
    """What a run reads, by Hot Profile's clock.

    初期連携 reads from the day `since` up to now (any day before `FIRST` means all), and every other run from the watermark on, a little before it.
    """
    until = (now - SETTLE).replace(microsecond=0)
    if mode in (Mode.INITIAL, Mode.ESTIMATE):
        return Window(max(dt.datetime.combine(since or now.date(), dt.time(), TOKYO), FIRST), until)
    enabled_at, watermark = progress.enabled_at or now, progress.watermark or now
    return Window(max(enabled_at, watermark - OVERLAP), until)


def progress_of(job: Job, data_set: DataSet) -> Progress:
    with job.database.reading() as connection:
        row = connection.execute(select(DATA_SET).where(*_its(job, data_set))).first()
    return Progress(row.enabled_at, row.watermark, row.paused_at, row.tested) if row else Progress()


def enable(job: Job, data_set: DataSet, now: dt.datetime) -> None:
    """有効化日時 is kept from the first run on; one that was off goes on where it stopped (続きから), or from now on (今から)."""
    new = insert(job.database, DATA_SET).values(**_row(job, data_set), enabled_at=now, watermark=now)
    begun = {"enabled_at": now, "watermark": now}
    with job.database.writing() as connection:
        connection.execute(new.on_conflict_do_nothing())
        connection.execute(
            update(DATA_SET).where(*_its(job, data_set), DATA_SET.c.enabled_at.is_(None)).values(**begun)
        )
        if job.mode is Mode.FROM_NOW:  # once: what changes after the first try of a run is no longer "while it was off"
            off = DATA_SET.c.paused_at.is_not(None)
            connection.execute(update(DATA_SET).where(*_its(job, data_set), off).values(watermark=now))
        connection.execute(update(DATA_SET).where(*_its(job, data_set)).values(paused_at=None))
        _aim(connection, job, data_set)


def aim(job: Job, data_set: DataSet) -> None:
    """Before anything is written: in another app nothing is yet, and kintone's ids are other records'."""
    with job.database.writing() as connection:
        connection.execute(insert(job.database, DATA_SET).values(**_row(job, data_set)).on_conflict_do_nothing())
        _aim(connection, job, data_set)


def _aim(connection: Connection, job: Job, data_set: DataSet) -> None:
    target = f"{host_of(job.mapping)}/{data_set.app}"
    written = delete(WRITTEN).where(WRITTEN.c.tenant == job.tenant, WRITTEN.c.data_set == data_set.name)
    before = connection.scalar(select(DATA_SET.c.target).where(*_its(job, data_set)))
    if before not in ("", target):
        connection.execute(written)
    connection.execute(update(DATA_SET).where(*_its(job, data_set)).values(target=target))


def pause(job: Job, data_set: DataSet, now: dt.datetime) -> None:
    """The sheet has it off."""
    on = (DATA_SET.c.enabled_at.is_not(None), DATA_SET.c.paused_at.is_(None))
    with job.database.writing() as connection:
        connection.execute(update(DATA_SET).where(*_its(job, data_set), *on).values(paused_at=now))


def move_watermark(connection: Connection, job: Job, data_set: DataSet, until: dt.datetime) -> None:
    """Everything up to `until` is in the work list, or done. It never goes back."""
    behind = DATA_SET.c.watermark < until
    connection.execute(update(DATA_SET).where(*_its(job, data_set), behind).values(watermark=until))


def note_tested(job: Job, data_set: DataSet, digest: str) -> None:
    """The mapping has passed 連携テスト as it stands (K12)."""
    new = insert(job.database, DATA_SET).values(**_row(job, data_set), tested=digest)
    with job.database.writing() as connection:
        connection.execute(new.on_conflict_do_update(index_elements=["tenant", "data_set"], set_={"tested": digest}))


def passed(database: Database, mapping: Mapping) -> set[str]:
    """The data sets whose mapping has passed 連携テスト as it stands (K12)."""
    query = select(DATA_SET.c.data_set, DATA_SET.c.tested).where(DATA_SET.c.tenant == mapping.tenant)
    with database.reading() as connection:
        tested = {row.data_set: row.tested for row in connection.execute(query)}
    return {one.name for one in mapping.data_sets if tested.get(one.name) == sheet_digest(mapping, one).hex()}


def drop_incoming(connection: Connection, job: Job, data_set: DataSet) -> None:
    """What a read that was not finished, or only counted, has left."""
    connection.execute(delete(INCOMING).where(INCOMING.c.tenant == job.tenant, INCOMING.c.data_set == data_set.name))


def _row(job: Job, data_set: DataSet) -> dict[str, str]:
    return {"tenant": job.tenant, "data_set": data_set.name}


def _its(job: Job, data_set: DataSet) -> tuple[Any, ...]:
    return DATA_SET.c.tenant == job.tenant, DATA_SET.c.data_set == data_set.name
