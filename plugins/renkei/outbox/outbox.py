"""The messages to people of one tenant: what is to be sent, in which order, and what became of each."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select, tuple_, update

from renkei.inbox.lease import Leases
from renkei.outbox.outgoing import Content, Outgoing, SendResult
from renkei.outbox.tables import OPEN, OUTGOING, State
from renkei.storage import records
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.storage.store import Store
from renkei.systems.delivery import Message

KEPT = dt.timedelta(days=35)  # what is over, as long as the inbox keeps what led to it
AT_ONCE = 5_000  # rows deleted in one transaction
KEY_COUNTS = dt.timedelta(hours=23)  # a service with retry keys knows one for 24 hours
LATE = "送信できる期限を過ぎました。"
LEFT = "送信の途中で処理が止まりました。届いたかどうかは分からず、二重に届かないように再送しません。"
_KEYS = uuid.UUID("0d3f1b5a-51b7-5a0e-8f0c-0f6f3b2f2f61")  # any constant


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be sent to one person in one channel."""

    event: str  # what makes it the same message again, which is not added twice
    key: str  # messages of one key arrive in their order in a channel
    channel: str
    purpose: str  # such as `event`, `reply`: letters and digits
    recipient: str = field(repr=False)  # user id, by which the deliveries to a person are found
    to: str = field(repr=False)  # where the channel reaches him
    message: Message = field(repr=False)
    not_after: dt.datetime  # then it is dropped
    not_before: dt.datetime | None = None
    priority: int = 5  # the smaller, the sooner
    source: int | None = None  # of the inbox message that led to it
    rank: int = 0  # within its key: what comes later than one of a higher rank overtakes it, if that one still waits
    dropped: str = ""  # why it is not sent at all; it is kept for the account


class Outbox:
    """A tenant's messages to people. Whoever holds the tenant's lease sends them (`sender.Sender`)."""

    def __init__(self, database: Database, store: Store, link: str, tenant: str) -> None:
        self._database, self._store = database, store
        self._link, self._tenant = link, tenant
        self.lease = f"{link}__{tenant}"

    def add(self, connection: Connection, entries: Iterable[Entry], now: dt.datetime) -> None:
        """Within a transaction of the caller's; what was added before changes nothing."""
        rows = [self._row(entry, now) for entry in entries]
        if rows:
            same = [OUTGOING.c.link, OUTGOING.c.tenant, OUTGOING.c.event]
            connection.execute(insert(self._database, OUTGOING).on_conflict_do_nothing(index_elements=same), rows)

    def next(self) -> dict[str, dt.datetime]:
        """For each channel in which something waits, the earliest moment at which some of it may be sent."""
        first = func.min(OUTGOING.c.not_before, type_=OUTGOING.c.not_before.type)
        waiting = select(OUTGOING.c.channel, first).where(self._in(State.WAITING)).group_by(OUTGOING.c.channel)
        with self._database.reading() as connection:
            return {channel: at for channel, at in connection.execute(waiting)}

    def due(self, channel: str, most: int, now: dt.datetime) -> int:
        """How many of the channel may be sent now, of `most`; without a lock, as mostly there is nothing."""
        if most <= 0:
            return 0
        with self._database.reading() as connection:
            return len(connection.scalars(self._following(channel, now).limit(most)).all())

    def settle_and_take(
        self, leases: Leases, channel: str, settled: Sequence[SendResult], most: int, now: dt.datetime
    ) -> list[Outgoing]:
        """Notes what became of messages and takes the next ones of the channel, in one transaction.

        What is taken is `sending` from now on: of each key the first one, and none while one before it is open.

        Raises:
            LeaseLostError: the lease is not ours; nothing is noted or taken. `settle` notes all the same.
        """
        with self._database.writing(brief=True) as connection:
            leases.confirm(connection, self.lease)
            self._settle(connection, settled, now)
            in_turn = self._following(channel, now).order_by(OUTGOING.c.priority, OUTGOING.c.number).limit(most)
            numbers = connection.scalars(in_turn).all()
            begun = update(OUTGOING).where(OUTGOING.c.number.in_(numbers), OUTGOING.c.state == State.WAITING)
            taken = begun.values(
                state=State.SENDING,
                since=now,
                begun_at=func.coalesce(OUTGOING.c.begun_at, now, type_=OUTGOING.c.begun_at.type),
                attempts=OUTGOING.c.attempts + 1,
            ).returning(OUTGOING)
            return self._messages(sorted(connection.execute(taken), key=lambda row: (row.priority, row.number)))

    def tried_within(self, channel: str, seconds: float, now: dt.datetime) -> list[float]:
        """How many seconds ago each message of the channel was sent, or tried, by whichever process."""
        since = now - dt.timedelta(seconds=seconds)
        tried = and_(OUTGOING.c.attempts > 0, OUTGOING.c.state != State.DROPPED, OUTGOING.c.since >= since)
        wanted = select(OUTGOING.c.since).where(self._ours(), OUTGOING.c.channel == channel, tried)
        with self._database.reading() as connection:
            return [(now - at).total_seconds() for at in connection.scalars(wanted)]

    def settle(self, settled: Sequence[SendResult], now: dt.datetime) -> None:
        """Notes what became of messages; a late answer counts although another process holds the lease by now."""
        if settled:
            with self._database.writing(brief=True) as connection:
                self._settle(connection, settled, now)

    def left_behind(self, leases: Leases, repeatable: Collection[str], now: dt.datetime) -> None:
        """To be called once when the lease was acquired: what an earlier holder was sending is unknown now.

        In the `repeatable` channels, whose service takes a retry key, it waits again, as long as the key counts.
        """
        with self._database.writing(brief=True) as connection:
            leases.confirm(connection, self.lease)
            stopped = update(OUTGOING).where(self._in(State.SENDING))
            again = and_(OUTGOING.c.channel.in_(repeatable), OUTGOING.c.begun_at > now - KEY_COUNTS)
            connection.execute(stopped.where(again).values(state=State.WAITING, not_before=now))
            connection.execute(stopped.values(state=State.UNKNOWN, note=LEFT))  # `since` stays: when it may have been

    def lapse(self, now: dt.datetime, note: str = LATE) -> int:
        """Drops what may not be sent any more; how many."""
        late = and_(self._in(State.WAITING), OUTGOING.c.not_after <= now)
        with self._database.reading() as connection:
            if connection.scalar(select(OUTGOING.c.number).where(late).limit(1)) is None:
                return 0
        return self._drop(late, note, now)

    def drop(self, channel: str, note: str, now: dt.datetime) -> int:
        """Drops what waits in a channel that was switched off; how many."""
        return self._drop(and_(self._in(State.WAITING), OUTGOING.c.channel == channel), note, now)

    def listed(
        self,
        *states: State,
        most: int,
        before: int | None = None,
        recipient: str | None = None,
        channel: str | None = None,
        purpose: str | None = None,
    ) -> list[Outgoing]:
        """The newest messages in these states (in any, if none is named), with a smaller number than `before`."""
        found = select(OUTGOING).where(self._ours())
        if states:
            found = found.where(OUTGOING.c.state.in_(states))
        if before is not None:
            found = found.where(OUTGOING.c.number < before)
        if recipient is not None:
            found = found.where(OUTGOING.c.recipient == self._person(recipient))
        if channel is not None:
            found = found.where(OUTGOING.c.channel == channel)
        if purpose is not None:
            found = found.where(OUTGOING.c.purpose == purpose)
        with self._database.reading() as connection:
            return self._messages(connection.execute(found.order_by(OUTGOING.c.number.desc()).limit(most)).all())

    def noted(self, state: State, purpose: str, note: str, most: int) -> list[Outgoing]:
        """The oldest messages in this state with exactly this note."""
        which = and_(self._in(state), OUTGOING.c.purpose == purpose, OUTGOING.c.note == note)
        with self._database.reading() as connection:
            found = select(OUTGOING).where(which).order_by(OUTGOING.c.number).limit(most)
            return self._messages(connection.execute(found).all())

    def renote(self, connection: Connection, numbers: Collection[int], note: str) -> None:
        """Another note for messages that are over; `since` stays."""
        ours = and_(self._ours(), OUTGOING.c.number.in_(numbers), OUTGOING.c.state.not_in(OPEN))
        connection.execute(update(OUTGOING).where(ours).values(note=note))

    def newest(self, purpose: str, recipients: Iterable[str]) -> dict[str, tuple[State, str]]:
        """Of each of these who ever had a message of this purpose: the state of the newest, and its note."""
        rows = select(OUTGOING.c.recipient, OUTGOING.c.state, OUTGOING.c.note)
        rows = rows.where(self._ours(), OUTGOING.c.purpose == purpose).order_by(OUTGOING.c.number)
        with self._database.reading() as connection:
            found = {person: (State(state), note) for person, state, note in connection.execute(rows)}
        persons = {one: self._person(one) for one in recipients}
        return {one: found[person] for one, person in persons.items() if person in found}

    def led_to(self, sources: Collection[int], recipients: Iterable[str]) -> dict[int, State]:
        """By inbox message: the state of the newest message to these people that it led to."""
        persons = [self._person(one) for one in recipients]
        rows = select(OUTGOING.c.source, OUTGOING.c.state).where(
            self._ours(), OUTGOING.c.recipient.in_(persons), OUTGOING.c.source.in_(sources)
        )
        with self._database.reading() as connection:
            return {source: State(state) for source, state in connection.execute(rows.order_by(OUTGOING.c.number))}

    def counts(self, purpose: str | None = None) -> dict[tuple[str, State], int]:
        """How many messages of each channel stand where; what is not named is none."""
        found = select(OUTGOING.c.channel, OUTGOING.c.state, func.count()).where(self._ours())
        if purpose is not None:
            found = found.where(OUTGOING.c.purpose == purpose)
        with self._database.reading() as connection:
            rows = connection.execute(found.group_by(OUTGOING.c.channel, OUTGOING.c.state)).all()
        return {(channel, State(state)): number for channel, state, number in rows}

    def _following(self, channel: str, now: dt.datetime) -> Any:
        """The numbers of what may be sent now."""
        earlier = OUTGOING.alias()
        is_first = ~exists().where(
            earlier.c.link == self._link,
            earlier.c.tenant == self._tenant,
            earlier.c.channel == channel,
            earlier.c.key == OUTGOING.c.key,
            tuple_(earlier.c.rank, earlier.c.number) < tuple_(OUTGOING.c.rank, OUTGOING.c.number),
            earlier.c.state.in_(OPEN),
        )
        here = and_(self._in(State.WAITING), OUTGOING.c.channel == channel)
        return select(OUTGOING.c.number).where(here, OUTGOING.c.not_before <= now, OUTGOING.c.not_after > now, is_first)

    def _settle(self, connection: Connection, settled: Sequence[SendResult], now: dt.datetime) -> None:
        for one in settled:
            changed: dict[str, Any] = {"state": one.state, "since": now, "note": one.note}
            if one.not_before is not None:
                changed["not_before"] = one.not_before
            same = (
                OUTGOING.c.number == one.message.number,
                OUTGOING.c.attempts == one.message.attempts,  # nobody has begun anew
                or_(OUTGOING.c.state == State.SENDING, OUTGOING.c.state == State.UNKNOWN),
            )
            connection.execute(update(OUTGOING).where(*same).values(**changed))

    def _drop(self, which: ColumnElement[bool], note: str, now: dt.datetime) -> int:
        with self._database.writing(brief=True) as connection:
            dropped = update(OUTGOING).where(which).values(state=State.DROPPED, since=now, note=note)
            return connection.execute(dropped).rowcount

    def _ours(self) -> ColumnElement[bool]:
        return and_(OUTGOING.c.link == self._link, OUTGOING.c.tenant == self._tenant)

    def _in(self, state: State) -> ColumnElement[bool]:
        return and_(self._ours(), OUTGOING.c.state == state)

    def _row(self, entry: Entry, now: dt.datetime) -> dict[str, Any]:
        event = _digest(entry.event)
        plain = records.to_plain(Content(entry.recipient, entry.to, entry.message))
        return {
            "link": self._link,
            "tenant": self._tenant,
            "event": event,
            "key": _digest(entry.key)[:16],
            "rank": entry.rank,
            "recipient": self._person(entry.recipient),
            "channel": entry.channel,
            "purpose": entry.purpose,
            "source": entry.source,
            "priority": entry.priority,
            "created_at": now,
            "not_before": entry.not_before or now,
            "not_after": entry.not_after,
            "content": self._store.seal(self._place(event), json.dumps(plain).encode()),
            "state": State.DROPPED if entry.dropped else State.WAITING,
            "since": now,
            "attempts": 0,
            "note": entry.dropped,
        }

    def _person(self, recipient: str) -> bytes:
        return _digest(f"{self.lease}\n{recipient}")[:16]

    def _place(self, event: bytes) -> str:
        """What a content is sealed for: it opens as no other message's."""
        return f"outbox/{self._link}/{self._tenant}/{event.hex()}"

    def _messages(self, rows: Iterable[Row[Any]]) -> list[Outgoing]:
        return [
            Outgoing(
                row.number,
                row.channel,
                row.purpose,
                row.source,
                row.created_at,
                row.not_after,
                State(row.state),
                row.since,
                row.begun_at,
                row.attempts,
                row.note,
                str(uuid.uuid5(_KEYS, self._place(row.event))),
                self._place(row.event),
                row.content,
                self._store,
            )
            for row in rows
        ]


def forget(database: Database, now: dt.datetime) -> int:
    """Deletes what has been over for 35 days, of every tenant; how many messages. What waits lapses by itself."""
    old = and_(OUTGOING.c.state.not_in(OPEN), OUTGOING.c.since < now - KEPT)
    gone = 0
    while True:
        with database.writing() as connection:
            some = select(OUTGOING.c.number).where(old).limit(AT_ONCE)
            deleted = connection.execute(delete(OUTGOING).where(OUTGOING.c.number.in_(some))).rowcount
        gone += deleted
        if deleted < AT_ONCE:
            return gone


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
