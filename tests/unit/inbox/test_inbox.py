"""The inbox: what was accepted is worked off once and in order, whatever dies on the way."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from renkei.errors import StoreError
from renkei.inbox import inbox as inbox_module
from renkei.inbox import lease, receiver
from renkei.inbox.inbox import Inbox, forget
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.inbox.receiver import MAX_WAITING, Receiver
from renkei.inbox.tables import LEASE, MESSAGE, State
from renkei.storage.cipher import MAGIC, Cipher
from renkei.storage.database.database import Database, open_database
from renkei.storage.store import Store
from tests.harness.inbox_programs import LINK, PLAIN, TENANT, work_off

AT = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.UTC)
LONG = 60  # s: for what takes milliseconds where nobody else wants the machine


@pytest.fixture(autouse=True)
def only_the_tests_clock_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a test takes, no lease runs out by itself, and none is renewed."""
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 1e6)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/renkei.db"


@pytest.fixture
def database(url: str) -> Database:
    return open_database(url)


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(database, PLAIN, LINK, TENANT)


@pytest.fixture
def leases(database: Database, inbox: Inbox) -> Iterator[Leases]:
    with Leases(database) as held:
        assert held.acquire(inbox.lease)
        yield held


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the time that leases go by is ahead."""
    ahead = [0.0]
    now = lease._now
    monkeypatch.setattr(lease, "_now", lambda connection: now(connection) + dt.timedelta(seconds=ahead[0]))
    return ahead


def accept(url: str, *messages: tuple[str, str], store: Store = PLAIN, tenant: str = TENANT) -> None:
    """Messages by event and key; the body is the event."""
    accepting = Receiver(url, store)
    for written in [accepting.accept(LINK, tenant, event, key, AT, event.encode()) for event, key in messages]:
        written.result(LONG)


def bodies(messages: list[Any]) -> list[bytes]:
    return [message.body() for message in messages]


def test_p13_the_same_message_twice_is_one(url: str, inbox: Inbox) -> None:
    accept(url, ("a", "x"), ("a", "x"), ("b", "x"))
    accept(url, ("a", "x"))
    assert inbox.counts()[State.WAITING] == 2


def test_l5_two_tenants_share_nothing(url: str, database: Database, inbox: Inbox, leases: Leases) -> None:
    accept(url, ("a", "x"))
    accept(url, ("a", "x"), tenant="other")
    assert bodies(inbox.take(leases, 8)) == [b"a"]
    assert Inbox(database, PLAIN, LINK, "other").counts()[State.WAITING] == 1
    with pytest.raises(LeaseLostError):
        Inbox(database, PLAIN, LINK, "other").take(leases, 8)


def test_l6_what_a_message_says_lies_sealed_and_opens_nowhere_else(url: str, database: Database) -> None:
    sealed = Store(PLAIN.fs, PLAIN.root, Cipher(base64.urlsafe_b64encode(bytes(32)).decode()))
    accept(url, ("山田", "suzuki@example.jp"), ("田中", "suzuki@example.jp"), store=sealed)
    with database.reading() as connection:
        rows = connection.execute(MESSAGE.select().order_by(MESSAGE.c.number)).all()
    assert all(row.body.startswith(MAGIC) for row in rows)
    assert not any(word.encode() in repr(rows).encode() for word in ("山田", "suzuki"))
    first, second = Inbox(database, sealed, LINK, TENANT).listed(State.WAITING, 8)
    assert first.body() == "山田".encode()
    with database.writing() as connection:
        connection.execute(MESSAGE.update().where(MESSAGE.c.number == second.number).values(body=rows[0].body))
    with pytest.raises(StoreError, match="入れ替わって"):
        Inbox(database, sealed, LINK, TENANT).listed(State.WAITING, 8)[1].body()
    with pytest.raises(StoreError, match="鍵が設定されていません"):
        Inbox(database, PLAIN, LINK, TENANT).listed(State.WAITING, 1)[0].body()


def test_p12_a_message_outlives_a_database_that_begins_anew(
    url: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away at first, then gone on the commit: the same message once more is one."""
    tries = []

    def opened(url: str) -> Database:
        tries.append(url)
        if len(tries) == 1:
            raise StoreError("")
        return open_database(url)

    insert = receiver._insert

    def lost(database: Database, rows: list[dict[str, Any]]) -> None:
        insert(database, rows)
        if len(tries) == 2:
            raise StoreError("")

    monkeypatch.setattr(receiver, "open_database", opened)
    monkeypatch.setattr(receiver, "_insert", lost)
    monkeypatch.setattr(receiver, "TRIED_FOR_S", 10 * LONG)
    monkeypatch.setattr(receiver, "TRIED_EVERY_S", 0.0)
    accept(url, ("a", "x"))
    assert (len(tries), inbox.counts()[State.WAITING]) == (3, 1)


def test_p12_a_database_that_is_away_is_told_to_everybody_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "TRIED_FOR_S", 0.0)
    (tmp_path / "file").write_text("")
    away = Receiver(f"sqlite:///{tmp_path}/file/renkei.db", PLAIN)
    written = [away.accept(LINK, TENANT, event, "x", AT, b"") for event in "abc"]
    assert [type(one.exception(LONG)) for one in written] == [StoreError] * 3


def test_p12_a_receiver_holds_no_more_than_fits(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database does not answer."""
    answers = threading.Event()
    monkeypatch.setattr("renkei.inbox.receiver.open_database", lambda url: answers.wait(LONG) and open_database(url))
    full = Receiver(url, PLAIN)
    written: list[Future[None]] = []

    def fill() -> None:
        while len(written) < 2 * MAX_WAITING:
            written.append(full.accept(LINK, TENANT, str(len(written)), "x", AT, b""))

    with pytest.raises(StoreError, match="多すぎます"):
        fill()
    answers.set()
    for one in written:
        one.result(LONG)
    assert Inbox(open_database(url), PLAIN, LINK, TENANT).counts()[State.WAITING] == len(written) >= MAX_WAITING


def test_p17_of_each_key_one_message_at_a_time(url: str, inbox: Inbox, leases: Leases) -> None:
    accept(url, ("1", "x"), ("2", "x"), ("3", "y"), ("4", "y"))
    first, third = inbox.take(leases, 8)
    assert bodies([first, third]) == [b"1", b"3"]
    assert inbox.take(leases, 8) == []
    inbox.settle(first, State.DONE)
    inbox.settle(third, State.UNKNOWN)  # what follows must not overtake what may yet have to be sent
    assert bodies(inbox.take(leases, 8)) == [b"2"]


def test_a_held_message_lets_the_others_pass_until_a_person_decides(url: str, inbox: Inbox, leases: Leases) -> None:
    accept(url, ("1", "x"), ("2", "x"))
    (first,) = inbox.take(leases, 8)
    inbox.settle(first, State.HELD, "24時間より前のメッセージです。")
    (second,) = inbox.take(leases, 8)
    inbox.settle(second, State.DONE)
    (held,) = inbox.listed(State.HELD, 8)
    assert held.note == "24時間より前のメッセージです。"
    with inbox._database.writing() as connection:
        assert not inbox.decide(connection, second.number, State.WAITING)
        assert inbox.decide(connection, held.number, State.WAITING)
    assert bodies(inbox.take(leases, 8)) == [b"1"]


def test_nothing_is_taken_by_who_does_not_hold_the_lease(
    url: str, database: Database, inbox: Inbox, leases: Leases, clock: list[float]
) -> None:
    accept(url, ("1", "x"))
    with Leases(database) as others:
        assert not others.acquire(inbox.lease)
        with pytest.raises(LeaseLostError):
            inbox.take(others, 8)
        clock[0] = 2 * lease.LASTS_S
        assert others.acquire(inbox.lease)
        with pytest.raises(LeaseLostError):
            inbox.take(leases, 8)
        assert not leases.holds(inbox.lease)
        assert bodies(inbox.take(others, 8)) == [b"1"]


def test_a_clock_that_was_set_back_does_not_keep_a_dead_process_s_lease(
    database: Database, inbox: Inbox, clock: list[float]
) -> None:
    clock[0] = 10 * lease.LASTS_S
    assert Leases(database).acquire(inbox.lease)  # and never renewed
    clock[0] = 0
    with Leases(database) as others:
        assert others.acquire(inbox.lease)


def test_a_lease_given_back_is_taken_at_once(database: Database, inbox: Inbox) -> None:
    with Leases(database) as first:
        assert first.acquire(inbox.lease)
    with Leases(database) as second:
        assert second.acquire(inbox.lease)


def test_a_lease_is_renewed_for_as_long_as_its_process_lives(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 0.001)
    with Leases(database) as leases:
        assert leases.acquire(inbox.lease)
        with database.reading() as connection:
            before = connection.scalar(LEASE.select().with_only_columns(LEASE.c.expires_at))
        for _ in range(LONG * 1000):
            with database.reading() as connection:
                now = connection.scalar(LEASE.select().with_only_columns(LEASE.c.expires_at))
            if now != before:
                break
            threading.Event().wait(0.001)
    assert now > before


def test_a_lease_that_has_passed_on_is_not_given_back(database: Database, inbox: Inbox, clock: list[float]) -> None:
    first = Leases(database)
    assert first.acquire(inbox.lease)
    clock[0] = 2 * lease.LASTS_S
    with Leases(database) as second:
        assert second.acquire(inbox.lease)
        first.release(inbox.lease)
        assert not Leases(database).acquire(inbox.lease)


def test_a_lease_that_has_passed_on_is_not_renewed(
    database: Database, inbox: Inbox, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first holder slept, and hears of it at the next renewal."""
    first, second = Leases(database), Leases(database)
    assert first.acquire(inbox.lease)
    clock[0] = 2 * lease.LASTS_S
    assert second.acquire(inbox.lease)
    assert first.holds(inbox.lease)
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 0.001)
    with first:
        for _ in range(LONG * 1000):
            if not first.holds(inbox.lease):
                break
            threading.Event().wait(0.001)
        assert not first.holds(inbox.lease)
        assert second.holds(inbox.lease)


def test_a_lease_of_which_nobody_can_say_that_it_is_renewed_is_held_no_longer_than_it_lasts(
    database: Database, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away: by then another process, which still reaches it, may have it."""
    seconds = [0.0]
    monkeypatch.setattr(lease, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    leases = Leases(database)
    assert leases.acquire(inbox.lease)
    held = []
    for seconds[0] in (lease.LASTS_S - 0.1, lease.LASTS_S):
        held.append(leases.holds(inbox.lease))
    assert held == [True, False]


def test_l4_a_late_answer_counts_until_the_message_is_sent_anew(
    url: str, database: Database, inbox: Inbox, leases: Leases, clock: list[float]
) -> None:
    """A process that was not heard of for a while, and whose requests came through."""
    accept(url, ("1", "x"), ("2", "y"))
    one, two = inbox.take(leases, 8)
    clock[0] = 2 * lease.LASTS_S
    with Leases(database) as others:
        assert others.acquire(inbox.lease)
        inbox.left_behind(others)
        asked, sent = inbox.listed(State.UNKNOWN, 8)
        assert asked.since == one.since  # when it may have been done
        assert inbox.settle(one, State.DONE)
        assert inbox.again(others, asked) is None
        sent_again = inbox.again(others, sent)
        assert sent_again is not None
        assert not inbox.settle(two, State.REFUSED)
        assert inbox.settle(sent_again, State.DONE)
    assert inbox.counts()[State.DONE] == 2


class Died(BaseException):
    """The process ends on this line."""


def test_l4_a_drain_that_dies_at_any_line_neither_loses_nor_doubles(
    url: str, database: Database, inbox: Inbox, tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after every transaction, with a new drain after each death."""
    messages = [(str(number), str(number % 3)) for number in range(6)]
    accept(url, *messages)
    target = tmp_path / "target"
    target.touch()
    writing, left = Database.writing, [0]

    def step() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    @contextmanager
    def dying(self: Database, **how: bool) -> Iterator[Any]:
        step()
        with writing(self, **how) as connection:
            yield connection
        step()

    deaths = 0
    for line in range(1, 1000):
        leases = Leases(database)  # never given back, never renewed: as of a killed process
        clock[0] += 2 * lease.LASTS_S
        assert leases.acquire(inbox.lease)
        left[0] = line % 7 + 1
        with monkeypatch.context() as patched:
            patched.setattr(Database, "writing", dying)
            try:
                work_off(inbox, leases, target)
            except Died:
                deaths += 1
                continue
        break
    assert inbox.counts()[State.DONE] == len(messages)
    assert sorted(target.read_bytes().split()) == sorted(event.encode() for event, _ in messages)
    assert deaths > 5


def test_l4_what_was_sent_anew_meanwhile_is_not_sent_by_an_older_word(url: str, inbox: Inbox, leases: Leases) -> None:
    """The target was asked before it: that it had nothing says nothing of what was sent since."""
    accept(url, ("1", "x"))
    (first,) = inbox.take(leases, 8)
    inbox.settle(first, State.UNKNOWN)
    second = inbox.again(leases, first)
    assert second is not None
    inbox.settle(second, State.UNKNOWN)
    assert inbox.again(leases, first) is None
    assert inbox.again(leases, second) is not None


def test_what_is_over_goes_after_35_days_and_nothing_else(
    url: str, database: Database, inbox: Inbox, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "AT_ONCE", 1)
    monkeypatch.setattr(inbox_module, "utcnow", lambda: AT)
    accept(url, *((state, state) for state in State))
    for message in inbox.take(leases, 8):
        inbox.settle(message, State(message.body().decode()))
    last = AT + dt.timedelta(days=35)
    assert forget(database, last) == 0
    assert forget(database, last + dt.timedelta(seconds=1)) == 2
    left = {state: number for state, number in inbox.counts().items() if number}
    assert left == {State.WAITING: 1, State.SENDING: 1, State.HELD: 1, State.UNKNOWN: 1}
