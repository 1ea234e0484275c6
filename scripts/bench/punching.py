"""F11: from an accepted message to its punch at a KING OF TIME that takes 0.3 s for one; and pumps that end or are killed."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from sqlalchemy import func, select

from renkei.inbox.receiver import Receiver
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.punches import State
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.storage.database.database import open_database
from scripts.bench.figures import Figure, Say
from scripts.local_airflow import PROJECT
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import COMPANY, KingOfTime
from tests.harness.punching import TENANT, hire, said

PEOPLE, RATE, SECONDS, BACKLOG = 600, 10_000 / 600, 60, 1_200
ANSWERS_S = 0.3
REST_TENANTS, REST_S = 100, 30
KINDS = ("出勤", "休憩開始", "休憩終了", "退勤")


class Bench:
    """A company whose people write in turn; each message punches."""

    def __init__(self, folder: Path, king: KingOfTime) -> None:
        self.url, self.king = f"sqlite:///{folder}/renkei.db", king
        self.users = hire(king, self.url, TENANT, PEOPLE)
        self.receiver, self.sent = Receiver(self.url, PLAIN), 0
        self._begun = dt.datetime.now(dt.UTC) - dt.timedelta(hours=12)

    def send(self, count: int, per_second: float = 0.0) -> None:
        """Accept so many messages, evenly or as fast as it goes."""
        began, written = time.monotonic(), []
        for number in range(count):
            if per_second:
                time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            turn, person = divmod(self.sent, PEOPLE)
            user, kind = self.users[person], KINDS[turn % len(KINDS)]
            moment = self._begun + dt.timedelta(minutes=3 * turn)
            same, body = said(kind, user, moment)
            written.append(self.receiver.accept(LINK, TENANT, same, user, dt.datetime.now(dt.UTC), body))
            self.sent += 1
        for one in written:
            one.result(60)

    def wait(self) -> None:
        until = time.monotonic() + 600
        while self.done() < self.sent:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.done()} of {self.sent} are punched")
            time.sleep(0.2)

    def done(self) -> int:
        with open_database(self.url).reading() as connection:
            return connection.scalar(select(func.count()).where(PUNCH.c.state == State.DONE)) or 0

    def waits(self, after: int) -> list[float]:
        """From acceptance to punch, of those after the first so many; shortest first."""
        wanted = select(PUNCH.c.received_at, PUNCH.c.done_at).order_by(PUNCH.c.number).offset(after)
        with open_database(self.url).reading() as connection:
            return sorted((row.done_at - row.received_at).total_seconds() for row in connection.execute(wanted))

    def pump(self, tenants: Sequence[str] = (TENANT,)) -> subprocess.Popen[str]:
        asked = {"database": self.url, "king": self.king.url, "lineworks": None, "tenants": tenants, "quick": False}
        command = [sys.executable, "-m", "tests.harness.punching_program", json.dumps(asked)]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        return process


def measure(folder: Path, say: Say) -> list[Figure]:
    with KingOfTime.start() as king:
        king.sim("POST", "definition", COMPANY)
        bench = Bench(folder, king)
        king.fault("slow", method="POST", times=None, seconds=ANSWERS_S)
        working, standing_by = bench.pump(), bench.pump()
        try:
            time.sleep(2)
            figures = [*_evenly(bench, say), _backlog(bench, say)]
            figures.append(_replaced(bench, say, working, "ends (SIGTERM)", ("<", 5)))
            third = bench.pump()
            figures.append(_replaced(bench, say, standing_by, "is killed (SIGKILL)", ("<", 15), kill=True))
            third.kill()
            third.communicate()
            punched = king.punches()
            figures.append(
                Figure(
                    "F11", "… punches that are not one for each message", abs(len(punched) - bench.sent), "", ("=", 0)
                )
            )
            return [*figures, *_at_rest(bench, say)]
        finally:
            for process in (working, standing_by):
                process.kill()
                process.communicate()


def _evenly(bench: Bench, say: Say) -> list[Figure]:
    """As many a second as 10,000 in ten minutes are."""
    bench.send(round(RATE * SECONDS), RATE)
    bench.wait()
    waits = bench.waits(0)
    middle, slow = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    say(f"{RATE:.1f} a second for {SECONDS} s: p50 {middle:.2f} s, p99 {slow:.2f} s, longest {waits[-1]:.2f} s")
    note = f"p50 {middle:.2f}, longest {waits[-1]:.2f}; KING OF TIME answers in {ANSWERS_S} s"
    return [Figure("F11", f"accepted → punched at {RATE:.1f} messages a second, p99", slow, "s", ("<", 5), note)]


def _backlog(bench: Bench, say: Say) -> Figure:
    """As fast as it goes: eight at once."""
    began = time.monotonic()
    bench.send(BACKLOG)
    bench.wait()
    rate = BACKLOG / (time.monotonic() - began)
    say(f"{BACKLOG:,} at once: {rate:.1f} a second")
    return Figure(
        "F11", "punches a second of one company, of a backlog", rate, "", ("≥", RATE), f"{BACKLOG:,} messages"
    )


def _replaced(
    bench: Bench, say: Say, process: subprocess.Popen[str], what: str, target: tuple[str, float], *, kill: bool = False
) -> Figure:
    """The longest wait of a message while the pump that works goes and the other one takes over."""
    before = bench.sent
    sending = threading.Thread(target=bench.send, args=(round(RATE * 20), RATE))
    sending.start()
    time.sleep(5)
    (process.kill if kill else process.terminate)()
    sending.join()
    bench.wait()
    waits = bench.waits(before)
    unknown = sum(one > 20 for one in waits)  # what it was at is read back, 30 s later at the earliest
    known = [one for one in waits if one <= 20]
    say(f"the pump {what}: longest wait {known[-1]:.1f} s; read back {unknown}, within {waits[-1]:.0f} s")
    return Figure(
        "F11",
        f"longest wait while the pump {what}",
        known[-1],
        "s",
        target,
        f"{unknown} read back, longest {waits[-1]:.0f} s",
    )


def _at_rest(bench: Bench, say: Say) -> list[Figure]:
    """A pump of many tenants to which nobody writes."""
    process = bench.pump([f"t{number}" for number in range(REST_TENANTS)])
    try:
        time.sleep(15)
        seen = psutil.Process(process.pid)
        before = sum(seen.cpu_times()[:2])
        time.sleep(REST_S)
        used: float = 100 * (sum(seen.cpu_times()[:2]) - before) / REST_S
        memory = seen.memory_info().rss / 1e6
    finally:
        process.kill()
        process.communicate()
    say(f"{REST_TENANTS} tenants at rest: {used:.1f} % of a core, {memory:.0f} MB")
    return [
        Figure("F11", f"a pump of {REST_TENANTS} tenants at rest", used, "% of a core", ("<", 20)),
        Figure("F11", "… memory", memory, "MB", ("<", 400)),
    ]
