"""A tenant's worker of the inbox, with what it needs of Airflow: Connections and channels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from renkei import settings
from renkei.channel import Event, Service
from renkei.clock import utcnow
from renkei.inbox.lease import Leases
from renkei.links.lineworks_kot import LINK, punches
from renkei.links.lineworks_kot.alarms import OVER, SUBJECTS
from renkei.links.lineworks_kot.punching import Puncher, PunchingContext
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.notifications.deliver import was_accepted
from renkei.notifications.messengers import messenger
from renkei.notifications.registration import Registration
from renkei.orchestration.channel_connections import notify_channels, registration_of
from renkei.orchestration.connections import open_store
from renkei.orchestration.lineworks_kot.connections import kingoftime_client
from renkei.orchestration.lineworks_kot.lineworks import connection_of, lineworks
from renkei.orchestration.tenant import Tenant
from renkei.outbox.outbox import Outbox
from renkei.outbox.sender import Outlet, Sender
from renkei.storage.database.database import open_database
from renkei.systems.delivery import Message, Tone, key_of
from renkei.systems.lineworks.pace import MINUTE_S


def drain(tenant: Tenant, leases: Leases) -> Puncher:
    """The worker of one tenant.

    Raises:
        MappingError, SheetPendingError: the sheet cannot be used.
        StoreError: the store or the database cannot be opened.
    """
    mapping, store, database = tenant.mapping, open_store(), open_database(settings.database_url())
    outbox = Outbox(database, store, LINK, tenant.name)
    sender = Sender(outbox, leases, bot_of(mapping, outbox))
    return Puncher(
        PunchingContext(
            database=database,
            store=store,
            leases=leases,
            mapping=mapping,
            open_client=partial(kingoftime_client, tenant.name),
            sender=sender,
            tell=partial(_tell, tenant),
        )
    )


def bot_of(mapping: Mapping, outbox: Outbox) -> Callable[[str], Outlet]:
    """Opens the tenant's bot, of Connection `lineworks__<tenant>`: the same one, with its token and its pace, as long as
    the Connection says the same. What another pump has sent within this minute counts (P16).
    """
    last: list[tuple[Registration, Outlet]] = []

    def opened(channel: str) -> Outlet:
        found = registration_of(Service.LINEWORKS, connection_of(mapping.tenant))
        if not last or last[-1][0] != found:
            lineworks(mapping)  # raises where it is another bot than the sheet names
            bot = messenger(found, outbox.tried_within(channel, MINUTE_S, utcnow()))
            last[:] = [(found, Outlet(bot))]
        return last[-1][1]

    return opened


def tidy(now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes punches that are old enough; raises StoreError."""
    return punches.tidy(open_database(settings.database_url()), now, keep)


def _tell(tenant: Tenant, kind: str, text: str, over: bool) -> bool:
    """An alarm to the tenant's channels; whether somebody heard it."""
    event = Event.SUCCESS if over else Event.FAILURE
    subject = OVER if over else SUBJECTS[kind.partition(" ")[0]]
    title = f"【{event.label}】{tenant.link.label}: {tenant.name} {subject}"
    message = Message(
        title,
        (text,) if text else (),
        tone=Tone.GOOD if over else Tone.BAD,
        subject=f"{subject} {tenant.sheet.company}".strip(),
    )
    key = key_of(LINK, tenant.name, kind, str(over), utcnow().isoformat())
    return was_accepted(notify_channels(LINK, tenant.name, tenant.channels, event, message, key), event)
