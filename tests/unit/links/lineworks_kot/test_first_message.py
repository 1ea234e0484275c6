"""初回メッセージ: once to each who is registered, and again to whom it surely did not reach (P6)."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.links.lineworks_kot.accounts import Account, AccountState
from renkei.links.lineworks_kot.first_message import PURPOSE, minutes_for, send_first_messages, text_of
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import FIRST
from renkei.outbox.outbox import Outbox
from renkei.outbox.tables import OUTGOING, State
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.kingoftime.client import Employee

NOW = dt.datetime(2026, 4, 1, 3, tzinfo=dt.UTC)
MAPPING = Mapping("acme", "アクメ", {})


def account(number: int) -> Account:
    employee = Employee(f"{number:064x}", str(number), "1", "本社", "1", "正社員", "")
    return Account(employee, "", AccountState.LINKED, f"u{number}", "", None, None)


def send(database: Database, store: Store, *numbers: int, again: str = "", days: int = 0) -> int:
    now = NOW + dt.timedelta(days=days)
    return send_first_messages(database, store, MAPPING, FIRST, [account(one) for one in numbers], now, again)


def test_p6_each_gets_one_until_somebody_asks_for_another(database: Database, store: Store) -> None:
    assert send(database, store, 1, 2) == 2
    assert send(database, store, 1, 2, 3) == 1
    assert send(database, store, 1, again="x") == 1
    assert send(database, store, 1, again="x") == 0, "the same press, done once more"


@pytest.mark.parametrize("state", [State.REFUSED, State.DROPPED])
def test_p6_whom_it_surely_did_not_reach_gets_another_one_a_day(database: Database, store: Store, state: State) -> None:
    send(database, store, 1)
    with database.writing() as connection:
        connection.execute(OUTGOING.update().values(state=state))
    assert send(database, store, 1, days=1) == 1
    assert send(database, store, 1, days=1) == 0


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN, State.WAITING])
def test_p6_whom_it_may_have_reached_gets_no_second_one(database: Database, store: Store, state: State) -> None:
    send(database, store, 1)
    with database.writing() as connection:
        connection.execute(OUTGOING.update().values(state=state))
    assert send(database, store, 1, days=1) == 0


def test_p6_no_reply_to_a_punch_waits_for_a_first_message(database: Database, store: Store) -> None:
    """They have other keys, and the first message the last priority."""
    send(database, store, 1)
    (waiting,) = Outbox(database, store, "lineworks_kot", "acme").listed(most=9, purpose=PURPOSE)
    assert waiting.content().to == "u1"
    with database.reading() as connection:
        assert connection.scalar(OUTGOING.select().with_only_columns(OUTGOING.c.priority)) == 9


def test_p6_it_says_how_to_punch_by_the_words_that_are_in_force() -> None:
    assert text_of(MAPPING, FIRST).lines == (
        "このトークに、次の文言を含むメッセージを送ると打刻されます。",
        "出勤: 出勤",
        "退勤: 退勤",
    )


@pytest.mark.parametrize(("count", "minutes"), [(0, 1), (240, 1), (241, 2), (7_200, 30), (7_201, 31), (10_000, 54)])
def test_p6_how_long_it_takes_is_by_the_limit_of_line_works(count: int, minutes: int) -> None:
    assert minutes_for(count) == minutes
