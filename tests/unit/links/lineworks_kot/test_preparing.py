"""What punching needs before anybody punches: whom KING OF TIME has."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from renkei.errors import FetchError
from renkei.links.lineworks_kot.accounts import Accounts, AccountState
from renkei.links.lineworks_kot.preparing import EmployeeRead, check_accounts, read_employees
from renkei.systems.kingoftime.client import Employee
from renkei.systems.lineworks.users import User, UserStatus

NOON = dt.datetime(2026, 11, 30, 3, tzinfo=dt.UTC)
ALL = [Employee(f"{number:064x}", str(1000 + number), "1000", "本社", "1", "正社員", "") for number in range(40)]


def read(accounts: Accounts, employees: list[Employee], asked_by_person: bool = False) -> EmployeeRead | None:
    source = SimpleNamespace(employees=lambda: employees)
    return read_employees(accounts, source, NOON, asked_by_person=asked_by_person)


def test_l1_a_read_that_lacks_many_takes_nobodys_punches_away(accounts: Accounts) -> None:
    """A right that was narrowed to one 所属 answers like a company that has shrunk."""
    assert read(accounts, ALL) == EmployeeRead(40, 0)
    with pytest.raises(FetchError, match="40名から5名減って"):
        read(accounts, ALL[5:])
    with pytest.raises(FetchError, match="0人"):
        read(accounts, [], asked_by_person=True)
    assert len(accounts.employees.keys()) == 40
    assert read(accounts, ALL[4:]) == EmployeeRead(36, 4), "some leave every month"
    assert read(accounts, ALL[20:], asked_by_person=True) == EmployeeRead(20, 20)
    assert read(accounts, ALL[20:]) == EmployeeRead(20, 20), "who is gone already is missed no more"


def test_p5_who_was_not_there_yet_is_asked_about_again_and_who_is_there_once_a_week(accounts: Accounts) -> None:
    users = {"a@acme": User("u-a", UserStatus.ACTIVE)}
    now, asked = NOON, list[str]()

    def find(account: str) -> User:
        asked.append(account)
        if len(asked) == 1:
            accounts.put({ALL[2].key: "c@acme"}, "総務", now)  # entered while LINE WORKS is being asked
        return users.get(account, User("", UserStatus.UNKNOWN))

    read(accounts, ALL)
    accounts.put({ALL[0].key: "a@acme", ALL[1].key: "b@acme"}, "総務", now)
    assert check_accounts(accounts, find, lambda: now) == 3
    assert sorted(asked) == ["a@acme", "b@acme", "c@acme"]
    users["b@acme"] = User("u-b", UserStatus.ACTIVE)
    now += dt.timedelta(hours=1)
    assert check_accounts(accounts, find, lambda: now) == 2
    assert accounts.states() == {AccountState.LINKED: 2, AccountState.UNKNOWN: 1}
    assert accounts.person_of("u-b") is not None
    now += dt.timedelta(days=8)
    assert check_accounts(accounts, find, lambda: now) == 3
