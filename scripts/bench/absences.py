"""F12: absences of WORKPLACE into LINE WORKS' calendars: how fast without a limit, and how long with LINE WORKS' own.

Child: `python -m scripts.bench.absences FOLDER WORKPLACE CHAT COUNT` does two runs; its last line is the figures as JSON.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.clock import utcnow
from renkei.links.workplace_lineworks import LINK
from renkei.links.workplace_lineworks.model import Job, Mode, RunStart
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.stages.fetch_absences import fetch_absences
from renkei.links.workplace_lineworks.stages.finish import finish
from renkei.links.workplace_lineworks.stages.plan import plan
from renkei.links.workplace_lineworks.stages.write_calendar import write_calendar
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.calendar import SCOPES, LineWorksCalendar
from renkei.systems.lineworks.pace import LineWorksPace
from renkei.systems.workplace.client import WorkplaceClient
from scripts.bench.figures import Figure, Say, child
from scripts.neighbours import Neighbours, sim

ABSENCES, MEMBERS = 10_000, 500
UNLIMITED = 1_000_000_000
MAPPING = Mapping("bench", "bench", calendar=True)


def measure(folder: Path, say: Say) -> list[Figure]:
    """Everything new, then a run in which nothing is; and the first one's minutes at LINE WORKS' pace, on a clock of ours."""
    with Neighbours(folder / "neighbours", ["acme:1:1"], ["acme"], chat=True, absent=True) as neighbours:
        workplace, chat = neighbours.urls["workplace"], neighbours.urls["chat"].rstrip("/")
        users = [{"userId": f"u{n}", "email": f"u{n}@acme.example", "name": f"人 {n}"} for n in range(MEMBERS)]
        settings = {"scopes": ["calendar", "user.read"], "per_minute": UNLIMITED, "users": users}
        sim("POST", chat, "lineworks", settings)
        sim("POST", workplace, "settings", {"requests": UNLIMITED})
        for start in range(0, ABSENCES, 1_000):
            absences = [_absence(number) for number in range(start, start + 1_000)]
            sim("POST", workplace, "absences", absences)
        found = child("scripts.bench.absences", folder, workplace, chat, ABSENCES)
    rate, memory = ABSENCES / found["write_s"], found["memory_mb"]
    minutes = paced_minutes(ABSENCES)
    say(f"{rate:,.0f} a second, {memory:,.0f} MB; quiet {found['quiet_s']:.1f} s; at 240 a minute {minutes:.0f} min")
    what = "absences from WORKPLACE into calendars"
    return [
        Figure("F12", f"{what}, LINE WORKS without a limit", rate, "a second", ("≥", 200), f"{memory:,.0f} MB"),
        Figure("F12", f"a run of {ABSENCES:,} absences that finds nothing changed", found["quiet_s"], "s", ("<", 10)),
        Figure("F12", f"{ABSENCES:,} {what} at 240 a minute, 120 after 30", minutes, "min", None, "on a clock of ours"),
    ]


def paced_minutes(count: int) -> float:
    """How long so many requests of one operation take, whose answers come at once."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pacer = LineWorksPace(clock=lambda: now, sleep=sleep).of("calendar-default-event-user-create")
    for _ in range(count):
        pacer.acquire()
        pacer.release(None)
    return now / 60


def _absence(number: int) -> dict[str, Any]:
    day = (dt.date.today() + dt.timedelta(days=1 + number % 300)).isoformat()
    period = {"unit": "ALL_DAY", "start_on": day, "end_on": day}
    return {"user_id": f"u{number % MEMBERS}@acme.example", "status": "APPROVED", "periods": [period]}


def _runs(folder: Path, workplace: str, chat: str, count: int) -> dict[str, float]:
    store = Store(LocalFileSystem(), str(folder / "store"), Cipher(base64.urlsafe_b64encode(bytes(32)).decode()))
    said = sim("GET", chat, "registrations")["lineworks"]
    names = ("client_id", "client_secret", "service_account", "private_key")
    credentials = LineWorksCredentials(**{name: said[name] for name in names})
    api = LineWorksApi(credentials, said["base_url"], scopes=SCOPES, pace=LineWorksPace(UNLIMITED))
    session = requests.Session()
    session.headers["Authorization"] = "Bearer workplace_sim_token"
    source, calendar = WorkplaceClient(session, workplace, UNLIMITED), LineWorksCalendar(api)
    database = open_database(f"sqlite:///{folder / 'renkei.db'}")

    def run(name: str) -> float:
        record = RunRecord(TenantFolder(store, LINK, "bench"), f"{name}.000000000000")
        job = Job(database, record, RunStart(name, Mode.NORMAL, utcnow(), MAPPING))
        steps: list[Callable[[], Any]] = [
            lambda: fetch_absences(job, source, utcnow()),
            lambda: plan(job, utcnow()),
            lambda: write_calendar(job, calendar, utcnow),
            lambda: finish(job, utcnow),
        ]
        began = time.monotonic()
        for step in steps:
            print(step(), flush=True)
        return time.monotonic() - began

    found = {"write_s": run("first"), "quiet_s": run("quiet")}
    events = sim("GET", chat, "lineworks/calendars")["calendars"]
    assert sum(map(len, events.values())) == count, "not every absence is in a calendar"
    return {**found, "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    _folder, _workplace, _chat, _count = sys.argv[1:]
    print(json.dumps(_runs(Path(_folder), _workplace, _chat, int(_count))))
