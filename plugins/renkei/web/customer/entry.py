"""An invitation is opened; the start; out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from renkei.web.console.page import statics
from renkei.web.customer import guard
from renkei.web.customer.page import address, message, page
from renkei.web.customer.uploads import uploads_of
from renkei.web.screens.customer import Facts, steps

router = APIRouter()
FILES = frozenset({"console.css", "customer.css", "customer.js", "icon.svg"})


@router.get("/static/{version}/{name}")
def static(version: str, name: str, _: Annotated[None, Depends(guard.everybody)]) -> Response:
    file = statics().get(name) if name in FILES else None
    if file is None:
        raise guard.NotFound
    kept = {"Cache-Control": "public, max-age=31536000, immutable"} if file.version == version else {}
    return Response(file.content, headers=kept, media_type=file.media_type)


@router.get("/enter")
def ask(request: Request, _: Annotated[None, Depends(guard.everybody)]) -> Response:
    """The invitation stands behind `#`, so a script puts it into the field; without scripts it is pasted there.

    Nobody is in yet: a program that opens addresses of mails presses no button.
    """
    return page(request, "enter.html")


@router.post("/enter")
async def enter(request: Request, form: Annotated[FormData, Depends(guard.posts_entry)]) -> Response:
    given = form.get("invitation")
    return await run_in_threadpool(_entered, request, given if isinstance(given, str) else "")


def _entered(request: Request, given: str) -> Response:
    """Whoever is in already comes in anew: a session that somebody else began is none of his."""
    services = guard.services_of(request)
    invitations, former = services.inviting.invitations(), guard.cookie_of(services, request)
    entered = invitations.enter(given.rpartition("#")[2].strip(), services.now())
    if entered is None:
        raise guard.NotFound
    if former:
        invitations.leave(former)
    response = RedirectResponse(address(request, ""), 303)
    guard.set_cookie(services, response, entered[1], lasts_s=None)
    return response


@router.get("/")
def start(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.invited)]) -> Response:
    company, services = visitor.company(), visitor.services
    connector = services.knowledge.connector(visitor.dag_id) if company.connects else None
    facts = Facts(
        company,
        frozenset(what for what in visitor.invitation.allows if visitor.may(what)),
        connector.status(services.now()) if connector else None,
        uploads_of(visitor),
        services.now(),
    )
    return page(request, "start.html", company=company, invitation=visitor.invitation, steps=steps(facts))


@router.post("/leave")
def leave(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.posts_invited)]) -> Response:
    visitor.services.inviting.invitations().leave(visitor.cookie)
    request.state.visitor = None
    said = "お客様ページを閉じました。もう一度使う場合は、届いたリンクを開いてください。"
    response = message(request, 200, "終了しました", said)
    guard.set_cookie(visitor.services, response, "", lasts_s=0)
    return response
