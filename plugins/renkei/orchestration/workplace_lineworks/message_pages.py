"""メッセンジャー通知: 通知管理, 配信の一覧, なぜこの人に届かなかったのか (W1, W2, W8).

They name people: for those who may change the Dag, and every look is noted. Whom one asks for is sent as a form (L6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from renkei import settings
from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.links.workplace_lineworks import LINK
from renkei.links.workplace_lineworks.events.addresses import Addresses
from renkei.links.workplace_lineworks.events.faults import WHOLE, Faults, person
from renkei.links.workplace_lineworks.events.why import channel_statuses
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS
from renkei.links.workplace_lineworks.sheet.mapping import Mapping as Sheet
from renkei.links.workplace_lineworks.wording import MESSAGE_STATES, MESSAGE_TONES
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.services import SPEC
from renkei.orchestration.channel_connections import registration_of
from renkei.orchestration.line.connection import callback_url, page_url
from renkei.orchestration.workplace_lineworks.connections import lineworks_name
from renkei.orchestration.workplace_lineworks.drain import SERVICES
from renkei.orchestration.workplace_lineworks.my import my_page_url
from renkei.outbox.outbox import Outbox
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.tables import State
from renkei.storage import once
from renkei.storage.database.database import Database, open_database
from renkei.web.console import guard
from renkei.web.console.page import page

router = APIRouter()
PER_PAGE = 100
MAX_TEXT = 100  # characters of a user id
INVITED_DAYS = 14
FIELDS = {"slack_member_id": "slack", "google_chat_webhook": "google_chat"}


def messengers(access: guard.Access, sheet: Sheet) -> Mapping[str, Any]:
    """What the tab メッセンジャー通知 of サービス連携設定 shows."""
    tenant, database = access.tenant_of(LINK), _database()
    counts = _outbox(access, database).counts()
    faults = Faults(database, tenant, settings.channel_failures())
    return {
        "channels": CHANNELS,
        "events": EVENTS,
        "states": MESSAGE_STATES,
        "counts": counts,
        "connections": {
            channel: f"{SPEC[service].connection_type}__{tenant}"
            for channel, service in SERVICES.items()
            if service is not Service.GOOGLE_CHAT
        },
        "bot_id": _bot_id(access) if sheet.uses("lineworks") else "",
        "disabled": {
            channel: fault.note
            for (channel, who), fault in faults.all().items()
            if who == person(WHOLE) and fault.disabled_at
        },
        "events_url": f"{page_url()}/workplace/{tenant}/events",
        "line_callback": callback_url(),
    }


@router.get("/dag/{dag_id}/deliveries")
def deliveries(
    request: Request,
    access: guard.EditsDag,
    of: str = "",
    channel: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    access.tenant_of(LINK)
    access.note("deliveries")
    outbox = _outbox(access, _database())
    states = [state for state in State if state.value == of]
    channel = channel if channel in CHANNELS else ""
    found = outbox.listed(*states, most=PER_PAGE + 1, before=before, channel=channel or None)
    counts = {state: 0 for state in State}
    for (_, state), number in outbox.counts().items():
        counts[state] += number
    return page(
        request,
        "workplace_lineworks/deliveries.html",
        one=access.company,
        deliveries=[(each, each.content()) for each in found[:PER_PAGE]],
        older=found[PER_PAGE - 1].number if len(found) > PER_PAGE else None,
        counts=counts,
        of=of if states else "",
        channel=channel,
        channels=CHANNELS,
        states=MESSAGE_STATES,
        tones=MESSAGE_TONES,
        before=before,
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/recipient")
def ask(request: Request, access: guard.EditsDag) -> Response:
    access.tenant_of(LINK)
    return _page(request, access)


@router.post("/dag/{dag_id}/recipient")
def recipient(
    request: Request,
    access: guard.PostsEditsDag,
    text: Annotated[str, Form(max_length=MAX_TEXT)] = "",
    invite: Annotated[str, Form(max_length=5)] = "",
    form: Annotated[str, Form(alias="once", max_length=60)] = "",
) -> Response:
    """Why, and with `invite` an address of マイ情報 for him, which is shown this once."""
    tenant = access.tenant_of(LINK)
    text = text.strip()
    if not text:
        return _page(request, access)
    access.note("recipient")
    folder = access.services.knowledge.folder(access.company.dag_id)
    own, address = OwnEntries(_database(), folder), ""
    now = access.services.now()
    if invite and own.members.find(text) and once.take(folder.store, form, now):  # a reload makes no other one
        address = my_page_url(tenant, own.invite([text], INVITED_DAYS, now)[text])
    return _page(request, access, text, own, address)


def _page(
    request: Request, access: guard.Access, text: str = "", own: OwnEntries | None = None, address: str = ""
) -> Response:
    sheet: Sheet | None = access.services.knowledge.mapping(access.company.dag_id)
    found, lately, known, now = None, [], False, access.services.now()
    if sheet and own:
        database = _database()
        lately = _outbox(access, database).listed(most=20, recipient=text)
        newest: dict[str, Outgoing] = {}
        for each in lately:
            newest.setdefault(each.channel, each)
        himself = {FIELDS[name]: entry.changed_at for name, entry in own.of(text).items()}
        faults = Faults(database, access.company.tenant, settings.channel_failures())
        found = channel_statuses(sheet, text, Addresses(own.find), himself, faults, newest, now)
        known = own.members.find(text) is not None
    return page(
        request,
        "workplace_lineworks/recipient.html",
        one=access.company,
        sheet=sheet,
        text=text,
        found=found,
        known=known,
        lately=[(each, each.content()) for each in lately],
        address=address,
        days=INVITED_DAYS,
        channels=CHANNELS,
        states=MESSAGE_STATES,
        tones=MESSAGE_TONES,
        max_text=MAX_TEXT,
        now=now,
    )


def _bot_id(access: guard.Access) -> str:
    """W8; why there is none, where the Connection is not right."""
    name = lineworks_name(access.company.tenant)
    state = access.services.knowledge.connection_state(access.company.dag_id, name)
    if state and not state.fault:
        return state.values.get("bot_id", "") or "Bot IDが登録されていません。"
    try:  # it is not in Airflow's database
        return registration_of(Service.LINEWORKS, name).fields["bot_id"]
    except ConnectionError_ as error:
        return str(error)


def _outbox(access: guard.Access, database: Database) -> Outbox:
    folder = access.services.knowledge.folder(access.company.dag_id)
    return Outbox(database, folder.store, folder.link, folder.tenant)


def _database() -> Database:
    return open_database(settings.database_url())
