"""なぜkintoneに（い）ないのか: for those who may change the Dag, and every look is noted.

What is asked for is sent as a form, so that no key comes into an address, a log or a history (L6).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.links.hotprofile_kintone import LINK
from renkei.links.hotprofile_kintone.explain import MAX_FOUND, Explained, explain
from renkei.links.hotprofile_kintone.preview import as_text
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.orchestration.hotprofile_kintone import connections
from renkei.runs.steps import SHOWN
from renkei.web.console import guard
from renkei.web.console.page import page

router = APIRouter()
MAX_TEXT = 200  # characters


@router.get("/dag/{dag_id}/record")
def ask(request: Request, access: guard.EditsDag) -> Response:
    access.tenant_of(LINK)
    return _page(request, access)


@router.post("/dag/{dag_id}/record")
def record(
    request: Request,
    access: guard.PostsEditsDag,
    of: Annotated[str, Form(max_length=20)] = "",
    text: Annotated[str, Form(max_length=MAX_TEXT)] = "",
) -> Response:
    access.tenant_of(LINK)
    mapping = access.services.knowledge.mapping(access.company.dag_id)
    data_set = mapping.data_set(of) if mapping else None
    if data_set is None or not text.strip():
        return _page(request, access, of=of, text=text)
    access.note("record")
    store = access.services.knowledge.folder(access.company.dag_id).store
    found = explain(connections.database(), store, mapping, data_set, text, access.services.now())
    return _page(request, access, found, of, text)


def _page(
    request: Request, access: guard.Access, found: list[Explained] | None = None, of: str = "", text: str = ""
) -> Response:
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    return page(
        request,
        "hotprofile_kintone/record.html",
        one=access.company,
        mapping=mapping,
        found=found,
        of=of,
        text=text,
        passed=SHOWN,
        as_text=as_text,
        most=MAX_FOUND,
        max_text=MAX_TEXT,
        DATA_SETS=DATA_SETS,
    )
