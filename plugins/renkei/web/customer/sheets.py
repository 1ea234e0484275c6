"""シート: uploaded, and at once what is wrong in it; then it waits for the operator (S2, S5).

The file is read by a process within limits, never by this one. Nothing is said of other companies' sheets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from renkei.sheets.difference import SheetLine
from renkei.sheets.placed import is_yaml, suffix_of
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import MAX_BYTES
from renkei.web import downloads
from renkei.web.customer import guard
from renkei.web.customer.page import address, message, page
from renkei.web.customer.uploads import keep, may_upload, note, uploads_of
from renkei.web.screens.customer import Upload, without_addresses
from renkei.web.tenant_sheet import note_review

router = APIRouter()
NOBODY: frozenset[str] = frozenset()


@router.get("/sheets")
def listed(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.sees_sheet)]) -> Response:
    return page(
        request,
        "customer_sheets.html",
        company=visitor.company(),
        uploads=uploads_of(visitor),
        most=MAX_BYTES // 1_000_000,
    )


@router.post("/sheets")
async def upload(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.posts_sheet)]) -> Response:
    given = visitor.form.get("file")
    content = await given.read(MAX_BYTES + 1) if isinstance(given, UploadFile) else b""
    name = (given.filename or "") if isinstance(given, UploadFile) else ""
    return await run_in_threadpool(_kept, request, visitor, content, name)


def _kept(request: Request, visitor: guard.Visitor, content: bytes, name: str) -> Response:
    back = [("シートの画面に戻る", address(request, "sheets"))]
    if not content or len(content) > MAX_BYTES:
        found = "大きすぎます" if content else "選ばれていないか、空です"
        said = f"{MAX_BYTES // 1_000_000}MB以下の連携設定シート（.xlsx、.yaml）を選んで、もう一度アップロードしてください。"
        return message(request, 400, f"ファイルが{found}", said, links=back)
    if not may_upload(visitor):
        said = "1日にアップロードできる回数を超えました。急ぐ場合は、運用担当者に連絡してください。"
        return message(request, 429, "アップロードが多すぎます", said, links=back)
    number = keep(visitor, content, name)
    return RedirectResponse(address(request, "sheets", str(number)), 303)


@router.get("/sheets/{number}")
def version(request: Request, number: str, visitor: Annotated[guard.Visitor, Depends(guard.sees_sheet)]) -> Response:
    review = _review(visitor, _upload(visitor, number))
    found = _upload(visitor, number)  # with what the look has found
    changed, fault = _differences(visitor, review)
    return page(
        request,
        "customer_sheet.html",
        company=visitor.company(),
        one=found,
        review=review,
        changed=changed,
        fault=fault,
        is_workbook=not is_yaml(suffix_of(found.version.file_name)),
    )


@router.get("/sheets/{number}/marked")
def marked(number: str, visitor: Annotated[guard.Visitor, Depends(guard.sees_sheet)]) -> Response:
    """色付きの控え: the workbook with what was found in it."""
    found = _upload(visitor, number)
    if is_yaml(suffix_of(found.version.file_name)):
        raise guard.NotFound
    review = _review(visitor, found)
    note(visitor, f"sheet marked {found.number}")
    with visitor.alone(visitor.limits.reviewing):
        content = visitor.services.sheets.marked(visitor.dag_id, review)
    return downloads.file(f"連携設定シート-{found.number}-確認結果.xlsx", content)


def _upload(visitor: guard.Visitor, number: str) -> Upload:
    """One of the customers' own: what the operator uploaded is not theirs to see.

    Raises:
        NotFound
    """
    if re.fullmatch(r"[1-9][0-9]{0,7}", number):
        for one in uploads_of(visitor):
            if one.number == int(number):
                return one
    raise guard.NotFound


def _review(visitor: guard.Visitor, found: Upload) -> Review:
    visitor.count(visitor.limits.reviews)
    sheets = visitor.services.sheets
    content = sheets.of(visitor.dag_id).versions.content(found.version)
    with visitor.alone(visitor.limits.reviewing):
        review = sheets.review(visitor.dag_id, found.version.file_name, content, NOBODY)
    note_review(sheets.of(visitor.dag_id).versions, found.number, review)
    return review


def _differences(visitor: guard.Visitor, new: Review) -> tuple[Sequence[SheetLine], str]:
    """What would change, or why nobody can say; whose addresses the sheet in force names is not for all who are invited."""
    sheets, dag_id = visitor.services.sheets, visitor.dag_id
    used = sheets.of(dag_id).file()
    if used.path is None or not used.content:
        return (), "いま使っているシートがないため、比べられません。"
    with visitor.alone(visitor.limits.reviewing):
        old = sheets.review(dag_id, used.path.name, used.content, NOBODY)
    if old.mapping is None or new.mapping is None:
        which = "いま使っているシート" if new.mapping is not None else "このシート"
        return (), f"{which}に誤りがあるため、違いを示せません。"
    lines = sheets.differences(dag_id, old.mapping, new.mapping)
    return [replace(one, old=without_addresses(one.old), new=without_addresses(one.new)) for one in lines], ""
