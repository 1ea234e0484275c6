"""How absences stand, for pages and mails (C3, C10). What names anybody is unsealed by `look` alone."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, select, update

from renkei.links.workplace_lineworks.absences import AbsenceRows
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT, FAILED, HELD, UNKNOWN, WAITING, WRITTEN
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.workplace.client import Absence

NO_EVENT = "none"  # nothing to be done, and no event: applied for, cancelled, rejected
STATES = (WRITTEN, WAITING, FAILED, HELD, NO_EVENT)


@dataclass(frozen=True, slots=True)
class FailedAbsence:
    """One that is skipped until it changes, a day has passed, or somebody asks for it (C10)."""

    absence_id: str
    code: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """One event of an absence. `written_at`: when the calendar confirmed it first or anew; None: it never did."""

    number: int
    event_id: str
    written_at: dt.datetime | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class KnownAbsence:
    """An absence with who it is of, and its events."""

    absence: Absence
    status: str  # WORKPLACE's, or GONE
    state: str  # of STATES
    since: dt.datetime
    first_day: dt.date
    last_day: dt.date
    failed: FailedAbsence | None
    events: Sequence[KnownEvent]


def counts(database: Database, tenant: str) -> Mapping[str, int]:
    """How many absences are in each state; those that are over and have no event are none."""
    query = select(ABSENCE.c.state, func.count()).where(ABSENCE.c.tenant == tenant).group_by(ABSENCE.c.state)
    events = select(func.count(EVENT.c.absence_id.distinct())).where(EVENT.c.tenant == tenant)
    with database.reading() as connection:
        found = Counter({row[0]: int(row[1]) for row in connection.execute(query)})
        found[WRITTEN] = connection.scalar(events.where(EVENT.c.digest != UNKNOWN)) or 0
    return found


def failed(database: Database, tenant: str, limit: int) -> list[FailedAbsence]:
    query = select(ABSENCE).where(ABSENCE.c.tenant == tenant, ABSENCE.c.state == FAILED)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(ABSENCE.c.first_day, ABSENCE.c.absence_id).limit(limit))
        return [FailedAbsence(row.absence_id, row.code, row.cause, row.remedy) for row in rows]


def held(database: Database, tenant: str, limit: int) -> list[tuple[str, dt.date]]:
    """Ids and first days of cancellations that wait for a person."""
    query = select(ABSENCE.c.absence_id, ABSENCE.c.first_day)
    its = query.where(ABSENCE.c.tenant == tenant, ABSENCE.c.state == HELD)
    with database.reading() as connection:
        return [(row[0], row[1]) for row in connection.execute(its.order_by(ABSENCE.c.first_day).limit(limit))]


def count_untold(database: Database, tenant: str) -> int:
    """How many failed absences nobody was told about yet."""
    its = (ABSENCE.c.tenant == tenant, ABSENCE.c.state == FAILED, ABSENCE.c.told.is_(False))
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(*its)) or 0


def note_told(database: Database, tenant: str, now: dt.datetime) -> None:
    its = (ABSENCE.c.tenant == tenant, ABSENCE.c.state == FAILED, ABSENCE.c.failed_at <= now)
    with database.writing() as connection:
        connection.execute(update(ABSENCE).where(*its).values(told=True))


def look(
    database: Database, store: Store, tenant: str, *, state: str = "", limit: int = 100, offset: int = 0
) -> list[KnownAbsence]:
    """Absences of a state, or all, those to come last first."""
    which = _which(tenant, state)
    order = (ABSENCE.c.first_day.desc(), ABSENCE.c.absence_id)
    with database.reading() as connection:
        rows = connection.execute(select(ABSENCE).where(*which).order_by(*order).limit(limit).offset(offset)).all()
    return _known(database, AbsenceRows(store, tenant), tenant, rows)


def _which(tenant: str, state: str) -> list[ColumnElement[bool]]:
    mine = ABSENCE.c.tenant == tenant
    event = exists().where(EVENT.c.tenant == tenant, EVENT.c.absence_id == ABSENCE.c.absence_id)
    if state in (WRITTEN, NO_EVENT):
        return [mine, ABSENCE.c.state == WRITTEN, event if state == WRITTEN else ~event]
    return [mine, *([ABSENCE.c.state == state] if state in STATES else [])]


def total(database: Database, tenant: str, state: str = "") -> int:
    which = _which(tenant, state)
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(*which)) or 0


def one(database: Database, store: Store, tenant: str, absence_id: str) -> KnownAbsence | None:
    its = (ABSENCE.c.tenant == tenant, ABSENCE.c.absence_id == absence_id)
    with database.reading() as connection:
        rows = connection.execute(select(ABSENCE).where(*its)).all()
    return next(iter(_known(database, AbsenceRows(store, tenant), tenant, rows)), None)


def tidy(database: Database, now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes the rows of absences that were over so long ago; their events stay where they are. How many."""
    before = (now - keep).date()
    with database.writing() as connection:
        connection.execute(delete(EVENT).where(EVENT.c.last_day < before))
        return connection.execute(delete(ABSENCE).where(ABSENCE.c.last_day < before)).rowcount


def _known(database: Database, sealed: AbsenceRows, tenant: str, rows: Sequence[Row[Any]]) -> list[KnownAbsence]:
    ids = [row.absence_id for row in rows]
    query = select(EVENT).where(EVENT.c.tenant == tenant, EVENT.c.absence_id.in_(ids)).order_by(EVENT.c.number)
    with database.reading() as connection:
        events = connection.execute(query).all()
    with_event = {event.absence_id for event in events}
    return [
        KnownAbsence(
            *(sealed.absence(row), row.status, _state(row, with_event), row.since, row.first_day, row.last_day),
            FailedAbsence(row.absence_id, row.code, row.cause, row.remedy) if row.state == FAILED else None,
            [
                KnownEvent(event.number, event.event_id, event.written_at, event.digest != UNKNOWN)
                for event in events
                if event.absence_id == row.absence_id
            ],
        )
        for row in rows
    ]


def _state(row: Row[Any], with_event: Set[str]) -> str:
    return NO_EVENT if row.state == WRITTEN and row.absence_id not in with_event else row.state
