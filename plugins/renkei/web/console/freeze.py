"""災害時凍結, of one company and of all: who is frozen since when, and the switch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from renkei.runs.freeze import ALL
from renkei.web.console import guard
from renkei.web.console.page import address, message, page
from renkei.web.facts import Company
from renkei.web.screens import freeze
from renkei.web.services import Right, Services, User

router = APIRouter()
MAX_REASON = 300  # characters
CHANGES_SHOWN = 30
Reason = Annotated[str, Form(max_length=MAX_REASON)]


@router.get("/dag/{dag_id}/freeze")
def of_company(request: Request, access: guard.SeesDag) -> Response:
    one = _freezable(access)
    return _page(request, access.services, {one.tenant: one.name}, one.tenant, access.may(Right.EDIT), one=one)


@router.post("/dag/{dag_id}/freeze")
def switch_company(
    request: Request, access: guard.PostsEditsDag, on: Annotated[str, Form()] = "", reason: Reason = ""
) -> Response:
    one = _freezable(access)
    return _switch(request, access.services, access.user, one.tenant, one.dag_id, on, reason)


@router.get("/freeze")
def of_all(request: Request, visitor: guard.SignedIn) -> Response:
    services, user = visitor.services, visitor.user
    visible, companies = services.authority.visible(user), services.knowledge.companies()
    mine = [one for one in companies.values() if one.dag_id in visible and one.freezable]
    may = services.authority.may_freeze_all(user)
    known = {ALL, *(one.tenant for one in companies.values())}
    freezes = services.knowledge.freezes() or {}
    unknown = sorted(freezes.keys() - known) if may else []
    names = {one.tenant: one.name for one in mine}
    frozen = [one for one in mine if one.tenant in freezes]
    return _page(request, services, names, ALL, may, one=None, frozen=frozen, unknown=unknown)


@router.post("/freeze")
def switch_all(
    request: Request, visitor: guard.PostsFreezesAll, on: Annotated[str, Form()] = "", reason: Reason = ""
) -> Response:
    return _switch(request, visitor.services, visitor.user, ALL, None, on, reason)


def _freezable(access: guard.Access) -> Company:
    if not access.company.freezable:
        raise guard.NotFound
    return access.company


def _page(
    request: Request, services: Services, names: dict[str, str], tenant: str, may: bool, **values: Any
) -> Response:
    found, now = services.knowledge.freezes(), services.now()
    changes = [one for one in services.knowledge.freeze_changes() if one.tenant in {ALL, *names}]
    return page(
        request,
        "freeze.html",
        tenant=tenant,
        freezes=found or {},
        known=found is not None,
        names={ALL: "全社"} | names,
        may=may,
        changes=changes[:CHANGES_SHOWN],
        means=freeze.MEANS,
        since=freeze.since,
        late=[one.tenant for one in (found or {}).values() if freeze.is_forgotten(one, now)],
        reason_most=MAX_REASON,
        all=ALL,
        now=now,
        **values,
    )


def _switch(
    request: Request, services: Services, user: User, tenant: str, dag_id: str | None, on: str, reason: str
) -> Response:
    here = address(request, *(("dag", dag_id) if dag_id else ()), "freeze")
    back = [("災害時凍結の画面に戻る", here)]
    if on not in ("0", "1"):
        return message(request, 400, "操作を読み取れません", "画面を開き直して、もう一度操作してください。", links=back)
    why = " ".join(reason.split())
    if not why:
        said = "画面に戻り、理由を入力してください。個人情報は書かないでください。"
        return message(request, 400, "理由が入力されていません", said, links=back)
    services.actions.freeze(user, tenant, dag_id, on == "1", why)
    services.knowledge.changed()
    return RedirectResponse(here, 303)
