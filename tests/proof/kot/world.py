"""Messages, KING OF TIME as a program, and a worker that dies at a chosen moment; one thing happens after another."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Connection

from renkei.inbox.drain import PausedError
from renkei.inbox.inbox import Inbox
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Accounts, AccountState, Selection
from renkei.links.lineworks_kot.punches import Punches
from renkei.outbox.outbox import Outbox
from renkei.outbox.tables import State as Outboxed
from renkei.storage.database.database import Database
from renkei.systems.kingoftime.client import KingOfTimeClient
from tests.harness.fuse import Died
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import KingOfTime
from tests.harness.punching import MAPPING, TENANT, USERS, World, at

LAST = dt.timedelta(days=4)  # by then nothing waits any more
STEP = dt.timedelta(seconds=1)  # for whatever is done
OPEN = (Inboxed.WAITING, Inboxed.SENDING, Inboxed.UNKNOWN)


@dataclass
class Moments:
    """Counts what others can see: before and after each transaction and each request; dies at the chosen ones."""

    deadly: set[int] = field(default_factory=set)
    passed: int = 0

    def tick(self) -> None:
        self.passed += 1
        if self.passed in self.deadly:
            raise Died(str(self.passed))

    @contextmanager
    def around(self) -> Iterator[None]:
        self.tick()
        try:
            yield
        except Exception:
            self.tick()
            raise
        self.tick()


class Watched(Database):
    """A database whose writing transactions are moments."""

    def __init__(self, database: Database, moments: Moments) -> None:
        super().__init__(database.engine)
        self._moments = moments

    @contextmanager
    def writing(self, *, brief: bool = False) -> Iterator[Connection]:
        with self._moments.around(), super().writing(brief=brief) as connection:
            yield connection


class WatchedClient:
    """KING OF TIME's client, whose requests are moments."""

    def __init__(self, client: KingOfTimeClient, moments: Moments) -> None:
        self._client, self._moments = client, moments

    def punch(self, *arguments: Any) -> None:
        with self._moments.around():
            self._client.punch(*arguments)

    def punches(self, day: dt.date, keys: Sequence[str] = ()) -> Any:
        with self._moments.around():
            return self._client.punches(day, keys)


@dataclass(frozen=True)
class Message:
    """What somebody writes: `issued` and `arrives` as `harness.punching.at` reads them."""

    text: str
    user: str
    issued: str
    arrives: str = ""


class PunchWorld(World):
    """`play` lets the messages arrive and works them off until nothing is open; the clocks go meanwhile."""

    def __init__(self, folder: Path, king: KingOfTime, *, skew_s: float = 0.0, mapping: Any = MAPPING) -> None:
        """`skew_s`: KING OF TIME's clock is so far ahead of ours."""
        king.clear("2026-11-30T12:00:00+09:00")
        self.program, self.skew = king, dt.timedelta(seconds=skew_s)
        self.moments, self.deaths = Moments(), 0
        session = requests.Session()
        session.headers["Authorization"] = "Bearer kot_sim_token"
        super().__init__(folder, mapping, WatchedClient(KingOfTimeClient(session, king.url), self.moments))
        self.users = dict(USERS)
        self._take_over_keys()
        self.database = Watched(self.database, self.moments)
        self.inbox = Inbox(self.database, PLAIN, LINK, TENANT)
        self.accounts = Accounts(self.database, PLAIN, TENANT)
        self.punches = Punches(self.database, PLAIN, TENANT)
        self.outbox = Outbox(self.database, PLAIN, LINK, TENANT)
        self.begin(mapping)
        self.mapping = mapping
        self._rests: dict[int, dt.datetime] = {}
        self._takes_at = self.now
        self.moments.passed = 0

    def _take_over_keys(self) -> None:
        """The employees as the program has them."""
        keys = {one["code"]: one["key"] for one in self.program.sim("GET", "employees")}
        found = [dataclasses.replace(one, key=keys[one.code]) for one in USERS.values()]
        self.accounts.put({one.key: "" for one in USERS.values()}, "admin", self.now)
        self.accounts.employees.refresh(found, self.now)
        self.accounts.put({keys[one.code]: user for user, one in USERS.items()}, "admin", self.now)
        for account in self.accounts.shown(Selection()):
            if account.entered:
                self.accounts.note_user(account, AccountState.LINKED, account.entered, self.now)

    def play(self, messages: Sequence[Message], jump: Callable[[PunchWorld], None] = lambda world: None) -> None:
        """`jump` is called after each thing that was done."""
        waiting = sorted(messages, key=lambda one: at(one.arrives or one.issued))
        begun, spins = at(waiting[0].arrives or waiting[0].issued), 0
        self.clock(begun)
        while True:
            while waiting and at(waiting[0].arrives or waiting[0].issued) <= self.now:
                one = waiting.pop(0)
                self.receive(one.text, one.user, one.issued)
            try:
                done = self._turn()
            except Died:
                self._next_process()
                done = True
            jump(self)
            if done:
                self.clock(self.now + STEP)
                continue
            wakes = [at(waiting[0].arrives or waiting[0].issued)] if waiting else []
            if self._is_open():
                wakes += [self._takes_at, *self._rests.values()]
            if not wakes:
                return
            spins += 1
            later = [one for one in wakes if one > self.now]
            self.clock(min(later) if later else self.now + STEP)
            if self.now > begun + LAST or spins > 3_000:
                return  # the oracle sees what is still open

    def clock(self, now: dt.datetime) -> None:
        self.now = now
        self.program.clock((now + self.skew).isoformat())

    def _is_open(self) -> bool:
        counts = self.inbox.counts()
        return any(counts[state] for state in OPEN)

    def _turn(self) -> bool:
        """One thing that the pump would do now; whether there was one."""
        counts = self.inbox.counts()
        if counts[Inboxed.UNKNOWN]:
            for message in self.inbox.listed(Inboxed.UNKNOWN, 99):
                if self._rests.get(message.number, self.now) <= self.now:
                    self._since.setdefault(message.number, self.now)
                    found = self.settle(self._by_our_clock(message), self.worker.look_back)
                    self._rests.pop(message.number, None)
                    if isinstance(found, PausedError):
                        self._rests[message.number] = self.now + dt.timedelta(seconds=max(found.seconds, 1))
                    return True
        if counts[Inboxed.WAITING] and self._takes_at <= self.now:
            for message in self.take(1):
                found = self.settle(message, self.worker.handle)
                if isinstance(found, PausedError):
                    self._takes_at = self.now + dt.timedelta(seconds=found.seconds)
                return True
        return False

    def _next_process(self) -> None:
        """It was killed; its successor knows what the database says. That one may be killed as well."""
        self.deaths += 1
        self._rests.clear()
        self._takes_at = self.now
        while True:
            try:
                self.inbox.left_behind(self.leases)
                self.begin(self.mapping)
                return
            except Died:
                self.deaths += 1

    def finals(self) -> dict[int, list[str]]:
        """The replies to each message, by its number, but those that say 確認中."""
        found: dict[int, list[str]] = {}
        for one in self.outbox.listed(Outboxed.WAITING, most=10_000):
            title = one.content().message.title
            if one.source is not None and "確認中" not in title:
                found.setdefault(one.source, []).append(title)
        return found
