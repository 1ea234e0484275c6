"""The account of what was told: which message each channel took, and each channel's state.

A store that fails costs the memory of it, never a message (N3): hence every `except Exception`, for storage libraries
raise kinds of their own, and a file may hold anything.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from renkei.notifications.channel import Channel
from renkei.notifications.event import Event
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.storage.runs import RunRecord
from renkei.systems.delivery import Delivery, Verdict

log = logging.getLogger(__name__)


class DeliveryLog:
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
            kept = self._record.json_or_none("told") or {}
            return {key: entry for key, entry in kept.items() if isinstance(entry, dict)}
        except Exception as error:
            log.warning("what was told in this run cannot be read: %s", type(error).__name__)
            return {}

    def settled(self, key: str) -> tuple[Delivery, dt.datetime] | None:
        """What was noted, and when, of a message that the channel took or may have taken."""
        entry = self._entries.get(key, {})
        try:
            verdict, at = Verdict(entry["verdict"]), dt.datetime.fromisoformat(entry["at"])
        except (KeyError, TypeError, ValueError):
            return None
        if verdict not in (Verdict.ACCEPTED, Verdict.UNKNOWN):
            return None
        return Delivery(verdict, entry.get("status"), entry.get("reason", "")), at

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
            except Exception as error:
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
        except Exception as error:
            log.warning("the state of channel %s cannot be read: %s", channel.name, type(error).__name__)
            return ChannelState()

    def keep(self, channel: Channel, state: ChannelState) -> None:
        self._known[channel.name] = state
        try:
            if self._states:
                self._states.write(channel, state)
        except Exception as error:
            log.warning("the state of channel %s cannot be kept: %s", channel.name, type(error).__name__)

    def forget(self, channel: Channel) -> None:
        self._known.pop(channel.name, None)
        try:
            if self._states:
                self._states.forget(channel)
        except Exception as error:
            log.warning("the state of channel %s cannot be cleared: %s", channel.name, type(error).__name__)
