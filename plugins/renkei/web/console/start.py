"""連携開始までの流れ of a company whose link has a target to be confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.jobs.records import State
from renkei.web.console import guard
from renkei.web.console.jobs import newest
from renkei.web.console.page import page
from renkei.web.screens.start import Facts, way

router = APIRouter()
LOOKED_BACK = dt.timedelta(days=400)


@router.get("/dag/{dag_id}/start")
def start(request: Request, seen: Annotated[guard.Seen, Depends(guard.edits_dag)]) -> Response:
    """For links with a run a day: of one that runs every few minutes nobody reads a year of runs for a page."""
    one, now, knowledge = seen.company, seen.services.now(), seen.services.knowledge
    if not one.provable:
        raise guard.NotFound
    sheet = seen.services.sheets.of(one.dag_id)
    sheet.notice(now)
    numbers = sheet.versions.numbers()
    facts = Facts(
        one,
        knowledge.details(one.dag_id),
        knowledge.runs(one.dag_id, now - LOOKED_BACK),
        knowledge.connections(one.dag_id),
        any(job.request.kind == "rehearsal" and state is State.DONE for job, state, _ in newest(seen)),
        sheet.versions.read(numbers[-1]).at if numbers else None,
        now.astimezone(TOKYO).date(),
        next((own.connects for own in seen.services.own_pages if one.dag_id.startswith(f"{own.link}__")), None),
    )
    return page(request, "start.html", one=one, way=way(facts), now=now)
