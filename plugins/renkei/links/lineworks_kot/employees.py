"""KING OF TIME's employees, as it had them last (P5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select, update

from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.registration import note_registration
from renkei.links.lineworks_kot.tables import EMPLOYEE
from renkei.storage.database.database import Database
from renkei.storage.database.statements import replace
from renkei.storage.store import Store
from renkei.systems.kingoftime.client import Employee

AT_ONCE = 500  # rows of one statement


@dataclass(frozen=True, slots=True)
class Group:
    """A 所属 or a 雇用区分."""

    code: str
    name: str
    employees: int


class Employees:
    """The employees of one tenant."""

    def __init__(self, database: Database, store: Store, tenant: str) -> None:
        self._database, self._store, self._tenant = database, store, tenant

    def refresh(self, employees: Sequence[Employee], now: dt.datetime) -> int:
        """Takes over what KING OF TIME has; who is not there any more is `gone`, with the account kept. How many changed.

        `employees` is a whole read, and never empty: nobody is gone by an answer without anybody (L1).
        """
        assert employees
        with self._database.writing() as connection:
            gone = update(EMPLOYEE).where(EMPLOYEE.c.tenant == self._tenant).values(gone=True)
            connection.execute(gone)
            for start in range(0, len(employees), AT_ONCE):
                rows = [self._row(one, now) for one in employees[start : start + AT_ONCE]]
                connection.execute(replace(self._database, EMPLOYEE), rows)
            note_registration(self._database, self._tenant, connection, employees_at=now)
            of = and_(EMPLOYEE.c.tenant == self._tenant, EMPLOYEE.c.gone.is_(True))
            return connection.scalar(select(func.count()).where(of)) or 0

    def _row(self, one: Employee, now: dt.datetime) -> dict[str, Any]:
        return {
            **{"tenant": self._tenant, "key": one.key, "code": one.code, "division": one.division, "type": one.type},
            **{"division_name": one.division_name, "type_name": one.type_name, "gone": False, "seen_at": now},
            "name": self._store.seal(self._place(one.key), one.name.encode()),
        }

    def groups(self) -> tuple[list[Group], list[Group]]:
        """所属 and 雇用区分, by their codes."""
        found = []
        with self._database.reading() as connection:
            for code, name in (
                (EMPLOYEE.c.division, EMPLOYEE.c.division_name),
                (EMPLOYEE.c.type, EMPLOYEE.c.type_name),
            ):
                wanted = select(code, func.max(name), func.count())
                wanted = wanted.where(EMPLOYEE.c.tenant == self._tenant, EMPLOYEE.c.gone.is_(False))
                rows = connection.execute(wanted.group_by(code).order_by(code)).all()
                found.append([Group(*row) for row in rows])
        return found[0], found[1]

    def keys(self) -> dict[str, str]:
        """The permanent key by 従業員コード, of those that KING OF TIME has; of a code that two have (never seen) neither."""
        wanted = select(EMPLOYEE.c.code, func.max(EMPLOYEE.c.key))
        wanted = wanted.where(EMPLOYEE.c.tenant == self._tenant, EMPLOYEE.c.gone.is_(False))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.group_by(EMPLOYEE.c.code).having(func.count() == 1)).all()
        return {code: key for code, key in rows}

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """The names of some employees, by key."""
        wanted, found = list(keys), {}
        with self._database.reading() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = EMPLOYEE.c.key.in_(wanted[start : start + AT_ONCE])
                rows = select(EMPLOYEE.c.key, EMPLOYEE.c.name).where(EMPLOYEE.c.tenant == self._tenant, some)
                for key, sealed in connection.execute(rows):
                    found[key] = self.name(key, sealed)
        return found

    def name(self, key: str, sealed: bytes) -> str:
        """The name in a row."""
        return self._store.unseal(self._place(key), sealed).decode()

    def _place(self, key: str) -> str:
        """What a name is sealed for: it opens as no other value."""
        return f"{LINK}/{self._tenant}/name/{key}"
