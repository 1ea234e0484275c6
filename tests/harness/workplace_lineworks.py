"""WORKPLACE → LINE WORKS without a network: a source and calendars in memory, and a run of one tenant, task by task."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import select

from renkei.clock import TOKYO
from renkei.errors import IncompleteReadError
from renkei.links.workplace_lineworks import LINK
from renkei.links.workplace_lineworks.model import Job, Mode, RunStart
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.stages.compare import compare
from renkei.links.workplace_lineworks.stages.fetch_absences import fetch_absences
from renkei.links.workplace_lineworks.stages.finish import finish
from renkei.links.workplace_lineworks.stages.plan import plan
from renkei.links.workplace_lineworks.stages.strays import remove_strays
from renkei.links.workplace_lineworks.stages.write_calendar import write_calendar
from renkei.links.workplace_lineworks.tables import ABSENCE
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import Database, open_database
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.lineworks.calendar import (
    NO_MEMBER,
    CalendarEvent,
    EventRefusedError,
    LineWorksAwayError,
    MemberState,
)
from renkei.systems.workplace.client import Absence, AbsenceList, Period, Status, Unit

NOON = dt.datetime(2026, 11, 29, 12, 0, tzinfo=TOKYO)
KEY = "ZGVtby1rZXktZGVtby1rZXktZGVtby1rZXktZGVtby0="  # 32 bytes
SATO, SUZUKI = "sato@acme.example", "suzuki@acme.example"
MAPPING = Mapping(
    tenant="acme",
    company="Acme",
    calendar=True,
    kinds_shown=True,
    morning=(dt.time(9), dt.time(13)),
    afternoon=(dt.time(13), dt.time(18)),
)


def day(start: str, end: str = "") -> Period:
    return Period(Unit.ALL_DAY, start, end or start)


def hours(start: str, end: str) -> Period:
    return Period(Unit.HOURS, start, end)


@dataclass
class FakeWorkplace:
    """Absences by id; `torn` reads lack what `hidden` names, and are not proven."""

    all: dict[str, Absence] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    is_torn: bool = False
    malformed: list[str] = field(default_factory=list)
    stale: list[Absence] = field(default_factory=list)  # of a list that is older than `all`
    asked: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # malformed when they are asked for

    def put(self, number: str, *periods: Period, status: Status = Status.APPROVED, **values: Any) -> Absence:
        """A new absence, or the next revision of one."""
        old = self.all.get(number)
        given = {"revision": old.revision + 1 if old else 1, "status": status, **values}
        if periods:
            given["periods"] = periods
        base = old or Absence(number, 1, status, SATO, "年次有給休暇", ())
        self.all[number] = replace(base, **given)
        return self.all[number]

    def absences(self, since: dt.date) -> AbsenceList:
        listed = [one for number, one in sorted(self.all.items()) if number not in self.hidden]
        return AbsenceList([*listed, *self.stale], not self.is_torn, self.malformed)

    def absence(self, number: str) -> Absence | None:
        self.asked.append(number)
        if number in self.broken:
            raise IncompleteReadError("malformed")
        return self.all.get(number)


@dataclass
class FakeCalendar:
    """Calendars by member and event id. `before` and `after` are called around each write."""

    members: dict[str, MemberState] = field(
        default_factory=lambda: {SATO: MemberState.ACTIVE, SUZUKI: MemberState.ACTIVE}
    )
    events: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    written: list[str] = field(default_factory=list)  # summaries, in order

    def put(self, user_id: str, event: CalendarEvent, *, is_new: bool = False) -> bool:
        self.before()
        if self.members.get(user_id) is not MemberState.ACTIVE:
            raise EventRefusedError(NO_MEMBER, "no such member")
        added = (user_id, event.id) not in self.events
        self.events[user_id, event.id] = event.component()
        self.written.append(event.start)
        self.after()
        return added

    def delete(self, user_id: str, event_id: str) -> bool:
        self.before()
        found = self.events.pop((user_id, event_id), None)
        self.after()
        return found is not None

    def get(self, user_id: str, event_id: str) -> dict[str, Any] | None:
        if self.member(user_id) is MemberState.SUSPENDED:
            raise EventRefusedError(NO_MEMBER, "no such member")
        return self.events.get((user_id, event_id))

    def ids(self, user_id: str, first_day: dt.date) -> list[str]:
        return [number for member, number in self.events if member == user_id]

    def member(self, user_id: str) -> MemberState:
        return self.members.get(user_id, MemberState.NONE)

    def shown(self, user_id: str = SATO) -> list[tuple[str, str, str]]:
        """Summary, start and end of each event of a member's, by start; ours and a person's own."""

        def text(time: dict[str, str]) -> str:
            return time.get("date") or time["dateTime"]

        return sorted(
            (one["summary"], text(one["start"]), text(one["end"]))
            for (member, _), one in self.events.items()
            if member == user_id
        )


def away() -> None:
    raise LineWorksAwayError("LINE WORKSに接続できません")


@dataclass
class AbsenceWorld:
    """One tenant with its rows, and its runs."""

    folder: Path
    mapping: Mapping = MAPPING
    workplace: FakeWorkplace = field(default_factory=FakeWorkplace)
    calendar: FakeCalendar = field(default_factory=FakeCalendar)
    clock: dt.datetime = NOON
    runs: int = 0
    url: str = ""  # of its database; by default one in `folder`

    def __post_init__(self) -> None:
        self.database: Database = open_database(self.url or f"sqlite:///{self.folder}/renkei.db")
        self.store = Store(LocalFileSystem(), str(self.folder / "store"), Cipher(KEY))

    def copy(self, folder: Path) -> AbsenceWorld:
        shutil.copytree(self.folder, folder)
        calendar = FakeCalendar(dict(self.calendar.members), deepcopy(self.calendar.events))
        return replace(self, folder=folder, workplace=deepcopy(self.workplace), calendar=calendar)

    def now(self) -> dt.datetime:
        return self.clock

    def job(self, mode: Mode = Mode.NORMAL, run: str = "") -> Job:
        if not run:
            self.runs += 1
        record = RunRecord(TenantFolder(self.store, LINK, self.mapping.tenant), run or f"run{self.runs}.000000000000")
        return Job(self.database, record, RunStart(record.run, mode, self.clock, self.mapping))

    def steps(self, job: Job) -> list[Callable[[], Any]]:
        """The tasks of a run, in their order."""
        return [
            lambda: fetch_absences(job, self.workplace, self.clock),
            lambda: plan(job, self.clock),
            *(
                [lambda: (compare(job, self.calendar, self.now), remove_strays(job, self.calendar, self.now))]
                if job.mode is Mode.RECONCILE
                else []
            ),
            lambda: write_calendar(job, self.calendar, self.now),
            lambda: finish(job, self.now),
        ]

    def run(self, mode: Mode = Mode.NORMAL) -> Job:
        job = self.job(mode)
        for step in self.steps(job):
            step()
        self.clock += dt.timedelta(minutes=5)
        return job

    def states(self) -> dict[str, str]:
        """State and, of what failed, code, by absence."""
        with self.database.reading() as connection:
            rows = connection.execute(select(ABSENCE)).all()
        return {row.absence_id: f"{row.state} {row.code}".strip() for row in rows}
