"""アカウント設定: whose LINE WORKS account is whose (P5, decision 19)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, or_, select, update

from renkei.errors import RenkeiError
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.employees import AT_ONCE, Employees
from renkei.links.lineworks_kot.tables import ACCOUNT, EMPLOYEE
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.kingoftime.client import Employee


class AccountState(StrEnum):
    """What LINE WORKS says of an account."""

    NEW = "new"  # it has not been asked yet
    LINKED = "linked"
    UNKNOWN = "unknown"  # there is no such account
    PENDING = "pending"  # invited, and not there yet
    SUSPENDED = "suspended"
    DELETED = "deleted"
    TAKEN = "taken"  # it is the same user as another employee's account

    @property
    def label(self) -> str:
        return _LABELS[self][0]

    @property
    def remedy(self) -> str:
        return _LABELS[self][1]


_LABELS = {
    AccountState.NEW: ("未確認", "次の実行でLINE WORKSに確認します。すぐに確かめるには、実行してください"),
    AccountState.LINKED: ("登録済", ""),
    AccountState.UNKNOWN: ("アカウントなし", "LINE WORKSアカウントIDに誤りがないか確認してください"),
    AccountState.PENDING: ("参加待ち", "本人がLINE WORKSへの招待に応じると使えるようになります"),
    AccountState.SUSPENDED: ("利用停止中", "LINE WORKSの管理者画面で、利用停止を解除してください"),
    AccountState.DELETED: ("削除済", "LINE WORKSのメンバーを復元するか、正しいアカウントIDに直してください"),
    AccountState.TAKEN: ("重複", "別の従業員の登録と同じ人です。どちらの登録が正しいか確認してください"),
}


class AccountTakenError(RenkeiError):
    """An account is another employee's, or somebody changed it first."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote a message, as far as a punch needs to know."""

    key: str
    code: str
    division: str
    type: str


@dataclass(frozen=True, slots=True)
class Account:
    """An employee with what is set of them; `entered` is empty where nothing is."""

    employee: Employee
    entered: str = field(repr=False)
    state: AccountState | None
    user_id: str = field(repr=False)
    by: str
    at: dt.datetime | None
    checked_at: dt.datetime | None
    gone: bool = False  # KING OF TIME has the employee no more


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom a page shows: empty means all."""

    division: str = ""
    type: str = ""


class Accounts:
    """The employees and accounts of one tenant."""

    def __init__(self, database: Database, store: Store, tenant: str) -> None:
        self._database, self._store, self._tenant = database, store, tenant
        self.employees = Employees(database, store, tenant)

    # -- accounts

    def person_of(self, user_id: str) -> Person | None:
        """Whose the LINE WORKS account of a message is; None where it is nobody's, or of somebody who is gone (P20).

        Until LINE WORKS was asked, somebody may have entered the very id that messages come with.
        """
        mine = or_(
            ACCOUNT.c.user_digest == self._digest(user_id),
            and_(ACCOUNT.c.state == AccountState.NEW, ACCOUNT.c.entered_digest == self._digest(user_id.casefold())),
        )
        wanted = (
            select(EMPLOYEE.c.key, EMPLOYEE.c.code, EMPLOYEE.c.division, EMPLOYEE.c.type)
            .join(ACCOUNT, and_(ACCOUNT.c.tenant == EMPLOYEE.c.tenant, ACCOUNT.c.key == EMPLOYEE.c.key))
            .where(ACCOUNT.c.tenant == self._tenant, mine, EMPLOYEE.c.gone.is_(False))
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted.limit(2)).all()
        return Person(*rows[0]) if len(rows) == 1 else None

    def count(self, of: Selection = Selection()) -> int:
        with self._database.reading() as connection:
            return connection.scalar(self._chosen(select(func.count()), of)) or 0

    def states(self, of: Selection = Selection()) -> dict[AccountState, int]:
        """How many accounts there are in each state."""
        wanted = self._chosen(select(ACCOUNT.c.state, func.count()), of).where(ACCOUNT.c.state.is_not(None))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.group_by(ACCOUNT.c.state)).all()
        return {AccountState(state): count for state, count in rows}

    def shown(self, of: Selection = Selection(), start: int = 0, most: int | None = None) -> list[Account]:
        """By 従業員コード, whether they have an account or not."""
        wanted = self._chosen(select(EMPLOYEE, *_named(ACCOUNT)), of)
        wanted = wanted.order_by(EMPLOYEE.c.code, EMPLOYEE.c.key).offset(start)
        return self._read(wanted.limit(most) if most else wanted)

    def each(self, of: Selection = Selection()) -> Iterator[Account]:
        """As `shown`, read a little at a time."""
        start = 0
        while found := self.shown(of, start, AT_ONCE):
            yield from found
            start += AT_ONCE

    def of_code(self, code: str) -> Account | None:
        """The employee with this 従業員コード, rather one whom KING OF TIME has."""
        wanted = self._chosen(select(EMPLOYEE, *_named(ACCOUNT)), Selection()).where(EMPLOYEE.c.code == code)
        return next(iter(self._read(wanted.order_by(EMPLOYEE.c.gone, EMPLOYEE.c.key).limit(1))), None)

    def registered(self, of: Selection = Selection(), start: int = 0, most: int | None = None) -> list[Account]:
        """Those with an account that LINE WORKS knows: whom the bot can write to."""
        wanted = self._chosen(select(EMPLOYEE, *_named(ACCOUNT)), of).where(ACCOUNT.c.state == AccountState.LINKED)
        wanted = wanted.order_by(EMPLOYEE.c.code, EMPLOYEE.c.key).offset(start)
        return self._read(wanted.limit(most) if most else wanted)

    def registered_keys(self, of: Selection = Selection()) -> list[str]:
        """The keys of all of them, without opening anything that is sealed."""
        wanted = self._chosen(select(EMPLOYEE.c.key), of).where(ACCOUNT.c.state == AccountState.LINKED)
        with self._database.reading() as connection:
            return list(connection.scalars(wanted))

    def to_check(self, before: dt.datetime, unusable_before: dt.datetime | None = None) -> list[Account]:
        """Accounts that LINE WORKS was not asked about since then, the new ones first.

        `unusable_before` is the same for those that it knew nothing good of: the person may be there by now.
        """
        asked = or_(ACCOUNT.c.checked_at.is_(None), ACCOUNT.c.checked_at < before)
        if unusable_before is not None:
            unusable = and_(ACCOUNT.c.state != AccountState.LINKED, ACCOUNT.c.checked_at < unusable_before)
            asked = or_(asked, unusable)
        wanted = self._chosen(select(EMPLOYEE, *_named(ACCOUNT)), Selection()).where(
            ACCOUNT.c.state.is_not(None), asked
        )
        return self._read(wanted.order_by(ACCOUNT.c.checked_at.is_not(None), EMPLOYEE.c.code))

    def by_entered(self) -> dict[str, str]:
        """Whose each account is, as entered (casefolded): the 従業員コード."""
        both = and_(ACCOUNT.c.tenant == EMPLOYEE.c.tenant, ACCOUNT.c.key == EMPLOYEE.c.key)
        wanted = select(ACCOUNT.c.key, ACCOUNT.c.entered, EMPLOYEE.c.code).join(EMPLOYEE, both)
        with self._database.reading() as connection:
            rows: list[Any] = [*connection.execute(wanted.where(ACCOUNT.c.tenant == self._tenant))]
        return {self._entered(row).casefold(): row.code for row in rows}

    def put(self, changes: Mapping[str, str], by: str, now: dt.datetime, drawn: Mapping[str, str] | None = None) -> int:
        """Sets the account of each employee key; an empty text takes it away. All or none. How many changed.

        Whoever had the account of somebody in `changes` before must be in it, too: two people can change accounts.

        Raises:
            AccountTakenError: an account is another employee's; or it is not any more what the page had `drawn`.
        """
        with self._database.writing() as connection:
            current = {row.key: row for row in self._rows(connection, changes)}
            changed = {key: entered for key, entered in changes.items() if entered != self._entered(current.get(key))}
            for key, was in (drawn or {}).items():
                if key in changed and self._entered(current.get(key)) != was:
                    raise AccountTakenError("ほかの人が先にアカウントを変更しました。画面を開き直してください。")
            keys = list(changed)
            for start in range(0, len(keys), AT_ONCE):
                some = keys[start : start + AT_ONCE]
                connection.execute(delete(ACCOUNT).where(ACCOUNT.c.tenant == self._tenant, ACCOUNT.c.key.in_(some)))
            rows = [self._account_row(key, entered, by, now) for key, entered in changed.items() if entered]
            self._refuse_taken(connection, rows)
            for start in range(0, len(rows), AT_ONCE):
                connection.execute(ACCOUNT.insert(), rows[start : start + AT_ONCE])
        return len(changed)

    def _rows(self, connection: Connection, keys: Iterable[str]) -> list[Row[Any]]:
        wanted, found = list(keys), list[Row[Any]]()
        for start in range(0, len(wanted), AT_ONCE):
            some = ACCOUNT.c.key.in_(wanted[start : start + AT_ONCE])
            found += connection.execute(select(ACCOUNT).where(ACCOUNT.c.tenant == self._tenant, some)).all()
        return found

    def _entered(self, row: Row[Any] | None) -> str:
        return self._store.unseal(self._place("entered", row.key), row.entered).decode() if row else ""

    def _account_row(self, key: str, entered: str, by: str, now: dt.datetime) -> dict[str, Any]:
        return {
            **{"tenant": self._tenant, "key": key, "state": AccountState.NEW, "at": now, "by": by},
            "entered": self._store.seal(self._place("entered", key), entered.encode()),
            "entered_digest": self._digest(entered.casefold()),
        }

    def _refuse_taken(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        digests = [row["entered_digest"] for row in rows]
        taken = len(set(digests)) < len(digests)
        for start in range(0, len(digests), AT_ONCE):
            some = ACCOUNT.c.entered_digest.in_(digests[start : start + AT_ONCE])
            held = select(ACCOUNT.c.key).where(ACCOUNT.c.tenant == self._tenant, some)
            taken = taken or connection.scalar(held.limit(1)) is not None
        if taken:
            raise AccountTakenError(
                "同じLINE WORKSアカウントIDが、ほかの従業員に登録されています。どちらの登録が正しいか確認してください。"
            )

    def note_user(self, account: Account, state: AccountState, user_id: str, now: dt.datetime) -> AccountState:
        """What LINE WORKS said of an account, unless it was changed meanwhile. TAKEN where the user is another's, too."""
        key, digest = account.employee.key, self._digest(user_id) if user_id else None
        mine = (ACCOUNT.c.tenant == self._tenant, ACCOUNT.c.key == key)
        same = ACCOUNT.c.entered_digest == self._digest(account.entered.casefold())
        with self._database.writing() as connection:
            if digest:
                other = select(ACCOUNT.c.key).where(
                    ACCOUNT.c.tenant == self._tenant, ACCOUNT.c.user_digest == digest, ACCOUNT.c.key != key
                )
                if connection.scalar(other) is not None:
                    state, digest, user_id = AccountState.TAKEN, None, ""
            user = self._store.seal(self._place("user", key), user_id.encode()) if user_id else None
            said = {"state": state, "user": user, "user_digest": digest, "checked_at": now}
            connection.execute(update(ACCOUNT).where(*mine, same).values(said))
        return state

    # -- rows

    def _chosen(self, wanted: Select[Any], of: Selection) -> Select[Any]:
        both = and_(ACCOUNT.c.tenant == EMPLOYEE.c.tenant, ACCOUNT.c.key == EMPLOYEE.c.key)
        there = or_(EMPLOYEE.c.gone.is_(False), ACCOUNT.c.key.is_not(None))
        wanted = wanted.select_from(EMPLOYEE.outerjoin(ACCOUNT, both)).where(EMPLOYEE.c.tenant == self._tenant, there)
        if of.division:
            wanted = wanted.where(EMPLOYEE.c.division == of.division)
        return wanted.where(EMPLOYEE.c.type == of.type) if of.type else wanted

    def _read(self, wanted: Select[Any]) -> list[Account]:
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [self._account(row) for row in rows]

    def _account(self, row: Row[Any]) -> Account:
        name = self.employees.name(row.key, row.name)
        entered, user = (
            self._store.unseal(self._place(part, row.key), sealed).decode() if sealed else ""
            for part, sealed in (("entered", row.account_entered), ("user", row.account_user))
        )
        return Account(
            Employee(row.key, row.code, row.division, row.division_name, row.type, row.type_name, name),
            entered,
            AccountState(row.account_state) if row.account_state else None,
            user,
            row.account_by or "",
            row.account_at,
            row.account_checked_at,
            row.gone,
        )

    def _place(self, part: str, key: str) -> str:
        """What a value is sealed for: it opens as no other one."""
        return f"{LINK}/{self._tenant}/{part}/{key}"

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{LINK}\0{self._tenant}\0{text}".encode()).digest()[:16]


def _named(table: Any) -> list[Any]:
    """The columns of an account beside those of its employee."""
    return [table.c[name].label(f"account_{name}") for name in ("entered", "state", "user", "by", "at", "checked_at")]
