"""サービス連携設定 over the sheet in force: a tab for each of its two parts, and their credentials (C1, C2, W1, W8).

Settings are shown here, and changed in the sheet's form. Credentials go by the console's own form into Connections: those of
LINE WORKS stand on both tabs under text 3's old names, for both parts use the one Connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.links.workplace_lineworks import LINK
from renkei.links.workplace_lineworks.sheet.mapping import Mapping as Sheet
from renkei.links.workplace_lineworks.sheet.settings import NEEDLESS, OLD_FIELDS
from renkei.orchestration.workplace_lineworks import message_pages
from renkei.orchestration.workplace_lineworks.connections import lineworks_name
from renkei.orchestration.workplace_lineworks.documentation import ASSUMED, settings_of
from renkei.web.connection_facts import ConnectionState
from renkei.web.console import guard
from renkei.web.console.page import page

router = APIRouter()


ASKED = {  # what text 3 calls it in its popups, by the name of a Connection up to its tenant
    "slack_bot": "ステップ3でコピーしたトークン",
    "line": "Channel access token（返答モードはChat）",
    "line_login": "Login Channel ID、Login Channel secret（状態はPublished）、Direct link",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One tab."""

    label: str  # text 3's
    template: str
    shows: Callable[[guard.Access, Sheet], Mapping[str, Any]]  # the template's values


def _calendar(access: guard.Access, sheet: Sheet) -> Mapping[str, Any]:
    return {"settings": settings_of(sheet), "titles": sheet.titles}


PARTS = {
    "calendar": Part("カレンダー登録", "workplace_lineworks/calendar.html", _calendar),
    "messengers": Part("メッセンジャー通知", "workplace_lineworks/messengers.html", message_pages.messengers),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of one Connection: how it stands, and whether who looks may change it."""

    state: ConnectionState
    may: bool


def _credentials(access: guard.Access) -> list[Credentials]:
    """Of all Connections that the sheet needs; those of LINE WORKS first, its fields with their old names."""
    states = access.services.knowledge.connection_states(access.company.dag_id)
    own = lineworks_name(access.company.tenant)
    found = [_with_old_names(one) if one.name == own else one for one in states]
    found.sort(key=lambda one: one.name != own)
    return [Credentials(one, access.services.authority.may_register(access.user, one.name)) for one in found]


def _with_old_names(state: ConnectionState) -> ConnectionState:
    fields = (
        replace(one, label=f"{one.label}（以前の名前: {OLD_FIELDS[one.key]}）") if one.key in OLD_FIELDS else one
        for one in state.kind.fields
    )
    return replace(state, kind=replace(state.kind, fields=tuple(fields)))


@router.get("/dag/{dag_id}/services")
def services(request: Request, access: guard.EditsDag, tab: str = "") -> Response:
    tenant = access.tenant_of(LINK)
    sheet: Sheet | None = access.services.knowledge.mapping(access.company.dag_id)
    tab = tab if tab in PARTS else next(iter(PARTS))
    return page(
        request,
        "workplace_lineworks/services.html",
        one=access.company,
        sheet=sheet,
        parts_=PARTS,
        tab=tab,
        shown=PARTS[tab].shows(access, sheet) if sheet else {},
        credentials=_credentials(access),
        lineworks=lineworks_name(tenant),
        needless=NEEDLESS,
        asked={f"{kind}__{tenant}": said for kind, said in ASKED.items()},
        assumed=ASSUMED,
        now=access.services.now(),
    )
