"""照合: what was written, against what the calendars have now; what people changed by hand is 戻す or 残す (C8).

Only our own events are asked for. Those that were compared longest ago come first, so that a run that ends early loses
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Protocol

from sqlalchemy import Row, func, select, update

from renkei.links.workplace_lineworks.absences import AbsenceRows
from renkei.links.workplace_lineworks.calendar_events import BadAbsenceError, wanted
from renkei.links.workplace_lineworks.model import Compared, Job, Now, today
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT, UNKNOWN, WAITING, WRITTEN
from renkei.systems.lineworks.calendar import CalendarEvent, EventRefusedError

MAX_EVENTS = 2_000  # events of one run: with LINE WORKS' 240 a minute, a quarter of an hour


class Calendar(Protocol):
    """LINE WORKS, as far as a calendar is looked at."""

    def get(self, user_id: str, event_id: str) -> dict[str, Any] | None: ...


def compare(job: Job, calendar: Calendar, now: Now) -> dict[str, int]:
    """How many events were asked for, are missing, are changed, and are left for another run.

    Raises:
        LineWorksAwayError, SettingError: what was compared until then is kept.
    """
    before = job.record.read_or_none(Compared) or Compared()
    asked, missing, changed = before.asked, before.missing, before.changed
    differing = [before.of] if before.of else []
    begun, sealed = job.start.started_at, AbsenceRows(job.record.store, job.tenant)
    rows = _rows(job, now, MAX_EVENTS - asked)
    try:
        for row in rows:
            kind = _differs(job, calendar, sealed, row)
            asked += 1
            missing += kind == "missing"
            changed += kind == "changed"
            differing += [f"{row.event_id} {kind}"] if kind else []
            _note(job, row, now, again=bool(kind) and job.mapping.restore)
    finally:
        with job.database.reading() as connection:
            its = (EVENT.c.tenant == job.tenant, EVENT.c.last_day >= today(now()))
            old = (EVENT.c.compared_at.is_(None)) | (EVENT.c.compared_at < begun)
            left = connection.scalar(select(func.count()).where(*its, old)) or 0
        job.record.write(
            replace(before, asked=asked, missing=missing, changed=changed, left=left, of=digest_of(differing))
        )
    return {"asked": asked, "missing": missing, "changed": changed, "left": left}


def digest_of(differing: Sequence[str]) -> str:
    """What stands for just these differences; nothing for none."""
    return blake2b("\n".join(differing).encode(), digest_size=16).hexdigest() if differing else ""


def _rows(job: Job, now: Now, most: int) -> list[Row[Any]]:
    """Events that a calendar confirmed and that nothing waits for, those compared longest ago first."""
    joined = (ABSENCE.c.tenant == EVENT.c.tenant, ABSENCE.c.absence_id == EVENT.c.absence_id)
    which = (
        *(EVENT.c.tenant == job.tenant, EVENT.c.last_day >= today(now()), EVENT.c.digest != UNKNOWN),
        *(ABSENCE.c.state == WRITTEN, EVENT.c.compared_at.is_(None) | (EVENT.c.compared_at < job.start.started_at)),
    )
    query = select(EVENT.c.event_id, EVENT.c.number, EVENT.c.member, *(column for column in ABSENCE.c))
    oldest = (EVENT.c.compared_at.is_not(None), EVENT.c.compared_at, EVENT.c.event_id)
    with job.database.reading() as connection:
        return [*connection.execute(query.where(*joined, *which).order_by(*oldest).limit(max(0, most)))]


def _differs(job: Job, calendar: Calendar, sealed: AbsenceRows, row: Row[Any]) -> str:
    """`missing`, `changed`, or nothing."""
    event = _event(job, sealed, row)
    if event is None:
        return ""
    try:
        found = calendar.get(sealed.user_id(row.event_id, row.member), row.event_id)
    except EventRefusedError:  # a member who is suspended just now: their calendar cannot be seen
        return ""
    if found is None:
        return "missing"
    return "" if event.is_like(found) else "changed"


def _event(job: Job, sealed: AbsenceRows, row: Row[Any]) -> CalendarEvent | None:
    try:
        ours = wanted(sealed.absence(row), row.status, job.mapping)
    except BadAbsenceError:
        return None
    return next((one.event for one in ours if one.event.id == row.event_id), None)


def _note(job: Job, row: Row[Any], now: Now, *, again: bool) -> None:
    its = (EVENT.c.tenant == job.tenant, EVENT.c.event_id == row.event_id)
    values: dict[str, Any] = {"compared_at": now()} | ({"digest": UNKNOWN} if again else {})
    with job.database.writing() as connection:
        connection.execute(update(EVENT).where(*its).values(values))
        if again:
            absence = (ABSENCE.c.tenant == job.tenant, ABSENCE.c.absence_id == row.absence_id)
            connection.execute(update(ABSENCE).where(*absence, ABSENCE.c.state == WRITTEN).values(state=WAITING))
