"""お客様ページへの招待: made, listed and revoked by who may edit the company's Dag; the link is shown once (S5)."""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from renkei.errors import StoreError
from renkei.storage import once
from renkei.storage.tokens import token_of_bytes
from renkei.web.console import guard
from renkei.web.console.page import address, message, page
from renkei.web.customer.facts import InvitationServices
from renkei.web.customer.invitations import MAX_DAYS, CustomerRight, NotInvitedError
from renkei.web.screens import invitations as screen
from renkei.web.screens.customer import Upload, uploads
from renkei.web.screens.timeline import Event
from renkei.web.services import Services

router = APIRouter()
DAYS = (1, 3, 7, 14, MAX_DAYS)
MAX_LABEL, MAX_WHY = 60, 300  # characters
TOO_OLD = "開いてから時間がたった画面です。もう一度「招待のリンクを作る」を押してください。"
LISTED = 20  # versions among which those of customers are looked for


@router.get("/dag/{dag_id}/invitations")
def listed(request: Request, access: guard.EditsDag) -> Response:
    return _page(request, access)


@router.post("/dag/{dag_id}/invitations")
def invite(
    request: Request,
    access: guard.PostsEditsDag,
    label: Annotated[str, Form(max_length=MAX_LABEL)] = "",
    reason: Annotated[str, Form(max_length=MAX_WHY)] = "",
    days: Annotated[str, Form(max_length=3)] = "",
    allows: Annotated[list[str] | None, Form(max_length=len(CustomerRight))] = None,
    form: Annotated[str, Form(alias="once", max_length=60)] = "",
) -> Response:
    """The link stands on the answer and nowhere else, so this answers with a page, not with a way to one.

    Sent again (a reload, a second click), the same form is answered with the same invitation and its link.
    """
    inviting = _inviting(access.services)
    one, given = access.company, {"label": " ".join(label.split()), "reason": " ".join(reason.split())}
    chosen = {kind for kind in _offers(access) if kind in (allows or ())}
    by, now = access.user.name, access.services.now()
    fault = _fault(**given, days=days, chosen=chosen) or ("" if once.is_good(form, now) else TOO_OLD)
    if fault:
        return _page(request, access, fault=fault, given=given, status=400)
    access.note("invite")
    token = _token(access, form)
    try:
        made = inviting.invitations().invite(
            *_named(one.dag_id), given["label"], given["reason"], chosen, int(days), by, now, token
        )
    except NotInvitedError as error:
        return _page(request, access, fault=str(error), given=given, status=409)
    return _page(request, access, made=made.number, link=inviting.link(token))


@router.post("/dag/{dag_id}/invitations/{number}/revoke")
def revoke(request: Request, number: str, access: guard.PostsEditsDag) -> Response:
    if not re.fullmatch(r"[1-9][0-9]{0,7}", number):
        raise guard.NotFound
    access.note(f"invitation revoked {number}")
    now, dag_id = access.services.now(), access.company.dag_id
    if not _inviting(access.services).invitations().revoke(*_named(dag_id), int(number), access.user.name, now):
        said = "招待がないか、既に取り消されています。"
        return message(request, 409, "取り消していません", said, links=[("招待の画面に戻る", _here(request, access))])
    return RedirectResponse(_here(request, access), 303)


def history(services: Services, dag_id: str, since: dt.datetime) -> list[Event]:
    """What happened to the company's invitations, the newest first; nothing where the store is away, as pages say."""
    if services.inviting is None:
        return []
    try:
        found = screen.events(services.inviting.invitations().listed(*_named(dag_id)))
    except StoreError:
        return []
    return [event for event in found if event.at >= since]


def waiting(services: Services, dag_id: str) -> list[Upload]:
    """The sheets of customers that wait for the operator, or to be mended, the newest first; where somebody was invited."""
    if services.inviting is None:
        return []
    try:
        if not services.inviting.invitations().listed(*_named(dag_id)):
            return []
        sheet = services.sheets.of(dag_id)
        versions = sheet.versions
        found = uploads(versions.listed(LISTED), list(versions.moves()), sheet.file().digest, versions.errors)
    except StoreError:  # as pages say
        return []
    return [one for one in found if one.waits or one.is_to_mend]


def _page(
    request: Request,
    access: guard.Access,
    *,
    made: int = 0,
    link: str = "",
    fault: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    inviting, now, one = _inviting(access.services), access.services.now(), access.company
    names = inviting.offers(one.dag_id)
    lines = [
        (line, *screen.state(line, now), screen.allowed(line, names), line.is_good(now))
        for line in inviting.invitations().listed(*_named(one.dag_id))
    ]
    return page(
        request,
        "invitations.html",
        status,
        one=one,
        lines=lines,
        offers=_offers(access),
        made=made,
        link=link,
        fault=fault,
        given=given or {},
        days=DAYS,
        label_most=MAX_LABEL,
        reason_most=MAX_WHY,
        now=now,
    )


def _offers(access: guard.Access) -> Mapping[CustomerRight, str]:
    """What this person may let customers do: nobody invites to what he may not do himself."""
    inviting, dag_id = _inviting(access.services), access.company.dag_id
    offers = inviting.offers(dag_id)
    connects = access.services.authority.may_register(access.user, inviting.connection(dag_id))
    return {kind: name for kind, name in offers.items() if connects or kind is not CustomerRight.CONNECTION}


def _fault(label: str, reason: str, days: str, chosen: set[CustomerRight]) -> str:
    if not label or not reason:
        return "「だれに」と「理由」を入力してください。"
    if "@" in label or "@" in reason or "＠" in label + reason:
        return "メールアドレスは書かないでください。「総務部 ご担当者様」のように、だれに渡すかが分かる言葉で入力してください。"
    if days not in map(str, DAYS):
        return "有効期間を選んでください。"
    return "" if chosen else "「できること」を1つ以上選んでください。"


def _token(access: guard.Access, form: str) -> str:
    """256 bits that nobody knows, and the same ones for the same form: of the form's own and of the console's secret."""
    asked = f"renkei-invitation\0{access.user.id}\0{access.company.dag_id}\0{form}"
    return token_of_bytes(hmac.digest(access.services.secret, asked.encode(), "sha256"))


def _inviting(services: Services) -> InvitationServices:
    """Raises NotFound: nobody is invited here."""
    if services.inviting is None:
        raise guard.NotFound
    return services.inviting


def _named(dag_id: str) -> tuple[str, str]:
    link, _, tenant = dag_id.partition("__")
    return link, tenant


def _here(request: Request, access: guard.Access) -> str:
    return address(request, "dag", access.company.dag_id, "invitations")
