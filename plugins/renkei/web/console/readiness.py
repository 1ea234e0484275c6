"""即応証明: one sheet of paper that says whether, and as of when, a target is as its source."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.web.console import guard
from renkei.web.console.overview import visible
from renkei.web.console.page import PageNumber, page
from renkei.web.screens.overview import overview
from renkei.web.screens.readiness import DAYS, Case, channel_counts, statement

router = APIRouter()


@router.get("/dag/{dag_id}/readiness")
def of_company(request: Request, access: guard.SeesDag) -> Response:
    knowledge, one, now = access.services.knowledge, access.company, access.services.now()
    evidence = knowledge.evidence([one.dag_id])[one.dag_id]
    runs = knowledge.runs(one.dag_id, now - dt.timedelta(days=DAYS))
    return page(
        request,
        "readiness.html",
        one=one,
        said=statement(Case(one, evidence, runs, now, knowledge.faults())),
        channels=channel_counts(knowledge.details(one.dag_id).channels),
        days=DAYS,
        now=now,
    )


@router.get("/readiness")
def of_all(request: Request, visitor: guard.SignedIn, q: str = "", number: PageNumber = "") -> Response:
    """The companies that the visitor may see, as the list has them; a sheet holds a page: of each a dozen files are read."""
    knowledge, now = visitor.services.knowledge, visitor.services.now()
    found = overview([one for one in visible(visitor) if one.provable], now, q, page=number)
    wanted = {row.company.dag_id: row.company for row in found.rows}
    days, faults = knowledge.days(list(wanted), now - dt.timedelta(days=DAYS)), knowledge.faults()
    said = [
        statement(Case(wanted[dag_id], evidence, days.get(dag_id, ())[::-1], now, faults))
        for dag_id, evidence in knowledge.evidence(list(wanted)).items()
    ]
    return page(request, "readiness_all.html", found=found, said=said, days=DAYS, now=now)
