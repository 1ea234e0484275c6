"""Notifications that were too old to be sent, told to their reader in one message (W5)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection

from renkei.links.workplace_lineworks.events.texts import STALE, SUMMED_UP, TOO_OLD, summed_up
from renkei.outbox.outbox import Entry, Outbox
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.tables import State
from renkei.storage.database.database import Database

PURPOSE = "summary"
AFTER = dt.timedelta(minutes=10)  # what is too old mostly comes together, after an outage
LASTS = dt.timedelta(hours=24)  # for which the summary itself is worth being sent
AT_ONCE = 1_000


def sum_up(
    database: Database, outbox: Outbox, event_purpose: str, channels: Collection[str], now: dt.datetime
) -> set[str]:
    """Adds a message for each member with something to be summed up, in those of the `channels` that are used.

    The channels that have one now.
    """
    stale = outbox.noted(State.DROPPED, event_purpose, STALE, most=AT_ONCE)
    if not stale or (now - max(one.since for one in stale) < AFTER and now - stale[0].since < 6 * AFTER):
        return set()
    told: Counter[tuple[str, str, str]] = Counter()
    for one in stale:
        content = one.content()
        told[one.channel, content.recipient, content.to] += 1
    entries = [
        Entry(
            event="\n".join((PURPOSE, channel, recipient, str(_last(stale, channel)))),
            key=f"{PURPOSE}\n{recipient}",
            channel=channel,
            purpose=PURPOSE,
            recipient=recipient,
            to=to,
            message=summed_up(number),
            not_after=now + LASTS,
        )
        for (channel, recipient, to), number in told.items()
        if to and channel in channels
    ]
    with database.writing() as connection:
        outbox.add(connection, entries, now)
        outbox.renote(connection, [one.number for one in stale if one.channel in channels], SUMMED_UP)
        outbox.renote(connection, [one.number for one in stale if one.channel not in channels], TOO_OLD)
    return {one.channel for one in entries}


def _last(stale: list[Outgoing], channel: str) -> int:
    return max(one.number for one in stale if one.channel == channel)
