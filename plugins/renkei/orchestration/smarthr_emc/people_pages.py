"""予定と社員を探す, and なぜEMCに（い）ないのか: for those who may change the Dag, and every look is noted.

What is asked for is sent as a form, so that no name or id comes into an address, a log or a history (L6).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.people.cache import IndexCache
from renkei.links.smarthr_emc.people.changes import changed_items
from renkei.links.smarthr_emc.people.explain import NO_READ, Explanation, explain
from renkei.links.smarthr_emc.people.index import PAGE, PeopleFilter
from renkei.links.smarthr_emc.rehearsal.stored import reads
from renkei.orchestration.smarthr_emc.jobs import PERSON
from renkei.runs.steps import StepResult
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import page
from renkei.web.services import OwnJob

router = APIRouter()
MAX_COMPARED = 250_000  # people: of more, a list does not say which items change, which takes longer than to find them
MAX_TEXT = 200  # characters; no name or address of anybody's is longer
_indexes = IndexCache()
_PASSED = {
    StepResult.YES: ("good", "済み"),
    StepResult.NO: ("bad", "ここで止まっています"),
    StepResult.NOT: ("quiet", "していません"),
}


@router.get("/dag/{dag_id}/people")
def people(request: Request, access: guard.EditsDag) -> Response:
    """How many there are of each kind; who they are is asked for by a form."""
    return _people(request, folder_of(access), access)


@router.post("/dag/{dag_id}/people")
def search(
    request: Request,
    access: guard.PostsEditsDag,
    text: Annotated[str, Form(max_length=MAX_TEXT)] = "",
    only: Annotated[PeopleFilter | None, Form()] = None,
    start: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    folder = folder_of(access)
    access.note("search")
    return _people(request, folder, access, text, only, start, asked=True)


@router.get("/dag/{dag_id}/person")
def ask(request: Request, access: guard.EditsDag) -> Response:
    folder_of(access)
    return _page(request, "person", access, found=None, text="", jobs=newest(access))


@router.post("/dag/{dag_id}/person")
def person(
    request: Request, access: guard.PostsEditsDag, text: Annotated[str, Form(max_length=MAX_TEXT)] = ""
) -> Response:
    folder = folder_of(access)
    access.note("person")
    return _page(request, "person", access, found=explain(folder, text, index=_indexes), text=text)


@router.post("/dag/{dag_id}/person/now")
def person_now(
    request: Request, access: guard.PostsEditsDag, text: Annotated[str, Form(min_length=1, max_length=MAX_TEXT)]
) -> Response:
    """Reads SmartHR, which takes as long as a run's read: a job."""
    folder_of(access)
    return start(request, access, PERSON, {"who": text})


def _people(
    request: Request,
    folder: TenantFolder,
    access: guard.Access,
    text: str = "",
    only: PeopleFilter | None = None,
    start: int = 0,
    *,
    asked: bool = False,
) -> Response:
    run = next(reads(RunRecord(folder, "")), None)
    index = _indexes(run) if run else None
    found = index.find(text, only, start) if index and asked else None
    changes = None
    if run and index and found and len(index) <= MAX_COMPARED:
        changes = changed_items(run, [line.crew_id for line in found.lines])
    return _page(
        request,
        "people",
        access,
        index=index,
        counts=index.count() if index else {},
        found=found,
        changes=changes,
        text=text,
        only=only,
        nothing=NO_READ,
    )


def _page(request: Request, template: str, access: guard.Access, **values: Any) -> Response:
    values |= {"max_text": MAX_TEXT, "page_size": PAGE, "moment": dt.datetime.fromisoformat, "passed": _PASSED}
    return page(request, f"smarthr_emc/{template}.html", one=access.company, **values)


def folder_of(access: guard.Access) -> TenantFolder:
    folder = access.services.knowledge.folder(access.company.dag_id)
    if folder.link != LINK:
        raise guard.NotFound
    return folder


JOB = OwnJob(
    "今のSmartHRで確かめる",
    Explanation,
    "smarthr_emc/job_person.html",
    {"moment": dt.datetime.fromisoformat, "passed": _PASSED},
)
MENU = (("people", "予定と社員を探す"), ("person", "なぜEMCに（い）ないのか"))
