"""The sender: channels do not wait for each other, and whatever dies, nobody gets a message twice."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.errors import ConnectionError_, StoreError
from renkei.inbox import lease
from renkei.inbox.lease import Leases
from renkei.outbox import sender as sender_module
from renkei.outbox.outbox import KEY_COUNTS, Entry, Outbox
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.sender import GIVEN_UP, Outlet, Sender
from renkei.outbox.tables import State
from renkei.storage.database.database import Database, open_database
from renkei.systems.delivery import Delivery, Message, accepted, later, refused, unknown
from tests.conftest import ROOT
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.outbox_programs import AT, an_entry

LONG = 120  # s: for what takes milliseconds where nobody else wants the machine


class Service:
    """Answers what a test says, by title; whatever it was asked is in `sent`."""

    def __init__(self, *answers: Delivery | Callable[[], Delivery]) -> None:
        self.sent: list[str] = []
        self.keys: list[str] = []
        self._answers = list(answers)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        self.sent.append(message.title)
        self.keys.append(key)
        answer = self._answers.pop(0) if self._answers else accepted(200)
        return answer() if callable(answer) else answer

    def check(self) -> Delivery:
        return accepted(200)


class World:
    """A tenant's outbox and who sends it. `now` is its clock."""

    def __init__(self, folder: Path) -> None:
        self.database: Database = open_database(f"sqlite:///{folder}/renkei.db")
        self.outbox = Outbox(self.database, PLAIN, LINK, TENANT)
        self.leases = Leases(self.database)
        self.outlets: dict[str, Outlet] = {}
        self.watched: list[tuple[Outgoing, Delivery]] = []
        self.now = AT
        self.sender = self.new_sender()

    def new_sender(self) -> Sender:
        return Sender(
            self.outbox,
            self.leases,
            lambda channel: self.outlets[channel],
            lambda message, delivery: self.watched.append((message, delivery)),
            clock=lambda: self.now,
        )

    def channel(self, name: str, *answers: Any, **outlet: Any) -> Service:
        service = Service(*answers)
        self.outlets[name] = Outlet(service, **outlet)
        return service

    def add(self, *entries: Entry) -> None:
        with self.database.writing() as connection:
            self.outbox.add(connection, entries, self.now)

    def until(self, true: Callable[[], bool]) -> None:
        """The sender is called until it is so."""
        end = time.monotonic() + LONG
        while not true():
            assert time.monotonic() < end, self.outbox.counts()
            self.sender.tick()
            time.sleep(0.005)

    def count(self, state: State, channel: str = "slack") -> int:
        return self.outbox.counts().get((channel, state), 0)

    def note(self) -> str:
        return self.outbox.listed(most=1)[0].note

    def wait(self, **span: float) -> None:
        """Time goes by, for what rests too."""
        self.now += dt.timedelta(**span)
        self.sender._rests.clear()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(sender_module, "LOOKED_MEANWHILE_S", 0.005)
    found = World(tmp_path)
    with found.leases:
        assert found.leases.acquire(found.outbox.lease)
        yield found
        found.sender.close()


def test_w9_a_channel_that_hangs_keeps_no_other_waiting_nor_what_may_be_sent_beside_it(world: World) -> None:
    answers = threading.Event()

    def hangs() -> Delivery:
        assert answers.wait(LONG)
        return accepted(200)

    slack, line = world.channel("slack", hangs), world.channel("line")
    world.add(*(an_entry(f"{channel}{n}", channel=channel) for channel in ("slack", "line") for n in range(3)))
    world.until(lambda: world.count(State.SENT, "line") == 3 and world.count(State.SENT) == 2)
    world.add(an_entry("beside"), an_entry("after it", key="slack0"))
    world.until(lambda: world.count(State.SENT) == 3)
    assert (len(line.sent), world.count(State.SENDING), world.count(State.WAITING)) == (3, 1, 1)
    answers.set()
    world.until(lambda: world.count(State.SENT) == 5)
    assert slack.sent[-1] == "after it"


def test_w9_a_channel_that_cannot_be_opened_waits_until_it_can(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_outlet(channel: str) -> Outlet:
        opened.append(channel)
        if channel == "slack" and opened.count("slack") == 1:
            raise ConnectionError_("Airflowの接続がありません。")
        return world.outlets[channel]

    slack, line = world.channel("slack"), world.channel("line")
    monkeypatch.setattr(world.sender, "_open", open_outlet)
    world.add(an_entry("1"), an_entry("2", channel="line"))
    world.until(lambda: world.count(State.SENT, "line") == 1 and "slack" in world.sender._rests)
    assert (slack.sent, line.sent, world.count(State.WAITING)) == ([], ["2"], 1)
    world.wait(minutes=1)
    world.until(lambda: world.count(State.SENT) == 1)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (accepted(200), State.SENT),
        (refused(404, "user_not_found"), State.REFUSED),
        (unknown(None, "ReadTimeout"), State.UNKNOWN),
    ],
)
def test_w3_an_answer_is_the_end_of_a_message(world: World, answer: Delivery, state: State) -> None:
    """An unknown one is marked, and not repeated; whoever watches hears of each."""
    slack = world.channel("slack", answer)
    world.add(an_entry("1"))
    world.until(lambda: world.count(state) == 1)
    world.wait(hours=1)
    world.add(an_entry("2"))
    world.until(lambda: "2" in slack.sent and world.count(State.SENDING) == 0)
    assert slack.sent == ["1", "2"]
    world.sender.close()
    assert [delivery.verdict for _, delivery in world.watched] == [answer.verdict, accepted(200).verdict]


def test_w3_what_raises_may_have_sent(world: World) -> None:
    def raises() -> Delivery:
        raise ValueError("xoxb-secret")

    world.channel("slack", raises)
    world.add(an_entry("1"))
    world.until(lambda: world.count(State.UNKNOWN) == 1)
    assert world.note() == "ValueError"


def test_w4_what_was_surely_not_sent_is_sent_later_and_before_what_follows(world: World) -> None:
    """And the channel rests meanwhile; then one message shows whether the service is back."""
    slack = world.channel("slack", later(None, "ConnectionError"), later(503, "busy", 30))
    world.add(an_entry("1", key="doc"), an_entry("2", key="doc"))
    world.until(lambda: len(world.watched) == 1)
    world.wait(seconds=2)
    world.until(lambda: len(world.watched) == 2)
    assert "slack" in world.sender._rests
    world.wait(seconds=29)
    world.sender.tick()
    world.until(lambda: not world.sender._running)
    assert slack.sent == ["1", "1"]
    world.wait(seconds=1)
    world.until(lambda: world.count(State.SENT) == 2)
    assert slack.sent == ["1", "1", "1", "2"]
    assert len(set(slack.keys)) == 2


def test_a_service_that_answers_nobody_makes_few_messages_unknown(world: World) -> None:
    slack = world.channel("slack", *[unknown(None, "ReadTimeout")] * 9, at_once=2)
    world.add(*(an_entry(str(n)) for n in range(100)))
    world.until(lambda: world.count(State.UNKNOWN) >= 1 and not world.sender._running)
    for failures in range(3):
        before = len(slack.sent)
        world.wait(hours=0.1)
        world.until(lambda before=before: len(slack.sent) > before and not world.sender._running)
        assert len(slack.sent) == before + 1, failures
    assert len(slack.sent) <= 5


def test_too_many_for_one_person_keep_nobody_else_waiting(world: World) -> None:
    chat = world.channel("google_chat", later(429, "RESOURCE_EXHAUSTED", 20), limited_by_person=True, at_once=1)
    world.add(*(an_entry(event, channel="google_chat") for event in ("1", "2")))
    world.until(lambda: world.count(State.SENT, "google_chat") == 1)
    assert (chat.sent, world.sender._rests) == (["1", "2"], {})
    world.wait(seconds=20)
    world.until(lambda: world.count(State.SENT, "google_chat") == 2)


def test_a_message_that_stays_too_many_is_dropped_in_the_end(world: World) -> None:
    world.channel("slack", *[later(503, "busy")] * 2)
    world.add(an_entry("1"))
    world.until(lambda: len(world.watched) == 1)
    world.wait(days=1)
    world.until(lambda: world.count(State.DROPPED) == 1)


def test_w3_a_retry_key_is_trusted_for_less_than_a_day(world: World) -> None:
    line = world.channel("line", later(500, "HTTP 500"), later(500, "HTTP 500"), takes_key=True)
    world.add(an_entry("1", channel="line", not_after=AT + dt.timedelta(days=9)))
    world.until(lambda: len(world.watched) == 1)
    world.wait(hours=1)
    world.until(lambda: len(world.watched) == 2)
    world.now = AT + KEY_COUNTS
    line._answers.append(later(500, "HTTP 500"))
    world.wait(seconds=1)
    world.until(lambda: world.count(State.UNKNOWN, "line") == 1)
    assert (world.note(), len(set(line.keys))) == (GIVEN_UP, 1)


def test_c11_no_more_is_sent_than_the_pace_allows(world: World) -> None:
    """And what is paced is not `sending` meanwhile: a killed process would make it unknown."""
    tokens = [3]

    def pace() -> float:
        if not tokens[0]:
            return 0.01
        tokens[0] -= 1
        return 0.0

    lineworks = world.channel("lineworks", pace=pace)
    world.add(*(an_entry(str(n), channel="lineworks") for n in range(5)))
    world.until(lambda: world.count(State.SENT, "lineworks") == 3)
    time.sleep(0.05)
    assert (len(lineworks.sent), world.count(State.WAITING, "lineworks")) == (3, 2)
    tokens[0] = 3
    world.until(lambda: world.count(State.SENT, "lineworks") == 5)
    assert tokens == [1]  # what is not there uses none up


def test_who_lost_the_lease_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what it has taken: that waits again."""
    slack = world.channel("slack")
    world.add(an_entry("1"))
    asked: list[str] = []

    def holds(name: str) -> bool:
        asked.append(name)
        return len(asked) == 1

    monkeypatch.setattr(world.leases, "holds", holds)
    world.sender.call("slack")
    world.until(lambda: not world.sender._running)
    assert (slack.sent, world.count(State.WAITING)) == ([], 1)


def test_an_answer_is_noted_when_the_database_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "NOTED_AGAIN_S", 0.01)
    away = threading.Event()
    settle_and_take, settle = Outbox.settle_and_take, Outbox.settle

    def failing(method: Any) -> Any:
        def ask(*arguments: Any) -> Any:
            if away.is_set():
                away.clear()
                raise StoreError("")
            return method(*arguments)

        return ask

    def answer() -> Delivery:
        away.set()
        return accepted(200)

    monkeypatch.setattr(Outbox, "settle_and_take", failing(settle_and_take))
    monkeypatch.setattr(Outbox, "settle", failing(settle))
    slack = world.channel("slack", answer)
    world.add(an_entry("1"))
    world.until(lambda: world.count(State.SENT) == 1)
    assert slack.sent == ["1"]


def test_close_waits_for_what_is_being_sent_and_takes_nothing_more(world: World) -> None:
    began, ends = threading.Event(), threading.Event()

    def slow() -> Delivery:
        began.set()
        assert ends.wait(LONG)
        return accepted(200)

    world.channel("slack", slow, at_once=1)
    world.add(an_entry("1"), an_entry("2"))
    world.sender.tick()
    assert began.wait(LONG)
    threading.Timer(0.05, ends.set).start()
    world.sender.close()
    assert (world.count(State.SENT), world.count(State.WAITING)) == (1, 1)
    world.sender.tick()
    assert world.sender._running == {}


def test_l4_killed_while_sending_nobody_gets_a_message_twice(tmp_path: Path) -> None:
    """What a killed process had taken is unknown, or repeated by its key where that is safe; the rest arrives."""
    url, target = f"sqlite:///{tmp_path}/renkei.db", tmp_path / "target"
    for channel in ("slack", "line"):
        target.with_suffix(f".{channel}").touch()
    database = open_database(url)
    outbox = Outbox(database, PLAIN, LINK, TENANT)
    with database.writing() as connection:
        entries = [
            an_entry(f"{channel}{n}", channel=channel, key=str(n % 5))
            for channel in ("slack", "line")
            for n in range(20)
        ]
        outbox.add(connection, entries, AT)
    command = [sys.executable, "-m", "tests.harness.outbox_programs", url, str(target)]
    for stuck_after in (3, 2):
        first = subprocess.Popen([*command, str(stuck_after)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert first.stdout is not None
        assert first.stdout.readline() == "STUCK\n"
        first.kill()
        first.wait(LONG)
        first.stdout.close()
    subprocess.run(command, cwd=ROOT, check=True, timeout=LONG)
    arrived = {
        channel: [line.split()[0] for line in target.with_suffix(f".{channel}").read_text().splitlines()]
        for channel in ("slack", "line")
    }
    assert sorted(arrived["line"]) == sorted(f"line{n}" for n in range(20))
    assert len(arrived["slack"]) == len(set(arrived["slack"]))
    unknown_ones = {one.content().message.title for one in outbox.listed(State.UNKNOWN, most=99)}
    assert {f"slack{n}" for n in range(20)} == set(arrived["slack"]) | unknown_ones
    assert 1 <= len(unknown_ones) <= 16
    for channel, found in arrived.items():
        for key in range(5):
            numbers = [int(one.removeprefix(channel)) for one in found if int(one.removeprefix(channel)) % 5 == key]
            assert numbers == sorted(numbers)
