"""実行履歴, and one run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.errors import BaselineError, StoreError
from renkei.web import downloads
from renkei.web.console import guard, invitations
from renkei.web.console.page import PageNumber, page
from renkei.web.facts import Generation
from renkei.web.screens import figures, overview
from renkei.web.screens.timeline import timeline
from renkei.web.screens.words import VERDICTS
from renkei.web.services import Right

log = logging.getLogger(__name__)

router = APIRouter()
PERIODS = (30, 90, 400)
PER_PAGE = 100
MAX_ROWS = {"csv": 100_000, "xlsx": 2_000}  # below the titles; a workbook of so many takes 0.4 s
BROKEN_OFF = "ここで途切れました。これより後の行は載っていません。もう一度ダウンロードしてください。"


@router.get("/dag/{dag_id}/runs")
def history(request: Request, access: guard.SeesDag, days: str = "", number: PageNumber = "") -> Response:
    one, now = access.company, access.services.now()
    period = next((known for known in PERIODS if str(known) == days), PERIODS[0])
    today = now.astimezone(TOKYO).date()
    runs = access.services.knowledge.runs(one.dag_id, overview.begin_of(today, period))
    waiting = one.question.run_id if one.question else ""
    shown = overview.page_of(number, len(runs), PER_PAGE)
    on_page = runs[shown.start : shown.stop]
    since = runs[shown.stop].at if shown.stop < len(runs) else overview.begin_of(today, period)
    edits = access.may(Right.EDIT)
    changes = access.services.knowledge.connection_changes(one.dag_id, since) if edits else ()
    invited = invitations.history(access.services, one.dag_id, since) if edits else []
    if shown.start:  # those after its newest run stand on the page before
        newest = on_page[0].started or on_page[0].at
        changes = [change for change in changes if change.at <= newest]
        invited = [event for event in invited if event.at <= newest]
    past, fault = access.services.knowledge.past(one.dag_id, on_page), ""
    generations: Sequence[Generation] = ()
    try:
        generations = access.services.knowledge.generations(one.dag_id)
    except (StoreError, BaselineError) as error:
        fault = str(error)
    return page(
        request,
        "runs.html",
        one=one,
        period=period,
        periods=PERIODS,
        chart=figures.chart(figures.by_day(runs, today, period, waiting)),
        runs=on_page,
        events=timeline(on_page, past, changes, invited),
        generations=generations,
        fault=past.fault or fault,
        shown=shown,
        waiting=waiting,
        now=now,
    )


@router.get("/dag/{dag_id}/runs/{run_id}")
def run(request: Request, run_id: str, access: guard.SeesDag, number: PageNumber = "") -> Response:
    knowledge, one = access.services.knowledge, access.company
    found = knowledge.run(one.dag_id, run_id)
    if found is None:
        raise guard.NotFound
    people = access.may(Right.EDIT)
    account = knowledge.account(one.dag_id, run_id, people=people, most=PER_PAGE)
    shown = overview.page_of(number, account.problem_count, PER_PAGE)
    if shown.start:
        account = knowledge.account(one.dag_id, run_id, people=people, start=shown.start, most=PER_PAGE)
    return page(
        request,
        "run.html",
        one=one,
        run=found,
        account=account,
        shown=shown,
        people=people,
        asks=one.question if one.question and one.question.run_id == run_id else None,
        verdicts=VERDICTS,
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/runs/{run_id}/findings.{kind}")
def findings(run_id: str, kind: Literal["csv", "xlsx"], access: guard.EditsDag) -> Response:
    """Every error and 注意 of the run as a file; who took it is kept, as of every look at people."""
    knowledge, one, now = access.services.knowledge, access.company, access.services.now()
    if knowledge.run(one.dag_id, run_id) is None:
        raise guard.NotFound
    access.note("findings")
    rows = _limit_rows(knowledge.findings(one.dag_id, run_id), MAX_ROWS[kind])
    name = f"誤りと注意_{one.name}_{now.astimezone(TOKYO):%Y%m%d}.{kind}"
    return downloads.table(name, mark_broken_off(rows) if kind == "csv" else rows)


def mark_broken_off(rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The rows; where they break off, the last one says so: what was sent before looks like a whole file."""
    try:
        yield from rows
    except Exception as error:  # its text might quote anybody (L6)
        log.error("console: a file broke off: %s", type(error).__name__)
        yield [BROKEN_OFF]


def _limit_rows(rows: Iterator[Sequence[str]], most: int) -> Iterator[Sequence[str]]:
    """The titles, and at most so many of the rows below them; what is left out is said."""
    yield from islice(rows, most + 1)
    if next(rows, None) is not None:
        yield [f"{most:,}件までを載せています。続きは、CSV（{MAX_ROWS['csv']:,}件まで）か処理記録で確認してください。"]
