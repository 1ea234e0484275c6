"""Workflow events of WORKPLACE, and one tenant that tells its members of them."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.inbox.inbox import Inbox
from renkei.inbox.lease import Leases
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State as InboxState
from renkei.links.workplace_lineworks.events.files import EventFiles
from renkei.links.workplace_lineworks.events.worker import LINK, EventWorker, OpenChannel
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS, Mapping
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import Members
from renkei.outbox.outbox import Outbox
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.sender import Outlet
from renkei.outbox.tables import State
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, accepted

AT = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
LONG = 120  # s
MAPPING = Mapping(
    "acme",
    "Acme",
    messengers=dict.fromkeys(CHANNELS, True),
    table=dict.fromkeys(EVENTS, frozenset(CHANNELS)),
)


def an_event(number: int = 1, kind: str = "requested", at: dt.datetime = AT, **more: Any) -> dict[str, Any]:
    """An event, as WORKPLACE pushes it."""
    document = {
        "id": "doc-1",
        "number": "KEIHI-2026-001",
        "title": "経費精算書",
        "url": "https://workplace.example.jp/wf/doc-1",
    }
    known = {"id": f"evt-{number}", "kind": kind, "occurred_at": at.isoformat(), "recipients": ["sato"]}
    return {**known, "document": document | more.pop("document", {}), **more}


class Told:
    """A messenger that keeps what it is given. `answers` are taken first."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.answers: list[Delivery] = []

    def send(self, message: Message, to: str, key: str) -> Delivery:
        self.sent.append((to, message))
        return self.answers.pop(0) if self.answers else accepted(200)

    def check(self) -> Delivery:
        return accepted(200)


class EventWorld:
    """One tenant: `sato` is reached everywhere, `kato` is in the table and nowhere registered. `now` is its clock."""

    def __init__(self, folder: Path, mapping: Mapping = MAPPING, url: str = "") -> None:
        self.folder, self.mapping, self.now = folder, mapping, AT
        self.url = url or f"sqlite:///{folder}/renkei.db"
        self.database = open_database(self.url)
        self.store = Store(LocalFileSystem(), str(folder / "store"), Cipher(KEY))
        self.tenant = TenantFolder(self.store, LINK, mapping.tenant)
        self.outbox = Outbox(self.database, self.store, LINK, mapping.tenant)
        self.inbox = Inbox(self.database, self.store, LINK, mapping.tenant)
        self.own = OwnEntries(self.database, self.tenant)
        self.leases = Leases(self.database)
        self.told = {channel: Told() for channel in CHANNELS}
        self.registrations = {"lineworks": "lw1", "slack": "s1", "google_chat": "", "line": "l1"}
        self.disabled: list[str] = []
        self.register(
            sato={
                "slack_member_id": "U0SATO",
                "google_chat_webhook": "https://chat.googleapis.com/v1/spaces/S/messages?key=k&token=t",
                "line_user_id": "U" + "a" * 32,
            },
            kato={},
        )
        self.open_channel: OpenChannel = lambda channel: (
            Outlet(self.told[channel], takes_key=channel == "line"),
            self.registrations[channel],
        )
        assert self.leases.acquire(self.inbox.lease)
        self.drop = folder / "drop"
        self.receiver = Receiver(self.url, self.store)
        self.worker = self.new_worker()

    def register(self, **members: dict[str, str]) -> None:
        """The whole members table, by user id."""
        import pandas as pd

        rows = [
            {"user_id": user} | dict.fromkeys(("slack_member_id", "google_chat_webhook", "line_user_id"), "") | fields
            for user, fields in members.items()
        ]
        Members(self.tenant).replace(pd.DataFrame(rows, dtype="str"))

    def new_worker(self, mapping: Mapping | None = None) -> EventWorker:
        self.mapping = mapping or self.mapping
        self.worker = EventWorker(
            self.mapping,
            self.database,
            self.outbox,
            self.leases,
            self.open_channel,
            self.own.find,
            failures=3,
            tell=lambda channel, _fault: self.disabled.append(channel),
            files=EventFiles(
                self.drop,
                lambda event: self.receiver.accept(
                    LINK, "acme", event.id, event.document.id, self.now, event.model_dump_json().encode()
                ),
            ),
            clock=lambda: self.now,
        )
        return self.worker

    def push(self, *events: dict[str, Any]) -> None:
        """Events that the receiver has accepted, in this order."""
        for event in events:
            body = json.dumps(event).encode()
            self.receiver.accept(LINK, "acme", event["id"], event["document"]["id"], self.now, body).result(LONG)

    def work(self) -> list[str]:
        """Handles what waits in the inbox; the notes of what became of it."""
        notes = []
        while taken := self.inbox.take(self.leases, 8):
            for message in taken:
                settled = self.worker.handle(message)
                self.inbox.settle(message, settled.state, settled.note)
                notes.append(f"{settled.state} {settled.note}".strip())
        return notes

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG
        while not true():
            assert time.monotonic() < end, self.outbox.counts()
            self.work()
            self.worker.tick()
            time.sleep(0.005)

    def all_sent(self) -> None:
        """Nothing waits or is being sent any more."""
        self.until(lambda: not any(self.count(state) for state in (State.WAITING, State.SENDING)))
        self.until(lambda: self.inbox.counts()[InboxState.WAITING] == 0 and not self.worker._sender._running)

    def count(self, state: State) -> int:
        return sum(number for (_, found), number in self.outbox.counts().items() if found is state)

    def account(self, user_id: str) -> dict[str, tuple[str, str]]:
        """What became of the last message to a member in each channel: its state and note."""
        found: dict[str, tuple[str, str]] = {}
        for one in reversed(self.outbox.listed(most=100, recipient=user_id)):
            found[one.channel] = (one.state.value, one.note)
        return found

    def listed(self, channel: str) -> list[Outgoing]:
        return [one for one in self.outbox.listed(most=100) if one.channel == channel]

    def titles(self, channel: str) -> list[str]:
        return [message.title.removeprefix("【WORKPLACE】") for _, message in self.told[channel].sent]
