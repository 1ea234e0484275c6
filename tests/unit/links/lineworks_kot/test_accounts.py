"""アカウント設定: whose LINE WORKS account is whose."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from renkei.links.lineworks_kot.accounts import (
    Accounts,
    AccountState,
    AccountTakenError,
    Person,
    Selection,
)
from renkei.links.lineworks_kot.employees import Group
from renkei.storage.database.database import Database
from renkei.systems.kingoftime.client import Employee

NINE = dt.datetime(2026, 4, 1, 0, tzinfo=dt.UTC)
LATER = NINE + dt.timedelta(days=1)


def employee(number: int, division: str = "1000", type_: str = "1", code: str = "") -> Employee:
    name = {"1000": "本社", "2000": "大阪センター"}[division]
    return Employee(f"{number:064x}", code or str(1000 + number), division, name, type_, "正社員", f"社員{number}")


SATO, TANAKA, SUZUKI = employee(1), employee(2, "2000"), employee(3)


@pytest.fixture(autouse=True)
def three(accounts: Accounts) -> None:
    accounts.employees.refresh([SATO, TANAKA, SUZUKI], NINE)


def link(accounts: Accounts, one: Employee, entered: str, user_id: str) -> AccountState:
    accounts.put({one.key: entered}, "総務", NINE)
    (found,) = [each for each in accounts.to_check(LATER) if each.employee == one]
    return accounts.note_user(found, AccountState.LINKED, user_id, NINE)


def test_p5_a_page_shows_whom_it_is_asked_for_by_their_codes(accounts: Accounts) -> None:
    accounts.put({TANAKA.key: "tanaka@acme"}, "総務", NINE)
    assert [one.employee for one in accounts.shown()] == [SATO, TANAKA, SUZUKI]
    (osaka,) = accounts.shown(Selection(division="2000", type="1"))
    assert (osaka.employee, osaka.entered, osaka.state, osaka.by) == (TANAKA, "tanaka@acme", AccountState.NEW, "総務")
    assert accounts.employees.groups() == (
        [Group("1000", "本社", 2), Group("2000", "大阪センター", 1)],
        [Group("1", "正社員", 3)],
    )
    assert (accounts.count(), accounts.count(Selection(type="2"))) == (3, 0)
    assert [one.employee for one in accounts.shown(start=1, most=1)] == [TANAKA]


def test_p5_a_message_finds_its_employee_by_the_user_id_that_line_works_gave(accounts: Accounts) -> None:
    assert link(accounts, SATO, "Sato@acme", "11111111-aaaa") is AccountState.LINKED
    assert accounts.person_of("11111111-aaaa") == Person(SATO.key, "1001", "1000", "1")
    assert accounts.person_of("11111111-AAAA") is None  # ids of LINE WORKS are compared exactly
    assert accounts.person_of("Sato@acme") is None  # it was asked, and has another id
    assert accounts.states() == {AccountState.LINKED: 1}


def test_p5_until_it_was_asked_the_entered_id_counts(accounts: Accounts) -> None:
    accounts.put({SATO.key: "11111111-aaaa"}, "総務", NINE)
    assert accounts.person_of("11111111-aaaa") == Person(SATO.key, "1001", "1000", "1")


def test_p20_who_is_gone_from_king_of_time_punches_nothing_and_keeps_the_account(accounts: Accounts) -> None:
    link(accounts, SATO, "sato@acme", "u1")
    assert accounts.employees.refresh([TANAKA], LATER) == 2
    assert accounts.person_of("u1") is None
    assert [(one.employee.code, one.gone) for one in accounts.shown()] == [("1001", True), ("1002", False)]
    accounts.employees.refresh([SATO, TANAKA], LATER)
    assert accounts.person_of("u1") == Person(SATO.key, "1001", "1000", "1")


def test_a_code_that_passes_to_somebody_else_takes_nobodys_account_along(accounts: Accounts) -> None:
    link(accounts, SATO, "sato@acme", "u1")
    moved, joiner = employee(1, "2000", code="2001"), employee(9, code="1001")
    accounts.employees.refresh([moved, TANAKA, joiner], LATER)
    assert accounts.person_of("u1") == Person(SATO.key, "2001", "2000", "1")
    assert accounts.employees.keys() == {"2001": SATO.key, "1002": TANAKA.key, "1001": joiner.key}


def test_p5_two_employees_never_have_one_account(accounts: Accounts) -> None:
    accounts.put({SATO.key: "sato@acme"}, "総務", NINE)
    for changes in ({TANAKA.key: "SATO@acme"}, {TANAKA.key: "x", SUZUKI.key: "x"}):
        with pytest.raises(AccountTakenError, match="同じLINE WORKSアカウントID"):
            accounts.put(changes, "総務", NINE)
    assert accounts.by_entered() == {"sato@acme": "1001"}
    assert accounts.put({SATO.key: "tanaka@acme", TANAKA.key: "sato@acme"}, "総務", NINE) == 2  # they swap


def test_p5_two_ids_of_one_user_are_told_and_the_first_one_stays(accounts: Accounts) -> None:
    link(accounts, SATO, "sato@acme", "u1")
    assert link(accounts, TANAKA, "sato.alias@acme", "u1") is AccountState.TAKEN
    assert accounts.person_of("u1") == Person(SATO.key, "1001", "1000", "1")


def test_an_account_that_changes_is_asked_about_anew(accounts: Accounts) -> None:
    link(accounts, SATO, "sato@acme", "u1")
    (old,) = accounts.to_check(LATER)
    assert accounts.put({SATO.key: "sato@acme"}, "人事", LATER) == 0  # nothing changes: nobody is asked
    assert accounts.put({SATO.key: "hanako@acme"}, "人事", LATER) == 1
    assert accounts.person_of("u1") is None
    accounts.note_user(old, AccountState.LINKED, "u1", LATER)  # an answer that comes too late
    assert accounts.person_of("u1") is None
    assert accounts.put({SATO.key: ""}, "人事", LATER) == 1
    assert accounts.states() == {}


def test_two_pages_that_change_one_account_see_each_other(accounts: Accounts) -> None:
    accounts.put({SATO.key: "sato@acme"}, "総務", NINE)
    with pytest.raises(AccountTakenError, match="ほかの人が先に"):
        accounts.put({SATO.key: "s@acme", TANAKA.key: "t@acme"}, "人事", NINE, {SATO.key: "", TANAKA.key: ""})
    assert accounts.by_entered() == {"sato@acme": "1001"}


def test_p6_the_bot_writes_to_those_whom_line_works_knows(accounts: Accounts) -> None:
    link(accounts, SATO, "sato@acme", "u1")
    accounts.put({SUZUKI.key: "suzuki@acme"}, "総務", NINE)
    assert [(one.employee.code, one.user_id) for one in accounts.registered()] == [("1001", "u1")]
    assert accounts.registered(Selection(division="2000")) == []


def test_l6_no_row_has_a_name_or_an_id_in_clear(accounts: Accounts, database: Database) -> None:
    link(accounts, SATO, "sato@acme", "u1-of-sato")
    with database.reading() as connection:
        rows = [
            row
            for table in ("employee", "account")
            for row in connection.execute(text(f"SELECT * FROM lineworks_kot_{table}"))
        ]
    kept = "".join(value.hex() if isinstance(value, bytes) else str(value) for row in rows for value in row)
    for said in ("社員1", "sato@acme", "u1-of-sato"):
        assert said not in kept
        assert said.encode().hex() not in kept
