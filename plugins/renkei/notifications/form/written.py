"""From a `Channel` back to a line of 通知, for the writers of sheets (E15)."""

from __future__ import annotations

from typing import Any

from renkei.channel import EVERY_EVENT, LABELS, Channel, Event
from renkei.notifications.form.lines import ChannelLine
from renkei.notifications.form.words import event_marks
from renkei.notifications.services import SPEC
from renkei.texts import RawCell


def channel_line(channel: Channel) -> ChannelLine:
    """The line of a workbook that reads as this channel; it stands nowhere yet."""
    texts = (channel.name, SPEC[channel.service].label, channel.connection, channel.to, "○" if channel.muted else "")
    name, service, connection, to, muted = (RawCell(text, "") for text in texts)
    marks = tuple(
        (RawCell(LABELS[event], ""), RawCell(mark, "")) for event, mark in zip(Event, event_marks(channel), strict=True)
    )
    return ChannelLine(name, service, connection, to, muted, marks)


def channel_tree(channel: Channel) -> dict[str, Any]:
    """The same for YAML, with what it needs: `events` where not all of them are asked for."""
    found: dict[str, Any] = {"name": channel.name, "service": channel.service.value}
    found |= {key: text for key, text in (("connection", channel.connection), ("to", channel.to)) if text}
    if channel.muted:
        found["muted"] = True
    if channel.events != EVERY_EVENT:
        found["events"] = [event.value for event in Event if event in channel.events]
    return found
