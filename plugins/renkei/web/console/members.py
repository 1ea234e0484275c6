"""メンバー: who is reached where (marks, never the ids), 一括インポート with its preview, invitations to register oneself (N4).

They name people: for who may edit the Dag, and every look is noted. An address of an invitation is shown once, in a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from renkei import settings
from renkei.errors import SettingError
from renkei.notifications.members.file import written
from renkei.notifications.members.importing import Import, read_import, take_over
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import COLUMNS, MemberError
from renkei.storage.database.database import open_database
from renkei.storage.store import MissingKeyError
from renkei.texts import trim
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.page import address, message, page
from renkei.web.member_facts import FIELDS, MemberLine, registered
from renkei.web.screens.overview import page_of
from renkei.web.services import Refused

router = APIRouter()
MAX_UPLOAD = 4 * 1024 * 1024  # bytes of a form with a file
UPLOADS = {"/members/import": MAX_UPLOAD}
PER_PAGE = 100
PROBLEMS_SHOWN = 1_000
MAX_TEXT = 40  # characters of a user id (E23)
MAX_DAYS = {"line": 90, "my": 30}
DAYS = 14
SECRETS = ("google_chat_webhook",)  # no file of ours has them
UNDONE = {
    "1": "LINE連携を取り消しました。",
    "imported": "LINE連携を取り消しました。インポートしたLINEユーザーIDが残っているため、通知はそちらに届きます。",
}
TEXT = "text/csv; charset=utf-8"


@router.get("/dag/{dag_id}/members")
def members(
    request: Request, access: guard.EditsDag, at: str = "", saved: str = "", lacks: str = "", undone: str = ""
) -> Response:
    access.note("members")
    return _page(request, access, lacks=lacks if lacks in FIELDS else "", at=at, saved=saved, undone=undone)


@router.post("/dag/{dag_id}/members/find")
def find(
    request: Request, access: guard.PostsEditsDag, text: Annotated[str, Form(max_length=MAX_TEXT)] = ""
) -> Response:
    """Those whose user id has this in it. Posted: an address that names somebody stays in logs and histories."""
    access.note("members find")
    return _page(request, access, text=trim(text))


def _page(
    request: Request,
    access: guard.Access,
    *,
    text: str = "",
    lacks: str = "",
    at: str = "",
    saved: str = "",
    undone: str = "",
) -> Response:
    everybody, offered = _lines(access), access.services.knowledge.member_invitations(access.company.dag_id)
    lines = [one for one in everybody if text.casefold() in one.user_id.casefold() and lacks not in one.has]
    shown = page_of(at, len(lines), PER_PAGE)
    return page(
        request,
        "members.html",
        one=access.company,
        lines=lines[shown.start : shown.stop],
        shown=shown,
        total=len(everybody),
        text=text,
        text_most=MAX_TEXT,
        lacks=lacks,
        fields=FIELDS,
        counts=registered(everybody),
        offered=offered,
        days=DAYS,
        days_most=MAX_DAYS,
        most=MAX_UPLOAD // 1_000_000,
        saved=saved if saved.isascii() and saved.isdigit() else "",
        undone=UNDONE.get(undone, ""),
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/members.{kind}")
def download(kind: str, access: guard.EditsDag) -> Response:
    """The table as a file that the import takes back, but for webhooks."""
    if kind not in ("csv", "xlsx"):
        raise guard.NotFound
    access.note("members file")
    found = _linking(access).members
    # Their own links stay where they are: exported and imported again, they could no longer be undone.
    table = found.imported().assign(linked_at=found.all()["linked_at"])
    content = written(table, [name for name in COLUMNS if name not in SECRETS], excel=kind == "xlsx")
    return downloads.file(f"members.{kind}", content, downloads.XLSX if kind == "xlsx" else TEXT)


@router.post("/dag/{dag_id}/members/import")
def upload(request: Request, access: guard.PostsEditsDag, file: Annotated[UploadFile, File()]) -> Response:
    """Every mistake, or what would change; nothing is changed yet."""
    access.note("members import")
    content = file.file.read(MAX_UPLOAD)
    excel = (file.filename or "").lower().endswith((".xlsx", ".xlsm"))
    read = _read(access, content, excel)
    digest = hashlib.sha256(content).hexdigest()
    if not read.problems:
        access.services.knowledge.folder(access.company.dag_id).store.write(_import_key(access, excel), content)
    return page(
        request,
        "members_import.html",
        400 if read.problems else 200,
        one=access.company,
        read=read,
        problems=read.problems[:PROBLEMS_SHOWN],
        digest=digest,
        excel=excel,
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/members/import/confirm")
def confirm(
    request: Request,
    access: guard.PostsEditsDag,
    digest: Annotated[str, Form(max_length=64)] = "",
    excel: Annotated[str, Form(max_length=1)] = "",
    removing: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """What the preview showed, and nothing else, is taken over; the table may have changed, so that it is read again."""
    store, key = access.services.knowledge.folder(access.company.dag_id).store, _import_key(access, bool(excel))
    content = b""
    with suppress(MissingKeyError):
        content = store.read(key)
    if not content or hashlib.sha256(content).hexdigest() != digest:
        raise Refused("ファイルの内容が確認した後に変わりました。もう一度インポートしてください。")
    read = _read(access, content, bool(excel))
    if read.problems:
        raise Refused("確認した後に登録が変わり、誤りになりました。もう一度インポートしてください。")
    if read.removes_many and not removing:
        said = (
            f"{read.before}名のうち{read.removed}名の登録が消えます。正しければ、確認の画面でチェックを入れてください。"
        )
        return message(request, 409, "登録していません", said, links=_back(request, access))
    access.note("members import confirmed")
    linking = _linking(access)
    take_over(read, linking, _own(linking))
    store.delete(key)
    return RedirectResponse(f"{address(request, 'dag', access.company.dag_id, 'members')}?saved={read.members}", 303)


@router.post("/dag/{dag_id}/members/invite")
def invite(
    request: Request,
    access: guard.PostsEditsDag,
    kind: Annotated[str, Form(max_length=10)] = "",
    who: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[int, Form(ge=1, le=90)] = DAYS,
) -> Response:
    """A file of addresses, a member each: for the one that is named, else for everybody who is not registered yet."""
    try:
        tokens = _invited(access, kind, who, days)
    except Refused as error:
        return message(request, 409, "招待していません", str(error), links=_back(request, access))
    rows = _invitations(access, kind, tokens)
    return downloads.table(f"invitations-{kind}.csv", rows)


@router.post("/dag/{dag_id}/members/undo-line")
def undo_line(
    request: Request,
    access: guard.PostsEditsDag,
    who: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """LINE連携を取り消す: of what the member linked himself, and of his invitations. Whose it is stands in no address."""
    linking = _linking(access)
    access.note("members undo line")
    if not linking.undo_line(who):
        said = "本人が連携したLINEはありません。招待があれば取り消しました。"
        return message(request, 409, "LINE連携がありません", said, links=_back(request, access))
    left = linking.members.find(who)
    undone = "imported" if left and left.line_user_id else "1"
    return RedirectResponse(f"{address(request, 'dag', access.company.dag_id, 'members')}?undone={undone}", 303)


def _invited(access: guard.Access, kind: str, who: str, days: int) -> dict[str, str]:
    """The tokens by user id. Raises Refused."""
    knowledge, dag_id, linking, now = (
        access.services.knowledge,
        access.company.dag_id,
        _linking(access),
        access.services.now(),
    )
    if kind not in knowledge.member_invitations(dag_id) or days > MAX_DAYS[kind]:
        raise Refused("招待の種類か有効日数を読み取れません。画面を開き直してください。")
    if fault := knowledge.member_invitation_fault(dag_id, kind):
        raise Refused(f"{fault}「接続」の画面で確認してください。")
    lines = _lines(access)
    done = ("line_user_id",) if kind == "line" else ("slack_member_id", "google_chat_webhook")
    users = [trim(who)] if trim(who) else [one.user_id for one in lines if one.has.isdisjoint(done)]
    if not set(users) <= {one.user_id for one in lines}:
        raise Refused("メンバーにいないユーザIDです。先にインポートで登録してください。")
    if not users:
        raise Refused("招待する人がいません。全員が登録済みです。")
    access.note(f"members invite {kind}")
    try:
        return (linking if kind == "line" else _own(linking)).invite(users, days, now)
    except MemberError as error:
        raise Refused(str(error)) from None


def _back(request: Request, access: guard.Access) -> list[tuple[str, str]]:
    return [("メンバーに戻る", address(request, "dag", access.company.dag_id, "members"))]


def _invitations(access: guard.Access, kind: str, tokens: dict[str, str]) -> Iterator[Sequence[str]]:
    knowledge, dag_id = access.services.knowledge, access.company.dag_id
    yield "ユーザID", f"{knowledge.member_invitations(dag_id)[kind]}のURL"
    for user_id, token in tokens.items():
        yield user_id, knowledge.member_invitation_url(dag_id, kind, token)


def _lines(access: guard.Access) -> list[MemberLine]:
    linking, now = _linking(access), access.services.now()
    table, invited = linking.members.all(), linking.invited(now)
    own = _own(linking).registrations(table["user_id"], now)
    links = {user: link.linked_at for user, link in linking.members.line_links().items()}
    found = []
    for row in table.to_dict("records"):
        user = str(row["user_id"])
        himself = {**own[user].registered, **({"line_user_id": links[user]} if user in links else {})}
        has = frozenset({name for name in FIELDS if row[name]} | himself.keys())
        until = max((one for one in (invited.get(user), own[user].invited_until) if one), default=None)
        found.append(MemberLine(user, has, himself, until))
    return found


def _read(access: guard.Access, content: bytes, excel: bool) -> Import:
    """Raises Refused: the store may not keep what is in it."""
    try:
        return read_import(
            content, "ファイル.xlsx" if excel else "ファイル.csv", _linking(access), settings.allowed_hosts()
        )
    except SettingError as error:
        raise Refused(str(error)) from None


def _linking(access: guard.Access) -> Linking:
    return Linking(access.services.knowledge.folder(access.company.dag_id))


def _own(linking: Linking) -> OwnEntries:
    return OwnEntries(open_database(settings.database_url()), linking.folder)


def _import_key(access: guard.Access, excel: bool) -> str:
    """Of this user: two who import at once see what each of them has uploaded."""
    folder, name = access.services.knowledge.folder(access.company.dag_id), hashlib.sha256(access.user.id.encode())
    return f"{folder.imports}/members-{name.hexdigest()[:32]}.{'xlsx' if excel else 'csv'}"
