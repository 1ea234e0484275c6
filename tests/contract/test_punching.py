"""LINE WORKS → KING OF TIME with processes that are killed: each message is one punch."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.links.lineworks_kot import LINK
from renkei.storage.database.database import open_database
from tests.conftest import ROOT
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import KingOfTime
from tests.harness.punching import TENANT, hire, said

PEOPLE, EACH = 40, 6


def test_l4_p13_p14_p17_pumps_that_are_killed_punch_each_message_once_in_order(tmp_path: Path) -> None:
    """Two at a time, and whichever works is killed by SIGKILL; every message comes three times, and answers are lost."""
    url = f"sqlite:///{tmp_path}/renkei.db"
    with KingOfTime.start() as king:
        king.clear()  # an hour at which it may be read
        users = hire(king, url, TENANT, PEOPLE)
        for after in (20, 60, 100):
            king.fault("drop_after", method="POST", after=after)
        begun = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
        kinds = ["出勤", "休憩開始", "休憩終了", "退勤", "出勤", "退勤"]
        messages = [
            (user, *said(text, user, begun + dt.timedelta(minutes=2 * number)))
            for number, text in enumerate(kinds)
            for user in users
        ]
        assert len(messages) == PEOPLE * EACH
        receiver = Receiver(url, PLAIN)
        for written in [
            receiver.accept(LINK, TENANT, same, user, dt.datetime.now(dt.UTC), body)
            for user, same, body in messages
            for _ in range(3)
        ]:
            written.result(150)
        asked = {"database": url, "king": king.url, "lineworks": None, "tenants": [TENANT], "quick": 2.0}
        running = [_pump(asked), _pump(asked)]
        try:
            for count in (30, 90, 150):
                _wait(lambda count=count: len(king.punches()) >= count)  # type: ignore[misc]
                running[-2].kill()
                running.append(_pump(asked))
            inbox = Inbox(open_database(url), PLAIN, LINK, TENANT)
            _wait(lambda: inbox.counts()[State.DONE] == len(messages))
            for process in running[-2:]:
                assert process.stdout is not None
                assert process.stdout.readline() == "READY\n"  # from here on it ends in an orderly way
                process.terminate()
            assert [process.wait(150) for process in running[-2:]] == [0, 0]
        finally:
            for process in running:
                process.kill()
                process.communicate()
        counted = Counter((code, time_, kind) for code, _, time_, kind in king.punches())
        assert len(counted) == len(messages)
        assert set(counted.values()) == {1}
        by_person: dict[str, list[str]] = {}
        for code, _, time_, _kind in king.punches():
            by_person.setdefault(code, []).append(time_)
        assert all(times == sorted(times) for times in by_person.values())


def _pump(asked: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.harness.punching_program", json.dumps(asked)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _wait(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 150
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)
