"""The channels of a company (通知連携) as its pages show and change them (N1, N2, N5, N8)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from renkei.channel import Channel, Event, Service
from renkei.notifications.services import SPEC
from renkei.web.connection_facts import ConnectionState

TAIL = 4  # characters of a destination that are shown


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel of the sheet, and how it does."""

    channel: Channel
    of_sheet: bool = True  # else 結果通知先メールアドレス, which stands in 連携情報
    disabled_since: dt.datetime | None = None
    failures: int = 0  # runs in a row
    last_at: dt.datetime | None = None
    last_well: bool | None = None
    said: str = ""  # why the last delivery failed, and what to do
    ends_on: dt.date | None = None  # the 有効期限 that is near or over

    @property
    def key(self) -> str:
        return channel_key(self.channel.name)

    @property
    def label(self) -> str:
        return SPEC[self.channel.service].label

    @property
    def destination(self) -> str:
        """The end of 送信先, by which whoever knows it tells it; empty where the secret says it all."""
        return f"…{self.channel.to[-TAIL:]}" if self.channel.to else ""

    @property
    def is_disabled(self) -> bool:
        return self.disabled_since is not None


@dataclass(frozen=True, slots=True)
class TriedStep:
    """One step of a test of a channel."""

    title: str
    well: bool
    found: str
    remedy: str = ""
    decides: bool = True


@dataclass(frozen=True, slots=True)
class TriedChannel:
    """What a job says of a channel to which a test message was sent."""

    name: str
    steps: Sequence[TriedStep] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return bool(self.steps) and all(one.well for one in self.steps if one.decides)


class Channels(Protocol):
    """The channels of the companies."""

    def channel_lines(self, dag_id: str) -> Sequence[ChannelLine]:
        """All of them, 結果通知メール first. Raises StoreError: how they do cannot be read."""

    def channel_connection(
        self, dag_id: str, service: Service, of: Channel | None, taken: Collection[str]
    ) -> ConnectionState | None:
        """The Connection of a channel, or of a new one of this service; None: the service needs none.

        `taken` are those of the channels in the sheet, which may not have been read yet.
        """

    def connection_renewed(self, dag_id: str, connection: str) -> None:
        """As `channels_renewed`, of the channels with this Connection."""

    def channels_renewed(self, dag_id: str, names: Collection[str]) -> None:
        """These were registered again: their failures are forgotten, and whoever was 無効 is not. Raises StoreError."""


def channel_key(name: str) -> str:
    """A channel in an address, which holds no name that may be a person's."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def with_events(channels: Sequence[Channel], table: Mapping[str, Collection[Event]]) -> list[Channel]:
    """The channels with the events of 通知管理, by key; of a channel that the table has not, its own."""
    return [
        replace(one, events=frozenset(table[key])) if (key := channel_key(one.name)) in table else one
        for one in channels
    ]
