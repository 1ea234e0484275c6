"""Jobs: how one is started, and the page of one, which looks again by itself until the job is over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.jobs.records import KEPT, BusyError, ConsoleJob, Jobs, JobState
from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.web.channel_facts import TriedChannel
from renkei.web.connection_facts import TriedConnections
from renkei.web.console import guard
from renkei.web.console.page import go_to, page
from renkei.web.services import OwnJob, Refused, Services, User

router = APIRouter()
MAX_LOGINS_OF_ONE = 5  # jobs that somebody has under way, of all companies
LISTED = 10
CONNECTIONS, CHANNEL = "connections", "channel"
COMMON = {  # of every link, by kind
    CONNECTIONS: OwnJob("接続の確認", TriedConnections, "job_connections.html"),
    CHANNEL: OwnJob("通知テスト", TriedChannel, "job_channel.html"),
}


def start(request: Request, access: guard.Access, kind: str, asked: Mapping[str, str]) -> Response:
    """Have a job done, or find the one that is: its page. Who starts one is noted first."""
    number = ask(access.services, access.user, access.company.dag_id, kind, asked)
    return go_to(request, "dag", access.company.dag_id, "jobs", str(number))


def ask(
    services: Services,
    user: User,
    dag_id: str,
    kind: str,
    asked: Mapping[str, str],
    before: Callable[[], object] = lambda: None,
) -> int:
    """As `start`; the job's number. `before` is called for a new one, before it can begin."""
    now, knowledge, folder = services.now(), services.knowledge, services.knowledge.folder(dag_id)
    if knowledge.jobs_of(user) >= MAX_LOGINS_OF_ONE:
        raise Refused(f"始めた作業が{MAX_LOGINS_OF_ONE}件、終わっていません。終わってから始めてください。")
    audit.note(folder.store, AuditEntry(now, user.id, dag_id, f"job {kind}"))
    jobs = Jobs(folder)
    try:
        job, is_new = jobs.ask(kind, asked, user.id, user.name, now, knowledge.works_on)
    except BusyError as error:
        raise Refused(str(error)) from None
    if is_new:
        try:
            before()
            services.actions.start_job(user, dag_id, job.number, job.request.run)
        except Refused as error:
            jobs.fail(job.number, str(error), now)
            raise
    return job.number


def newest(access: guard.Access) -> list[tuple[ConsoleJob, JobState, str]]:
    """The company's last jobs, their states and titles; what was asked for is not told."""
    jobs, found = Jobs(access.services.knowledge.folder(access.company.dag_id)), []
    for number in jobs.numbers()[:LISTED]:
        try:
            job = jobs.read(number)
        except (MissingKeyError, DamagedFileError):  # deleted meanwhile, torn
            continue
        own = _own(access, job)
        state = job.state(access.services.now(), access.services.knowledge.works_on)
        found.append((job, state, own.label if own else job.request.kind))
    return found


@router.get("/dag/{dag_id}/jobs")
def company_jobs(request: Request, access: guard.SeesJobs) -> Response:
    return page(request, "jobs.html", one=access.company, jobs=newest(access), now=access.services.now())


@router.get("/dag/{dag_id}/jobs/{number}")
def one_job(request: Request, number: str, access: guard.SeesJobs) -> Response:
    folder, now = access.services.knowledge.folder(access.company.dag_id), access.services.now()
    jobs = Jobs(folder)
    job = job_of(jobs, number)
    own, state, result = _own(access, job), job.state(now, access.services.knowledge.works_on), None
    if state is JobState.DONE and own:
        access.note(f"result {job.request.kind}")
        try:
            result = jobs.result(job.number, own.model)
        except DamagedFileError:
            own = None
    return page(
        request,
        "job.html",
        one=access.company,
        job=job,
        state=state,
        own=own,
        title=own.label if own else "作業",
        result=result,
        kept_days=KEPT.days,
        now=now,
        **(own.shown if own else {}),
    )


def job_of(jobs: Jobs, number: str) -> ConsoleJob:
    """The job of this number in an address.

    Raises:
        NotFound: there is none.
        Refused: its records are torn, or another version's.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,7}", number):
        raise guard.NotFound
    try:
        return jobs.read(int(number))
    except MissingKeyError:
        raise guard.NotFound from None
    except DamagedFileError:
        raise Refused(
            "この作業の記録を読み取れません（壊れているか、別の版の記録です）。元の画面から、もう一度始めてください。"
        ) from None


def _own(access: guard.Access, job: ConsoleJob) -> OwnJob | None:
    """None: a kind of another version."""
    dag_id = access.company.dag_id
    if job.request.kind in COMMON:
        return COMMON[job.request.kind]
    pages = (own for own in access.services.own_pages if dag_id.startswith(f"{own.link}__"))
    return next((own.jobs[job.request.kind] for own in pages if job.request.kind in own.jobs), None)
