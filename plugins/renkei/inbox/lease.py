"""Who works a tenant's messages off, or writes its calendars: one process at a time, and another one ten seconds after it was killed."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import socket
import threading
import time
from collections.abc import Collection
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from renkei.clock import utcnow
from renkei.errors import StoreError
from renkei.inbox.tables import LEASE
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert

LASTS_S = 10.0
RENEWED_EVERY_S = 2.0


class LeaseLostError(StoreError):
    """Another process works on, because this one was not heard of for too long."""


class Leases:
    """What this process holds; renewed together by a thread, from `with` until its end, which gives all back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
        self._renewed: dict[str, float] = {}  # by name, on the clock that nobody can set
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="inbox leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        with (
            contextlib.suppress(StoreError),
            self._database.writing(brief=True) as connection,
        ):  # else they lapse by themselves
            ours = (LEASE.c.owner == self.owner, LEASE.c.name.in_(self._renewed))
            connection.execute(update(LEASE).where(*ours).values(owner=""))
        self._renewed.clear()

    def acquire(self, name: str, quiet_s: float = 0.0) -> bool:
        """Whether it is ours now: nobody had it, or who had it was not heard of for ten seconds, and `quiet_s` more.

        So much longer something of theirs may still be under way: a lease that was given back has nothing of it.
        """
        asked = time.monotonic()
        with self._database.writing(brief=True) as connection:
            now, lasts = _now(connection), dt.timedelta(seconds=LASTS_S)
            ours = {"owner": self.owner, "expires_at": now + lasts}
            taken = (
                insert(self._database, LEASE)
                .values(name=name, **ours)
                .on_conflict_do_update(
                    index_elements=[LEASE.c.name],
                    set_=ours,
                    where=self._is_free(now, quiet_s),
                )
                .returning(LEASE.c.name)
            )
            acquired = connection.execute(taken).first() is not None
        with self._lock:
            if acquired:
                self._renewed[name] = asked
            else:
                self._renewed.pop(name, None)
        return acquired

    def free(self, names: Collection[str]) -> set[str]:
        """Those that `acquire` would get now; one look for all."""
        if not names:
            return set()
        with self._database.reading() as connection:
            taken = select(LEASE.c.name).where(LEASE.c.name.in_(names), ~self._is_free(_now(connection)))
            return set(names) - set(connection.scalars(taken))

    def release(self, name: str) -> None:
        """Give it back: somebody else may have it at once. What we do not have, we do not give back."""
        with self._lock:
            self._renewed.pop(name, None)
        with self._database.writing(brief=True) as connection:
            ours = (LEASE.c.owner == self.owner, LEASE.c.name == name)
            connection.execute(update(LEASE).where(*ours).values(owner=""))

    def let_lapse(self, name: str) -> None:
        """Neither renew nor give it back: something of ours may still be under way."""
        with self._lock:
            self._renewed.pop(name, None)

    def _is_free(self, now: dt.datetime, quiet_s: float = 0.0) -> ColumnElement[bool]:
        # One that ends long after any could: the clock was set back, and its owner has not renewed it since.
        after_all = now + 2 * dt.timedelta(seconds=LASTS_S)
        is_over = or_(LEASE.c.expires_at <= now - dt.timedelta(seconds=quiet_s), LEASE.c.expires_at > after_all)
        return or_(LEASE.c.owner.in_(("", self.owner)), is_over)

    def holds(self, name: str) -> bool:
        """Whether nobody else can hold it: to be asked before each thing that is done outside."""
        with self._lock:
            return time.monotonic() - self._renewed.get(name, -LASTS_S) < LASTS_S

    def confirm(self, connection: Connection, name: str) -> None:
        """Within a transaction: nobody takes the lease before its end.

        Raises:
            LeaseLostError: it is not ours.
        """
        found = connection.scalar(select(LEASE.c.owner).where(LEASE.c.name == name).with_for_update())
        if found != self.owner:
            with self._lock:
                self._renewed.pop(name, None)
            raise LeaseLostError(f"「{name}」の処理は別のプロセスが引き継ぎました。")

    def _renew_on(self) -> None:
        while not self._ended.wait(RENEWED_EVERY_S):
            with self._lock:
                names = list(self._renewed)
            if names:
                try:
                    self._renew(names)
                except StoreError:
                    continue  # for as long as the lease lasts there is another try

    def _renew(self, names: list[str]) -> None:
        asked = time.monotonic()
        with self._database.writing(brief=True) as connection:
            until = _now(connection) + dt.timedelta(seconds=LASTS_S)
            ours = (LEASE.c.owner == self.owner, LEASE.c.name.in_(names))
            kept: set[Any] = set(
                connection.scalars(update(LEASE).where(*ours).values(expires_at=until).returning(LEASE.c.name))
            )
        with self._lock:
            for name in names:
                if name in kept:
                    self._renewed[name] = asked
                else:
                    self._renewed.pop(name, None)


def _now(connection: Connection) -> dt.datetime:
    """The database's time where it has one: the clocks of two machines differ."""
    if connection.dialect.name == "postgresql":
        found: dt.datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return found
    return utcnow()
