"""ログイン情報 of kintone連携設定: API tokens or a login of kintone, and 連携ユーザー's key of Hot Profile, into Connections (S2).

Airflow asks for the right to write Connections; what was entered is never shown again.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.links.hotprofile_kintone import LINK
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.settings import allowed_hosts
from renkei.systems.hosts import is_private
from renkei.web.console import guard
from renkei.web.console.page import go_to
from renkei.web.services import Refused

router = APIRouter()
MAX_TEXT = 2_000  # characters
KINTONE, HOTPROFILE = "kintone", "hotprofile"  # types of Connections, and how their names begin
MAX_TOKENS = 9  # of one request of kintone's
Text = Annotated[str, Form(max_length=MAX_TEXT)]


@router.post("/dag/{dag_id}/kintone/login/kintone")
async def of_kintone(
    request: Request, access: guard.PostsEditsDag, login: Text = "", secret: Text = "", connection_digest: Text = ""
) -> Response:
    """With a ログイン名 it is a password, else API tokens with commas between."""
    tenant = access.tenant_of(LINK)
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    if mapping is None:
        raise guard.NotFound
    login, what = _plain(login, "ログイン名"), "パスワード" if login.strip() else "APIトークン"
    tokens = secret.split(",") if not login else [secret]
    plain = [_plain(token, what) for token in tokens]
    if not all(plain):
        raise Refused(f"{what}が空白です。kintoneで確認して入力してください。")
    if len(plain) > MAX_TOKENS:
        raise Refused(f"APIトークンは{MAX_TOKENS}個までです。使うアプリのトークンだけを入力してください。")
    values = {"host": mapping.domain, "login": login, "password": ",".join(plain)}
    await access.services.actions.register(request, f"{KINTONE}__{tenant}", KINTONE, values, {}, connection_digest)
    return _back(request, access)


@router.post("/dag/{dag_id}/kintone/login/hotprofile")
async def of_hotprofile(
    request: Request, access: guard.PostsEditsDag, host: Text = "", secret: Text = "", connection_digest: Text = ""
) -> Response:
    """The address and the key go together: no key that is kept is ever sent to another address."""
    tenant = access.tenant_of(LINK)
    plain, key = _plain(host, "Hot ProfileのURL").rstrip("/"), _plain(secret, "APIキー")
    if not re.fullmatch(r"https?://[^/?#@\s]+", plain) or not is_private(plain, allowed_hosts()):
        raise Refused("Hot ProfileのURLを「https://(お客様のサブドメイン).hot-profile.com」の形で入力してください。")
    if not key:
        raise Refused("APIキーが空白です。Hot Profileで、連携ユーザーのAPIキーを確認して入力してください。")
    values = {"host": plain, "password": key}
    await access.services.actions.register(
        request, f"{HOTPROFILE}__{tenant}", HOTPROFILE, values, {}, connection_digest
    )
    return _back(request, access)


def _plain(text: str, what: str) -> str:
    """Without blanks around it; raises Refused: there are some in it, or letters that no secret has. Never quotes it."""
    plain = text.strip()
    if found := re.search(r"[^!-~]", plain):
        raise Refused(
            f"{what}の{found.start() + 1}文字目に、空白か全角の文字があります。コピーし直して入力してください。"
        )
    return plain


def _back(request: Request, access: guard.Access) -> Response:
    access.services.knowledge.changed()
    return go_to(request, "dag", access.company.dag_id, "kintone")
