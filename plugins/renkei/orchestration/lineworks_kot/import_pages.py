"""一括インポート: a file goes to its job, whose page shows what is wrong or what would change; and 登録 of it (P5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from renkei.errors import Problem
from renkei.jobs.records import Jobs
from renkei.links.lineworks_kot import LINK
from renkei.orchestration.lineworks_kot.import_jobs import CheckedFile
from renkei.orchestration.lineworks_kot.jobs import IMPORT, TAKE
from renkei.storage import uploads
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.jobs import ask, start
from renkei.web.console.page import go_to
from renkei.web.services import Refused

router = APIRouter()
MAX_UPLOAD = 4 * 1024 * 1024  # bytes of a form with a file: ten thousand lines have half of one
PROBLEMS_SHOWN = 1_000  # the others are in the file that can be downloaded


@router.post("/dag/{dag_id}/accounts/import")
def upload(request: Request, access: guard.PostsEditsDag, file: Annotated[UploadFile, File()]) -> Response:
    """検査する: every bad row, or what would change; nothing is changed yet."""
    access.tenant_of(LINK)
    content, name = file.file.read(MAX_UPLOAD), (file.filename or "").lower()
    digest, dag_id = hashlib.sha256(content).hexdigest(), access.company.dag_id
    folder = access.services.knowledge.folder(dag_id)
    asked = {"upload": digest, "name": "ファイル.xlsx" if name.endswith((".xlsx", ".xlsm")) else "ファイル"}

    keep = partial(uploads.keep, folder, digest, content)
    number = ask(access.services, access.user, dag_id, IMPORT, asked, keep)
    return go_to(request, "dag", dag_id, "jobs", str(number))


@router.post("/dag/{dag_id}/accounts/import/confirm")
def confirm(request: Request, access: guard.PostsEditsDag, file: Annotated[int, Form(ge=1, le=99_999_999)]) -> Response:
    """登録: what the job of this number has shown, and nothing else."""
    access.tenant_of(LINK)
    return start(request, access, TAKE, {"file": str(file), "by": access.user.name})


@router.get("/dag/{dag_id}/accounts/import/{number}/problems.csv")
def problems(access: guard.EditsDag, number: int) -> Response:
    """All that is wrong in a file."""
    access.note("accounts problems.csv")
    try:
        found = Jobs(access.services.knowledge.folder(access.company.dag_id)).result(number, CheckedFile)
    except (MissingKeyError, DamagedFileError):
        raise Refused("この検査結果は、もうありません。もう一度インポートしてください。") from None
    return downloads.table("problems.csv", _rows(found.problems))


def _rows(found: Sequence[Problem]) -> Iterator[Sequence[str]]:
    yield "場所", "内容", "対処"
    for problem in found:
        yield problem.where, problem.found, problem.remedy
