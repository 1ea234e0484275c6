"""The outbox: each message at most once, in its order, and an account of what became of it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from renkei.errors import StoreError
from renkei.inbox import lease
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.outbox import outbox as outbox_module
from renkei.outbox.outbox import KEPT, LATE, LEFT, Entry, Outbox, forget
from renkei.outbox.outgoing import Outgoing, SendResult
from renkei.outbox.tables import OUTGOING, State
from renkei.storage.cipher import MAGIC, Cipher
from renkei.storage.database.database import Database, open_database
from renkei.storage.store import Store
from renkei.systems.delivery import Message
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.outbox_programs import AT, an_entry


@pytest.fixture(autouse=True)
def only_the_tests_clock_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 1e6)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/renkei.db")


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database, PLAIN, LINK, TENANT)


@pytest.fixture
def leases(database: Database, outbox: Outbox) -> Iterator[Leases]:
    with Leases(database) as held:
        assert held.acquire(outbox.lease)
        yield held


def add(database: Database, outbox: Outbox, *entries: Entry) -> None:
    with database.writing() as connection:
        outbox.add(connection, entries, AT)


def titles(messages: list[Outgoing]) -> list[str]:
    return [one.content().message.title for one in messages]


def after(**span: float) -> dt.datetime:
    return AT + dt.timedelta(**span)


def test_w3_the_same_message_twice_is_one(database: Database, outbox: Outbox) -> None:
    add(database, outbox, an_entry("1"), an_entry("2"))
    add(database, outbox, an_entry("1"))
    assert outbox.counts() == {("slack", State.WAITING): 2}


def test_what_a_transaction_of_the_caller_does_not_keep_is_not_sent(database: Database, outbox: Outbox) -> None:
    def fails() -> None:
        with database.writing() as connection:
            outbox.add(connection, [an_entry("1")], AT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert outbox.next() == {}


def test_w4_of_each_key_one_message_at_a_time_in_each_channel(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    """Nor does a late one let those after it pass; an unknown one does, for it is never sent again."""
    add(database, outbox, *(an_entry(event, key="doc") for event in "123"))
    add(database, outbox, an_entry("4", key="doc", channel="line"))
    (first,) = outbox.settle_and_take(leases, "slack", [], 8, AT)
    assert titles(outbox.settle_and_take(leases, "line", [], 8, AT)) == ["4"]
    assert outbox.settle_and_take(leases, "slack", [], 8, AT) == []
    assert (
        outbox.settle_and_take(leases, "slack", [SendResult(first, State.WAITING, "", after(seconds=9))], 8, AT) == []
    )
    (first,) = outbox.settle_and_take(leases, "slack", [], 8, after(seconds=9))
    assert titles(outbox.settle_and_take(leases, "slack", [SendResult(first, State.UNKNOWN)], 8, AT)) == ["2"]


def test_w4_a_message_of_a_lower_rank_overtakes_those_of_its_key_that_wait(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    """But none that is being sent."""
    add(database, outbox, *(an_entry(str(rank), key="doc", rank=rank, not_before=after(seconds=5)) for rank in (2, 3)))
    add(database, outbox, an_entry("1", key="doc", rank=1))
    (first,) = outbox.settle_and_take(leases, "slack", [], 8, AT)
    assert titles([first]) == ["1"]
    (second,) = outbox.settle_and_take(leases, "slack", [SendResult(first, State.SENT)], 8, after(seconds=5))
    add(database, outbox, an_entry("0", key="doc", rank=0))
    (late,) = outbox.settle_and_take(leases, "slack", [SendResult(second, State.SENT)], 8, after(seconds=5))
    assert titles([second, late]) == ["2", "0"]


def test_p16_the_more_urgent_first_then_the_older(database: Database, outbox: Outbox, leases: Leases) -> None:
    add(database, outbox, an_entry("1"), an_entry("2", priority=1), an_entry("3"), an_entry("4", priority=1))
    assert titles(outbox.settle_and_take(leases, "slack", [], 3, AT)) == ["2", "4", "1"]


def test_nothing_is_sent_before_its_time_or_after_it(database: Database, outbox: Outbox, leases: Leases) -> None:
    add(database, outbox, an_entry("1", not_before=after(hours=1), not_after=after(hours=2)))
    assert outbox.next() == {"slack": after(hours=1)}
    assert outbox.settle_and_take(leases, "slack", [], 8, AT) == []
    assert outbox.settle_and_take(leases, "slack", [], 8, after(hours=2)) == []
    assert outbox.lapse(after(hours=1)) == 0
    assert outbox.lapse(after(hours=2)) == 1
    (dropped,) = outbox.listed(State.DROPPED, most=8)
    assert (dropped.note, outbox.next()) == (LATE, {})


def test_w7_what_waits_in_a_channel_that_was_switched_off_is_dropped(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    """What is being sent at that moment ends as it ends."""
    add(database, outbox, an_entry("1"), an_entry("2"), an_entry("3", channel="line"))
    (first,) = outbox.settle_and_take(leases, "slack", [], 1, AT)
    assert outbox.drop("slack", "使用しない設定になりました。", AT) == 1
    outbox.settle([SendResult(first, State.SENT)], AT)
    assert outbox.counts() == {
        ("slack", State.SENT): 1,
        ("slack", State.DROPPED): 1,
        ("line", State.WAITING): 1,
    }


def test_w2_what_could_not_be_sent_is_on_the_account_of_its_person(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    add(database, outbox, an_entry("1", recipient="sato", dropped="SlackのメンバーIDが登録されていません。"))
    add(database, outbox, an_entry("2", recipient="kato"), an_entry("3", recipient="sato"))
    assert titles(outbox.settle_and_take(leases, "slack", [], 8, AT)) == ["2", "3"]
    newest, oldest = outbox.listed(most=8, recipient="sato")
    assert (newest.state, oldest.state) == (State.SENDING, State.DROPPED)
    assert oldest.note == "SlackのメンバーIDが登録されていません。"
    assert outbox.listed(most=8, recipient="sato", before=oldest.number) == []
    assert Outbox(database, PLAIN, LINK, "other").listed(most=8, recipient="sato") == []


def test_l6_whom_it_is_for_and_what_it_says_lies_sealed_and_opens_nowhere_else(
    database: Database, outbox: Outbox
) -> None:
    sealed = Outbox(
        database, Store(PLAIN.fs, PLAIN.root, Cipher(base64.urlsafe_b64encode(bytes(32)).decode())), LINK, TENANT
    )
    secret = an_entry("1", recipient="suzuki", to="U0SUZUKI", message=Message("山田の休暇", ("理由",)))
    add(database, sealed, secret, an_entry("2"))
    with database.reading() as connection:
        rows = connection.execute(OUTGOING.select().order_by(OUTGOING.c.number)).all()
    assert all(row.content.startswith(MAGIC) for row in rows)
    assert not any(word.encode() in repr(rows).encode() for word in ("suzuki", "SUZUKI", "山田"))
    two, one = sealed.listed(most=8)
    assert (one.content().to, one.content().message) == ("U0SUZUKI", secret.message)
    assert not any(word in repr([one, one.content(), secret]) for word in ("suzuki", "SUZUKI", "山田"))
    with pytest.raises(StoreError, match="鍵が設定されていません"):
        outbox.listed(most=1)[0].content()
    with database.writing() as connection:
        connection.execute(OUTGOING.update().where(OUTGOING.c.number == two.number).values(content=rows[0].content))
    with pytest.raises(StoreError, match="入れ替わって"):
        sealed.listed(most=1)[0].content()


def test_l4_what_an_earlier_holder_was_sending_is_unknown_but_where_a_key_counts(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    add(database, outbox, *(an_entry(channel, channel=channel) for channel in ("slack", "line")))
    (slack,), (line,) = (outbox.settle_and_take(leases, channel, [], 8, AT) for channel in ("slack", "line"))
    outbox.left_behind(leases, {"line"}, after(hours=1))
    (unknown,) = outbox.listed(State.UNKNOWN, most=8)
    assert (unknown.channel, unknown.since, unknown.note) == ("slack", AT, LEFT)
    (again,) = outbox.settle_and_take(leases, "line", [], 8, after(hours=1))
    assert again.retry_key == line.retry_key != slack.retry_key
    outbox.left_behind(leases, {"line"}, after(hours=23))  # the key is about to be forgotten
    assert outbox.counts() == {("slack", State.UNKNOWN): 1, ("line", State.UNKNOWN): 1}


def test_l4_a_late_answer_counts_until_the_message_is_sent_anew(
    database: Database, outbox: Outbox, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, outbox, *(an_entry(channel, channel=channel) for channel in ("slack", "line")))
    (slack,), (line,) = (outbox.settle_and_take(leases, channel, [], 8, AT) for channel in ("slack", "line"))
    with Leases(database) as others:
        now = lease._now
        monkeypatch.setattr(lease, "_now", lambda connection: now(connection) + dt.timedelta(seconds=2000))
        assert others.acquire(outbox.lease)
        outbox.left_behind(others, {"line"}, AT)
        (again,) = outbox.settle_and_take(others, "line", [], 8, AT)
        with pytest.raises(LeaseLostError):
            outbox.settle_and_take(leases, "slack", [SendResult(slack, State.SENT)], 8, AT)
        assert outbox.counts()[("slack", State.UNKNOWN)] == 1
        outbox.settle([SendResult(slack, State.SENT), SendResult(line, State.REFUSED)], AT)
        assert outbox.counts() == {("slack", State.SENT): 1, ("line", State.SENDING): 1}
        outbox.settle([SendResult(again, State.SENT)], AT)
        assert outbox.counts()[("line", State.SENT)] == 1


def test_what_is_over_goes_after_35_days_and_nothing_else(
    database: Database, outbox: Outbox, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "AT_ONCE", 1)
    add(database, outbox, *(an_entry(state, not_after=after(days=99)) for state in State))
    taken = outbox.settle_and_take(leases, "slack", [], 8, AT)
    outbox.settle([SendResult(one, State(one.content().message.title)) for one in taken], AT)
    assert forget(database, AT + KEPT) == 0
    assert forget(database, AT + KEPT + dt.timedelta(seconds=1)) == 4
    assert outbox.counts() == {("slack", State.WAITING): 1, ("slack", State.SENDING): 1}


def test_p6_of_each_recipient_the_newest_message_of_a_purpose_counts(database: Database, outbox: Outbox) -> None:
    first = {"purpose": "first", "recipient": "sato"}
    add(
        database, outbox, an_entry("1", **first), an_entry("2", **first, dropped="古い"), an_entry("3", purpose="reply")
    )
    assert outbox.newest("first", ["sato", "tanaka"]) == {"sato": (State.DROPPED, "古い")}


def test_p16_what_was_tried_since_a_moment_is_known_to_whoever_takes_over(
    database: Database, outbox: Outbox, leases: Leases
) -> None:
    add(database, outbox, *(an_entry(name) for name in ("sent", "again", "waits")), an_entry("other", channel="line"))
    sent, again = outbox.settle_and_take(leases, "slack", [], 2, AT)
    outbox.settle_and_take(leases, "line", [], 1, AT)
    later = after(minutes=1)
    outbox.settle([SendResult(sent, State.SENT), SendResult(again, State.WAITING, "429", later)], later)
    assert outbox.tried_within("slack", 60, after(minutes=1, seconds=20)) == [20, 20]
    assert outbox.tried_within("slack", 60, after(minutes=3)) == []
