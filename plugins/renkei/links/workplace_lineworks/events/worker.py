"""Works one tenant's events off: from the inbox to the outbox, and out of it (W1 to W9)."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, delete, select

from renkei.clock import utcnow
from renkei.errors import ConnectionError_
from renkei.inbox.drain import HandlingResult
from renkei.inbox.inbox import Message
from renkei.inbox.lease import Leases
from renkei.inbox.tables import State
from renkei.links.workplace_lineworks.events.addresses import Address, Addresses
from renkei.links.workplace_lineworks.events.entries import PURPOSE, entries_of
from renkei.links.workplace_lineworks.events.event import BadEventError, WorkflowEvent, event_of
from renkei.links.workplace_lineworks.events.faults import DISABLED, WHOLE, Fault, Faults, person
from renkei.links.workplace_lineworks.events.files import EventFiles
from renkei.links.workplace_lineworks.events.summary import sum_up
from renkei.links.workplace_lineworks.events.tables import DOCUMENT
from renkei.links.workplace_lineworks.events.texts import NOT_CHOSEN, STALE, SWITCHED_OFF
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, Mapping
from renkei.notifications.members.table import Member
from renkei.outbox.outbox import Outbox
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.sender import NOWHERE, Outlet, Sender
from renkei.storage.database.database import Database
from renkei.storage.database.statements import replace as replaced
from renkei.systems.delivery import Delivery, Messenger, Verdict, refused
from renkei.systems.delivery import Message as ToMember

LINK = "workplace_lineworks"
GRACE = dt.timedelta(seconds=10)  # for an earlier event of the document that is still on its way
SUMS_UP_EVERY_S, LOOKS_EVERY_S = 60.0, 2.0  # what was too old; the folder of files
TIDIES_EVERY_S = 3600.0  # that folder
UNOPENED = "(no connection)"  # in the place of a registration
DOCUMENTS_KEPT = dt.timedelta(days=35)

# A channel's client and its registration's digest; raises ConnectionError_. "" as digest: each member has his own.
OpenChannel = Callable[[str], tuple[Outlet, str]]


class EventWorker:
    """A `Worker` of the pump (inbox/pump.py)."""

    at_once = 8

    def __init__(
        self,
        mapping: Mapping,
        database: Database,
        outbox: Outbox,
        leases: Leases,
        open_channel: OpenChannel,
        find_member: Callable[[str], Member | None],
        failures: int,
        tell: Callable[[str, Fault], None] = lambda _channel, _fault: None,
        files: EventFiles | None = None,
        clock: Callable[[], dt.datetime] = utcnow,
    ) -> None:
        """`tell` is told of a channel that was disabled as a whole, or refuses `failures` readers in a row.

        To be made by who holds the tenant's lease.
        """
        self._mapping, self._database, self._outbox, self._clock = mapping, database, outbox, clock
        self._open_channel, self._tell, self._files = open_channel, tell, files
        self._addresses = Addresses(find_member)
        self._faults, self._failures = Faults(database, mapping.tenant, failures), failures
        self._refused: dict[str, set[bytes]] = {}  # by channel, the readers whom it has refused since it took a message
        self._registrations: dict[str, str] = {}  # of the channels, as they were opened last
        self._sender = Sender(outbox, leases, self._open, self._watch, late=STALE, clock=clock)
        self._sums_up_at = self._tidies_at = 0.0
        self._sender.left_behind()
        for channel in CHANNELS:
            if not mapping.uses(channel):
                outbox.drop(channel, SWITCHED_OFF, clock())  # W7

    def handle(self, message: Message) -> HandlingResult:
        """Puts an event's messages into the outbox: done twice is done once."""
        try:
            event = event_of(message.body())
        except BadEventError as error:
            return HandlingResult(State.REFUSED, str(error))
        now = self._clock()
        entries = entries_of(event, self._mapping, self._address, now, message.number)
        with self._database.writing() as connection:
            not_before = self._not_before(connection, event, now)
            self._outbox.add(connection, [replace(entry, not_before=not_before) for entry in entries], now)
        for channel in {entry.channel for entry in entries if not entry.dropped}:
            self._sender.call(channel)
        return HandlingResult(State.DONE, "" if entries else NOT_CHOSEN)

    def look_back(self, message: Message) -> None:
        """Nothing but its own transaction makes an event's messages: it is handled anew."""

    def tick(self) -> float:
        now, soon = self._clock(), self._sender.tick()
        if time.monotonic() >= self._sums_up_at:
            self._sums_up_at = time.monotonic() + SUMS_UP_EVERY_S
            used = [channel for channel in CHANNELS if self._mapping.uses(channel)]
            sum_up(self._database, self._outbox, PURPOSE, used, now)
        if self._files:
            if time.monotonic() >= self._tidies_at:
                self._tidies_at = time.monotonic() + TIDIES_EVERY_S
                self._files.tidy(now)
            self._files.take(now)
        return min(soon, LOOKS_EVERY_S)

    def close(self) -> None:
        self._sender.close()

    def _not_before(self, connection: Connection, event: WorkflowEvent, now: dt.datetime) -> dt.datetime | None:
        """Notes the event in its document's order; until when to wait for one before it, if one is missing (W4)."""
        if event.sequence is None:
            return None
        digest = hashlib.sha256(event.document.id.encode()).digest()[:16]
        here = (DOCUMENT.c.tenant == self._mapping.tenant, DOCUMENT.c.document == digest)
        last = connection.scalar(select(DOCUMENT.c.sequence).where(*here)) or 0
        row = {"tenant": self._mapping.tenant, "document": digest, "sequence": max(last, event.sequence), "at": now}
        connection.execute(replaced(self._database, DOCUMENT), row)
        return now + GRACE if event.sequence > last + 1 else None

    def _address(self, user_id: str, channel: str) -> Address:
        """Raises StoreError: the members table cannot be read; the event is handled anew."""
        found = self._addresses.of(user_id, channel)
        return Address(lacks=DISABLED) if self._faults.disabled(channel, found.to, found.to, self._clock()) else found

    def _open(self, channel: str) -> Outlet:
        """Raises ConnectionError_: it is not registered, which is told once, or its registration is void."""
        try:
            outlet, registration = self._open_channel(channel)
        except ConnectionError_ as error:
            self._stop(channel, UNOPENED, refused(None, str(error), dead=True))
            raise
        self._registrations[channel] = registration
        fault = self._faults.disabled(channel, WHOLE, registration, self._clock()) if registration else None
        if fault:
            raise ConnectionError_(f"{CHANNELS[channel]}への送信を止めています。登録し直してください（{fault.note}）。")
        return replace(
            outlet,
            messenger=_Disabling(outlet.messenger, channel, self._faults, self._clock),
            address=lambda content: (
                self._addresses.of(content.recipient, channel).to
            ),  # who left meanwhile reads nothing
        )

    def _watch(self, message: Outgoing, delivery: Delivery) -> None:
        """Counts an answer against the channel where its secret is void, else against its reader's address (N2, N8)."""
        if delivery.reason in (DISABLED, NOWHERE):
            return
        now, registration, channel = self._clock(), self._registrations.get(message.channel, ""), message.channel
        if registration and (delivery.dead or delivery.accepted):
            self._stop(channel, registration, delivery)
        if delivery.dead and registration:
            return
        to = message.content().to
        self._faults.note(channel, to, to, delivery, now)
        if registration:
            self._count_refused(channel, registration, to, delivery)

    def _count_refused(self, channel: str, registration: str, to: str, delivery: Delivery) -> None:
        """One reader who is refused may have left; of several in a row somebody has to hear, once (N2)."""
        readers = self._refused.setdefault(channel, set())
        if delivery.accepted:
            readers.clear()
        elif delivery.verdict is Verdict.REFUSED:
            readers.add(person(to))
            if len(readers) == self._failures and not self._faults.is_known(channel, registration):
                self._stop(channel, registration, delivery)
                self._tell(channel, Fault(person(registration), len(readers), False, None, delivery.reason))

    def _stop(self, channel: str, registration: str, delivery: Delivery) -> None:
        """Notes that nothing passes in a channel, and tells so once; or, of an accepted delivery, that it does again."""
        fault = self._faults.note(channel, WHOLE, registration, delivery, self._clock())
        if fault:
            self._tell(channel, fault)


class _Disabling:
    """A channel's client that sends nothing to an address that is disabled."""

    def __init__(self, inner: Messenger, channel: str, faults: Faults, clock: Callable[[], dt.datetime]) -> None:
        self._inner, self._channel, self._faults, self._clock = inner, channel, faults, clock

    def send(self, message: ToMember, to: str, key: str) -> Delivery:
        if self._faults.disabled(self._channel, to, to, self._clock()):
            return refused(None, DISABLED)
        return self._inner.send(message, to, key)

    def check(self) -> Delivery:
        return self._inner.check()


def forget(database: Database, now: dt.datetime) -> int:
    """Deletes the order of documents of which nothing was heard for 35 days; how many."""
    with database.writing() as connection:
        return connection.execute(delete(DOCUMENT).where(DOCUMENT.c.at < now - DOCUMENTS_KEPT)).rowcount
