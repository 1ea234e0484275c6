"""連携開始までの流れ of a company whose link has a target to be confirmed."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.errors import StoreError
from renkei.jobs.records import Jobs, JobState
from renkei.storage import records
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.console import guard
from renkei.web.console.jobs import newest
from renkei.web.console.page import page
from renkei.web.screens.start import Facts, StepsDone, start_steps
from renkei.web.tenant_sheet import TenantSheet

router = APIRouter()
LOOKED_BACK = dt.timedelta(days=400)


@router.get("/dag/{dag_id}/start")
def start(request: Request, access: guard.EditsDag) -> Response:
    """For links with a run a day: of one that runs every few minutes nobody reads a year of runs for a page."""
    one, now, knowledge = access.company, access.services.now(), access.services.knowledge
    if not one.provable:
        raise guard.NotFound
    sheet, folder = access.services.sheets.of(one.dag_id), knowledge.folder(one.dag_id)
    sheet.notice(now)
    before = _passed(folder)
    facts = Facts(
        one,
        knowledge.details(one.dag_id),
        knowledge.runs(one.dag_id, now - LOOKED_BACK),
        knowledge.connections(one.dag_id),
        Jobs(folder).was_done("rehearsal")
        or any(job.request.kind == "rehearsal" and state is JobState.DONE for job, state, _ in newest(access)),
        _first_version(sheet),
        now.astimezone(TOKYO).date(),
        next((own.connects for own in access.services.own_pages if one.dag_id.startswith(f"{own.link}__")), None),
        before,
    )
    found = start_steps(facts)
    if found.passed != before:
        with suppress(StoreError):  # the next one who looks keeps it
            records.write(folder.store, folder.start_steps, found.passed)
    return page(request, "start.html", one=one, progress=found, now=now)


def _passed(folder: TenantFolder) -> StepsDone:
    try:
        return records.read_or_none(folder.store, folder.start_steps, StepsDone) or StepsDone()
    except DamagedFileError:
        return StepsDone()


def _first_version(sheet: TenantSheet) -> dt.datetime | None:
    numbers = sheet.versions.numbers()
    with suppress(MissingKeyError, DamagedFileError):  # tidied meanwhile; torn: nobody can say
        return sheet.versions.read(numbers[-1]).at if numbers else None
    return None
