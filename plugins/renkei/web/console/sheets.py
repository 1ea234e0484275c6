"""シート: its versions, a new one checked and compared before it is in force, and the way back (S2).

A sheet names addresses and may hold a password, so all of it is for those who may edit the Dag. An uploaded file is read
by a process within limits, never by this one; its name is shown and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from renkei.sheets.difference import SheetLine
from renkei.sheets.placed import NotPlacedError, is_yaml, suffix_of
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import MAX_BYTES
from renkei.storage.store import MissingKeyError
from renkei.storage.versions import Origin, Version
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.jobs import newest, start
from renkei.web.console.page import address, go_to, message, page
from renkei.web.screens.sheets import VersionLine, VersionState, lines
from renkei.web.sheet_facts import SheetForm
from renkei.web.tenant_sheet import Actor, CurrentSheet, TenantSheet, note_review

router = APIRouter()
LISTED = 50
MAX_REASON = 300  # characters
MAX_FORM = 1024 * 1024  # bytes of a whole sheet as a form
UPLOADS = {"/sheets": MAX_BYTES + 64 * 1024, "/sheet-form": MAX_FORM}  # bytes of a form, by the end of its address
Number = Annotated[str, Form(max_length=8)]


@dataclass(frozen=True, slots=True)
class SheetVersions:
    """A company's sheet, as of one moment."""

    sheet: TenantSheet
    current: CurrentSheet
    loaded: str
    lines: Sequence[VersionLine]

    def line(self, number: int) -> VersionLine | None:
        return next((one for one in self.lines if one.number == number), None)


@router.get("/dag/{dag_id}/sheets")
def versions(request: Request, access: guard.EditsDag) -> Response:
    sheet_versions, dag_id = _sheet_versions(access), access.company.dag_id
    mapping = access.services.knowledge.mapping(dag_id)
    return page(
        request,
        "sheets.html",
        one=access.company,
        sheet_versions=sheet_versions,
        now_used=sheet_versions.line(sheet_versions.current.number),
        has_form=access.services.sheets.form(dag_id, mapping) is not None,
        most=MAX_BYTES // 1_000_000,
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/sheets")
async def upload(request: Request, access: guard.PostsEditsDag) -> Response:
    """A new version; what it says is looked at on its own page."""
    given = (await request.form()).get("file")
    content = await given.read(MAX_BYTES + 1) if isinstance(given, UploadFile) else b""
    if not isinstance(given, UploadFile) or not content or len(content) > MAX_BYTES:
        found = "大きすぎます" if content else "選ばれていないか、空です"
        said = f"{MAX_BYTES // 1_000_000}MB以下の連携設定シート（.xlsx、.yaml）を選んで、もう一度アップロードしてください。"
        return await run_in_threadpool(_message, request, access, 400, f"ファイルが{found}", said)
    return await run_in_threadpool(_kept, request, access, content, given.filename or "", Origin.UPLOAD)


@router.get("/dag/{dag_id}/sheets/compare")
def compare(request: Request, access: guard.EditsDag, old: str = "", new: str = "") -> Response:
    sheet_versions = _sheet_versions(access)
    before, after = (_version(sheet_versions, number) for number in (old, new))
    changed, fault = _differences(access, sheet_versions, before, after)
    return page(
        request,
        "sheet_compare.html",
        one=access.company,
        old=before,
        new=after,
        changed=changed,
        fault=fault,
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/sheets/{number}")
def version(request: Request, number: str, access: guard.EditsDag) -> Response:
    sheet_versions = _sheet_versions(access)
    line = _version(sheet_versions, number)
    review = _review(access, sheet_versions, line)
    current = sheet_versions.line(sheet_versions.current.number)
    changed: Sequence[SheetLine] = ()
    fault = ""
    if current and line.state not in (VersionState.IN_FORCE, VersionState.COMING):
        changed, fault = _differences(access, sheet_versions, current, line)
    tried = [one for one in newest(access) if one[0].request.asked.get("version") == str(line.number)]
    return page(
        request,
        "sheet.html",
        one=access.company,
        line=line,
        sheet_versions=sheet_versions,
        current=current,
        review=review,
        changed=changed,
        fault=fault,
        tries=access.services.sheets.tries(access.company.dag_id),
        tried=tried,
        is_workbook=not is_yaml(suffix_of(line.version.file_name)),
        fits=_fits(sheet_versions.current, line.version),
        reason_most=MAX_REASON,
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/sheets/{number}/file")
def download(request: Request, number: str, access: guard.EditsDag) -> Response:
    sheet_versions = _sheet_versions(access)
    line = _version(sheet_versions, number)
    access.note(f"sheet file {line.number}")
    name = f"{access.company.tenant}-{line.number}{suffix_of(line.version.file_name)}"
    return downloads.file(name, sheet_versions.sheet.versions.content(line.version))


@router.get("/dag/{dag_id}/sheets/{number}/marked")
def marked(request: Request, number: str, access: guard.EditsDag) -> Response:
    """色付きの控え: the workbook with what was found in it."""
    sheet_versions = _sheet_versions(access)
    line = _version(sheet_versions, number)
    if is_yaml(suffix_of(line.version.file_name)):
        raise guard.NotFound
    review = _review(access, sheet_versions, line)
    access.note(f"sheet marked {line.number}")
    content = access.services.sheets.marked(access.company.dag_id, review)
    return downloads.file(f"{access.company.tenant}-{line.number}-確認結果.xlsx", content)


@router.post("/dag/{dag_id}/sheets/{number}/try")
def rehearse(request: Request, number: str, access: guard.PostsEditsDag, which: Number = "") -> Response:
    """What this version would do, as a job."""
    line = _version(_sheet_versions(access), number)
    tries = access.services.sheets.tries(access.company.dag_id)
    if not re.fullmatch("[0-9]", which) or int(which) >= len(tries):
        return _message(request, access, 400, "内容が選ばれていません", "画面に戻り、もう一度選んでください。")
    chosen = tries[int(which)]
    return start(request, access, chosen.kind, {**chosen.asked, "version": str(line.number)})


@router.post("/dag/{dag_id}/sheets/{number}/enable")
def enable(
    request: Request,
    number: str,
    access: guard.PostsEditsDag,
    digest: Annotated[str, Form(max_length=64)] = "",
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
) -> Response:
    """有効にする: in place of the file that the page showed (`digest`), only without errors, only with a reason."""
    dag_id, now, sheet_versions = access.company.dag_id, access.services.now(), _sheet_versions(access)
    line = _version(sheet_versions, number)
    why = " ".join(reason.split())
    if not why:
        said = "画面に戻り、理由を入力してください。個人情報は書かないでください。"
        return _message(request, access, 400, "理由が入力されていません", said, line.number)
    if not _review(access, sheet_versions, line).usable:
        said = "シートに誤りがあるため、有効にできません。画面に戻り、誤りと対処を確認してください。"
        return _message(request, access, 409, "有効にできません", said, line.number)
    access.note(f"sheet enable {line.number}")
    try:
        moved = sheet_versions.sheet.enable(line.number, digest, _by(access), why, now)
    except NotPlacedError as error:
        return _message(request, access, 409, "有効にしていません", str(error), line.number)
    told = {"version": line.number, "digest": line.version.digest, "replaces": moved.move.replaces, "reason": why}
    access.services.sheets.enabled(dag_id, access.user.name, told)
    access.services.knowledge.changed()
    return go_to(request, "dag", dag_id, "sheets", str(line.number))


@router.post("/dag/{dag_id}/sheets/{number}/back")
def back(request: Request, number: str, access: guard.PostsEditsDag) -> Response:
    """An earlier version as a new one, to be looked at and enabled as any."""
    sheet_versions = _sheet_versions(access)
    line = _version(sheet_versions, number)
    access.note(f"sheet back {line.number}")
    made = sheet_versions.sheet.again(line.number, _by(access), access.services.now())
    return go_to(request, "dag", access.company.dag_id, "sheets", str(made))


@router.get("/dag/{dag_id}/sheet-form")
def edit(request: Request, access: guard.EditsDag, of: str = "") -> Response:
    """The sheet in force, or a version, as a form."""
    sheet_versions, dag_id = _sheet_versions(access), access.company.dag_id
    line = _version(sheet_versions, of or str(sheet_versions.current.number))
    review = _review(access, sheet_versions, line)
    form = access.services.sheets.form(dag_id, review.mapping)
    if form is None:
        said = (
            "この連携のシートか、誤りのあるシートは、画面では編集できません。ファイルを直してアップロードしてください。"
        )
        return _message(request, access, 409, "画面では編集できません", said)
    return _form(request, access, line, form)


@router.post("/dag/{dag_id}/sheet-form")
async def save(request: Request, access: guard.PostsEditsDag) -> Response:
    given = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    return await run_in_threadpool(_saved, request, access, given)


def _saved(request: Request, access: guard.Access, given: dict[str, str]) -> Response:
    sheet_versions = _sheet_versions(access)
    line = _version(sheet_versions, given.pop("of", ""))
    review = _review(access, sheet_versions, line)
    if review.mapping is None:
        raise guard.NotFound
    sheets, dag_id, name = access.services.sheets, access.company.dag_id, line.version.file_name
    content = sheets.formed(dag_id, name, review, given)
    said = sheets.review(dag_id, name, content)
    form = sheets.form(dag_id, review.mapping)
    if said.problems and form is not None:  # all that was typed is there to be mended
        typed = {field: given.get(field, text) for field, text in form.values.items()}
        return _form(request, access, line, replace(form, values=typed), said)
    return _kept(request, access, content, name, Origin.FORM, of=line.number)


def _form(
    request: Request, access: guard.Access, line: VersionLine, form: SheetForm, said: Review | None = None
) -> Response:
    """`said`: of what was filled in, which is kept nowhere."""
    status = 422 if said else 200
    now = access.services.now()
    return page(request, "sheet_form.html", status, one=access.company, line=line, form=form, said=said, now=now)


def _kept(
    request: Request, access: guard.Access, content: bytes, file_name: str, origin: Origin, *, of: int = 0
) -> Response:
    sheet_versions = _sheet_versions(access)
    access.note(f"sheet {origin.value}")
    number = sheet_versions.sheet.keep(content, file_name, origin, _by(access), access.services.now(), of=of)
    return go_to(request, "dag", access.company.dag_id, "sheets", str(number))


def _sheet_versions(access: guard.Access) -> SheetVersions:
    dag_id = access.company.dag_id
    sheet = access.services.sheets.of(dag_id)
    current = sheet.notice(access.services.now())
    loaded = access.services.sheets.loaded(dag_id)
    listed, moves = sheet.versions.listed(LISTED), list(sheet.versions.moves())
    if current.number and current.number not in {number for number, _ in listed}:
        listed.append((current.number, sheet.versions.read(current.number)))
    return SheetVersions(sheet, current, loaded, lines(listed, moves, current, loaded, sheet.versions.errors))


def _version(sheet_versions: SheetVersions, number: str) -> VersionLine:
    """Raises NotFound."""
    if not re.fullmatch(r"[1-9][0-9]{0,7}", number):
        raise guard.NotFound
    if found := sheet_versions.line(int(number)):
        return found
    versions = sheet_versions.sheet.versions
    try:
        old = versions.read(int(number))
    except MissingKeyError:
        raise guard.NotFound from None
    listed, moves = [(int(number), old)], list(versions.moves())
    return lines(listed, moves, sheet_versions.current, sheet_versions.loaded, versions.errors)[0]


def _review(access: guard.Access, sheet_versions: SheetVersions, line: VersionLine) -> Review:
    versions, version = sheet_versions.sheet.versions, line.version
    review = access.services.sheets.review(access.company.dag_id, version.file_name, versions.content(version))
    note_review(versions, line.number, review)
    return review


def _differences(
    access: guard.Access, sheet_versions: SheetVersions, old: VersionLine, new: VersionLine
) -> tuple[Sequence[SheetLine], str]:
    """What changed, or why nobody can say."""
    before, after = (_review(access, sheet_versions, one).mapping for one in (old, new))
    for line, mapping in ((old, before), (new, after)):
        if mapping is None:
            return (), f"版{line.number}に誤りがあるため、違いを示せません。"
    return access.services.sheets.differences(access.company.dag_id, before, after), ""


def _fits(current: CurrentSheet, version: Version) -> str:
    """Why this version cannot take the place of the file in force; empty where it can."""
    path = current.placed.path
    if current.placed.fault:
        return current.placed.fault
    if path and is_yaml(path.suffix) != is_yaml(suffix_of(version.file_name)):
        return f"使用中のシートは{path.suffix}です。同じ形式のファイルだけが、その代わりになります。"
    return ""


def _by(access: guard.Access) -> Actor:
    return Actor(access.user.id, access.user.name)


def _message(request: Request, access: guard.Access, status: int, title: str, said: str, number: int = 0) -> Response:
    here = address(request, "dag", access.company.dag_id, "sheets", *([str(number)] if number else []))
    return message(request, status, title, said, links=[("シートの画面に戻る", here)])
