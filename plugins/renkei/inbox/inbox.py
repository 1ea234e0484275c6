"""The messages of one tenant: what waits is taken in order, and what becomes of each is written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, select, update

from renkei.clock import utcnow
from renkei.inbox.lease import Leases
from renkei.inbox.receiver import place_of
from renkei.inbox.tables import IS_OPEN, LEASE, MESSAGE, OPEN, OVER, State
from renkei.storage.database.database import Database
from renkei.storage.store import Store

KEPT = dt.timedelta(days=35)  # what is over, for disputes about the month before
AT_ONCE = 5_000  # rows deleted in one transaction: nobody waits long for its end


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as it was when it was asked for."""

    number: int
    received_at: dt.datetime
    state: State
    since: dt.datetime
    attempts: int
    note: str
    _place: str = field(repr=False)
    _sealed: bytes = field(repr=False)
    _store: Store = field(repr=False)

    def body(self) -> bytes:
        """What was accepted; nothing where it was deleted since.

        Raises:
            StoreError: its key is missing.
        """
        return self._store.unseal(self._place, self._sealed)


class Inbox:
    """A tenant's messages of one link.

    Who holds the lease works them off: `left_behind` first, then `take`, and for each message what it does about it,
    then `settle`. A process killed between any two lines leaves a message `waiting`, or `sending`: what it did about
    that one is unknown, until the link has asked the target, and either settles it or does it once more (`again`).
    """

    def __init__(self, database: Database, store: Store, link: str, tenant: str) -> None:
        self._database, self._store = database, store
        self._link, self._tenant = link, tenant
        self.lease = f"{link}__{tenant}"

    def left_behind(self, leases: Leases) -> None:
        """To be called once when the lease was acquired: what an earlier holder was doing is unknown now.

        Raises:
            LeaseLostError: as each of these.
        """
        with self._database.writing(brief=True) as connection:
            leases.confirm(connection, self.lease)
            stopped = update(MESSAGE).where(self._in(State.SENDING))
            connection.execute(stopped.values(state=State.UNKNOWN))  # `since` stays: when it may have been done

    def take(self, leases: Leases, most: int) -> list[Message]:
        """The next messages, `sending` from now on: of each key the first one, and none while one before it is open."""
        earlier = MESSAGE.alias()
        is_first = ~exists().where(
            earlier.c.link == self._link,
            earlier.c.tenant == self._tenant,
            earlier.c.key == MESSAGE.c.key,
            earlier.c.number < MESSAGE.c.number,
            earlier.c.state.in_(OPEN),
        )
        following = select(MESSAGE.c.number).where(self._in(State.WAITING), is_first)
        with self._database.reading() as connection:  # mostly there is nothing: no lock, no flush
            if connection.scalar(following.limit(1)) is None:
                return []
        with self._database.writing(brief=True) as connection:
            leases.confirm(connection, self.lease)
            numbers = connection.scalars(following.order_by(MESSAGE.c.number).limit(most)).all()
            return self._sending(connection, MESSAGE.c.number.in_(numbers))

    def again(self, leases: Leases, message: Message) -> Message | None:
        """A message that is unknown and, as the target says, not done: `sending` once more. None if it was settled."""
        with self._database.writing(brief=True) as connection:
            leases.confirm(connection, self.lease)
            same = and_(MESSAGE.c.number == message.number, MESSAGE.c.attempts == message.attempts)
            taken = self._sending(connection, and_(same, MESSAGE.c.state == State.UNKNOWN))
        return taken[0] if taken else None

    def settle(self, message: Message, state: State, note: str = "", *, forget: bool = False) -> bool:
        """What became of a message that was taken; WAITING if nothing was done about it. `forget` deletes what it says.

        Whether it was still to be settled: a late answer counts even when the lease has passed to another process, but
        not once that one has begun anew.
        """
        taken = (
            MESSAGE.c.number == message.number,
            MESSAGE.c.attempts == message.attempts,
            MESSAGE.c.state.in_((State.SENDING, State.UNKNOWN)),
        )
        return self._change(and_(*taken), state, note, **({"body": b""} if forget else {}))

    def decide(self, connection: Connection, number: int, state: State, note: str = "") -> bool:
        """A person's word about a held message: WAITING, DONE or REFUSED. Whether it was held."""
        held = and_(MESSAGE.c.number == number, self._in(State.HELD))
        decided = update(MESSAGE).where(held).values(state=state, since=utcnow(), note=note)
        return connection.execute(decided).rowcount > 0

    def listed(self, state: State, most: int) -> list[Message]:
        """The oldest messages in this state."""
        found = select(MESSAGE).where(self._in(state)).order_by(MESSAGE.c.number).limit(most)
        with self._database.reading() as connection:
            return self._messages(connection.execute(found).all())

    def counts(self) -> dict[State, int]:
        """How many messages stand where; every state is named."""
        counted = (
            select(MESSAGE.c.state, func.count())
            .where(MESSAGE.c.link == self._link, MESSAGE.c.tenant == self._tenant)
            .group_by(MESSAGE.c.state)
        )
        with self._database.reading() as connection:
            found = {State(state): number for state, number in connection.execute(counted)}
        return {state: found.get(state, 0) for state in State}

    def _in(self, state: State) -> ColumnElement[bool]:
        return and_(MESSAGE.c.link == self._link, MESSAGE.c.tenant == self._tenant, MESSAGE.c.state == state)

    def _sending(self, connection: Connection, which: ColumnElement[bool]) -> list[Message]:
        begun = (
            update(MESSAGE).where(which).values(state=State.SENDING, since=utcnow(), attempts=MESSAGE.c.attempts + 1)
        )
        rows = connection.execute(begun.returning(MESSAGE)).all()
        return self._messages(sorted(rows, key=lambda row: row.number))

    def _change(self, which: ColumnElement[bool], state: State, note: str, **more: bytes) -> bool:
        with self._database.writing(brief=True) as connection:
            changed = update(MESSAGE).where(which).values(state=state, since=utcnow(), note=note, **more)
            return connection.execute(changed).rowcount > 0

    def _messages(self, rows: Sequence[Row[Any]]) -> list[Message]:
        return [
            Message(
                row.number,
                row.received_at,
                State(row.state),
                row.since,
                row.attempts,
                row.note,
                place_of(self._link, self._tenant, row.event),
                row.body,
                self._store,
            )
            for row in rows
        ]


def open_messages(database: Database) -> dict[tuple[str, str], set[State]]:
    """By link and tenant the states in which there are messages that somebody has to see to; one look for all."""
    columns = (MESSAGE.c.link, MESSAGE.c.tenant, MESSAGE.c.state)
    found: dict[tuple[str, str], set[State]] = {}
    with database.reading() as connection:
        for link, tenant, state in connection.execute(select(*columns).where(IS_OPEN).distinct()):
            found.setdefault((link, tenant), set()).add(State(state))
    return found


def oldest_waiting(database: Database, link: str) -> dict[str, dt.datetime]:
    """By tenant when the oldest message came that waits."""
    oldest = func.min(MESSAGE.c.received_at, type_=MESSAGE.c.received_at.type)
    waiting = (IS_OPEN, MESSAGE.c.link == link, MESSAGE.c.state == State.WAITING)
    with database.reading() as connection:
        rows = connection.execute(select(MESSAGE.c.tenant, oldest).where(*waiting).group_by(MESSAGE.c.tenant))
        return {tenant: at for tenant, at in rows}


def forget(database: Database, now: dt.datetime) -> int:
    """Deletes what has been over for 35 days, of every tenant, and leases nobody renewed since; how many messages.

    What waits, is held or unknown stays, however old: somebody has yet to decide about it.
    """
    before, gone = now - KEPT, 0
    old = select(MESSAGE.c.number).where(MESSAGE.c.state.in_(OVER), MESSAGE.c.since < before).limit(AT_ONCE)
    while True:
        with database.writing() as connection:
            deleted = connection.execute(delete(MESSAGE).where(MESSAGE.c.number.in_(old))).rowcount
            connection.execute(delete(LEASE).where(LEASE.c.expires_at < before))
        gone += deleted
        if deleted < AT_ONCE:
            return gone
