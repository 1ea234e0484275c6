"""Writes calendars, nearest start first, until nothing waits (C5, C8, C11).

An event is written down before it is sent, and what the calendar confirmed after it: one that was being sent when a
process died is sent again, by its own id, and the same event comes of it. Only events that are written down are touched.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection, Row, case, delete, func, select, update

from renkei.errors import RenkeiError, SettingError
from renkei.links.workplace_lineworks.absences import AbsenceRows, sheet_digest
from renkei.links.workplace_lineworks.calendar_events import BadAbsenceError, PlannedEvent, wanted
from renkei.links.workplace_lineworks.model import Job, Now, Written, today
from renkei.links.workplace_lineworks.stages.plan import fail
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT, FAILED, HELD, UNKNOWN, WAITING, WRITTEN
from renkei.storage.database.statements import insert
from renkei.systems.lineworks.calendar import (
    NO_MEMBER,
    SUSPENDED,
    CalendarEvent,
    EventRefusedError,
    LineWorksAwayError,
    MemberState,
)

log = logging.getLogger(__name__)

AT_ONCE = 4  # absences
BATCH = 40  # absences whose events are written down together
TRIES, MAX_LEFT = 3, 100  # of an absence in one run, while answers are lost; absences that are left after them
REMEDIES = {
    NO_MEMBER: "LINE WORKSのユーザーIDを、WORKPLACEのユーザーIDと同じにしてください（大文字と小文字も区別します）",
    SUSPENDED: "LINE WORKSでメンバーの利用停止を解除するか、この不在を取り消してください",
}
OTHERWISE = "WORKPLACEの不在の内容を確認してください。解決しない場合は運用担当者に連絡してください"


class Calendar(Protocol):
    """LINE WORKS, as far as a run writes it (`systems/lineworks/calendar.py`)."""

    def put(self, user_id: str, event: CalendarEvent, *, is_new: bool = False) -> bool: ...

    def delete(self, user_id: str, event_id: str) -> bool: ...

    def member(self, user_id: str) -> MemberState: ...


@dataclass(slots=True)
class Task:
    """What one absence needs, and what became of it."""

    row: Row[Any]
    user_id: str
    puts: Sequence[tuple[PlannedEvent, bool]]  # and whether it is new
    deletes: Sequence[tuple[str, str]]  # event ids, and whose
    done: list[PlannedEvent] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    fault: RenkeiError | None = None


def write_calendar(job: Job, calendar: Calendar, now: Now, doubt: Callable[[], None] = lambda: None) -> dict[str, int]:
    """What was added, replaced and deleted; `Written` of the run's record says why it stopped, if it did.

    `doubt` is called where an answer was lost: its request may be carried out yet.

    Raises:
        SettingError: nothing passes until a person has mended something.
    """
    writer = Writer(job, calendar, now, doubt)
    fault = writer.work_off() if job.mode.writes else None
    with job.database.reading() as connection:
        query = select(ABSENCE.c.state, func.count()).where(ABSENCE.c.tenant == job.tenant).group_by(ABSENCE.c.state)
        states = {row[0]: int(row[1]) for row in connection.execute(query)}
    before = job.record.read_or_none(Written) or Written()
    counts = {name: writer.counts[name] + getattr(before, name) for name in ("added", "replaced", "deleted")}
    left = {"failed": states.get(FAILED, 0), "waiting": states.get(WAITING, 0), "held": states.get(HELD, 0)}
    job.record.write(Written(**counts, **left, said=str(fault) if fault else ""))
    if isinstance(fault, SettingError):
        raise fault
    return counts | left


class Writer:
    """Sends what waits, and keeps what becomes of each."""

    def __init__(self, job: Job, calendar: Calendar, now: Now, doubt: Callable[[], None] = lambda: None) -> None:
        self._job, self._calendar, self._now, self._doubt = job, calendar, now, doubt
        self._sealed = AbsenceRows(job.record.store, job.tenant)
        self._sheet = sheet_digest(job.mapping)
        self._members: dict[str, MemberState] = {}
        self.counts: Counter[str] = Counter()

    def work_off(self) -> RenkeiError | None:
        """What stopped it; None where nothing waits any more."""
        tried: Counter[str] = Counter()
        left: set[str] = set()  # for the next run: LINE WORKS is there, and does not answer for these
        lost: dict[str, Any] = {}  # what was said of those whose answer was lost
        last: RenkeiError | None = None
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while rows := self._next(left):
                # What was lost may be carried out yet, and after something newer that is sent now (`calendar_lease`).
                if changed := {number for row in rows if lost.get(number := row.absence_id, _said(row)) != _said(row)}:
                    left |= changed
                    continue
                tasks = self._tasks(rows)
                list(pool.map(self._send, tasks))
                self._settle(tasks)
                faults = [task.fault for task in tasks if task.fault and not isinstance(task.fault, EventRefusedError)]
                if settings := [fault for fault in faults if isinstance(fault, SettingError)]:
                    return settings[0]
                away = [task.row for task in tasks if isinstance(task.fault, LineWorksAwayError)]
                if away:
                    self._doubt()
                lost |= {row.absence_id: _said(row) for row in away}
                tried.update(row.absence_id for row in away)
                left |= {number for number, times in tried.items() if times >= TRIES}
                last = faults[0] if faults else last
                if (left and faults and len(faults) == len(tasks)) or len(left) > MAX_LEFT:
                    break
        return last if left else None

    def _next(self, left: Collection[str] = ()) -> Sequence[Row[Any]]:
        """The next absences that wait: those to come, the nearest first; then those that are over."""
        is_over = case((ABSENCE.c.last_day < today(self._now()), 1), else_=0)
        mine = (ABSENCE.c.tenant == self._job.tenant, ABSENCE.c.absence_id.not_in(left))
        query = select(ABSENCE).where(*mine, ABSENCE.c.state == WAITING)
        with self._job.database.reading() as connection:
            return connection.execute(
                query.order_by(is_over, ABSENCE.c.first_day, ABSENCE.c.absence_id).limit(BATCH)
            ).all()

    def _tasks(self, rows: Sequence[Row[Any]]) -> list[Task]:
        """What each needs; from now on nobody knows what the calendars have of it."""
        ids = [row.absence_id for row in rows]
        its = (EVENT.c.tenant == self._job.tenant, EVENT.c.absence_id.in_(ids))
        tasks = []
        with self._job.database.writing() as connection:
            events = connection.execute(select(EVENT).where(*its)).all()
            for row in rows:
                known = {event.event_id: event for event in events if event.absence_id == row.absence_id}
                try:
                    task = self._task(row, known)
                except BadAbsenceError as bad:
                    fail(connection, self._job, row, bad.code, bad.cause, bad.remedy, self._now())
                    continue
                self._write_down(connection, task)
                tasks.append(task)
        return tasks

    def _task(self, row: Row[Any], known: dict[str, Row[Any]]) -> Task:
        absence = self._sealed.absence(row)
        ours = wanted(absence, row.status, self._job.mapping)
        kept = {one.event.id for one in ours}
        puts = [
            (one, one.event.id not in known)
            for one in ours
            if one.event.id not in known or known[one.event.id].digest != one.event.digest()
        ]
        deletes = [
            (number, self._sealed.user_id(number, event.member))
            for number, event in known.items()
            if number not in kept
        ]
        return Task(row, absence.user_id, puts, deletes)

    def _write_down(self, connection: Connection, task: Task) -> None:
        new = insert(self._job.database, EVENT)
        again = new.on_conflict_do_update(
            index_elements=["tenant", "event_id"], set_={"digest": UNKNOWN, "last_day": new.excluded.last_day}
        )
        for one, _ in task.puts:
            connection.execute(
                again,
                {
                    **{"tenant": self._job.tenant, "event_id": one.event.id, "absence_id": task.row.absence_id},
                    **{"number": one.number, "member": self._sealed.member(one.event.id, task.user_id)},
                    **{"digest": UNKNOWN, "last_day": one.last_day},
                },
            )

    def _send(self, task: Task) -> None:
        """First what is to go, so that nobody has an absence twice; then what is to come."""
        try:
            for event_id, user_id in task.deletes:
                task.counts["deleted"] += self._delete(event_id, user_id, task.user_id)
                task.deleted.append(event_id)
            if task.puts:
                self._check_member(task.user_id)
            for one, is_new in task.puts:
                added = self._calendar.put(task.user_id, one.event, is_new=is_new)
                task.counts["added" if added else "replaced"] += 1
                task.done.append(one)
        except (EventRefusedError, LineWorksAwayError, SettingError) as fault:
            task.fault = fault

    def _delete(self, event_id: str, user_id: str, now_of: str) -> bool:
        """Where it is not, the member may have got another user id, which the calendar then has too."""
        found = self._calendar.delete(user_id, event_id)
        return found or (now_of != user_id and self._calendar.delete(now_of, event_id))

    def _check_member(self, user_id: str) -> None:
        """Asked once in a run; two threads may ask for the same one, which does no harm."""
        state = self._members.get(user_id) or self._calendar.member(user_id)
        self._members[user_id] = state
        if state is MemberState.NONE:
            raise EventRefusedError(NO_MEMBER, "LINE WORKSに同じユーザーIDのメンバーがいません")
        if state is MemberState.OTHER_CASE:
            raise EventRefusedError(NO_MEMBER, "LINE WORKSのメンバーと、ユーザーIDの大文字・小文字が違います")
        if state is MemberState.SUSPENDED:
            raise EventRefusedError(SUSPENDED, "LINE WORKSのメンバーが利用停止中か、参加待ちです")

    def _settle(self, tasks: Sequence[Task]) -> None:
        now = self._now()
        with self._job.database.writing() as connection:
            for task in tasks:
                self._settle_one(connection, task, now)
        for task in tasks:
            self.counts.update(task.counts)

    def _settle_one(self, connection: Connection, task: Task, now: dt.datetime) -> None:
        mine, row, fault = EVENT.c.tenant == self._job.tenant, task.row, task.fault
        still = (
            *(ABSENCE.c.tenant == self._job.tenant, ABSENCE.c.absence_id == row.absence_id),
            *(ABSENCE.c.revision == row.revision, ABSENCE.c.status == row.status, ABSENCE.c.digest == row.digest),
        )
        if connection.execute(select(ABSENCE.c.state).where(*still).with_for_update()).first() is None:
            self._write_again(connection, task)
            return
        for one in task.done:
            values = {"digest": one.event.digest(), "last_day": one.last_day, "written_at": now}
            connection.execute(update(EVENT).where(mine, EVENT.c.event_id == one.event.id).values(values))
        if task.deleted:
            connection.execute(delete(EVENT).where(mine, EVENT.c.event_id.in_(task.deleted)))
        if isinstance(fault, EventRefusedError):
            self._forget_unsent(connection, task)
            fail(connection, self._job, row, fault.code, str(fault), REMEDIES.get(fault.code, OTHERWISE), now)
        elif fault is None:
            clean = {"failed_at": None, "code": "", "cause": "", "remedy": "", "told": False}
            connection.execute(update(ABSENCE).where(*still).values(state=WRITTEN, sheet=self._sheet, **clean))

    def _write_again(self, connection: Connection, task: Task) -> None:
        """Another process has read, perhaps written, something newer while this one was slow: which of them the calendar
        has, nobody knows (C8)."""
        self._write_down(connection, task)
        its = (EVENT.c.tenant == self._job.tenant, EVENT.c.event_id.in_(task.deleted))
        connection.execute(update(EVENT).where(*its).values(digest=UNKNOWN))
        absence = (ABSENCE.c.tenant == self._job.tenant, ABSENCE.c.absence_id == task.row.absence_id)
        connection.execute(update(ABSENCE).where(*absence, ABSENCE.c.state == WRITTEN).values(state=WAITING))

    def _forget_unsent(self, connection: Connection, task: Task) -> None:
        """New events that LINE WORKS has refused are in no calendar."""
        done = {one.event.id for one in task.done}
        unsent = [one.event.id for one, is_new in task.puts if is_new and one.event.id not in done]
        if unsent:
            its = (EVENT.c.tenant == self._job.tenant, EVENT.c.event_id.in_(unsent))
            connection.execute(delete(EVENT).where(*its, EVENT.c.written_at.is_(None)))


def _said(row: Row[Any]) -> tuple[Any, ...]:
    """What WORKPLACE has said of an absence, as far as two rows may differ in it."""
    return row.revision, row.status, row.digest
