"""The inbox with processes that are killed: no message is lost, none is done twice, one process at a time works."""

from __future__ import annotations

import datetime as dt
import selectors
import subprocess
import sys
from pathlib import Path

from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.storage.database.database import open_database
from tests.conftest import ROOT
from tests.harness.inbox_programs import LINK, PLAIN, TENANT

PROGRAM = [sys.executable, "-m", "tests.harness.inbox_programs"]


def test_l4_drains_that_are_killed_hand_over_and_do_each_message_once(tmp_path: Path) -> None:
    """Two drains; whichever begins to work is killed, twice."""
    url, target = f"sqlite:///{tmp_path}/renkei.db", tmp_path / "target"
    target.touch()
    receiver, now = Receiver(url, PLAIN), dt.datetime.now(dt.UTC)
    events = [str(number) for number in range(1000)]
    for written in [receiver.accept(LINK, TENANT, event, event[-1], now, event.encode()) for event in events]:
        written.result(150)
    running = [_start(url, target) for _ in range(2)]
    try:
        for _ in range(2):
            at_work = running.pop(_who_holds(running))
            at_work.kill()
            at_work.communicate()
            running.append(_start(url, target))
        for process in running:
            assert process.wait(150) == 0
    finally:
        for process in running:
            process.kill()
            process.communicate()
    counts = Inbox(open_database(url), PLAIN, LINK, TENANT).counts()
    assert counts[State.DONE] == len(events), counts
    assert sorted(target.read_text().split()) == sorted(events)


def _start(url: str, target: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([*PROGRAM, url, str(target)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "READY\n", f"the drain is not ready; it printed {line!r}"
    return process


def _who_holds(running: list[subprocess.Popen[str]]) -> int:
    """Which of them says that it works, waited for."""
    with selectors.DefaultSelector() as waiting:
        for number, process in enumerate(running):
            assert process.stdout is not None
            waiting.register(process.stdout, selectors.EVENT_READ, number)
        ((key, _), *_rest) = waiting.select(150) or [(None, 0)]
        assert key is not None, "no drain works"
        line = key.fileobj.readline()  # type: ignore[union-attr]
        assert line == "HOLDS\n", f"a drain ended: {line!r}"
        return int(key.data)
