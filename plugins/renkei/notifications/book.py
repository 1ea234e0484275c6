"""The account of what was told: which message each channel took, and each channel's state. A store that fails costs the
memory of it, never a message (N3)."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from renkei.errors import StoreError
from renkei.notifications.channel import Channel
from renkei.notifications.event import Event
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.storage.runs import RunRecord
from renkei.systems.messaging import Delivery, Verdict

log = logging.getLogger(__name__)


class Book:
    """`states` is None where no store can be reached; `record` is None for what is told outside a run.

    The record's `told.json` has, by channel key: channel, service, event, verdict, status, reason, message id, time.
    """

    def __init__(self, states: ChannelStates | None, record: RunRecord | None = None) -> None:
        self._states, self._record = states, record
        self._known: dict[str, ChannelState] = {}
        self._entries: dict[str, Any] = self._kept()

    def _kept(self) -> dict[str, Any]:
        if self._record is None:
            return {}
        try:
            return self._record.json_or_none("told") or {}
        except StoreError as error:
            log.warning("what was told in this run cannot be read: %s", type(error).__name__)
            return {}

    def settled(self, key: str) -> bool:
        """Whether the channel took this message, or may have taken it."""
        return self._entries.get(key, {}).get("verdict") in (Verdict.ACCEPTED, Verdict.UNKNOWN)

    def settle(self, key: str, channel: Channel, event: Event, delivery: Delivery, now: dt.datetime) -> None:
        self._entries[key] = {
            "channel": channel.name,
            "service": channel.service.value,
            "event": event.value,
            "verdict": delivery.verdict.value,
            "status": delivery.status,
            "reason": delivery.reason,
            "message_id": delivery.message_id,
            "at": now.isoformat(),
        }
        if self._record is not None:
            try:
                self._record.write_json("told", self._entries)
            except StoreError as error:
                log.warning("what was told cannot be noted: %s", type(error).__name__)

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
        except StoreError as error:
            log.warning("the state of channel %s cannot be read: %s", channel.name, type(error).__name__)
            return ChannelState()

    def keep(self, channel: Channel, state: ChannelState) -> None:
        self._known[channel.name] = state
        try:
            if self._states:
                self._states.write(channel, state)
        except StoreError as error:
            log.warning("the state of channel %s cannot be kept: %s", channel.name, type(error).__name__)

    def forget(self, channel: Channel) -> None:
        self._known.pop(channel.name, None)
        try:
            if self._states:
                self._states.forget(channel)
        except StoreError as error:
            log.warning("the state of channel %s cannot be cleared: %s", channel.name, type(error).__name__)
