"""What is to be done in calendars, checked; and whether so many cancellations wait for a person (C6, C9, C10).

Repeated, it finds the same: it only says of each absence how it stands.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from sqlalchemy import Connection, Row, and_, case, exists, false, func, literal, not_, or_, select, true, update

from renkei.clock import TOKYO
from renkei.links.workplace_lineworks.absences import AbsenceRows, sheet_digest
from renkei.links.workplace_lineworks.calendar_events import BadAbsenceError, live, wanted
from renkei.links.workplace_lineworks.model import Job, Mode, Planned, today
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT, FAILED, HELD, WAITING, WRITTEN
from renkei.runs.hold import HeldPlan, Hold

LEAST_HELD, MAX_FREE = 5, 500  # C9, as E34: fewer never wait, more always do


def plan(job: Job, now: dt.datetime) -> dict[str, int]:
    """Counts of absences: waiting, of them cancelled, held, failed."""
    day = today(now)
    mine = ABSENCE.c.tenant == job.tenant
    its = (EVENT.c.tenant == ABSENCE.c.tenant, EVENT.c.absence_id == ABSENCE.c.absence_id)
    has_event = exists().where(*its, EVENT.c.last_day >= day)  # nobody looks for one that is over
    with job.database.writing() as connection:
        otherwise = and_(ABSENCE.c.state == WRITTEN, ABSENCE.c.sheet != sheet_digest(job.mapping))
        connection.execute(update(ABSENCE).where(mine, otherwise, ABSENCE.c.last_day >= day).values(state=WAITING))
        _try_again(connection, job, now)
        cancelled = and_(
            mine,
            ABSENCE.c.state.in_([WAITING, HELD]),
            ABSENCE.c.status.not_in(live(job.mapping)),
            has_event,
            or_(ABSENCE.c.released.is_(None), ABSENCE.c.released != ABSENCE.c.revision),
        )
        count = connection.scalar(select(func.count()).where(cancelled)) or 0
        known = connection.scalar(select(func.count()).where(mine, has_event)) or 0
        # A held one that came back to life, or whose sheet shows it now, waits for nobody. Any other waits for a person,
        # however many absences there are by then.
        was_held = (mine, ABSENCE.c.state == HELD)
        connection.execute(update(ABSENCE).where(*was_held, not_(cancelled)).values(state=WAITING))
        if is_too_much(count, known, job.mapping.held_percent):
            connection.execute(update(ABSENCE).where(cancelled).values(state=HELD))
        held = connection.scalar(select(func.count()).where(*was_held)) or 0
    bad = _bad(job)  # outside of a transaction, which would keep others out for as long as thousands take
    with job.database.writing() as connection:
        for row, why in bad:
            fail(connection, job, row, why.code, why.cause, why.remedy, now)
        found = Planned(
            connection.scalar(select(func.count()).where(mine, ABSENCE.c.state == WAITING)) or 0,
            count - held,
            held,
            connection.scalar(select(func.count()).where(mine, ABSENCE.c.state == FAILED)) or 0,
        )
        digest = held_digest(connection, job)
    holds = []
    if held:
        text = f"登録済みの不在 {known:,}件のうち {held:,}件が取り消されています（上限 {job.mapping.held_percent}%）"
        holds.append(Hold("cancelled", text, held, known))
    job.record.write(HeldPlan(digest, holds))
    job.record.write(found)
    return {"waiting": found.waiting, "cancelled": found.cancelled, "held": found.held, "failed": found.failed}


def is_too_much(count: int, known: int, percent: int) -> bool:
    """Whether so many cancellations of so many absences wait for a person (C9)."""
    return (count >= LEAST_HELD and count * 100 > known * percent) or count > MAX_FREE


def _try_again(connection: Connection, job: Job, now: dt.datetime) -> None:
    """What had failed: all that was asked for, and each day what may have been mended in LINE WORKS or in the sheet."""
    midnight = dt.datetime.combine(now.astimezone(TOKYO).date(), dt.time(), TOKYO)
    is_other_sheet = ABSENCE.c.sheet != sheet_digest(job.mapping)
    again: Any = or_(ABSENCE.c.failed_at < midnight, is_other_sheet)
    if job.mode is Mode.RETRY_FAILED:
        again = true()
    which = (ABSENCE.c.tenant == job.tenant, ABSENCE.c.state == FAILED, again)
    connection.execute(update(ABSENCE).where(*which).values(state=WAITING))


def _bad(job: Job) -> list[tuple[Row[Any], BadAbsenceError]]:
    """What no event can be made of, before anything is sent."""
    sealed, found = AbsenceRows(job.record.store, job.tenant), []
    its = (ABSENCE.c.tenant == job.tenant, ABSENCE.c.state == WAITING, ABSENCE.c.status.in_(live(job.mapping)))
    with job.database.reading() as connection:
        rows = connection.execute(select(ABSENCE).where(*its)).all()
    for row in rows:
        try:
            wanted(sealed.absence(row), row.status, job.mapping)
        except BadAbsenceError as bad:
            found.append((row, bad))
    return found


def fail(connection: Connection, job: Job, row: Row[Any], code: str, cause: str, remedy: str, now: dt.datetime) -> None:
    """It is skipped and listed; `told` and `failed_at` stay where it had failed of the same before (C10)."""
    same = ABSENCE.c.code == code
    moment = literal(now, ABSENCE.c.failed_at.type)
    connection.execute(
        update(ABSENCE)
        .where(
            *(ABSENCE.c.tenant == job.tenant, ABSENCE.c.absence_id == row.absence_id),
            ABSENCE.c.revision == row.revision,
        )
        .values(
            state=FAILED,
            sheet=sheet_digest(job.mapping),
            told=case((same, ABSENCE.c.told), else_=false()),
            failed_at=moment,
            code=code,
            cause=cause,
            remedy=remedy,
        )
    )


def held_digest(connection: Connection, job: Job) -> str:
    """What stands for exactly those cancellations that are held."""
    query = select(ABSENCE.c.absence_id, ABSENCE.c.revision, ABSENCE.c.status)
    held = connection.execute(
        query.where(ABSENCE.c.tenant == job.tenant, ABSENCE.c.state == HELD).order_by(ABSENCE.c.absence_id)
    )
    return hashlib.sha256(repr([tuple(row) for row in held]).encode()).hexdigest()
