"""Reads what absences there are in WORKPLACE (C8, C9): nothing that a read does not have is taken for cancelled.

An absence that is in calendars and not in a proven list is asked for by itself: only WORKPLACE's own word that there is
none (404) counts, and of many at once not even that is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import case, exists, or_, select, true, update

from renkei.errors import IncompleteReadError
from renkei.links.workplace_lineworks.absences import AbsenceRows
from renkei.links.workplace_lineworks.model import Fetched, Job, today
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT, GONE, HELD, WAITING
from renkei.storage.database.statements import insert
from renkei.systems.workplace.client import Absence, AbsenceList, Status

PAST = dt.timedelta(days=31)  # so much older absences are still listed
MAX_ASKED = 100
MAX_NAMED = 100
ROWS = 500  # that are written at once


class Source(Protocol):
    """WORKPLACE, as far as a run reads it (`systems/workplace/client.py`)."""

    def absences(self, since: dt.date) -> AbsenceList: ...

    def absence(self, number: str) -> Absence | None: ...


def fetch_absences(job: Job, source: Source, now: dt.datetime) -> dict[str, int]:
    """How many absences were read, and how many of ours are gone.

    Raises:
        FetchError: WORKPLACE could not be read; nothing has changed.
    """
    since = today(now) - PAST
    listed = source.absences(since)
    older = _older(job, listed.absences)
    _keep(job, listed.absences, now)
    known = {one.id for one in listed.absences} | set(listed.malformed)
    missing = _missing(job, known, since)
    _revive(job, source, [one.id for one in listed.absences], now)
    gone = 0
    # A list that is empty, or lacks a great many, is no list, whatever it says of itself.
    doubted = not listed.whole or not listed.absences or len(missing) > MAX_ASKED
    if not doubted:
        gone = _ask_for(job, source, missing, now)
    job.record.write(
        Fetched(
            *(len(listed.absences), listed.whole, gone, len(missing) if doubted else 0),
            *([*listed.malformed[:MAX_NAMED]], older[:MAX_NAMED]),
        )
    )
    return {"read": len(listed.absences), "gone": gone, "malformed": len(listed.malformed)}


def _older(job: Job, absences: Sequence[Absence]) -> list[str]:
    """The ids of those that are listed in an older revision than we have: that one stays (C8)."""
    query = select(ABSENCE.c.absence_id, ABSENCE.c.revision).where(ABSENCE.c.tenant == job.tenant)
    with job.database.reading() as connection:
        known = {row[0]: int(row[1]) for row in connection.execute(query)}
    return [one.id for one in absences if one.revision < known.get(one.id, 0)]


def _keep(job: Job, absences: Sequence[Absence], now: dt.datetime, *, asked: bool = False) -> None:
    """Newer revisions take the place of older ones, never the other way round (C8).

    One that is gone comes back by WORKPLACE's own word alone (`asked`): a list may be older than that.
    """
    sealed = AbsenceRows(job.record.store, job.tenant)
    rest = {"tenant": job.tenant, "state": WAITING, "since": now, "sheet": b""}
    new = insert(job.database, ABSENCE)
    names = ("revision", "status", "digest", "body", "first_day", "last_day", "state", "since")
    values = {name: new.excluded[name] for name in names}
    # A cancellation that is held stays so, whatever revision of it comes: `plan` lets go what is none any more (C9).
    values["state"] = case((ABSENCE.c.state == HELD, HELD), else_=WAITING)
    clean = {"failed_at": None, "code": "", "cause": "", "remedy": "", "told": False}
    again = new.on_conflict_do_update(
        index_elements=["tenant", "absence_id"],
        set_=values | clean,
        where=or_(
            ABSENCE.c.revision < new.excluded.revision,
            # The same revision otherwise told is a fault of WORKPLACE's: what was read last is true.
            (ABSENCE.c.revision == new.excluded.revision)
            & or_(ABSENCE.c.digest != new.excluded.digest, ABSENCE.c.status != new.excluded.status)
            & (true() if asked else ABSENCE.c.status != GONE),
        ),
    )
    for start in range(0, len(absences), ROWS):
        rows = [rest | sealed.row(one) for one in absences[start : start + ROWS]]
        with job.database.writing() as connection:
            connection.execute(again, rows)


def _missing(job: Job, known: set[str], since: dt.date) -> list[str]:
    """The ids of those that have events and ought to be in the list."""
    event = exists().where(EVENT.c.tenant == ABSENCE.c.tenant, EVENT.c.absence_id == ABSENCE.c.absence_id)
    living = ABSENCE.c.status.in_([Status.APPLIED.value, Status.APPROVED.value])
    query = select(ABSENCE.c.absence_id).where(ABSENCE.c.tenant == job.tenant, ABSENCE.c.last_day >= since, living)
    with job.database.reading() as connection:
        ids: Iterable[str] = connection.scalars(query.where(event).order_by(ABSENCE.c.absence_id))
        return [one for one in ids if one not in known]


def _revive(job: Job, source: Source, listed: Collection[str], now: dt.datetime) -> None:
    """Those that were gone and are listed: whether they are back."""
    query = select(ABSENCE.c.absence_id).where(ABSENCE.c.tenant == job.tenant, ABSENCE.c.status == GONE)
    with job.database.reading() as connection:
        gone = set(connection.scalars(query))
    found, _ = _asked(source, [one for one in listed if one in gone][:MAX_ASKED])
    _keep(job, found, now, asked=True)


def _ask_for(job: Job, source: Source, missing: Sequence[str], now: dt.datetime) -> int:
    found, gone = _asked(source, missing)
    _keep(job, found, now)
    state = case((ABSENCE.c.state == HELD, HELD), else_=WAITING)
    values: dict[str, Any] = {"status": GONE, "state": state, "since": now, "code": "", "cause": "", "remedy": ""}
    with job.database.writing() as connection:
        for number in gone:
            connection.execute(
                update(ABSENCE)
                .where(ABSENCE.c.tenant == job.tenant, ABSENCE.c.absence_id == number)
                .values(values | {"failed_at": None, "released": None})  # gone once more, it is asked about once more
            )
    return len(gone)


def _asked(source: Source, numbers: Iterable[str]) -> tuple[list[Absence], list[str]]:
    """Those that WORKPLACE has, and the ids of those that it has not; of one that is malformed nothing is known (C10)."""
    found, gone = list[Absence](), list[str]()
    for number in numbers:
        try:
            one = source.absence(number)
        except IncompleteReadError:
            continue
        if one:
            found.append(one)
        else:
            gone.append(number)
    return found, gone
