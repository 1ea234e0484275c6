"""From an event to the outbox's messages: whom to tell, in which channels, and what is not sent and why (W1 to W5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from renkei.links.workplace_lineworks.events.addresses import Address
from renkei.links.workplace_lineworks.events.event import WorkflowEvent
from renkei.links.workplace_lineworks.events.texts import STALE, told
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, Mapping
from renkei.outbox.outbox import Entry

PURPOSE = "event"


def entries_of(
    event: WorkflowEvent,
    mapping: Mapping,
    address_of: Callable[[str, str], Address],
    now: dt.datetime,
    source: int | None = None,
) -> list[Entry]:
    """A message for each recipient in each channel that 通知管理 has for this kind of event.

    One that a channel cannot reach is among them, with the reason; if none of the channels reaches a member, another
    messenger that the tenant uses does (W2). `address_of` gets a user id and a channel.
    """
    chosen = mapping.table.get(event.kind, frozenset())
    wanted = [channel for channel in CHANNELS if channel in chosen and mapping.uses(channel)]
    if not wanted:
        return []
    not_after = event.occurred_at + dt.timedelta(hours=mapping.stale_after_h)
    found: list[Entry] = []
    for user_id in dict.fromkeys(event.recipients):
        addresses = {channel: address_of(user_id, channel) for channel in wanted}
        missing = [channel for channel, address in addresses.items() if address.lacks]
        if len(missing) == len(wanted):
            addresses |= _another_way(user_id, mapping, address_of, wanted)
        message = told(event, missing)
        for channel, address in addresses.items():
            found.append(
                Entry(
                    event="\n".join((PURPOSE, event.id, user_id, channel)),
                    key=f"{event.document.id}\n{user_id}",  # who is not reached keeps no other reader waiting
                    channel=channel,
                    purpose=PURPOSE,
                    recipient=user_id,
                    to=address.to,
                    message=message,
                    not_after=not_after,
                    source=source,
                    rank=event.sequence or 0,
                    dropped=address.lacks or (STALE if now >= not_after else ""),
                )
            )
    return found


def _another_way(
    user_id: str, mapping: Mapping, address_of: Callable[[str, str], Address], wanted: list[str]
) -> dict[str, Address]:
    """The first other messenger in use that reaches him; none where there is none."""
    for channel in CHANNELS:
        if mapping.uses(channel) and channel not in wanted:
            address = address_of(user_id, channel)
            if address.to:
                return {channel: address}
    return {}
