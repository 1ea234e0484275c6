"""初回メッセージ送信: how many, how long, a warning, and what became of each (P6)."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Selection
from renkei.links.lineworks_kot.first_message import PURPOSE, minutes_for, progress_of, text_of, undelivered
from renkei.links.lineworks_kot.words_store import Words
from renkei.orchestration.lineworks_kot.company import accounts_of, database, mapping_of
from renkei.orchestration.lineworks_kot.jobs import FIRST
from renkei.outbox.outbox import Outbox
from renkei.outbox.tables import State
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import PageNumber, page
from renkei.web.screens.overview import page_of
from renkei.web.services import Refused

router = APIRouter()
PER_PAGE = 100
WORDS = {
    State.WAITING: ("送信待ち", "cold"),
    State.SENDING: ("送信中", "cold"),
    State.SENT: ("送信済み", "good"),
    State.REFUSED: ("不達", "bad"),
    State.UNKNOWN: ("不明", "wait"),
    State.DROPPED: ("期限切れ", "bad"),
}
UNSENT = ("未送信", "quiet")


@router.get("/dag/{dag_id}/first")
def first(
    request: Request,
    access: guard.EditsDag,
    division: Annotated[str, Query(max_length=40)] = "",
    type_: Annotated[str, Query(alias="type", max_length=40)] = "",
    number: PageNumber = "",
) -> Response:
    access.note("first message")
    of, found, mapping = Selection(division, type_), accounts_of(access), mapping_of(access)
    store = access.services.knowledge.folder(access.company.dag_id).store
    outbox = Outbox(database(), store, LINK, access.tenant_of(LINK))
    registered = found.registered_keys(of)
    states = outbox.newest(PURPOSE, registered)
    new = len(registered) - len(states) + len(undelivered(states))
    shown = page_of(number, len(registered), PER_PAGE)
    divisions, types = found.employees.groups()
    return page(
        request,
        "lineworks_kot/first.html",
        one=access.company,
        mapping=mapping,
        of=of,
        divisions=divisions,
        types=types,
        registered=len(registered),
        new=new,
        minutes=minutes_for(new),
        again_minutes=minutes_for(len(registered)),
        unregistered=found.count(of) - len(registered),
        message=text_of(mapping, Words(database(), access.company.tenant).current()).text() if mapping else "",
        lines=[(one, states.get(one.employee.key)) for one in found.registered(of, shown.start, PER_PAGE)],
        shown=shown,
        progress=progress_of(outbox),
        WORDS=WORDS,
        UNSENT=UNSENT,
        jobs=newest(access),
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/first/send")
def send(
    request: Request,
    access: guard.PostsEditsDag,
    sure: Annotated[str, Form(max_length=1)] = "",
    again: Annotated[str, Form(max_length=1)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
    division: Annotated[str, Form(max_length=40)] = "",
    type_: Annotated[str, Form(alias="type", max_length=40)] = "",
) -> Response:
    """To all of the shown 所属・雇用区分; or a test to one, who gets it every time."""
    access.tenant_of(LINK)
    if not sure and not code:
        raise Refused("まだ送っていません。注意を読み、チェックを入れてから送信してください。")
    press = uuid.uuid4().hex if again or code else ""
    return start(request, access, FIRST, {"division": division, "type": type_, "again": press, "code": code.strip()})
