"""The pump: every tenant's messages are worked off, whatever becomes of another's (L5)."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from renkei.errors import ConnectionError_, StoreError
from renkei.inbox import drain, lease, pump
from renkei.inbox import inbox as inbox_module
from renkei.inbox.drain import HandlingResult, PausedError, Tenancy, Worker
from renkei.inbox.inbox import Inbox, Message, open_messages
from renkei.inbox.lease import Leases
from renkei.inbox.pump import Pump
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import MESSAGE, State
from renkei.storage.database.database import Database, open_database
from tests.harness.inbox_programs import PLAIN

LINK = "toy"
AT = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.UTC)
LONG = 90  # s: for what takes milliseconds where nobody else wants the machine
DONE = HandlingResult(State.DONE)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lease runs out by itself, and what is waited for comes soon."""
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(pump, "LOOKS_EVERY_S", 0.01)
    monkeypatch.setattr(pump, "TRIES_EVERY_S", 0.01)
    monkeypatch.setattr(pump, "ASKS_EVERY_S", 0.01)
    monkeypatch.setattr(drain, "LOOKS_BACK_EVERY_S", 0.01)
    monkeypatch.setattr(drain, "AGAIN_S", 0.01)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/renkei.db")


class Toy:
    """A worker that notes what it did, and may be told what to do instead."""

    def __init__(self, at_once: int = 4) -> None:
        self.at_once = at_once
        self.did: list[str] = []
        self.looked: list[str] = []
        self.closed = 0
        self.ticks = 0
        self.does: Callable[[str], HandlingResult] = lambda text: DONE
        self.finds: Callable[[str], HandlingResult | None] = lambda text: DONE
        self.ticks_again: Callable[[], float] = lambda: 1000.0

    def handle(self, message: Message) -> HandlingResult:
        text = message.body().decode()
        self.did.append(text)
        return self.does(text)

    def look_back(self, message: Message) -> HandlingResult | None:
        text = message.body().decode()
        self.looked.append(text)
        return self.finds(text)

    def tick(self) -> float:
        self.ticks += 1
        return self.ticks_again()

    def close(self) -> None:
        self.closed += 1


class FakeSource:
    """Who has an inbox, and its worker."""

    def __init__(self, **workers: Toy) -> None:
        self.workers = workers
        self.of: dict[Tenancy, str] = {(LINK, name): "1" for name in workers}
        self.opened: list[str] = []
        self.fault: Exception | None = None

    def versions(self) -> Mapping[Tenancy, str]:
        return dict(self.of)

    def open(self, tenancy: Tenancy, leases: Leases) -> Worker:
        self.opened.append(tenancy[1])
        if self.fault and tenancy[1] == "broken":
            raise self.fault
        assert leases.holds("__".join(tenancy))
        return self.workers[tenancy[1]]


@contextmanager
def running(database: Database, sheets: FakeSource) -> Iterator[Pump]:
    working = Pump(database, PLAIN, sheets)
    thread = threading.Thread(target=working.run)
    thread.start()
    try:
        yield working
    finally:
        working.stop()
        thread.join(LONG)
        assert not thread.is_alive()


def accept(database: Database, *texts: str, tenant: str = "acme", key: str = "") -> None:
    receiver = Receiver(database.engine.url.render_as_string(hide_password=False), PLAIN)
    for written in [receiver.accept(LINK, tenant, text, key or text, AT, text.encode()) for text in texts]:
        written.result(LONG)


def wait_for(holds: Callable[[], Any]) -> None:
    until = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.005)


def counts(database: Database, tenant: str = "acme") -> dict[State, int]:
    return {state: number for state, number in Inbox(database, PLAIN, LINK, tenant).counts().items() if number}


def test_p17_each_message_is_done_once_and_those_of_one_key_in_their_order(database: Database) -> None:
    toy = Toy()
    accept(database, *map(str, range(30)), key="same")
    accept(database, *(f"x{number}" for number in range(30)))
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.DONE: 60})
    assert [text for text in toy.did if text[0] != "x"] == [str(number) for number in range(30)]
    assert len(set(toy.did)) == len(toy.did) == 60
    assert toy.closed == 1


def test_no_more_messages_are_under_way_than_the_worker_says(database: Database) -> None:
    toy, most, lock, under_way = Toy(at_once=3), 0, threading.Lock(), 0
    gate = threading.Barrier(3)

    def does(text: str) -> HandlingResult:
        nonlocal most, under_way
        with lock:
            under_way += 1
            most = max(most, under_way)
        gate.wait(LONG)  # three there are
        with lock:
            under_way -= 1
        return DONE

    toy.does = does
    accept(database, *map(str, range(9)))
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.DONE: 9})
    assert most == 3


def test_l5_a_tenant_that_hangs_rests_or_cannot_begin_stops_no_other(database: Database) -> None:
    hangs, rests, other = Toy(), Toy(), Toy()
    go = threading.Event()

    def waits(text: str) -> HandlingResult:
        go.wait(LONG)
        return DONE

    hangs.does = waits
    rests.does = _raises(PausedError(1000, "受け付けられない時間です"))
    sheets = FakeSource(hangs=hangs, rests=rests, broken=Toy(), acme=other)
    sheets.fault = ConnectionError_("接続がありません")
    for tenant in ("hangs", "rests", "broken", "acme"):
        accept(database, *map(str, range(6)), tenant=tenant)
    with running(database, sheets):
        wait_for(lambda: counts(database) == {State.DONE: 6})
        wait_for(lambda: sheets.opened.count("broken") > 2)  # tried again, in case it was mended
        assert counts(database, "broken") == {State.WAITING: 6}
        wait_for(lambda: counts(database, "rests") == {State.WAITING: 6})
        sheets.fault = None
        wait_for(lambda: counts(database, "broken") == {State.DONE: 6})
        assert len(hangs.did) == 4
        go.set()
    assert len(rests.did) <= 4, "while it rests it is not asked"
    noted = {one.note for one in Inbox(database, PLAIN, LINK, "rests").listed(State.WAITING, 9)}
    assert noted == {"", "受け付けられない時間です"} or noted == {"受け付けられない時間です"}


def test_p14_what_may_have_been_done_is_asked_for_and_not_done_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception says nothing about what was done, and its text nothing in a log (L6)."""
    toy = Toy()
    toy.does = _raises(ValueError("山田 太郎"))
    accept(database, "a", "b")
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.DONE: 2})
    assert sorted(toy.did) == sorted(toy.looked) == ["a", "b"]
    assert "ValueError" in caplog.text
    assert "山田" not in caplog.text


def test_p14_what_was_surely_not_done_is_done_in_its_order(database: Database) -> None:
    toy, failed = Toy(), []

    def does(text: str) -> HandlingResult:
        if text == "a" and not failed:
            failed.append(text)
            return HandlingResult(State.UNKNOWN)
        return DONE

    toy.does, toy.finds = does, lambda text: None
    accept(database, "a", "b", key="same")
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.DONE: 2})
    assert toy.did == ["a", "a", "b"]
    assert toy.looked == ["a"]


def test_p14_a_message_that_cannot_be_looked_back_at_yet_keeps_nobody_elses_waiting(database: Database) -> None:
    toy, may_look = Toy(), threading.Event()
    toy.does = lambda text: HandlingResult(State.UNKNOWN) if text == "a" else DONE
    toy.finds = lambda text: DONE if may_look.is_set() else _raises(PausedError(0.01, "10:00まで確認できません"))(text)
    accept(database, "a", "b", key="same")
    accept(database, "c", key="other")
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.UNKNOWN: 1, State.WAITING: 1, State.DONE: 1})
        wait_for(lambda: len(toy.looked) > 2)
        assert "b" not in toy.did
        may_look.set()
        wait_for(lambda: counts(database) == {State.DONE: 3})


def test_p14_a_target_that_is_slow_to_tell_keeps_nothing_new_waiting(database: Database) -> None:
    toy, answers = Toy(at_once=4), threading.Event()
    toy.does = lambda text: HandlingResult(State.UNKNOWN) if text.startswith("unknown") else DONE

    def finds(_text: str) -> HandlingResult:
        answers.wait(LONG)
        return DONE

    toy.finds = finds
    accept(database, *(f"unknown {number}" for number in range(9)))
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.UNKNOWN: 9} and len(toy.looked) == 2)
        accept(database, "new", "newer")
        wait_for(lambda: counts(database) == {State.UNKNOWN: 9, State.DONE: 2})
        assert len(toy.looked) == 2
        answers.set()
        wait_for(lambda: counts(database) == {State.DONE: 11})


def test_p14_however_much_is_new_what_is_unknown_is_looked_back_at(database: Database) -> None:
    """All places are taken by what takes long, and more waits: as after a pump was killed in the rush."""
    toy, ends = Toy(at_once=2), threading.Event()

    def does(text: str) -> HandlingResult:
        if text == "unknown":
            return HandlingResult(State.UNKNOWN)
        ends.wait(LONG)
        return DONE

    toy.does = does
    toy.finds = lambda _: DONE if len(toy.did) > 2 else _raises(PausedError(0.01, "not yet"))("")
    accept(database, "unknown", *(f"new {number}" for number in range(6)))
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.DONE: 1, State.SENDING: 2, State.WAITING: 4})
        ends.set()
        wait_for(lambda: counts(database) == {State.DONE: 7})


def test_l4_what_a_lost_answer_of_the_database_left_behind_is_looked_back_at(database: Database) -> None:
    """Taken, and nobody at it: the commit came through and its answer did not."""
    toy = Toy()
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: toy.ticks)
        accept(database, "a")
        wait_for(lambda: counts(database) == {State.DONE: 1})
        with database.writing() as connection:
            connection.execute(update(MESSAGE).values(state=State.SENDING))
        wait_for(lambda: counts(database) == {State.DONE: 1} and toy.looked == ["a"])
    assert toy.did == ["a"]


def test_l4_what_became_of_a_message_is_not_forgotten_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, settle, away = Toy(), Inbox.settle, [1, 1, 1]

    def fails(self: Inbox, *arguments: Any, **more: Any) -> bool:
        if away:
            away.pop()
            raise StoreError("away")
        return settle(self, *arguments, **more)

    monkeypatch.setattr(Inbox, "settle", fails)
    toy.does = lambda text: HandlingResult(State.REFUSED, "受け付けませんでした", forget=True)
    accept(database, "a")
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: counts(database) == {State.REFUSED: 1})
    assert toy.did == ["a"]
    assert toy.looked == []
    (message,) = Inbox(database, PLAIN, LINK, "acme").listed(State.REFUSED, 1)
    assert (message.note, message.body()) == ("受け付けませんでした", b"")


def test_a_worker_is_made_anew_when_its_sheet_has_changed(database: Database) -> None:
    toy = Toy()
    sheets = FakeSource(acme=toy)
    with running(database, sheets):
        wait_for(lambda: toy.ticks)
        sheets.of[(LINK, "acme")] = "2"
        wait_for(lambda: len(sheets.opened) == 2)
        assert toy.closed == 1
        accept(database, "a")
        wait_for(lambda: counts(database) == {State.DONE: 1})


def test_a_tenant_whose_sheet_is_gone_is_let_go(database: Database) -> None:
    toy = Toy()
    sheets = FakeSource(acme=toy)
    with running(database, sheets), Leases(database) as others:
        wait_for(lambda: toy.ticks)
        assert not others.acquire(f"{LINK}__acme")
        del sheets.of[(LINK, "acme")]
        wait_for(lambda: others.acquire(f"{LINK}__acme"))
    assert toy.closed == 1


def test_of_two_pumps_one_works_and_the_other_goes_on_at_once_when_it_ends(database: Database) -> None:
    first, second = Toy(), Toy()
    with running(database, FakeSource(acme=second)) as one:
        wait_for(lambda: second.ticks)
        with running(database, FakeSource(acme=first)):
            accept(database, "a")
            wait_for(lambda: counts(database) == {State.DONE: 1})
            assert first.ticks == 0
            one.stop()
            wait_for(lambda: first.ticks)
            accept(database, "b")
            wait_for(lambda: counts(database) == {State.DONE: 2})
    assert (first.did, second.did) == (["b"], ["a"])


def test_l5_a_worker_that_does_not_close_keeps_nobody_elses_lease(database: Database) -> None:
    """When a sheet goes, and when the pump ends: the others are worked off by whichever pump it is."""
    hangs, other, later, go = Toy(), Toy(), Toy(), threading.Event()

    def close() -> None:
        go.wait(LONG)

    hangs.close = close  # type: ignore[method-assign]
    sheets = FakeSource(gone=hangs, hangs=hangs, acme=other)
    try:
        with running(database, sheets) as ending:
            wait_for(lambda: hangs.ticks == 2 and other.ticks)
            del sheets.of[(LINK, "gone")]
            accept(database, "a")
            wait_for(lambda: counts(database) == {State.DONE: 1})
            with running(database, FakeSource(acme=later)):
                ending.stop()
                accept(database, "b")
                wait_for(lambda: counts(database) == {State.DONE: 2})
            go.set()
    finally:
        go.set()
    assert (other.did, later.did) == (["a"], ["b"])


def test_a_pump_that_is_asked_to_end_does_what_is_under_way(database: Database) -> None:
    toy, begun, go = Toy(), threading.Event(), threading.Event()

    def does(text: str) -> HandlingResult:
        begun.set()
        assert go.wait(LONG)
        return DONE

    toy.does = does
    accept(database, "a", "b", key="same")
    with running(database, FakeSource(acme=toy)) as working:
        assert begun.wait(LONG)
        working.stop()
        wait_for(lambda: all(drain._ended for drain in working._drains.values()))  # else a turn may be under way
        go.set()
    assert counts(database) == {State.DONE: 1, State.WAITING: 1}
    assert toy.closed == 1


def test_p14_nothing_is_begun_by_whoever_lost_the_lease(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was taken, and before it was handled this process stood still for longer than its lease."""
    toy, holds = Toy(), Leases.holds
    late = threading.Event()
    monkeypatch.setattr(
        Leases,
        "holds",
        lambda self, name: holds(self, name) and not (late.is_set() and "toy__" in threading.current_thread().name),
    )
    take = Inbox.take

    def taken(self: Inbox, *arguments: Any) -> list[Message]:
        late.set()
        return take(self, *arguments)

    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: toy.ticks)
        monkeypatch.setattr(Inbox, "take", taken)
        accept(database, "a")
        wait_for(lambda: Inbox(database, PLAIN, LINK, "acme").listed(State.WAITING, 1)[:1] and _attempts(database) > 1)
        assert toy.did == []
        late.clear()
        monkeypatch.setattr(Inbox, "take", take)
        wait_for(lambda: counts(database) == {State.DONE: 1})
    assert toy.did == ["a"]


def test_other_work_is_done_when_it_is_due_and_after_messages(database: Database) -> None:
    toy = Toy()
    with running(database, FakeSource(acme=toy)):
        wait_for(lambda: toy.ticks == 1)
        accept(database, "a")
        wait_for(lambda: toy.ticks == 2)
        toy.ticks_again = lambda: 0.01
        accept(database, "b")
        wait_for(lambda: toy.ticks > 5)


def test_asking_who_has_open_messages_reads_no_message_that_is_over(database: Database) -> None:
    accept(database, "a", "b")
    accept(database, "c", tenant="other")
    assert open_messages(database) == {(LINK, "acme"): {State.WAITING}, (LINK, "other"): {State.WAITING}}
    asked = f"SELECT DISTINCT link, tenant, state FROM inbox_message WHERE {inbox_module.IS_OPEN}"
    with database.reading() as connection:
        plan = " ".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}"))
    assert "COVERING INDEX inbox_message_open" in plan


def _attempts(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(MESSAGE.select()).one().attempts)


def _raises(error: Exception) -> Callable[[str], Any]:
    def does(text: str) -> Any:
        raise error

    return does
