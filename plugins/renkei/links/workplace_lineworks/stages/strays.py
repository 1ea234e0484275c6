"""照合 from the other side: events of ours in the calendars that no absence stands for (C8), as after a lost database.

They bear the tenant's mark, and nothing in the database knows them. Those that a living absence might have written are
left alone, and none is deleted for a list of WORKPLACE's that is in doubt, or where they are very many (C9).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from sqlalchemy import exists, func, select

from renkei.links.workplace_lineworks.absences import AbsenceRows
from renkei.links.workplace_lineworks.calendar_events import event_id, live, mark
from renkei.links.workplace_lineworks.model import Compared, Fetched, Job, Now, today
from renkei.links.workplace_lineworks.stages.compare import digest_of
from renkei.links.workplace_lineworks.stages.fetch_absences import PAST
from renkei.links.workplace_lineworks.stages.plan import is_too_much
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT
from renkei.systems.lineworks.calendar import EventRefusedError
from renkei.systems.workplace.client import MAX_PERIODS, Absence

MAX_MEMBERS = 1_000  # members of one run, others the next day: with LINE WORKS' 240 a minute, four minutes


class Calendar(Protocol):
    """LINE WORKS, as far as calendars are listed and cleaned."""

    def ids(self, user_id: str, first_day: dt.date) -> list[str]: ...

    def delete(self, user_id: str, event_id: str) -> bool: ...


def remove_strays(job: Job, calendar: Calendar, now: Now) -> dict[str, int]:
    """How many there are in the month to come, and how many of them were deleted: only where the sheet says 戻す.

    Repeated, it finds those that are still there.

    Raises:
        LineWorksAwayError, SettingError: what was deleted until then is.
    """
    strays = [*_strays(job, calendar, today(now()))]
    fetched, before = job.record.read(Fetched), job.record.read(Compared)
    is_sure = fetched.whole and not fetched.suspicious and not fetched.malformed
    with job.database.reading() as connection:
        known = connection.scalar(select(func.count()).where(EVENT.c.tenant == job.tenant)) or 0
    deletes = job.mapping.restore and is_sure and not is_too_much(len(strays), known, job.mapping.held_percent)
    of = digest_of([before.of, *(number for _, number in strays)]) if strays else before.of
    total, left = max(before.strays, before.removed + len(strays)), len(strays)
    try:
        for user_id, number in strays if deletes else ():
            calendar.delete(user_id, number)
            left -= 1
    finally:
        found = {"strays": total, "removed": total - left}
        job.record.write(replace(before, **found, of=of))
    return found


def _strays(job: Job, calendar: Calendar, day: dt.date) -> Iterator[tuple[str, str]]:
    """Whose, and its id."""
    for user_id, living in _members(job, day):
        try:
            ours = {number for number in calendar.ids(user_id, day) if number.startswith(mark(job.tenant))}
        except EventRefusedError:  # a member who is suspended just now
            continue
        ours -= {event_id(job.tenant, one, number) for one in living for number in range(MAX_PERIODS)}
        # Asked for after the calendar: an event is written down before it is sent.
        its = (EVENT.c.tenant == job.tenant, EVENT.c.event_id.in_(ours))
        absence = exists().where(ABSENCE.c.tenant == EVENT.c.tenant, ABSENCE.c.absence_id == EVENT.c.absence_id)
        with job.database.reading() as connection:
            ours -= set(connection.scalars(select(EVENT.c.event_id).where(*its, absence)))
        yield from ((user_id, number) for number in sorted(ours))


def _members(job: Job, day: dt.date) -> list[tuple[str, list[Absence]]]:
    """Who has had an absence lately, and each one's living absences; where they are many, others every day."""
    sealed, living = AbsenceRows(job.record.store, job.tenant), defaultdict[str, list[Absence]](list)
    its = (ABSENCE.c.tenant == job.tenant, ABSENCE.c.last_day >= day - PAST)
    with job.database.reading() as connection:
        rows = connection.execute(select(ABSENCE).where(*its)).all()
    for row in rows:
        absence = sealed.absence(row)
        living[absence.user_id] += [absence] if row.status in live(job.mapping) else []
    members = sorted(living.items())
    begins = day.toordinal() * MAX_MEMBERS % max(1, len(members))
    return [*members[begins:], *members[:begins]][:MAX_MEMBERS]
