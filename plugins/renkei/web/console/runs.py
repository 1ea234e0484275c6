"""実行履歴, and one run."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.web.console import guard
from renkei.web.console.page import page
from renkei.web.facts import Right
from renkei.web.screens import figures, overview
from renkei.web.screens.words import VERDICTS

router = APIRouter()
PERIODS = (30, 90, 400)
PER_PAGE = 100


@router.get("/dag/{dag_id}/runs")
def history(
    request: Request,
    seen: Annotated[guard.Seen, Depends(guard.sees_dag)],
    days: str = "",
    number: Annotated[str, Query(alias="page")] = "",
) -> Response:
    one, now = seen.company, seen.services.now()
    period = next((known for known in PERIODS if str(known) == days), PERIODS[0])
    today = now.astimezone(TOKYO).date()
    runs = seen.services.knowledge.runs(one.dag_id, overview.begin_of(today, period))
    waiting = one.question.run_id if one.question else ""
    shown = overview.page_of(number, len(runs), PER_PAGE)
    return page(
        request,
        "runs.html",
        one=one,
        period=period,
        periods=PERIODS,
        chart=figures.chart(figures.by_day(runs, today, period, waiting)),
        runs=runs[shown.start : shown.stop],
        shown=shown,
        waiting=waiting,
        now=now,
    )


@router.get("/dag/{dag_id}/runs/{run_id}")
def run(request: Request, run_id: str, seen: Annotated[guard.Seen, Depends(guard.sees_dag)]) -> Response:
    knowledge, one = seen.services.knowledge, seen.company
    found = knowledge.run(one.dag_id, run_id)
    if found is None:
        raise guard.NotFound
    people = seen.may(Right.EDIT)
    return page(
        request,
        "run.html",
        one=one,
        run=found,
        account=knowledge.account(one.dag_id, run_id, people=people),
        people=people,
        asks=one.question if one.question and one.question.run_id == run_id else None,
        verdicts=VERDICTS,
        now=seen.services.now(),
    )
