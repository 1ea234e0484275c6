"""不在日程 with its calendar state, and why an absence is (not) in the calendar: both name people (C3, C10).

For those who may change the Dag, and every look is noted. What is asked for is sent as a form (L6).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.links.workplace_lineworks import LINK, history
from renkei.links.workplace_lineworks.explain import explain
from renkei.links.workplace_lineworks.model import Mode
from renkei.links.workplace_lineworks.tables import FAILED, HELD, WAITING, WRITTEN
from renkei.links.workplace_lineworks.wording import ABSENCE_STATES, STATUSES
from renkei.orchestration.workplace_lineworks import connections
from renkei.runs.steps import SHOWN
from renkei.systems.workplace.client import Period, Unit
from renkei.web.console import guard
from renkei.web.console.company import start_run
from renkei.web.console.page import PageNumber, page
from renkei.web.screens.overview import page_of
from renkei.web.services import Right

router = APIRouter()
PER_PAGE = 100
MAX_ID = 64  # characters
TONES = {WRITTEN: "good", WAITING: "cold", FAILED: "bad", HELD: "wait", history.NO_EVENT: "quiet"}
HALVES = {Unit.MORNING: "午前", Unit.AFTERNOON: "午後"}


@router.get("/dag/{dag_id}/absences")
def absences(request: Request, access: guard.EditsDag, of: str = "", number: PageNumber = "") -> Response:
    tenant, database = access.tenant_of(LINK), connections.database()
    access.note("absences")
    of = of if of in history.STATES else ""
    shown = page_of(number, history.total(database, tenant, of), PER_PAGE)
    store = access.services.knowledge.folder(access.company.dag_id).store
    return page(
        request,
        "workplace_lineworks/absences.html",
        one=access.company,
        absences=history.look(database, store, tenant, state=of, limit=PER_PAGE, offset=shown.start),
        counts={state: history.total(database, tenant, state) for state in history.STATES},
        of=of,
        shown=shown,
        period=period_text,
        STATES=ABSENCE_STATES,
        STATUSES=STATUSES,
        TONES=TONES,
        may_run=access.may(Right.RUN),
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/absences/again")
async def again(request: Request, access: guard.PostsRunsDag) -> Response:
    """失敗分の再連携: a run as the user, of everything that failed."""
    access.tenant_of(LINK)
    return await start_run(request, access, Mode.RETRY_FAILED.value)


@router.post("/dag/{dag_id}/absences/release")
async def release(request: Request, access: guard.PostsRunsDag) -> Response:
    """保留中の取消の承認: a run that asks about them; whoever may answer it answers there."""
    access.tenant_of(LINK)
    return await start_run(request, access, Mode.RELEASE.value)


@router.get("/dag/{dag_id}/absence")
def ask(request: Request, access: guard.EditsDag) -> Response:
    access.tenant_of(LINK)
    return _page(request, access)


@router.post("/dag/{dag_id}/absence")
def one(request: Request, access: guard.PostsEditsDag, text: Annotated[str, Form(max_length=MAX_ID)] = "") -> Response:
    access.tenant_of(LINK)
    if text.strip():
        access.note("absence")
    return _page(request, access, text.strip())


def _page(request: Request, access: guard.Access, text: str = "") -> Response:
    sheet = access.services.knowledge.mapping(access.company.dag_id)
    known = explained = None
    if sheet and text:
        store = access.services.knowledge.folder(access.company.dag_id).store
        known = history.one(connections.database(), store, access.company.tenant, text)
        explained = explain(sheet, text, known)
    return page(
        request,
        "workplace_lineworks/absence.html",
        one=access.company,
        sheet=sheet,
        text=text,
        known=known,
        explained=explained,
        period=period_text,
        passed=SHOWN,
        id_most=MAX_ID,
        now=access.services.now(),
    )


def period_text(period: Period) -> str:
    """`12/05～12/07 全日`, `12/05 午前`, `12/05 10:00～11:00`; with the years where there are two."""
    first_day, last_day = period.first_day, period.last_day
    shown = "%m/%d" if first_day.year == last_day.year else "%Y/%m/%d"
    first, last = first_day.strftime(shown), last_day.strftime(shown)
    if period.unit is Unit.ALL_DAY:
        return f"{first} 全日" if first == last else f"{first}～{last} 全日"
    if period.unit in HALVES:
        return f"{first} {HALVES[period.unit]}"
    return f"{first} {period.start[11:]}～{period.end[11:] if first == last else f'{last} {period.end[11:]}'}"
