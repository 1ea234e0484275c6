"""LINE WORKS → KING OF TIME on several machines between which cables are pulled: each accepted message is one punch."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from renkei.clock import TOKYO
from renkei.inbox.inbox import Inbox
from renkei.inbox.tables import LEASE, State
from renkei.links.lineworks_kot import LINK
from renkei.storage.database.database import open_database
from tests.conftest import ROOT
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import COMPANY, KingOfTime
from tests.harness.machines import Machines, why_not
from tests.harness.postgresql import folder_of_programs, postgresql
from tests.harness.public_service import signed
from tests.harness.punching import TENANT, hire, said

# Those outside are LINE WORKS, KING OF TIME and whoever looks on, who sees the database as well.
NETWORKS = {
    "database": ["inner"],
    **{name: ["inner", "outer"] for name in ("outside", "receiver", "drain", "successor")},
}
PEOPLE, SECRET, LEASE_S, WAIT_S = 20, "of the bot", 5.0, 150
KINDS = {"出勤": "1", "退勤": "2", "休憩開始": "3", "休憩終了": "4"}
# What the receiver's machine finds out about a lost database, it finds out before it answers.
SOON = "?connect_timeout=2&tcp_user_timeout=2000"


class Company:
    """What the people of one tenant say, and what of it was accepted."""

    def __init__(self, machines: Machines, folder: Path, king: KingOfTime, database: str) -> None:
        self.machines, self.folder, self.king, self.url = machines, folder, king, database
        now = dt.datetime.now(TOKYO)
        king.clear(f"{now:%Y-%m-%d}T12:00:00+09:00")  # an hour at which it may be read
        address = {"kot_sim_token": COMPANY["tokens"]["kot_sim_token"] | {"addresses": [machines.range("outer")]}}
        king.sim("POST", "definition", COMPANY | {"tokens": address})
        self.users = hire(king, database, TENANT, PEOPLE)
        self.database = open_database(database)
        self.inbox = Inbox(self.database, PLAIN, LINK, TENANT)
        self.begun = now.replace(microsecond=0) - dt.timedelta(hours=1)
        self.accepted: list[tuple[str, str, str, str]] = []  # the punches to be, as KING OF TIME shows them

    def say(self, text: str, number: int) -> set[int]:
        """All of them, at the minute of this number and each at a second of his own; the answers to the callbacks."""
        times = [self.begun + dt.timedelta(minutes=2 * number, seconds=second) for second, _ in enumerate(self.users)]
        with ThreadPoolExecutor(PEOPLE) as people:
            answers = list(people.map(self._call, [text] * PEOPLE, self.users, times))
        for user, moment, answer in zip(self.users, times, answers, strict=True):
            if answer == 200:
                punch = (user.removeprefix("user-"), f"{moment:%Y-%m-%d}", moment.isoformat(), KINDS[text])
                self.accepted.append(punch)
        return set(answers)

    def _call(self, text: str, user: str, moment: dt.datetime) -> int:
        _, body = said(text, user, moment)
        address = f"{self.receiver}/renkei/lineworks/{TENANT}/callback"
        return requests.post(address, body, headers=signed(body, SECRET), timeout=WAIT_S).status_code

    @contextmanager
    def serving(self) -> Iterator[None]:
        """`renkei serve` on a machine of its own."""
        sheets = self.folder / "mappings" / LINK
        sheets.mkdir(parents=True)
        (sheets / f"{TENANT}.yaml").touch()
        environment = {
            **os.environ,
            "PYTHONWARNINGS": "ignore",
            "RENKEI_DATABASE": self.url + SOON,
            "RENKEI_STORE": (self.folder / "store").as_uri(),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            f"AIRFLOW_CONN_LINEWORKS__{TENANT.upper()}": json.dumps(
                {"conn_type": "lineworks", "extra": {"bot_secret": SECRET}}
            ),
        }
        host = self.machines.address("receiver", "outer")
        command = [sys.executable, "-m", "renkei.commands", "serve", "--host", host, "--port", "0"]
        with self.machines.on("receiver"), running(command, environment) as process:
            assert process.stdout is not None
            self.receiver = process.stdout.readline().removeprefix("READY ").strip()
            with self.machines.on("outside"):
                yield

    @contextmanager
    def pumping(self, machine: str) -> Iterator[subprocess.Popen[str]]:
        asked = {"database": self.url, "king": self.king.url, "lineworks": None, "tenants": [TENANT]}
        command = [sys.executable, "-m", "tests.harness.punching_program", json.dumps(asked | {"quick": LEASE_S})]
        with self.machines.on(machine), running(command, dict(os.environ)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "READY\n"
            with self.machines.on("outside"):
                yield process

    def works(self, process: subprocess.Popen[str]) -> bool:
        """Whether the lease is this one's."""
        with self.database.reading() as connection:
            owners = connection.scalars(select(LEASE.c.owner).where(LEASE.c.name == self.inbox.lease)).all()
        return [owner.split(":")[1] for owner in owners if owner] == [str(process.pid)]

    def is_done(self) -> bool:
        return self.inbox.counts() == {**dict.fromkeys(State, 0), State.DONE: len(self.accepted)}


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait(holds: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until, f"it did not come about: {what}"
        time.sleep(0.1)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    if reason := why_not():
        pytest.skip(reason)
    if folder_of_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with ExitStack() as stack:
        machines = stack.enter_context(Machines(NETWORKS))
        stack.enter_context(machines.on("outside"))
        with machines.on("database"):
            where = machines.address("database", "inner"), machines.range("inner")
            database = stack.enter_context(postgresql(*where))
        king = stack.enter_context(KingOfTime.start("--host", machines.address("outside", "outer")))
        found = Company(machines, tmp_path, king, database)
        stack.callback(found.database.engine.dispose)
        stack.enter_context(found.serving())
        yield found


def test_l4_p12_p13_p14_p17_cables_are_pulled_between_machines_and_each_accepted_message_is_one_punch(
    company: Company,
) -> None:
    """The drain loses its database in the middle of punches, its successor dies later, and the receiver loses its own."""
    king, machines = company.king, company.machines
    with ExitStack() as stack:
        drain = stack.enter_context(company.pumping("drain"))
        wait(lambda: company.works(drain), "the drain works")
        successor = stack.enter_context(company.pumping("successor"))

        king.fault("slow", method="POST", seconds=1.0, times=None)
        for number, text in enumerate(("出勤", "休憩開始", "休憩終了")):
            assert company.say(text, number) == {200}
        wait(lambda: len(king.punches()) >= 10, "punches")
        machines.cut("drain", "inner")
        assert not company.is_done()
        king.sim("DELETE", "faults")
        assert company.say("退勤", 3) == {200}
        wait(company.is_done, "the successor has done all")
        assert company.works(successor)

        machines.join("drain", "inner")
        assert company.say("出勤", 4) == {200}
        successor.kill()
        wait(lambda: company.works(drain), "the drain works again")
        wait(company.is_done, "the drain has done the rest")

        machines.cut("receiver", "inner")
        assert company.say("退勤", 5) == {503}
        # Asked behind the refused ones, it gives its own try up no sooner than they did theirs.
        assert requests.get(f"{company.receiver}/health", timeout=WAIT_S).status_code == 503
        assert company.is_done()
        machines.join("receiver", "inner")
        assert company.is_done()
        assert company.say("退勤", 6) == {200}
        wait(company.is_done, "what was said again is done")

    punches = king.punches()
    assert Counter(punches) == Counter(company.accepted)
    assert len(punches) == 6 * PEOPLE
    for user in company.users:
        times = [time_ for code, _, time_, _ in punches if f"user-{code}" == user]
        assert times == sorted(times)
