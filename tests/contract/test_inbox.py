"""The inbox with processes that are killed: no message is lost, none is done twice, one process at a time works."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.storage.database.database import open_database
from tests.conftest import ROOT
from tests.harness.inbox_programs import LINK, PLAIN, TENANT

MESSAGES = 1000


def test_l4_drains_that_are_killed_hand_over_and_do_each_message_once(tmp_path: Path) -> None:
    """Each is killed on the worst line: it has done something, and not yet noted it. The next waits for its lease."""
    url, target = f"sqlite:///{tmp_path}/renkei.db", tmp_path / "target"
    target.touch()
    receiver, now = Receiver(url, PLAIN), dt.datetime.now(dt.UTC)
    events = [str(number) for number in range(MESSAGES)]
    for written in [receiver.accept(LINK, TENANT, event, event[-1], now, event.encode()) for event in events]:
        written.result(150)
    running: list[subprocess.Popen[str]] = []
    try:
        for killed in range(2):
            running.append(_start(url, target, "300"))
            assert running[-1].stdout is not None
            line = running[-1].stdout.readline()
            assert line == "STUCK\n", f"the drain did not work off what it should: {line!r}"
            assert len(target.read_text().split()) == 300 * (killed + 1)
            running[-1].kill()
        running.append(_start(url, target))
        assert running[-1].wait(150) == 0
    finally:
        for process in running:
            process.kill()
            process.communicate()
    counts = Inbox(open_database(url), PLAIN, LINK, TENANT).counts()
    assert counts[State.DONE] == MESSAGES, counts
    assert sorted(target.read_text().split()) == sorted(events)


def test_l4_two_pumps_killed_in_turn_do_each_message_of_two_tenants_once(tmp_path: Path) -> None:
    """One works, one waits for its leases. L5: the other tenant goes on while the first one's thread stands still."""
    url, target = f"sqlite:///{tmp_path}/renkei.db", tmp_path / "target"
    target.touch()
    receiver, now = Receiver(url, PLAIN), dt.datetime.now(dt.UTC)
    events = [str(number) for number in range(400)]
    for written in [
        receiver.accept(LINK, tenant, event, event[-1], now, f"{tenant} {event}".encode())
        for event in events
        for tenant in (TENANT, "other")
    ]:
        written.result(150)
    running = [_pump(url, target, "100")]
    try:
        for stuck_after in ("100", "0"):
            working = running[-1]
            assert working.stdout is not None
            assert working.stdout.readline() == "STUCK\n"
            _wait(lambda: _done(url, "other") == len(events))
            running.append(_pump(url, target, stuck_after))
            working.kill()
        _wait(lambda: _done(url, TENANT) == len(events))
    finally:
        for process in running:
            process.kill()
            process.communicate()
    did = [f"{tenant} {event}" for tenant in (TENANT, "other") for event in events]
    assert sorted(target.read_text().splitlines()) == sorted(did)


def _pump(url: str, target: Path, stuck_after: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.harness.pump_program", url, str(target), stuck_after, TENANT, "other"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _done(url: str, tenant: str) -> int:
    return Inbox(open_database(url), PLAIN, LINK, tenant).counts()[State.DONE]


def _wait(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 150
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)


def _start(url: str, target: Path, *stuck_after: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.harness.inbox_programs", url, str(target), *stuck_after]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
