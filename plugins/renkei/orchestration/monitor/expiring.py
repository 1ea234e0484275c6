"""期限切れ予告, told once each: approvals that end soon, and registrations with a 有効期限 (N7), grants that nothing renews."""

from __future__ import annotations

import datetime as dt
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from renkei.channel import OPERATOR, Channel
from renkei.clock import TOKYO
from renkei.errors import ConnectionError_
from renkei.notifications.monitor import expiry
from renkei.notifications.monitor.expiry import Expiring, Waiting
from renkei.notifications.services import connection_needed
from renkei.orchestration import channel_connections
from renkei.orchestration.link import LINKS, Link, dag_id
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import airflow_page
from renkei.runs import notes
from renkei.sheets.compiled import Compiled
from renkei.storage import records
from renkei.storage.store import Store
from renkei.storage.tenant_folder import watch_folder

log = logging.getLogger(__name__)

FROM_HOUR = 9  # Asia/Tokyo: a notice of days need not wake anybody
TENANTS_PER_LOOK = 500  # each Connection is a question to Airflow: some 20 ms
MAX_LINES = 20  # registrations in one message
ASKING = {"HOLD": "approve", "CONFIRM": "confirm"}  # the task that asks, by outcome


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the look of a day has come."""

    on: dt.date
    after: str  # the last tenant whose Connections were looked at


NEEDLESS = ("bot_id",)  # what nobody sends messages with has none


@dataclass(frozen=True, slots=True)
class KnownExpiries:
    """The registrations whose 有効期限 is near or over, as the last look at each tenant found them."""

    of: dict[str, dict[str, dt.date]]  # the day, by tenant and channel


def endings(store: Store, link: str) -> Mapping[str, Mapping[str, dt.date]]:
    found = notes.read(store, _endings_key(link), KnownExpiries)
    return found.of if found else {}


def tell_waiting(notices: Notices, waiting: Mapping[str, Waiting], channels: Mapping[str, Sequence[Channel]]) -> None:
    """Tell each tenant's channels, once, of an answer that will soon be too late."""
    for tenant, one in sorted(waiting.items()):
        run, task = quote(one.run, safe=":+"), ASKING.get(one.outcome, "approve")
        page = airflow_page(f"/dags/{dag_id(notices.link.name, tenant)}/runs/{run}/tasks/{task}/required_actions")
        message = expiry.waiting_message(notices.link.label, tenant, one, notices.now, page)
        notices.tell_once(tenant, channels.get(tenant, ()), message, [one.key])


def tell_connections(
    notices: Notices,
    channels: Mapping[str, Sequence[Channel]],
    operator: Sequence[Channel],
    sheets: Mapping[str, Compiled[Any]],
) -> None:
    """Tell a tenant and the operator of registrations that end; every tenant is looked at once a day.

    Those of its channels, and those that its link works with beside them.

    The operator's own are looked at with the first link's.
    """
    today = notices.now.astimezone(TOKYO)
    if today.hour < FROM_HOUR:
        return
    own = {OPERATOR: tuple(operator)} if notices.link.name == next(iter(LINKS)) else {}
    everybody = {**own, **channels}
    after = _cursor(notices, today.date())
    batch = list(itertools.islice((name for name in sorted(everybody) if name > after), TENANTS_PER_LOOK))
    found: list[Expiring] = []
    before = endings(notices.store, notices.link.name)
    known = {tenant: dict(ends) for tenant, ends in before.items() if tenant in everybody and tenant not in batch}
    for tenant in batch:
        its = [*everybody[tenant], *_of_link(notices.link, sheets.get(tenant))]
        mine = _expiring(tenant, its, today.date())
        found += mine
        if mine:
            known[tenant] = {one.channel: one.on for one in mine}
        if tenant != OPERATOR:
            _tell_ending(notices, tenant, everybody[tenant], mine)
            _tell_grant(notices, tenant, everybody[tenant], today.date())
    _tell_ending(notices, OPERATOR, operator, found)
    if known != before:
        records.write(notices.store, _endings_key(notices.link.name), KnownExpiries(known))
    if batch:
        records.write(notices.store, _cursor_key(notices), Cursor(today.date(), batch[-1]))


def _of_link(link: Link, sheet: Compiled[Any] | None) -> Sequence[Channel]:
    if link.registrations is None or sheet is None or sheet.mapping is None:
        return ()
    return link.registrations()(sheet.mapping)


def _expiring(tenant: str, channels: Sequence[Channel], today: dt.date) -> list[Expiring]:
    found = []
    for channel in channels:
        if channel.muted or not channel.connection or not connection_needed(channel.service, channel.to):
            continue
        try:
            known = channel_connections.registration_of(channel.service, channel.connection, NEEDLESS)
            ends = known.expires_on
        except ConnectionError_:  # what is wrong with it shows wherever the channel is used
            continue
        except Exception as error:  # one Connection must not hide another's end (L5); its text may hold secrets (L7)
            log.error("connection of tenant=%s cannot be looked at: %s", tenant, type(error).__name__)
            continue
        one = expiry.expiring(tenant, channel.name, channel.service, channel.connection, ends, today)
        if one is not None:
            found.append(one)
    return found


def _tell_ending(notices: Notices, whom: str, channels: Sequence[Channel], found: Sequence[Expiring]) -> None:
    """Messages about those that `whom` does not know of yet, none of them too long to be read."""
    known = notices.told_before(whom) if found else {}
    new = [one for one in found if one.key not in known]
    for first in range(0, len(new), MAX_LINES):
        some = new[first : first + MAX_LINES]
        message = expiry.connections_message(notices.link.label, some, airflow_page("/connections"))
        notices.tell_once(whom, channels, message, [one.key for one in some])


def _tell_grant(notices: Notices, tenant: str, channels: Sequence[Channel], today: dt.date) -> None:
    """What the tenant allowed us at its source, where nothing renews it."""
    if notices.link.grant_end is None:
        return
    try:
        found = notices.link.grant_end()(notices.folder(tenant))
    except Exception as error:  # one tenant's must not hide another's (L5)
        log.error("grant of tenant=%s cannot be looked at: %s", tenant, type(error).__name__)
        return
    one = expiry.ending_grant(tenant, found[0], today) if found else None
    if found and one:
        notices.tell_once(tenant, channels, expiry.grant_message(notices.link.label, one, found[1]), [one.key])


def _cursor(notices: Notices, today: dt.date) -> str:
    """The last tenant whose Connections were looked at today."""
    cursor = notes.read(notices.store, _cursor_key(notices), Cursor)
    return cursor.after if cursor and cursor.on == today else ""


def _cursor_key(notices: Notices) -> str:
    return f"{watch_folder(notices.link.name)}/connections.json"


def _endings_key(link: str) -> str:
    return f"{watch_folder(link)}/endings.json"
