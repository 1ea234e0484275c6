"""F11: from a signed callback to its punch at a KING OF TIME that takes 0.3 s for one, and the bot's reply at LINE WORKS'
240 a minute; pumps that end or are killed meanwhile; tenants at rest.

Child: `python -m scripts.bench.punching DATABASE` is the receiver; it prints READY and where it listens.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import requests
from sqlalchemy import func, select

from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import MESSAGE
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.punches import State
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.outbox.tables import OUTGOING
from renkei.outbox.tables import State as Sent
from renkei.public.app import build
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import Secrets
from renkei.public.server import server
from renkei.storage.database.database import open_database
from scripts.bench.figures import Figure, Say
from scripts.local_airflow import PROJECT
from tests.harness.chat import Chat
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import COMPANY, KingOfTime
from tests.harness.punching import TENANT, hire, said

PEOPLE, RATE, BACKLOG = 600, 10_000 / 600, 1_200
ANSWERS_S, CONNECTIONS = 0.3, 16
PER_MINUTE = 240  # messages of LINE WORKS' to members
REST_TENANTS, REST_S = 100, 30
KINDS = ("出勤", "休憩開始", "休憩終了", "退勤")
SECRET, PATH = "bot secret", f"/renkei/lineworks/{TENANT}/callback"


class Bench:
    """A company whose people write in turn; each message punches, and is answered as far as LINE WORKS takes it."""

    def __init__(self, folder: Path, king: KingOfTime, chat: Chat) -> None:
        self.url, self.king, self.chat = f"sqlite:///{folder}/renkei.db", king, chat
        self.users = hire(king, self.url, TENANT, PEOPLE)
        member = chat.sim("GET", "lineworks")["users"][0]
        members = [member | {"userId": user, "email": f"{user}@acme.example"} for user in self.users]
        chat.sim("POST", "lineworks", {"users": members, "per_minute": PER_MINUTE})
        self.sent, self.accepted = 0, 0
        self._begun = dt.datetime.now(dt.UTC) - dt.timedelta(hours=12)
        self._receiver = _child("scripts.bench.punching", self.url)
        assert self._receiver.stdout is not None
        self._address = self._receiver.stdout.readline().split()[1] + PATH
        self._threads = threading.local()

    def close(self) -> None:
        self._receiver.kill()
        self._receiver.communicate()

    def send(self, count: int, per_second: float = 0.0) -> None:
        """So many callbacks, evenly or as fast as they are answered."""
        began, answers = time.monotonic(), []
        with ThreadPoolExecutor(CONNECTIONS) as people:
            for number in range(count):
                if per_second:
                    time.sleep(max(0.0, began + number / per_second - time.monotonic()))
                turn, person = divmod(self.sent, PEOPLE)
                moment = self._begun + dt.timedelta(minutes=3 * turn)
                _, body = said(KINDS[turn % len(KINDS)], self.users[person], moment)
                answers.append(people.submit(self._call, body))
                self.sent += 1
        self.accepted += sum(answer.result() == 200 for answer in answers)

    def _call(self, body: bytes) -> int:
        if not hasattr(self._threads, "session"):
            self._threads.session = requests.Session()
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        sent = {"Content-Type": "application/json", "X-WORKS-Signature": signature}
        try:
            answer: requests.Response = self._threads.session.post(self._address, body, headers=sent, timeout=60)
        except requests.RequestException:  # LINE WORKS does not send it again
            return 0
        return answer.status_code

    def wait(self) -> None:
        until = time.monotonic() + 600
        while self.done() < self.kept():
            if time.monotonic() > until:
                raise RuntimeError(f"{self.done()} of {self.kept()} are punched")
            time.sleep(0.2)

    def kept(self) -> int:
        with open_database(self.url).reading() as connection:
            return connection.scalar(select(func.count()).select_from(MESSAGE)) or 0

    def done(self) -> int:
        with open_database(self.url).reading() as connection:
            return connection.scalar(select(func.count()).where(PUNCH.c.state == State.DONE)) or 0

    def waits(self, after: int) -> list[float]:
        """From acceptance to punch, of those after the first so many; shortest first."""
        wanted = select(PUNCH.c.received_at, PUNCH.c.done_at).order_by(PUNCH.c.number).offset(after)
        with open_database(self.url).reading() as connection:
            return sorted((row.done_at - row.received_at).total_seconds() for row in connection.execute(wanted))

    def read_back(self) -> int:
        """Punches whose answer had to be asked for at KING OF TIME."""
        with open_database(self.url).reading() as connection:
            found = select(func.count()).where(PUNCH.c.state == State.DONE, PUNCH.c.note != "")
            return connection.scalar(found) or 0

    def replies(self) -> dict[Sent, int]:
        with open_database(self.url).reading() as connection:
            rows = connection.execute(select(OUTGOING.c.state, func.count()).group_by(OUTGOING.c.state))
            return {Sent(state): count for state, count in rows}

    def pump(self, tenants: Sequence[str] = (TENANT,), *, replies: bool = True) -> subprocess.Popen[str]:
        bot = self.chat.registrations["lineworks"] if replies else None
        asked = {"database": self.url, "king": self.king.url, "lineworks": bot, "tenants": tenants, "quick": False}
        process = _child("tests.harness.punching_program", json.dumps(asked))
        assert process.stdout is not None
        process.stdout.readline()
        return process


def measure(folder: Path, say: Say, minutes: float = 1.0) -> list[Figure]:
    """`minutes`: for how long people write at the rate of 10,000 in ten minutes."""
    with ExitStack() as running:
        king = running.enter_context(KingOfTime.start())
        chat = running.enter_context(Chat.start())
        king.clear()  # an hour at which it may be read
        king.sim("POST", "definition", COMPANY)
        bench = Bench(folder, king, chat)
        running.callback(bench.close)
        king.fault("slow", method="POST", times=None, seconds=ANSWERS_S)
        pumps = [bench.pump(), bench.pump()]
        running.callback(lambda: [process.kill() for process in pumps])
        time.sleep(2)
        figures = _evenly(bench, say, minutes)
        figures.append(_backlog(bench, say))
        figures.append(_replaced(bench, say, pumps[0], "ends (SIGTERM)", ("<", 5)))
        pumps.append(bench.pump())
        figures.append(_replaced(bench, say, pumps[1], "is killed (SIGKILL)", ("<", 15), kill=True))
        for process in pumps:
            process.kill()
            process.communicate()
        figures += [
            Figure(
                "F11",
                "… punches that are not one for each message",
                abs(len(king.punches()) - bench.kept()),
                "",
                ("=", 0),
            ),
            *_replies(bench, say),
        ]
        return [*figures, *_at_rest(bench, say)]


def _child(module: str, argument: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, argument]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def _evenly(bench: Bench, say: Say, minutes: float) -> list[Figure]:
    """As many a second as 10,000 in ten minutes are."""
    bench.send(round(RATE * 60 * minutes), RATE)
    accepted = 100 * bench.accepted / bench.sent
    bench.wait()
    waits = bench.waits(0)
    middle, slow = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    say(f"{bench.sent:,} messages in {minutes:g} minutes: {accepted:.2f} % accepted (200)")
    say(f"accepted → punched: p50 {middle:.2f} s, p99 {slow:.2f} s, longest {waits[-1]:.2f} s")
    note = f"p50 {middle:.2f}, longest {waits[-1]:.2f}; KING OF TIME answers in {ANSWERS_S} s"
    what = f"at {RATE:.1f} messages a second for {minutes:g} minutes"
    return [
        Figure("F11", f"callbacks accepted, {what}", accepted, "%", ("≥", 100), f"{bench.sent:,} callbacks"),
        Figure("F11", "accepted → punched, p99", slow, "s", ("<", 5), note),
    ]


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
    before, known = bench.sent, bench.read_back()
    sending = threading.Thread(target=bench.send, args=(round(RATE * 20), RATE))
    sending.start()
    time.sleep(5)
    (process.kill if kill else process.terminate)()
    sending.join()
    bench.wait()
    longest, read_back = bench.waits(before)[-1], bench.read_back() - known
    say(f"the pump {what}: longest wait {longest:.1f} s, {read_back} read back")
    return Figure("F11", f"longest wait while the pump {what}", longest, "s", target, f"{read_back} read back")


def _replies(bench: Bench, say: Say) -> list[Figure]:
    """Over all that went before: the pumps that were replaced among it."""
    calls = [one for one in bench.chat.sim("GET", "lineworks/calls") if "message" in one["operation"]]
    refused, most = sum(one["refused"] for one in calls), max(one["calls"] for one in calls)
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(bench.replies().items()))
    say(f"replies: {states}; at most {most} in a minute, {refused} answered by 429")
    return [
        Figure("F11", "replies that LINE WORKS answered by 429", refused, "", ("=", 0), states),
        Figure("F11", "… most of them in one minute", most, "", ("<", PER_MINUTE + 1)),
    ]


def _at_rest(bench: Bench, say: Say) -> list[Figure]:
    """A pump of many tenants to which nobody writes."""
    process = bench.pump([f"t{number}" for number in range(REST_TENANTS)], replies=False)
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


def _serve(url: str) -> None:
    receiver = functools.cache(lambda: Receiver(url, PLAIN))
    callbacks = Callbacks(LINK, Secrets(lambda _: SECRET), receiver, lambda _tenant, _event: True)
    server(build([callbacks.route()], lambda: None), "127.0.0.1", 0).run()


if __name__ == "__main__":
    _serve(sys.argv[1])
