"""会社の状態: in which state it is, what to do next, and the two things that can be done."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from renkei.web.console import guard, invitations
from renkei.web.console.page import go_to, message, page
from renkei.web.screens.company_state import badges, state_of
from renkei.web.screens.next_step import NextStep, next_step
from renkei.web.screens.timeline import timeline
from renkei.web.services import OwnPages, Right

router = APIRouter()
RECENT = 7


@router.get("/dag/{dag_id}")
def company(request: Request, access: guard.SeesDag) -> Response:
    knowledge, one, now = access.services.knowledge, access.company, access.services.now()
    state, details = state_of(one, now), knowledge.details(one.dag_id)
    mine = [own for own in access.services.own_pages if one.dag_id.startswith(f"{own.link}__")]
    since = now - dt.timedelta(days=30)
    runs = knowledge.runs(one.dag_id, since)
    if len(runs) > RECENT:
        since, runs = runs[RECENT].at, runs[:RECENT]
    edits = access.may(Right.EDIT)
    changes = knowledge.connection_changes(one.dag_id, since) if edits else ()
    invited = invitations.history(access.services, one.dag_id, since) if edits else ()
    return page(
        request,
        "company.html",
        one=one,
        state=state,
        badges=badges(one, state, now),
        step=next_step(
            one,
            state,
            details,
            next((_first(own) for own in mine), None),
            next((own.connects[0] for own in mine if own.connects), ""),
        ),
        details=details,
        runs=runs,
        events=timeline(runs, knowledge.past(one.dag_id, runs), changes, invited),
        may={right: access.may(right) for right in Right},
        menu=[entry for own in mine for entry in (*own.open_menu, *(own.menu if edits else ()))],
        invites=access.services.inviting is not None,
        waiting=invitations.waiting(access.services, one.dag_id) if edits else (),
        faults=knowledge.faults(),
        now=now,
    )


@router.get("/dag/{dag_id}/run")
def ask_to_run(request: Request, access: guard.RunsDag) -> Response:
    """The question before the run: inside Airflow's frame a browser shows no dialog of its own."""
    modes, may_unpause = access.services.knowledge.modes(access.company.dag_id), access.may(Right.EDIT)
    return page(request, "run_form.html", one=access.company, modes=modes, may_unpause=may_unpause)


@router.post("/dag/{dag_id}/run")
async def run(
    request: Request,
    access: guard.PostsRunsDag,
    mode: Annotated[str, Form()] = "",
    unpause: Annotated[str, Form()] = "",
) -> Response:
    """A paused Dag's run waits in Airflow; `unpause` lets it begin, before any tick that Airflow makes up for."""
    dag_id = access.company.dag_id
    modes = await run_in_threadpool(access.services.knowledge.modes, dag_id)
    if mode not in {choice.value for choice in modes}:
        said = "実行方法が選ばれていません", "画面に戻り、実行方法を選んでください。"
        return await run_in_threadpool(message, request, 400, *said)
    shown = await start_run(request, access, mode)
    if unpause and access.company.paused:
        await access.services.actions.pause(request, dag_id, False)
        access.services.knowledge.changed()
    return shown


async def start_run(request: Request, access: guard.Access, mode: str, **settings: str) -> Response:
    """A run as the user, and its page."""
    dag_id = access.company.dag_id
    run_id = await access.services.actions.start(request, dag_id, mode, **settings)
    access.services.knowledge.changed()
    return go_to(request, "dag", dag_id, "runs", run_id)


@router.post("/dag/{dag_id}/pause")
async def pause(request: Request, access: guard.PostsEditsDag, paused: Annotated[str, Form()] = "") -> Response:
    if paused not in ("0", "1"):
        said = "操作を読み取れません", "画面を開き直して、もう一度操作してください。"
        return await run_in_threadpool(message, request, 400, *said)
    await access.services.actions.pause(request, access.company.dag_id, paused == "1")
    access.services.knowledge.changed()
    return go_to(request, "dag", access.company.dag_id)


def _first(own: OwnPages) -> NextStep | None:
    if own.first is None:
        return None
    text, label, part = own.first
    return NextStep(text, "page", label, Right.EDIT, part)
