"""Many sheets at once: a zip checked as a job, then what is sound put into force one after another (S2, S6).

For who may edit Dags in general; of a company that is there already its own right counts, too. What a job found is for
who asked for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from renkei.jobs.records import ConsoleJob, Jobs, JobState
from renkei.sheets.archive import MAX_SHEETS, MAX_ZIP
from renkei.sheets.compiled import digest_of
from renkei.sheets.placed import NotPlacedError
from renkei.storage import audit, once, uploads
from renkei.storage.audit import AuditEntry
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.web.console import guard
from renkei.web.console.jobs import ask, job_of
from renkei.web.console.page import go_to, message, page
from renkei.web.console.sheets import MAX_REASON
from renkei.web.many_facts import KIND, PLACE, BatchSheet, SheetBatch, UploadState
from renkei.web.services import Right
from renkei.web.tenant_sheet import Actor

router = APIRouter()
UPLOADS = {"/many": MAX_ZIP + 64 * 1024}
ENABLED_S = 2.0  # for how long one request goes on; the next one goes on from there
CANNOT = "この会社を変更する権限がありません"


@dataclass(frozen=True, slots=True)
class Line:
    """A sheet of the zip, and what has become of it since the job looked."""

    sheet: BatchSheet
    dag_id: str
    in_force: bool = False
    hindrance: str = ""  # why it cannot be put into force

    @property
    def open(self) -> bool:
        return self.sheet.version > 0 and not self.in_force and not self.hindrance


@router.get("/many")
def form(request: Request, visitor: guard.Creates) -> Response:
    links = visitor.services.sheets.links()
    return page(
        request, "many.html", links=links, most=MAX_ZIP // 1_000_000, sheets=MAX_SHEETS, now=visitor.services.now()
    )


@router.post("/many")
async def upload(request: Request, visitor: guard.PostsCreates) -> Response:
    found = await request.form()
    given, link = found.get("file"), found.get("link")
    content = await given.read(MAX_ZIP + 1) if isinstance(given, UploadFile) else b""
    if not content or len(content) > MAX_ZIP or link not in visitor.services.sheets.links():
        said = f"{MAX_ZIP // 1_000_000}MB以下のzipファイルを選んで、もう一度操作してください。"
        return await run_in_threadpool(message, request, 400, "ファイルが選ばれていないか、大きすぎます", said)
    return await run_in_threadpool(_asked, request, visitor, str(link), content)


@router.get("/many/{link}/{number}")
def batch(request: Request, link: str, number: str, visitor: guard.Creates) -> Response:
    return _page(request, visitor, link, _job(visitor, link, number))


@router.post("/many/{link}/{number}/enable")
def enable(
    request: Request,
    link: str,
    number: str,
    visitor: guard.PostsCreates,
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
    after: Annotated[int, Form(ge=0)] = 0,
    form: Annotated[str, Form(alias="once", max_length=60)] = "",
) -> Response:
    """Those from the place `after` on, as many as there is time for; the page asks for the rest."""
    job, why = _job(visitor, link, number), " ".join(reason.split())
    result = _result(visitor, link, job)
    if not why or result is None:
        return _page(request, visitor, link, job, fault="理由を入力してください。" if not why else "")
    if not once.is_good(form, visitor.services.now()):  # nothing is done, and he is told so
        raise guard.CsrfError
    if not once.take(visitor.services.knowledge.folder(f"{link}__{PLACE}").store, form, visitor.services.now()):
        return go_to(request, "many", link, number)  # a reload
    until, place, refused = time.monotonic() + ENABLED_S, after, ""
    sheets = result.sheets
    while place < len(sheets) and (time.monotonic() < until or place == after):
        line = _line(visitor, link, sheets[place])
        if line.open:
            refused = _enabled(visitor, line, why) or refused
        place += 1
    visitor.services.knowledge.changed()
    return _page(request, visitor, link, job, why=why, place=place, fault=refused)


def _asked(request: Request, visitor: guard.Visitor, link: str, content: bytes) -> Response:
    services, user, digest = visitor.services, visitor.user, digest_of(content)
    folder = services.knowledge.folder(f"{link}__{PLACE}")
    hidden = [
        one.tenant
        for dag_id, one in services.knowledge.companies().items()
        if dag_id.startswith(f"{link}__") and not _may(visitor, dag_id)
    ]
    asked = {"upload": digest, "hidden": " ".join(sorted(hidden)), "by": user.id, "by_name": user.name}

    keep = partial(uploads.keep, folder, digest, content)
    number = ask(services, user, f"{link}__{PLACE}", KIND, asked, keep)
    return go_to(request, "many", link, str(number))


def _job(visitor: guard.Visitor, link: str, number: str) -> ConsoleJob:
    """As `job_of`, of those that this person asked for."""
    if link not in visitor.services.sheets.links():
        raise guard.NotFound
    job = job_of(Jobs(visitor.services.knowledge.folder(f"{link}__{PLACE}")), number)
    if job.request.kind != KIND or job.request.by != visitor.user.id:
        raise guard.NotFound
    return job


def _result(visitor: guard.Visitor, link: str, job: ConsoleJob) -> SheetBatch | None:
    """None: it is not over, or another version's."""
    try:
        return Jobs(visitor.services.knowledge.folder(f"{link}__{PLACE}")).result(job.number, SheetBatch)
    except (MissingKeyError, DamagedFileError):
        return None


def _page(
    request: Request,
    visitor: guard.Visitor,
    link: str,
    job: ConsoleJob,
    *,
    why: str = "",
    place: int = 0,
    fault: str = "",
) -> Response:
    services = visitor.services
    now, state = services.now(), job.state(services.now(), services.knowledge.works_on)
    result = _result(visitor, link, job) if state is JobState.DONE else None
    lines: Sequence[Line] = [_line(visitor, link, one) for one in result.sheets] if result else ()
    return page(
        request,
        "many_sheets.html",
        link=link,
        label=services.sheets.links()[link],
        job=job,
        state=state,
        result=result,
        lines=lines,
        why=why,
        place=place,
        more=bool(why and any(one.open for one in lines[place:])),
        fault=fault,
        folder_fault=services.sheets.folder_fault(link),
        reason_most=MAX_REASON,
        now=now,
    )


def _line(visitor: guard.Visitor, link: str, sheet: BatchSheet) -> Line:
    dag_id = f"{link}__{sheet.tenant}"
    if not sheet.version:
        return Line(sheet, dag_id, sheet.standing is UploadState.SAME)
    if dag_id in visitor.services.knowledge.companies() and not _may(visitor, dag_id):
        return Line(sheet, dag_id, hindrance=CANNOT)
    file = visitor.services.sheets.of(dag_id).file()
    changed = "検査の後にシートが変更されました" if file.digest != sheet.seen else ""
    return Line(sheet, dag_id, file.digest == sheet.digest, file.fault or changed)


def _may(visitor: guard.Visitor, dag_id: str) -> bool:
    authority = visitor.services.authority
    return all(authority.may(visitor.user, right, dag_id) for right in (Right.SEE, Right.EDIT))


def _enabled(visitor: guard.Visitor, line: Line, why: str) -> str:
    """Put it into force; why it was not, or nothing."""
    services, user, now, one = visitor.services, visitor.user, visitor.services.now(), line.sheet
    place = services.sheets.of(line.dag_id)
    audit.note(services.knowledge.folder(line.dag_id).store, AuditEntry(now, user.id, line.dag_id, "sheets enable"))
    try:
        place.enable(one.version, one.seen, Actor(user.id, user.name), why, now)
    except (NotPlacedError, MissingKeyError) as error:
        return f"{one.tenant}: {error}"
    told = {"version": one.version, "digest": one.digest, "replaces": one.seen, "reason": why}
    services.sheets.enabled(line.dag_id, user.name, told)
    return ""
