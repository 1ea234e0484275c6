"""A tenant's messages, KING OF TIME and replies without any of the programs: the clock goes when a test says so."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from renkei.clock import TOKYO
from renkei.inbox.drain import HandlingResult, PausedError
from renkei.inbox.inbox import Inbox, Message
from renkei.inbox.lease import Leases
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Accounts, AccountState, Selection
from renkei.links.lineworks_kot.circuit_breaker import CircuitBreaker
from renkei.links.lineworks_kot.punches import Punch, Punches
from renkei.links.lineworks_kot.punching import Puncher, PunchingContext
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.outbox.outbox import Outbox
from renkei.outbox.tables import State as Outboxed
from renkei.storage.database.database import open_database
from renkei.systems.kingoftime import client as kot
from renkei.systems.kingoftime.errors import KingOfTimeAwayError
from tests.harness.inbox_programs import PLAIN
from tests.harness.kingoftime import KingOfTime

TENANT = "acme"
SATO = kot.Employee("ab" * 32, "1001", "1000", "本社", "1", "正社員", "佐藤 花子")
TANAKA = kot.Employee("cd" * 32, "1003", "2000", "大阪センター", "2", "アルバイト", "田中 美咲")
UNKNOWN = KingOfTimeAwayError("応答が届きませんでした。", unknown=True)
USERS = {"u-sato": SATO, "u-tanaka": TANAKA}
MAPPING = Mapping(
    TENANT,
    "株式会社アクメ",
    {"1000": dt.time(0, 0), "2000": dt.time(5, 0)},
    breaks=True,
    no_break_types=frozenset({"2"}),
)


def at(text: str) -> dt.datetime:
    """`30 09:00:59` or `1 00:30` of November or December 2026 in Japan."""
    day, _, time = text.partition(" ")
    month = 11 if int(day) > 15 else 12
    seconds = time if time.count(":") == 2 else f"{time}:00"
    return dt.datetime.fromisoformat(f"2026-{month}-{int(day):02}T{seconds}+09:00")


class FakeKingOfTime:
    """What the client of a KING OF TIME does. `faults` are raised, one by each punch: before or (`late`) after it is kept."""

    def __init__(self) -> None:
        self.kept: list[kot.Punch] = []
        self.asked: list[str] = []
        self.faults: list[Exception] = []
        self.late: list[Exception] = []
        self.read_faults: list[Exception] = []
        self.during: Callable[[], None] = lambda: None

    def punch(self, key: str, day: dt.date, moment: dt.datetime, kind: str) -> None:
        self.asked.append("punch")
        self.during()
        if self.faults:
            raise self.faults.pop(0)
        self.kept.append(kot.Punch(key, day, moment, kind))
        if self.late:
            raise self.late.pop(0)

    def punches(self, day: dt.date, keys: Sequence[str] = ()) -> list[kot.Punch]:
        self.asked.append("read")
        if self.read_faults:
            raise self.read_faults.pop(0)
        return [one for one in self.kept if one.day == day and (not keys or one.key in keys)]

    def shown(self) -> list[tuple[str, str, str, str]]:
        """Employee code, working day, time and kind."""
        codes = {one.key: one.code for one in (SATO, TANAKA)}
        return [
            (codes[one.key], one.day.isoformat(), one.at.astimezone(TOKYO).strftime("%H:%M:%S"), one.kind)
            for one in self.kept
        ]


class FakeSender:
    """Sends nothing: what it would send is in the outbox."""

    def left_behind(self) -> None:
        pass

    def tick(self) -> float:
        return 5.0

    def close(self) -> None:
        pass


class World:
    """One worker of one tenant; `settle` does with a message what the pump does."""

    def __init__(self, folder: Path, mapping: Mapping = MAPPING, king: Any = None, url: str = "") -> None:
        """`king` is KING OF TIME's client, a fake one unless it is given."""
        self.url = url or f"sqlite:///{folder}/renkei.db"
        self.database = open_database(self.url)
        self.now = at("30 09:01")
        self.king: Any = king or FakeKingOfTime()
        self.told, self.heard = list[tuple[str, bool]](), True
        self.opened = 0
        self._since: dict[int, dt.datetime] = {}
        self.leases = Leases(self.database)
        self.inbox = Inbox(self.database, PLAIN, LINK, TENANT)
        assert self.leases.acquire(self.inbox.lease)
        self.accounts = Accounts(self.database, PLAIN, TENANT)
        self.accounts.employees.refresh(list(USERS.values()), self.now)
        self.accounts.put({one.key: user for user, one in USERS.items()}, "admin", self.now)
        for account in self.accounts.shown(Selection()):
            self.accounts.note_user(account, AccountState.LINKED, account.entered, self.now)
        self.punches = Punches(self.database, PLAIN, TENANT)
        self.outbox = Outbox(self.database, PLAIN, LINK, TENANT)
        self.receiver = Receiver(self.url, PLAIN)
        self.begin(mapping)

    def begin(self, mapping: Mapping = MAPPING) -> Puncher:
        """A worker, as after a restart."""

        def open_client() -> Any:
            self.opened += 1
            return self.king

        def tell(kind: str, _text: str, over: bool) -> bool:
            self.told.append((kind, over))
            return self.heard

        context = PunchingContext(
            self.database,
            PLAIN,
            self.leases,
            mapping,
            open_client,
            FakeSender(),
            tell,
            lambda: self.now,  # type: ignore[arg-type]
        )
        self.worker = Puncher(context)
        self.worker._breaker = CircuitBreaker(lambda: self.now.timestamp())  # by our clock, as all else
        return self.worker

    def receive(self, text: str, user: str = "u-sato", issued: str | None = None, **more: Any) -> None:
        """A callback arrives now; `issued` as `at`."""
        moment = at(issued) if issued else self.now
        said = {
            "type": "message",
            "source": {"userId": user, "domainId": 1},
            "issuedTime": moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            "content": {"type": "text", "text": text},
        }
        body = json.dumps(said | more, ensure_ascii=False).encode()
        event = f"{user} {said['issuedTime']} {text} {more}"
        self.receiver.accept(LINK, TENANT, event, user, self.now, body).result(90)

    def take(self, most: int = 8) -> list[Message]:
        taken = self.inbox.take(self.leases, most)
        self._since |= {one.number: self.now for one in taken}
        return [self._by_our_clock(one) for one in taken]

    def _by_our_clock(self, message: Message) -> Message:
        """The inbox notes the machine's time."""
        return dataclasses.replace(message, since=self._since[message.number])

    def work(self) -> HandlingResult | PausedError:
        """What the pump does with the next message."""
        (message,) = self.take(1)
        done = self.settle(message, self.worker.handle)
        assert done is not None
        return done

    def look_back(self) -> HandlingResult | PausedError | None:
        (message,) = self.inbox.listed(Inboxed.UNKNOWN, 8)
        return self.settle(self._by_our_clock(message), self.worker.look_back)

    def settle(
        self, message: Message, does: Callable[[Message], HandlingResult | None]
    ) -> HandlingResult | PausedError | None:
        try:
            settled = does(message)
        except PausedError as pause:
            if does == self.worker.handle:
                self.inbox.settle(message, Inboxed.WAITING, str(pause))
            return pause
        said = settled or HandlingResult(Inboxed.WAITING)
        self.inbox.settle(message, said.state, said.note, forget=said.forget)
        self._since[message.number] = self.now
        return settled

    def counts(self) -> dict[str, int]:
        return {state.value: number for state, number in self.inbox.counts().items() if number}

    def replies(self) -> list[str]:
        """What is to be sent, in the order in which it was added."""
        found = self.outbox.listed(Outboxed.WAITING, most=99)
        return [one.content().message.title for one in sorted(found, key=lambda one: one.number)]

    def rows(self) -> list[Punch]:
        with self.database.reading() as connection:
            numbers = list(connection.scalars(select(PUNCH.c.number).order_by(PUNCH.c.number)))
        return [punch for number in numbers if (punch := self.punches.of(number))]


def company_sheet(tenant: str, *, replies: bool = True) -> Mapping:
    """The sheet of a company as `hire` makes it: one 所属, whose day begins at midnight."""
    return Mapping(tenant, "株式会社アクメ", {"1000": dt.time(0, 0)}, breaks=True, replies=replies)


def hire(king: KingOfTime, url: str, tenant: str, count: int) -> list[str]:
    """So many employees at KING OF TIME and in the database, each with an account; their userIds."""
    codes = [f"{number:05}" for number in range(1, count + 1)]
    staff = [
        {"code": code, "lastName": "従業員", "firstName": code, "divisionCode": "1000", "typeCode": "1"}
        for code in codes
    ]
    king.sim("POST", "definition", {"employees": staff})
    keys = {one["code"]: one["key"] for one in king.sim("GET", "employees")}
    now, accounts = dt.datetime.now(dt.UTC), Accounts(open_database(url), PLAIN, tenant)
    accounts.employees.refresh(
        [kot.Employee(keys[code], code, "1000", "本社", "1", "正社員", "") for code in codes], now
    )
    accounts.put({keys[code]: f"user-{code}" for code in codes}, "admin", now)
    for account in accounts.shown(Selection()):
        accounts.note_user(account, AccountState.LINKED, account.entered, now)
    return [f"user-{code}" for code in codes]


def said(text: str, user: str, moment: dt.datetime) -> tuple[str, bytes]:
    """A callback: what makes it the same one again, and its body."""
    issued = moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {
        "type": "message",
        "source": {"userId": user, "domainId": 1},
        "issuedTime": issued,
        "content": {"type": "text", "text": text},
    }
    return f"{user} {issued} {text}", json.dumps(body, ensure_ascii=False).encode()
