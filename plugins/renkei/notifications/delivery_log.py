"""The account of what was told: which message each channel took, and each channel's state.

A store that fails costs the memory of it, never a message (N3): hence every `except Exception`, for storage libraries
raise kinds of their own, and a file may hold anything.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from renkei.channel import Channel, Event, Service
from renkei.errors import StoreError
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord
from renkei.storage.store import DamagedFileError
from renkei.systems.delivery import Delivery, Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """What became of one message in one channel."""

    channel: str
    service: Service
    event: Event
    verdict: Verdict
    status: int | None
    reason: str
    message_id: str
    at: Moment


class DeliveryLog:
    """`states` is None where no store can be reached; `record` is None for what is told outside a run.

    The record's `told.json` has a `LoggedDelivery` for each channel key.
    """

    def __init__(self, states: ChannelStates | None, record: RunRecord | None = None) -> None:
        self._states, self._record = states, record
        self._known: dict[str, ChannelState] = {}
        self._entries = self._kept()

    def _kept(self) -> dict[str, LoggedDelivery]:
        """What can be read of it: of a damaged file, the sound entries."""
        if self._record is None:
            return {}
        try:
            kept = self._record.json_or_none("told") or {}
        except Exception as error:
            log.warning("what was told in this run cannot be read: %s", _said(error))
            return {}
        sound = {}
        for key, entry in kept.items():
            try:
                sound[key] = records.from_plain(LoggedDelivery, entry)
            except ValueError as error:
                log.warning("%s", DamagedFileError(f"{self._record.folder}/told.json", str(error)))
        return sound

    @property
    def told(self) -> list[LoggedDelivery]:
        """What was told in this run, oldest first."""
        return sorted(self._entries.values(), key=lambda one: (one.at, one.channel))

    def settled(self, key: str) -> tuple[Delivery, dt.datetime] | None:
        """What was noted, and when, of a message that the channel took or may have taken."""
        told = self._entries.get(key)
        if told is None or told.verdict not in (Verdict.ACCEPTED, Verdict.UNKNOWN):
            return None
        return Delivery(told.verdict, told.status, told.reason), told.at

    def settle(self, key: str, channel: Channel, event: Event, delivery: Delivery, now: dt.datetime) -> None:
        self._entries[key] = LoggedDelivery(
            channel.name,
            channel.service,
            event,
            delivery.verdict,
            delivery.status,
            delivery.reason,
            delivery.message_id,
            now,
        )
        if self._record is not None:
            try:
                self._record.write_json("told", {key: records.to_plain(told) for key, told in self._entries.items()})
            except Exception as error:
                log.warning("what was told cannot be noted: %s", _said(error))

    def read(self, channel: Channel) -> ChannelState:
        """The state of a channel, of whatever registration."""
        if channel.name not in self._known:
            self._known[channel.name] = self._read(channel)
        return self._known[channel.name]

    def known(self, channel: Channel) -> ChannelState | None:
        """The state if it was read or kept here."""
        return self._known.get(channel.name)

    def _read(self, channel: Channel) -> ChannelState:
        try:
            return self._states.read(channel) if self._states else ChannelState()
        except Exception as error:
            log.warning("the state of channel %s cannot be read: %s", channel.name, _said(error))
            return ChannelState()

    def keep(self, channel: Channel, state: ChannelState) -> None:
        self._known[channel.name] = state
        try:
            if self._states:
                self._states.write(channel, state)
        except Exception as error:
            log.warning("the state of channel %s cannot be kept: %s", channel.name, _said(error))

    def forget(self, channel: Channel) -> None:
        self._known.pop(channel.name, None)
        try:
            if self._states:
                self._states.forget(channel)
        except Exception as error:
            log.warning("the state of channel %s cannot be cleared: %s", channel.name, _said(error))


def _said(error: Exception) -> str:
    """An error of our store names the file, and quotes nothing; another's text may hold anything."""
    return str(error) if isinstance(error, StoreError) else type(error).__name__
