"""まとめて操作: 確認のみ, 一時停止 and 災害時凍結 of the companies that the list shows, each asked about by name first.

What is done is done with the companies that the page named, and of these with those on which whoever presses has the
right: it is asked for each, when he presses. Every one is noted.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from renkei.jobs.records import ConsoleJob, Jobs
from renkei.storage import audit, once
from renkei.storage.audit import AuditEntry
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.bulk_facts import KIND, LABELS, PLACE, WITH_REASON, BulkAction, BulkSelection, check_run, chosen
from renkei.web.console import guard
from renkei.web.console.jobs import ask, job_of
from renkei.web.console.overview import visible
from renkei.web.console.page import go_to, message, page
from renkei.web.facts import Company
from renkei.web.screens import overview
from renkei.web.services import Refused

router = APIRouter()
UPLOADS = {"/bulk": 256 * 1024}  # bytes of a form: it names every company
MAX_COMPANIES = 2_000  # companies
LASTS_S = 2.0  # for how long one request goes on; the next one goes on from there
MAX_REASON = 300
Names = Annotated[str, Form(max_length=250_000)]


@router.get("/bulk")
def confirm(
    request: Request,
    visitor: guard.SignedIn,
    q: str = "",
    state: str = "",
    asked: Annotated[str, Query(alias="deed")] = "",
) -> Response:
    """How many and which: of the companies that the list shows for these words."""
    found = overview.matching(visible(visitor), visitor.services.now(), q, state)
    action = BulkAction(asked) if asked in set(BulkAction) else BulkAction.CHECK
    return page(
        request,
        "bulk.html",
        action=action,
        actions=LABELS,
        chosen=_chosen(visitor, action, found),
        with_reason=action in WITH_REASON,
        query=q,
        state=state,
        most=MAX_COMPANIES,
        reason_most=MAX_REASON,
        jobs=[one for one in _jobs(visitor) if one.request.by == visitor.user.id],
        now=visitor.services.now(),
    )


@router.post("/bulk")
async def do(
    request: Request,
    visitor: guard.PostsSignedIn,
    asked: Annotated[str, Form(alias="deed", max_length=20)] = "",
    dags: Names = "",
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
    after: Annotated[int, Form(ge=0)] = 0,
    form: Annotated[str, Form(alias="once", max_length=60)] = "",
) -> Response:
    """Those from the place `after` on, as many as there is time for; the page asks for the rest. 確認のみ is one job."""
    named, why = dags.split(), " ".join(reason.split())
    if (
        asked not in set(BulkAction)
        or not named
        or len(named) > MAX_COMPANIES
        or (BulkAction(asked) in WITH_REASON and not why)
    ):
        said = (
            "会社と操作を選び直してください。災害時凍結には理由が要ります。一度に操作できるのは"
            + f"{MAX_COMPANIES:,}社までです。"
        )
        return await run_in_threadpool(message, request, 400, "操作を読み取れません", said)
    if not once.is_good(form, visitor.services.now()):  # nothing is done, and he is told so
        raise guard.CsrfError
    if not await run_in_threadpool(once.take, _folder(visitor).store, form, visitor.services.now()):
        return go_to(request, "")  # a reload: the list says how it is
    action = BulkAction(asked)
    if action is BulkAction.CHECK:
        return await run_in_threadpool(_checks, request, visitor, named)
    until, place, refused = time.monotonic() + LASTS_S, after, []
    while place < len(named) and (time.monotonic() < until or place == after):
        if fault := await _one(request, visitor, action, named[place], why):
            refused.append((named[place], fault))
        place += 1
    visitor.services.knowledge.changed()
    return await run_in_threadpool(_outcome, request, visitor, action, named, why, place, refused)


@router.get("/checks/{number}")
def checks(request: Request, number: str, visitor: guard.SignedIn) -> Response:
    """How far 確認のみ of many companies is, by their own runs; for who asked for it."""
    job = _job(visitor, number)
    named, shown = job.request.asked["dags"].split(), {one.dag_id: one for one in visible(visitor)}
    runs = visitor.services.knowledge.runs_called(check_run(job.request.run), [one for one in named if one in shown])
    state = job.state(visitor.services.now(), visitor.services.knowledge.works_on)
    left = [one for one in named if one not in runs]
    return page(
        request,
        "checks.html",
        job=job,
        state=state,
        lines=[(shown[one], runs.get(one)) for one in named if one in shown],
        over=sum(run.finished for run in runs.values()),
        failed=sum(run.state == "failed" for run in runs.values()),
        total=len(named),
        left=left,
        run_id=check_run(job.request.run),
        now=visitor.services.now(),
    )


@router.post("/checks/{number}/stop")
def stop(request: Request, number: str, visitor: guard.PostsSignedIn) -> Response:
    """Nothing more is started; the run that is under way ends by itself."""
    job = _job(visitor, number)
    if not job.state(visitor.services.now(), visitor.services.knowledge.works_on).is_over:
        Jobs(_folder(visitor)).fail(job.number, "中止しました。残りの会社では始めていません。", visitor.services.now())
    return go_to(request, "checks", number)


def _checks(request: Request, visitor: guard.Visitor, named: Sequence[str]) -> Response:
    those = [one.dag_id for one in _of(visitor, BulkAction.CHECK, named).those]
    if not those:
        raise Refused("確認のみを実行できる会社がありません。画面を開き直して、いまの状態を確認してください。")
    for dag_id in those:
        _note(visitor, BulkAction.CHECK, dag_id)
    number = ask(
        visitor.services, visitor.user, _place(visitor), KIND, {"dags": " ".join(those), "by": visitor.user.id}
    )
    return go_to(request, "checks", str(number))


async def _one(request: Request, visitor: guard.Visitor, action: BulkAction, dag_id: str, why: str) -> str:
    """Do it with one company; why it was not done, in Japanese."""
    found = await run_in_threadpool(_of, visitor, action, [dag_id])
    if not found.those:
        return found.others[0][1] if found.others else "会社がありません"
    one = found.those[0]
    try:
        await run_in_threadpool(_note, visitor, action, dag_id)
        if action in WITH_REASON:
            freezing, on = visitor.services.actions.freeze, action is BulkAction.FREEZE
            await run_in_threadpool(freezing, visitor.user, one.tenant, dag_id, on, why)
        else:
            await visitor.services.actions.pause(request, dag_id, action is BulkAction.PAUSE)
    except Refused as error:
        return str(error)
    return ""


def _outcome(
    request: Request,
    visitor: guard.Visitor,
    action: BulkAction,
    named: Sequence[str],
    why: str,
    place: int,
    refused: Sequence[tuple[str, str]],
) -> Response:
    names = {one.dag_id: f"{one.name}（{one.link}）" for one in visible(visitor)}
    return page(
        request,
        "bulk_done.html",
        action=action,
        label=LABELS[action],
        dags=" ".join(named),
        why=why,
        place=place,
        total=len(named),
        refused=[(names.get(dag_id, "–"), fault) for dag_id, fault in refused],
        now=visitor.services.now(),
    )


def _of(visitor: guard.Visitor, action: BulkAction, named: Collection[str]) -> BulkSelection:
    """Those of the named that somebody may see, as they are now."""
    wanted = set(named)
    return _chosen(visitor, action, [one for one in visible(visitor) if one.dag_id in wanted])


def _chosen(visitor: guard.Visitor, action: BulkAction, companies: Sequence[Company]) -> BulkSelection:
    may = visitor.services.authority.may
    return chosen(action, companies, lambda right, dag_id: may(visitor.user, right, dag_id))


def _jobs(visitor: guard.Visitor) -> list[ConsoleJob]:
    jobs, found = Jobs(_folder(visitor)), []
    for number in jobs.numbers()[:5]:
        try:
            found.append(jobs.read(number))
        except (MissingKeyError, DamagedFileError):  # deleted meanwhile, torn
            continue
    return found


def _job(visitor: guard.Visitor, number: str) -> ConsoleJob:
    """As `job_of`, of those that this person asked for."""
    job = job_of(Jobs(_folder(visitor)), number)
    if job.request.kind != KIND or job.request.by != visitor.user.id:
        raise guard.NotFound
    return job


def _place(visitor: guard.Visitor) -> str:
    """One place for all links: of two who ask at once one waits."""
    return f"{next(iter(visitor.services.sheets.links()))}__{PLACE}"


def _folder(visitor: guard.Visitor) -> TenantFolder:
    return visitor.services.knowledge.folder(_place(visitor))


def _note(visitor: guard.Visitor, action: BulkAction, dag_id: str) -> None:
    store = visitor.services.knowledge.folder(dag_id).store
    audit.note(store, AuditEntry(visitor.services.now(), visitor.user.id, dag_id, f"bulk {action.value}"))
