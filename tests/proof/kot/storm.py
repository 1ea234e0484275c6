"""While people punch, a pump is killed by SIGKILL every 100 ms, whatever it is at, and another one begins at once."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from renkei.clock import TOKYO
from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import LEASE, State
from renkei.links.lineworks_kot import LINK
from renkei.storage.database.database import open_database
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import KingOfTime
from tests.harness.program import ROOT
from tests.harness.punching import TENANT, hire, said

EVERY_S, PUMPS, LEASE_S = 0.1, 3, 0.5
WITHIN_S = 300.0  # without one message more
KINDS = {"出勤": "1", "休憩開始": "3", "休憩終了": "4", "退勤": "2"}
PEOPLE = 50


@dataclass
class Pace:
    """Seconds from one kill to the next: more where a pump dies before it can do anything, as on a busy machine."""

    every_s: float = EVERY_S
    in_vain: int = 0  # kills since a message was done last; after that of the one at work its lease has to run out

    def heed(self, is_more_done: bool) -> None:
        if is_more_done:
            self.in_vain, self.every_s = 0, max(EVERY_S, self.every_s * 0.9)
        elif self.in_vain < 3 * LEASE_S / EVERY_S:
            self.in_vain += 1
        else:
            self.in_vain, self.every_s = 0, self.every_s * 1.5


def storm(folder: Path, each: int) -> Iterator[tuple[str, list[str]]]:
    """PEOPLE say so many things each; one try."""
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder}/renkei.db"
    with KingOfTime.start() as king:
        now = dt.datetime.now(TOKYO)
        king.clear(f"{now:%Y-%m-%d}T12:00:00+09:00")  # an hour at which it may be read
        users = hire(king, url, TENANT, PEOPLE)
        expected, receiver = Counter[tuple[str, str, str, str]](), Receiver(url, PLAIN)
        for number in range(each):
            text = list(KINDS)[number % len(KINDS)]
            for second, user in enumerate(users):
                at = now.replace(microsecond=0) - dt.timedelta(minutes=2 * (each - number), seconds=second)
                same, body = said(text, user, at)
                written = receiver.accept(LINK, TENANT, same, user, now, body)
                expected[user.removeprefix("user-"), f"{at:%Y-%m-%d}", at.isoformat(), KINDS[text]] += 1
            written.result(WITHIN_S)
        asked = {"database": url, "king": king.url, "lineworks": None, "tenants": [TENANT], "quick": LEASE_S}
        how = rage(url, asked, sum(expected.values()))
        yield how, _wrong(king, url, expected)


def rage(url: str, asked: Mapping[str, Any], messages: int) -> str:
    """Kill until all is done, or until nothing more has been for too long; how it went."""
    database = open_database(url)
    inbox, kills, at_work = Inbox(database, PLAIN, LINK, TENANT), 0, 0
    command = [sys.executable, "-m", "tests.proof.kot.pumps", str(PUMPS), json.dumps(asked)]
    begun = killed = moved = time.monotonic()
    done, pace = 0, Pace()
    with (
        tempfile.TemporaryFile("w+") as said_by_pumps,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said_by_pumps, text=True
        ) as pumps,
    ):
        assert pumps.stdin is not None
        assert pumps.stdout is not None
        while done < messages and time.monotonic() < moved + WITHIN_S:
            time.sleep(max(0.0, killed + pace.every_s - time.monotonic()))
            killed = time.monotonic()
            with suppress(BrokenPipeError):
                pumps.stdin.write("next\n")
                pumps.stdin.flush()
            dead = pumps.stdout.readline().strip()
            if not dead:
                break
            kills += 1
            with database.reading() as connection:
                owner = connection.scalar(select(LEASE.c.owner).where(LEASE.c.name == inbox.lease)) or ""
            at_work += owner.startswith(dead)
            before, done = done, inbox.counts()[State.DONE]
            pace.heed(done > before)
            moved = killed if done > before else moved
        with suppress(BrokenPipeError):
            pumps.stdin.close()
        if pumps.wait():
            said_by_pumps.seek(0)
            raise AssertionError(f"the pumps did not end well:\n{said_by_pumps.read()}")
    seconds = time.monotonic() - begun
    return f"{messages} messages: {kills} kills in {seconds:.0f} s, {at_work} of them of the pump that had the lease"


def _wrong(king: KingOfTime, url: str, expected: Counter[tuple[str, str, str, str]]) -> list[str]:
    punches = king.punches()
    there = Counter(punches)
    found = [f"missing {one}" for one in expected - there] + [f"too many {one}" for one in (there - expected)]
    times: dict[str, list[str]] = {}
    for code, _, at, _ in punches:
        times.setdefault(code, []).append(at)
    found += [f"{code}'s punches came in another order" for code, each in times.items() if each != sorted(each)]
    counts = Inbox(open_database(url), PLAIN, LINK, TENANT).counts()
    return found + [f"{number} messages are {state}" for state, number in counts.items() if number and state != "done"]
