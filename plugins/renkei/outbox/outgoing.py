"""A message of the outbox as it was asked for, and what became of it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field

from renkei.outbox.tables import State
from renkei.storage import records
from renkei.storage.store import Store
from renkei.systems.delivery import Message


@dataclass(frozen=True, slots=True)
class Content:
    """What is sealed of a message."""

    recipient: str = field(repr=False)
    to: str = field(repr=False)
    message: Message = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, as it was when it was asked for."""

    number: int
    channel: str
    purpose: str
    source: int | None
    created_at: dt.datetime
    not_after: dt.datetime
    state: State
    since: dt.datetime
    begun_at: dt.datetime | None
    attempts: int
    note: str
    retry_key: str  # a UUID, the same whenever it is sent
    _place: str = field(repr=False)
    _sealed: bytes = field(repr=False)
    _store: Store = field(repr=False)

    def content(self) -> Content:
        """Whom it is for, and what it says.

        Raises:
            StoreError: its key is missing.
        """
        return records.from_plain(Content, json.loads(self._store.unseal(self._place, self._sealed)))


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a message; WAITING where it was surely not sent, and is to be sent at `not_before` or later."""

    message: Outgoing
    state: State
    note: str = ""
    not_before: dt.datetime | None = None
