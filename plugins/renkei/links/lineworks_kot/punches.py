"""The rows of punches: what each message asked for, and what became of it (docs/decisions/0021)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, select, update

from renkei.inbox.inbox import Message
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.deciding import Decision, PunchMessage, Reason
from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.outbox.outbox import Entry, Outbox
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.storage.store import Store

KEPT = dt.timedelta(days=400)  # as long as people ask about a year's working hours
AT_ONCE = 5_000  # rows deleted in one transaction


class State(StrEnum):
    """Where a punch stands."""

    SENDING = "sending"  # it may have been sent to KING OF TIME
    UNKNOWN = "unknown"  # it was, and the answer says nothing
    DONE = "done"  # KING OF TIME has it
    DOUBLE = "double"  # KING OF TIME has the one before it (P13)
    HELD = "held"  # a person decides (P10)
    APPROVED = "approved"  # a person has: it is to be sent
    REFUSED = "refused"
    NONE = "none"  # it was no punch: no word, two kinds, or nobody's

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    State.SENDING: "送信中",
    State.UNKNOWN: "確認中",
    State.DONE: "打刻済み",
    State.DOUBLE: "受付済み（二重）",
    State.HELD: "承認待ち",
    State.APPROVED: "承認済み（送信待ち）",
    State.REFUSED: "打刻できません",
    State.NONE: "打刻していません",
}
COUNTS = (State.SENDING, State.UNKNOWN, State.DONE, State.APPROVED)  # for P13, and what KING OF TIME is to have (P19)


@dataclass(frozen=True, slots=True)
class Punch:
    """One row. `day` and `kind` are there wherever the punch is one."""

    number: int
    key: str
    code: str
    division: str
    kind: Kind | None
    word: str
    issued_at: dt.datetime
    day: dt.date | None
    state: State
    reason: Reason | None
    note: str
    received_at: dt.datetime
    sent_at: dt.datetime | None
    done_at: dt.datetime | None
    by: str
    absent: int  # how often KING OF TIME was asked about it, and did not have it
    _sender: bytes = field(repr=False)


class Punches:
    """The punches of one tenant. Replies go into the outbox in the same transaction (P16)."""

    def __init__(self, database: Database, store: Store, tenant: str) -> None:
        self._database, self._store, self._tenant = database, store, tenant
        self._outbox = Outbox(database, store, LINK, tenant)

    def of(self, number: int) -> Punch | None:
        with self._database.reading() as connection:
            row = connection.execute(select(PUNCH).where(self._is(number))).first()
        return punch_of(row) if row else None

    def sender_of(self, punch: Punch) -> str:
        """Who wrote it: the userId. Raises StoreError: its key is missing."""
        return self._store.unseal(self._place(punch.number), punch._sender).decode()

    def begin(
        self,
        message: Message,
        punch_message: PunchMessage,
        decision: Decision,
        double_press_s: int,
        if_double: Iterable[Entry],
        now: dt.datetime,
    ) -> Punch:
        """A punch that is to be sent, SENDING from now on; DOUBLE where the same person has just punched the same (P13)."""
        assert decision.person is not None
        around = dt.timedelta(seconds=double_press_s)
        same = and_(
            PUNCH.c.tenant == self._tenant,
            PUNCH.c.key == decision.person.key,
            PUNCH.c.kind == decision.kind,
            PUNCH.c.state.in_(COUNTS),
            PUNCH.c.number != message.number,
            PUNCH.c.issued_at.between(punch_message.issued_at - around, punch_message.issued_at + around),
        )
        with self._database.writing(brief=True) as connection:
            if double_press_s and connection.scalar(select(exists().where(same))):
                row = self._row(message, punch_message, decision, State.DOUBLE, Reason.DOUBLE, done_at=now)
                self._outbox.add(connection, if_double, now)
            else:
                row = self._row(message, punch_message, decision, State.SENDING, None, sent_at=now)
            return self._add(connection, row)

    def keep(
        self,
        message: Message,
        punch_message: PunchMessage,
        decision: Decision,
        state: State,
        replies: Iterable[Entry],
        now: dt.datetime,
    ) -> Punch:
        """A message that is no punch, or waits for a person."""
        with self._database.writing(brief=True) as connection:
            done_at = None if state is State.HELD else now
            row = self._row(message, punch_message, decision, state, decision.reason, done_at=done_at)
            self._outbox.add(connection, replies, now)
            return self._add(connection, row)

    def sent_again(self, punch: Punch, now: dt.datetime) -> None:
        with self._database.writing(brief=True) as connection:
            connection.execute(update(PUNCH).where(self._is(punch.number)).values(state=State.SENDING, sent_at=now))

    def note_absent(self, punch: Punch) -> None:
        """KING OF TIME was asked about a punch that was sent, and does not have it."""
        with self._database.writing(brief=True) as connection:
            values = {"absent": PUNCH.c.absent + 1}
            connection.execute(update(PUNCH).where(self._is(punch.number)).values(values))

    def become(
        self,
        punch: Punch,
        state: State,
        replies: Iterable[Entry],
        now: dt.datetime,
        reason: Reason | None = None,
        note: str = "",
        absent: int | None = None,
    ) -> None:
        """What became of a punch that was sent; `absent` where it changes."""
        done_at = None if state in (State.UNKNOWN, State.HELD) else now
        with self._database.writing(brief=True) as connection:
            values = {"state": state, "reason": reason or "", "note": note, "done_at": done_at}
            count = {} if absent is None else {"absent": absent}
            connection.execute(update(PUNCH).where(self._is(punch.number)).values(**values, **count))
            self._outbox.add(connection, replies, now)

    def decide(
        self,
        connection: Connection,
        number: int,
        state: State,
        by: str,
        replies: Iterable[Entry],
        now: dt.datetime,
    ) -> bool:
        """A person's word about a held one: APPROVED or REFUSED. Whether it was held."""
        decided = {
            "state": state,
            "by": by,
            "reason": Reason.BY_HAND if state is State.REFUSED else PUNCH.c.reason,
            "done_at": now if state is State.REFUSED else None,
        }
        held = (self._is(number), PUNCH.c.state == State.HELD)
        changed = connection.execute(update(PUNCH).where(*held).values(decided)).rowcount > 0
        if changed:
            self._outbox.add(connection, replies, now)
        return changed

    def of_day(self, day: dt.date, states: Sequence[State] = COUNTS) -> list[Punch]:
        """The punches of a working day, by number."""
        wanted = select(PUNCH).where(
            PUNCH.c.tenant == self._tenant, PUNCH.c.day == day, PUNCH.c.state.in_(states), PUNCH.c.key != ""
        )
        with self._database.reading() as connection:
            return [punch_of(row) for row in connection.execute(wanted.order_by(PUNCH.c.number))]

    def held(self) -> int:
        """How many wait for a person (P10, P14)."""
        waiting = (PUNCH.c.tenant == self._tenant, PUNCH.c.state == State.HELD)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).where(*waiting)) or 0

    def refused(self, since: dt.datetime) -> int:
        """How many KING OF TIME refused since then."""
        by_king = (PUNCH.c.tenant == self._tenant, PUNCH.c.reason == Reason.REFUSED, PUNCH.c.received_at >= since)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).where(*by_king)) or 0

    def were_received(self, since: dt.datetime, until: dt.datetime) -> bool:
        """Whether a registered employee asked for a punch in that time."""
        asked = and_(PUNCH.c.key != "", PUNCH.c.reason != Reason.NO_WORD)
        mine = and_(PUNCH.c.tenant == self._tenant, PUNCH.c.received_at.between(since, until), asked)
        with self._database.reading() as connection:
            return bool(connection.scalar(select(exists().where(mine))))

    def _add(self, connection: Connection, row: dict[str, Any]) -> Punch:
        """The row, or the one that is there already."""
        new = insert(self._database, PUNCH).on_conflict_do_nothing(index_elements=["tenant", "number"])
        connection.execute(new, row)
        return punch_of(connection.execute(select(PUNCH).where(self._is(row["number"]))).one())

    def _row(
        self,
        message: Message,
        punch_message: PunchMessage,
        decision: Decision,
        state: State,
        reason: Reason | None,
        sent_at: dt.datetime | None = None,
        done_at: dt.datetime | None = None,
    ) -> dict[str, Any]:
        person = decision.person
        return {
            **{"tenant": self._tenant, "number": message.number, "day": decision.day, "state": state},
            **{"key": person.key if person else "", "code": person.code if person else ""},
            "division": person.division if person else "",
            "kind": decision.kind if len(decision.words) == 1 else "",
            "word": "、".join(word.text for word in decision.words)[:100],
            **{"issued_at": punch_message.issued_at, "received_at": message.received_at, "reason": reason or ""},
            **{"sent_at": sent_at, "done_at": done_at},
            "sender": self._store.seal(self._place(message.number), punch_message.user_id.encode()),
        }

    def _is(self, number: int) -> ColumnElement[bool]:
        return and_(PUNCH.c.tenant == self._tenant, PUNCH.c.number == number)

    def _place(self, number: int) -> str:
        return f"{LINK}/{self._tenant}/punch/{number}"


def tidy(database: Database, now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes what is older, of every tenant, but for what is not over; how many rows."""
    before, gone = now - min(keep, KEPT), 0
    is_open = (State.SENDING, State.UNKNOWN, State.HELD, State.APPROVED)
    old = select(PUNCH.c.number).where(PUNCH.c.received_at < before, PUNCH.c.state.not_in(is_open)).limit(AT_ONCE)
    while True:
        with database.writing() as connection:
            deleted = connection.execute(delete(PUNCH).where(PUNCH.c.number.in_(old))).rowcount
        gone += deleted
        if deleted < AT_ONCE:
            return gone


def punch_of(row: Row[Any]) -> Punch:
    """A row as it was read."""
    return Punch(
        row.number,
        row.key,
        row.code,
        row.division,
        Kind(row.kind) if row.kind else None,
        row.word,
        row.issued_at,
        row.day,
        State(row.state),
        Reason(row.reason) if row.reason else None,
        row.note,
        row.received_at,
        row.sent_at,
        row.done_at,
        row.by,
        row.absent,
        row.sender,
    )
