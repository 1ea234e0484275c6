"""One tenant between the two simulators, by the product's own clients; its runs can be killed at any moment."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete

from renkei.errors import RenkeiError
from renkei.links.workplace_lineworks.model import Job, Mode
from renkei.links.workplace_lineworks.stages.compare import compare
from renkei.links.workplace_lineworks.stages.fetch_absences import fetch_absences
from renkei.links.workplace_lineworks.stages.finish import finish
from renkei.links.workplace_lineworks.stages.plan import plan
from renkei.links.workplace_lineworks.stages.strays import remove_strays
from renkei.links.workplace_lineworks.stages.write_calendar import write_calendar
from renkei.storage.database.database import open_database
from renkei.systems.lineworks import api
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.calendar import SCOPES, LineWorksCalendar
from renkei.systems.workplace.client import WorkplaceClient
from tests.harness.chat import Chat
from tests.harness.moments import Moments, Watched, is_killed, watched
from tests.harness.workplace import TOKEN, Workplace, days
from tests.harness.workplace_lineworks import MAPPING, NOON, SATO, SUZUKI, AbsenceWorld
from tests.proof.workplace.oracle import OWN, wrong_about

NOBODY, SUSPENDED = "SATO@acme.example", "takahashi@acme.example"


class Calendars(Chat):
    """Of the chat services LINE WORKS alone, for an app that may write calendars."""

    def __init__(self, *ready: str, process: subprocess.Popen[str] | None = None) -> None:
        super().__init__(*ready, process=process)
        self._copies: dict[str, Any] = {}

    def begin_anew(self) -> None:
        self.clear()
        self.sim("POST", "lineworks", {"scopes": ["calendar", "user.read"]})

    def copy(self, name: str) -> None:
        self._copies[name] = self.sim("GET", "lineworks/calendars")

    def put_back(self, name: str) -> None:
        self.begin_anew()
        self.sim("PUT", "lineworks/calendars", self._copies[name])


@dataclass
class CalendarWorld(AbsenceWorld):
    """A tenant whose cancellations are never held; people have an event of their own, too."""

    systems: tuple[Workplace, Calendars] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mapping = replace(MAPPING, held_percent=100)

    @property
    def source(self) -> Workplace:
        assert self.systems
        return self.systems[0]

    @property
    def chat(self) -> Calendars:
        assert self.systems
        return self.systems[1]

    def lineworks(self) -> LineWorksCalendar:
        said = self.chat.registrations["lineworks"]
        names = ("client_id", "client_secret", "service_account", "private_key")
        credentials = LineWorksCredentials(**{name: said[name] for name in names})
        return LineWorksCalendar(api.LineWorksApi(credentials, said["base_url"], scopes=SCOPES))

    def steps(self, job: Job, moment: Callable[[], None] = lambda: None) -> list[Callable[[], Any]]:
        session = Watched(moment)
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        source, calendar = WorkplaceClient(session, self.source.url), self.lineworks()
        return [
            lambda: fetch_absences(job, source, self.clock),
            lambda: plan(job, self.clock),
            *(
                [lambda: (compare(job, calendar, self.now), remove_strays(job, calendar, self.now))]
                if job.mode is Mode.RECONCILE
                else []
            ),
            lambda: write_calendar(job, calendar, self.now),
            lambda: finish(job, self.now),
        ]

    def go(self, mode: Mode = Mode.NORMAL, job: Job | None = None) -> None:
        """A run as Airflow has it: where a task fails, those after it do not run."""
        job = job or self.job(mode)
        try:
            for step in self.steps(job):
                step()
        except RenkeiError:
            pass
        self.clock += dt.timedelta(minutes=5)

    def killed(self, job: Job, at: int) -> bool:
        """The run in a process of its own that dies at a moment; whether it came to that."""

        def run() -> None:
            moment, asks = Moments(at), vars(api)["ask"]

            def ask(*args: Any, **kwargs: Any) -> Any:
                moment()
                answer = asks(*args, **kwargs)
                moment()
                return answer

            vars(api)["ask"] = ask
            database = watched(open_database(f"sqlite:///{self.folder}/renkei.db"), moment)
            for step in self.steps(Job(database, job.record, job.start), moment):
                step()

        return is_killed(self.database, run)

    def lose(self, *tables: Table) -> None:
        with self.database.writing() as connection:
            for table in tables:
                connection.execute(delete(table))

    def settle(self) -> None:
        """Nothing is broken any more: today, the day after, and what people changed by hand."""
        self.source.sim("DELETE", "faults")
        self.source.sim("POST", "settings", {"bend_next": 0})
        self.chat.sim("DELETE", "faults")
        self.go()
        self.clock += dt.timedelta(days=1)
        self.go()
        self.go(Mode.RECONCILE)

    def calendars(self) -> dict[str, Any]:
        found: dict[str, Any] = self.chat.sim("GET", "lineworks/calendars")
        return found

    def wrong(self) -> list[str]:
        """What the oracle has against it, what still waits, and whether people's own events are as they were."""
        calendars = self.calendars()
        found = wrong_about(self.source.sim("GET", "absences"), self.chat.sim("GET", "lineworks"), calendars)
        waits = sorted(number for number, state in self.states().items() if state in ("waiting", "held"))
        own = sum(event[0]["summary"] == OWN for one in calendars["calendars"].values() for event in one.values())
        return [
            *found,
            *([f"{waits} still wait"] if waits else []),
            *([] if own == 1 else [f"of people's own events {own} are left"]),
        ]

    def start(self) -> None:
        """An event of a person's own, and six absences that are in calendars; nothing else in either system."""
        self.source.clear()
        self.chat.begin_anew()
        self.source.sim("POST", "clock", {"at": NOON.isoformat(), "stands": True})
        self.lineworks()._create(SATO, {"eventComponents": [_OWN_EVENT], "sendNotification": False})
        for number in range(6):
            self.source.apply(days(f"2026-12-1{number}"), user_id=SATO if number % 2 else SUZUKI)
        self.go()


_OWN_EVENT = {"eventId": "own-1", "summary": OWN, "start": {"date": "2026-12-10"}, "end": {"date": "2026-12-11"}}


def eventful(world: CalendarWorld) -> None:
    """Something to add, to move, to hand over, to cancel, to delete and to refuse."""
    change = world.source.change
    change("A-000001", periods=[days("2026-12-20"), {"unit": "AFTERNOON", "on": "2026-12-22"}])
    change("A-000002", user_id=SUZUKI)
    change("A-000003", status="CANCELLED")
    world.source.sim("DELETE", "absences/A-000004")
    change("A-000005", periods=[days("2026-12-24", "2026-12-26")])
    change("A-000005", periods=[days("2026-12-23")])
    for user in (SATO, SUZUKI, NOBODY, SUSPENDED):
        world.source.apply(
            {"unit": "HOURS", "start_at": "2026-12-28T10:00", "end_at": "2026-12-28T11:00"}, user_id=user, kind="外出"
        )
    world.source.apply(days("2026-12-09", "2026-12-01"))
    world.source.apply(days("2026-12-30"), status="APPLIED")


def begun(folder: Path, systems: tuple[Workplace, Calendars]) -> CalendarWorld:
    """One with nothing but what it starts with."""
    world = CalendarWorld(folder, systems=systems)
    world.start()
    return world
