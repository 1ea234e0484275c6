"""サービス連携設定 over the sheet in force: a tab for each of its two parts (C1, C2, W1).

The sheet is a file, so its settings are shown and not changed here. A part brings its template and what that shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from renkei.links.workplace_lineworks.sheet.mapping import Mapping as Sheet
from renkei.links.workplace_lineworks.sheet.settings import OLD_NAMES
from renkei.orchestration.workplace_lineworks import message_pages
from renkei.orchestration.workplace_lineworks.absence_pages import tenant_of
from renkei.orchestration.workplace_lineworks.connections import lineworks_name
from renkei.orchestration.workplace_lineworks.documentation import ASSUMED, settings_of
from renkei.web.console import guard
from renkei.web.console.page import page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Part:
    """One tab."""

    label: str  # text 3's
    template: str
    shows: Callable[[guard.Seen, Sheet], Mapping[str, Any]]  # the template's values


def _calendar(seen: guard.Seen, sheet: Sheet) -> Mapping[str, Any]:
    return {"settings": settings_of(sheet), "titles": sheet.titles, "old_names": OLD_NAMES}


PARTS = {
    "calendar": Part("カレンダー登録", "workplace_lineworks/calendar.html", _calendar),
    "messengers": Part("メッセンジャー通知", "workplace_lineworks/messengers.html", message_pages.messengers),
}


@router.get("/dag/{dag_id}/services")
def services(request: Request, seen: Annotated[guard.Seen, Depends(guard.edits_dag)], tab: str = "") -> Response:
    tenant = tenant_of(seen)
    sheet: Sheet | None = seen.services.knowledge.mapping(seen.company.dag_id)
    tab = tab if tab in PARTS else next(iter(PARTS))
    return page(
        request,
        "workplace_lineworks/services.html",
        one=seen.company,
        sheet=sheet,
        parts_=PARTS,
        tab=tab,
        shown=PARTS[tab].shows(seen, sheet) if sheet else {},
        connection=lineworks_name(tenant),
        assumed=ASSUMED,
        now=seen.services.now(),
    )
