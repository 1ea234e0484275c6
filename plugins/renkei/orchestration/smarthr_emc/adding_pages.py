"""連携を追加する → SmartHR連携設定: text 1's form, and the first sheet that it makes (S2, S3).

For who may edit Dags in general. Other companies are named only where he may see them. Nothing is kept before
連携を開始する, which puts the sheet into force as version 1; sent twice, or again after a crash, it is done once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from renkei import settings
from renkei.errors import Problem
from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.sheet.first import FIELDS, PASSWORDS, SAMPLE, USER_IDS, faults, first_sheet, samples
from renkei.links.smarthr_emc.sheet.setting_kinds import MAX_COMPANY_NAME, MAX_ID_PREFIX, MAX_RESULT_ADDRESSES
from renkei.orchestration.link import LINKS, dag_id
from renkei.sheets.compiled import digest_of
from renkei.sheets.placed import NotPlacedError
from renkei.sheets.tenant_files import OPERATOR_FILE, is_tenant
from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.storage.versions import Origin
from renkei.texts import Fault, narrow
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.overview import visible
from renkei.web.console.page import go_to, page
from renkei.web.tenant_sheet import Actor

router = APIRouter()
HERE = f"new/{LINK}"
ADDS = (LINKS[LINK].label, HERE)
WHY = "連携を追加しました"
MAX_TEXT = 1000  # characters of a field
_TENANT = Fault(
    "この会社のIDは使えません", "半角の英小文字、数字、_、- だけで、_ を2つ続けずに記入してください（例: acme）"
)
_TAKEN = Fault("この会社のIDは既に使われています", "別のIDにしてください")


@router.get(f"/{HERE}")
def form(request: Request, visitor: guard.Creates) -> Response:
    return _form(request, visitor, {"user_id": USER_IDS[0], "password": "secret", "department_yomi": "ブショ"})


@router.post(f"/{HERE}/look")
async def look(request: Request, visitor: guard.PostsCreates) -> Response:
    """The form again with what its ids will be, and what is wrong with what is filled in so far."""
    given = await _given(request)
    return await run_in_threadpool(_looked, request, visitor, given)


@router.post(f"/{HERE}/file")
async def file(request: Request, visitor: guard.PostsCreates) -> Response:
    """The sheet as a file, where the folder is not written by pages."""
    given = await _given(request)
    return await run_in_threadpool(_file, request, visitor, given)


@router.post(f"/{HERE}")
async def begin(request: Request, visitor: guard.PostsCreates) -> Response:
    """連携を開始する."""
    given = await _given(request)
    return await run_in_threadpool(_begun, request, visitor, given)


@router.get(f"/{HERE}/{{tenant}}")
def coming(request: Request, tenant: str, visitor: guard.Creates) -> Response:
    """反映待ち, until Airflow has made the Dag; then 連携開始までの流れ. For who added the company."""
    if not is_tenant(tenant):
        raise guard.NotFound
    one, services = dag_id(LINK, tenant), visitor.services
    if any(company.dag_id == one and not company.dag_gone for company in visible(visitor)):
        if request.headers.get("HX-Request") == "true":
            return Response(headers={"HX-Refresh": "true"})
        return go_to(request, "dag", one, "start")
    versions = services.sheets.of(one).versions
    last = next(versions.moves(), None)
    if one in services.knowledge.companies() or last is None or not last.done or last.move.by != visitor.user.id:
        raise guard.NotFound
    return page(request, f"{LINK}/added.html", tenant=tenant, move=last.move, now=services.now())


async def _given(request: Request) -> dict[str, str]:
    """What was filled in, and what was known to be doubtful (`known`)."""
    found = await request.form()
    names = ("tenant", "known", *FIELDS)
    return {name: value[:MAX_TEXT] for name in names if isinstance(value := found.get(name), str)}


def _looked(request: Request, visitor: guard.Visitor, given: Mapping[str, str]) -> Response:
    wrong = {name: one for name, one in _faults(visitor, given).items() if given.get(name, "").strip()}
    return _form(request, visitor, given, wrong)


def _file(request: Request, visitor: guard.Visitor, given: Mapping[str, str]) -> Response:
    if wrong := _faults(visitor, given):
        return _form(request, visitor, given, wrong, status=400)
    return downloads.file(f"{given['tenant']}.xlsx", first_sheet(given))


def _begun(request: Request, visitor: guard.Visitor, given: Mapping[str, str]) -> Response:
    services, now, user = visitor.services, visitor.services.now(), visitor.user
    if wrong := _faults(visitor, given, begun=True):
        return _form(request, visitor, given, wrong, status=400)
    tenant = given["tenant"]
    one, name, content = dag_id(LINK, tenant), f"{tenant}.xlsx", first_sheet(given)
    review = services.sheets.review(one, name, content, {company.tenant for company in visible(visitor)})
    doubts = [*review.beside, *review.warnings]
    if not review.usable:
        return _form(request, visitor, given, problems=[*review.problems, *review.misplaced], status=400)
    if doubts and given.get("known") != _mark(doubts):
        return _form(request, visitor, given, doubts=doubts, status=409)
    audit.note(services.knowledge.folder(one).store, AuditEntry(now, user.id, one, "company add"))
    sheet = services.sheets.of(one)
    try:
        number, is_new = sheet.begin(content, name, Origin.FORM, Actor(user.id, user.name), WHY, now)
    except NotPlacedError as error:
        return _form(request, visitor, given, refused=str(error), status=409)
    if is_new:
        told = {"version": number, "digest": sheet.versions.read(number).digest, "replaces": "", "reason": WHY}
        services.sheets.enabled(one, user.name, told)
        services.knowledge.changed()
    return go_to(request, *HERE.split("/"), tenant)


def _faults(visitor: guard.Visitor, given: Mapping[str, str], *, begun: bool = False) -> dict[str, Fault]:
    """By field. With `begun` a name may be that of the very sheet that is sent again: its file says so."""
    found = faults(given, settings.allowed_hosts())
    tenant = given.get("tenant", "")
    if not is_tenant(tenant) or tenant == OPERATOR_FILE:
        return {"tenant": _TENANT, **found}
    existing = visitor.services.sheets.of(dag_id(LINK, tenant)).file()
    if existing.path and not (begun and not found and first_sheet(given) == existing.content):
        found = {"tenant": _TAKEN, **found}
    return found


def _mark(doubts: Sequence[Problem]) -> str:
    """Says which doubts somebody has seen."""
    return digest_of("\n".join(one.found for one in doubts).encode())


def _form(
    request: Request,
    visitor: guard.Visitor,
    given: Mapping[str, str],
    wrong: Mapping[str, Fault] | None = None,
    *,
    problems: Sequence[Problem] = (),
    doubts: Sequence[Problem] = (),
    refused: str = "",
    status: int = 200,
) -> Response:
    values: dict[str, Any] = {name: given.get(name, "") for name in ("tenant", *FIELDS)}
    return page(
        request,
        f"{LINK}/adding.html",
        status,
        given=values,
        wrong=wrong or {},
        problems=problems,
        doubts=doubts,
        known=_mark(doubts) if doubts else "",
        refused=refused,
        fault=visitor.services.sheets.folder_fault(LINK),
        samples=samples(values),
        sample=SAMPLE,
        prefix=narrow(values["id_prefix"]) or "abc",
        user_ids=USER_IDS,
        passwords=PASSWORDS,
        most={"name": MAX_COMPANY_NAME, "prefix": MAX_ID_PREFIX, "addresses": MAX_RESULT_ADDRESSES},
        now=visitor.services.now(),
    )
