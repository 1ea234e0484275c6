"""期限切れ予告, told once each: approvals that end soon, and registrations with a 有効期限 (N2)."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from renkei.clock import TOKYO
from renkei.errors import ConnectionError_, StoreError
from renkei.notifications.channel import OPERATOR, Channel
from renkei.notifications.deliver import was_heard
from renkei.notifications.event import Event
from renkei.notifications.services import connection_needed
from renkei.notifications.watch import expiry
from renkei.notifications.watch.expiry import Expiring, Waiting
from renkei.orchestration import telling
from renkei.orchestration.stage import LINK
from renkei.orchestration.watching.operator_channels import LABEL, Tell, airflow_page
from renkei.storage.store import MissingKeyError, Store
from renkei.systems.messaging import Message

log = logging.getLogger(__name__)

FROM_HOUR = 9  # Asia/Tokyo: a notice of days need not wake anybody
TENANTS_PER_LOOK = 500  # each Connection is a question to Airflow: some 20 ms
LINES_MOST = 20  # registrations in one message
ASKING = {"HOLD": "approve", "CONFIRM": "confirm"}  # the task that asks, by outcome
KEPT = dt.timedelta(days=400)  # what was told; an end that nobody mended for so long is told anew


@dataclass
class Notices:
    """How many messages went out, and why others did not."""

    told: int = 0
    faults: list[str] = field(default_factory=list)


def tell_waiting(
    store: Store,
    waiting: Mapping[str, Waiting],
    channels: Mapping[str, Sequence[Channel]],
    now: dt.datetime,
    tell: Tell,
) -> Notices:
    """Tell each tenant's channels, once, of an answer that will soon be too late."""
    notices = Notices()
    for tenant, one in sorted(waiting.items()):
        run, task = quote(one.run, safe=":+"), ASKING.get(one.outcome, "approve")
        page = airflow_page(f"/dags/{LINK}__{tenant}/runs/{run}/tasks/{task}/required_actions")
        message = expiry.waiting_message(LABEL, tenant, one, now, page)
        _tell_once(store, tenant, channels.get(tenant, ()), message, [one.key], now, tell, notices)
    return notices


def tell_connections(
    store: Store,
    channels: Mapping[str, Sequence[Channel]],
    operator: Sequence[Channel],
    now: dt.datetime,
    tell: Tell,
) -> Notices:
    """Tell a tenant and the operator of registrations that end; every tenant is looked at once a day."""
    notices, today = Notices(), now.astimezone(TOKYO)
    if today.hour < FROM_HOUR:
        return notices
    everybody = {OPERATOR: tuple(operator), **channels}
    after = _cursor(store, today.date())
    batch = list(itertools.islice((name for name in sorted(everybody) if name > after), TENANTS_PER_LOOK))
    found: list[Expiring] = []
    for tenant in batch:
        mine = _expiring(tenant, everybody[tenant], today.date())
        found += mine
        if tenant != OPERATOR:
            _tell_ending(store, tenant, everybody[tenant], mine, now, tell, notices)
    _tell_ending(store, OPERATOR, operator, found, now, tell, notices)
    if batch:
        store.write_json(_cursor_key(), {"on": today.date().isoformat(), "after": batch[-1]})
    return notices


def _expiring(tenant: str, channels: Sequence[Channel], today: dt.date) -> list[Expiring]:
    found = []
    for channel in channels:
        if channel.muted or not channel.connection or not connection_needed(channel.service, channel.to):
            continue
        try:
            ends = telling.registration_of(channel.service, channel.connection).expires_on
        except ConnectionError_:  # what is wrong with it shows wherever the channel is used
            continue
        except Exception as error:  # one Connection must not hide another's end (L5); its text may hold secrets (L7)
            log.error("connection of tenant=%s cannot be looked at: %s", tenant, type(error).__name__)
            continue
        one = expiry.expiring(tenant, channel.name, channel.service, channel.connection, ends, today)
        if one is not None:
            found.append(one)
    return found


def _tell_ending(
    store: Store,
    whom: str,
    channels: Sequence[Channel],
    found: Sequence[Expiring],
    now: dt.datetime,
    tell: Tell,
    notices: Notices,
) -> None:
    """Messages about those that `whom` does not know of yet, none of them too long to be read."""
    known = _told(store, whom) if found else {}
    new = [one for one in found if one.key not in known]
    for first in range(0, len(new), LINES_MOST):
        some = new[first : first + LINES_MOST]
        message = expiry.connections_message(LABEL, some, airflow_page("/connections"))
        _tell_once(store, whom, channels, message, [one.key for one in some], now, tell, notices)


def _tell_once(
    store: Store,
    whom: str,
    channels: Sequence[Channel],
    message: Message,
    keys: Sequence[str],
    now: dt.datetime,
    tell: Tell,
    notices: Notices,
) -> None:
    """Tell those channels, then note it: a crash between the two tells twice, never not at all."""
    if not any(channel.wants(Event.EXPIRY) for channel in channels):
        return
    known = _told(store, whom)
    if known.keys() >= set(keys):
        return
    try:
        if was_heard(tell(LINK, whom, channels, Event.EXPIRY, message, _key_of(keys)), Event.EXPIRY):
            young = {key: at for key, at in known.items() if at > (now - KEPT).isoformat()}
            store.write_json(_told_key(whom), {"told": young | dict.fromkeys(keys, now.isoformat())})
            notices.told += 1
        else:
            notices.faults.append(f"{whom}: 期限切れ予告を届けられませんでした。通知先の接続を確認してください。")
    except Exception as error:  # the others are told all the same (L5); its text may hold secrets (L7)
        reason = str(error) if isinstance(error, StoreError) else type(error).__name__
        notices.faults.append(f"{whom}: 期限切れ予告を届けられませんでした（{reason}）。")


def _key_of(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:32]


def _told(store: Store, whom: str) -> dict[str, str]:
    """What was told, and when (ISO 8601, UTC)."""
    found = _read(store, _told_key(whom)).get("told")
    return {str(key): str(at) for key, at in found.items()} if isinstance(found, dict) else {}


def _cursor(store: Store, today: dt.date) -> str:
    """The last tenant whose Connections were looked at today."""
    found = _read(store, _cursor_key())
    return str(found.get("after", "")) if found.get("on") == today.isoformat() else ""


def _read(store: Store, key: str) -> dict[str, Any]:
    """A note; one that cannot be read costs a repetition."""
    try:
        found = store.read_json(key)
    except MissingKeyError:
        return {}
    except (StoreError, ValueError) as error:
        log.warning("the note %s cannot be read: %s", key, type(error).__name__)
        return {}
    return found if isinstance(found, dict) else {}


def _told_key(whom: str) -> str:
    return f"{LINK}/watch/expiry/{whom}.json"


def _cursor_key() -> str:
    return f"{LINK}/watch/connections.json"
