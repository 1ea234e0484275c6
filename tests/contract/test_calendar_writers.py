"""A process is killed while LINE WORKS still has its request: what it asked for never outlives what is newer (C8)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from renkei.clock import utcnow
from renkei.errors import BusyAccountError
from renkei.inbox import lease
from renkei.inbox.tables import LEASE
from renkei.links.workplace_lineworks.calendar_lease import LANDS_S, CalendarLease, leased_calendars
from renkei.links.workplace_lineworks.model import Job
from renkei.links.workplace_lineworks.stages.write_calendar import write_calendar
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.calendar import SCOPES, LineWorksCalendar
from tests.harness.chat import Chat
from tests.harness.workplace_lineworks import AbsenceWorld, day

PATIENCE_S = 90.0


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with Chat.start("--port", "0") as running:
        yield running


class World(AbsenceWorld):
    """Absences in memory, and calendars of the simulator, which two processes write."""

    chat: Chat

    def write(self, job: Job) -> None:
        with leased_calendars(job.database, job.tenant) as lease:
            write_calendar(job, self.lineworks(lease), utcnow, lease.doubt)

    def lineworks(self, lease: CalendarLease) -> LineWorksCalendar:
        said = self.chat.registrations["lineworks"]
        names = ("client_id", "client_secret", "service_account", "private_key")
        credentials = LineWorksCredentials(**{name: said[name] for name in names})
        return LineWorksCalendar(LineWorksApi(credentials, said["base_url"], scopes=SCOPES, may_send=lease.check))

    def planned(self) -> Job:
        job = self.job()
        fetch, plan, *_ = self.steps(job)
        fetch()
        plan()
        return job

    def starts(self) -> list[str]:
        members = self.chat.sim("GET", "lineworks/calendars")["calendars"].values()
        return [event[0]["start"]["date"] for events in members for event in events.values()]


@pytest.fixture
def world(chat: Chat, tmp_path: Path) -> World:
    chat.clear()
    chat.sim("POST", "lineworks", {"scopes": ["calendar", "user.read"]})
    found = World(tmp_path)
    found.chat = chat
    return found


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


def test_c8_what_a_killed_process_sent_never_lands_after_something_newer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.write(world.planned())
    world.workplace.put("A-1", day("2026-12-06"))
    job = world.planned()
    world.chat.fault(kind="held", service="lineworks", method="PUT", path="/lineworks/*")
    world.database.engine.dispose()  # SQLite's connections are one process's
    child = os.fork()
    if not child:
        try:
            database = AbsenceWorld(world.folder, url=f"sqlite:///{world.folder}/renkei.db").database
            world.write(Job(database, job.record, job.start))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    wait_for(lambda: world.chat.sim("GET", "faults") == [])  # LINE WORKS has its request
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it was killed, and did not break off by itself"

    world.workplace.put("A-1", day("2026-12-09"))
    newer = world.planned()
    with world.database.reading() as connection:
        (lapses,) = connection.scalars(select(LEASE.c.expires_at))
    for seconds in (0.0, LANDS_S - 1):
        set_clock(monkeypatch, lapses + dt.timedelta(seconds=seconds))
        with pytest.raises(BusyAccountError):
            world.write(newer)
    assert world.starts() == ["2026-12-05"]
    world.chat.sim("DELETE", "faults")
    wait_for(lambda: world.starts() == ["2026-12-06"])
    set_clock(monkeypatch, lapses + dt.timedelta(seconds=LANDS_S))
    world.write(newer)
    assert world.starts() == ["2026-12-09"]


def set_clock(monkeypatch: pytest.MonkeyPatch, at: Any) -> None:
    monkeypatch.setattr(lease, "utcnow", lambda: at)
