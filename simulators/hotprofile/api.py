"""The reading part of the REST API: POST /rest_api/v1/{clients,leads}/get_entry_list."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from simulators.hotprofile.instance import Instance, Kind, Values
from simulators.hotprofile.reading import BadSearchError, in_order, number_of, select, told

PATH = re.compile(r"/rest_api/v1/(?P<kind>\w+)/get_entry_list(?:_flow)?")
KINDS: dict[str, Kind] = {"clients": "clients", "leads": "leads"}
PAGE_DEFAULT, MAX_PAGE = 100, 1000  # (guess) the former
IN_BRACKETS = re.compile(r"(\w+)\[(\w+)\](\[\d*\])?")


class RefusedError(Exception):
    """An answer in the form of our own assumption: `{"errors": [{"code", "message"}]}` (guess, as every code and status)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.body = errors(code, message)


def errors(code: str, message: str) -> Values:
    return {"errors": [{"code": code, "message": message}]}


async def answer(instance: Instance, request: Request) -> Response:
    """What Hot Profile answers below /rest_api/v1."""
    try:
        body = _read(instance, request, await request.body())
        status = 200
    except RefusedError as refused:
        body, status = refused.body, refused.status
    except BadSearchError as bad:
        body, status = errors("bad_parameter", f"{bad}の値が不正です。"), 400
    instance.counts[f"{request.url.path.rpartition('/v1/')[2]} {status}"] += 1
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, media_type="application/json; charset=utf-8")


def _read(instance: Instance, request: Request, raw: bytes) -> Values:
    found = PATH.fullmatch(request.url.path)
    if found is None or found["kind"] not in KINDS:
        raise RefusedError(404, "not_found", "指定されたAPIはありません。")
    if request.method != "POST":
        raise RefusedError(405, "method_not_allowed", "POSTで呼び出してください。")
    params = _params(request, raw)
    key = str(params.get("api_key") or "")
    user = instance.keys.get(key)
    if user is None:
        raise RefusedError(401, "unauthorized", "api_keyが正しくありません。")
    if not instance.spend(key, time.monotonic()):
        raise RefusedError(429, "too_many_requests", "リクエスト数の上限に達しました。")
    if user not in instance.users:
        raise RefusedError(401, "unauthorized", "ユーザーが削除されています。")
    instance.settle()
    kind = KINDS[found["kind"]]
    search, page, order = (_part(params, name) for name in ("search", "page", "order"))
    instance.asked.append({"kind": kind, "search": search, "page": page, "order": order})
    if order.get("key") in ("updated_on", "updated_at"):
        raise RefusedError(500, "internal_server_error", "エラーが発生しました。")
    return _list(instance, kind, user, search, page, order)


def _list(instance: Instance, kind: Kind, user: str, search: Values, page: Values, order: Values) -> Values:
    number = number_of(page.get("number", 1), "page[number]")
    size = number_of(page.get("display_number", PAGE_DEFAULT), "page[display_number]")
    if number < 1 or not 1 <= size <= MAX_PAGE:
        raise BadSearchError("page")
    if order.get("key") not in (None, "", "id"):
        raise BadSearchError("order[key]")
    table = instance.tables[kind]
    ids = in_order(
        instance, select(instance, kind, search, user), str(order.get("key") or ""), str(order.get("type") or "asc")
    )
    total = len(ids)
    iso = str(page.get("date_format_option", "")).lower() == "true"
    shown = [told(table, each, iso=iso) for each in ids[(number - 1) * size : number * size]]
    settings = instance.settings
    if settings.bend_next:
        settings.bend_next -= 1
        total = max(0, total + settings.bend_total)
        shown = shown[: max(0, len(shown) - settings.bend_drop)]
    return {
        kind: shown,
        # (guess) which of the two numbers counts records, and which pages
        "pages": {
            "current_number": number,
            "display_number": size,
            "total_count": total,
            "total_number": -(-total // size),
        },
    }


def _part(params: Values, name: str) -> Values:
    part = params.get(name) or {}
    if not isinstance(part, dict):
        raise BadSearchError(name)
    return part


def _params(request: Request, raw: bytes) -> Values:
    """Query and JSON body, the body over the query."""
    params = _in_query(parse_qsl(request.url.query, keep_blank_values=True))
    if not raw:
        return params
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError):
        raise RefusedError(400, "bad_request", "JSONの形式が正しくありません。") from None
    if not isinstance(sent, dict):
        raise RefusedError(400, "bad_request", "JSONの形式が正しくありません。")
    return params | sent


def _in_query(pairs: Iterable[tuple[str, str]]) -> Values:
    """`search[from_id]=1` as {"search": {"from_id": "1"}}; `search[ids][]` as a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        part = IN_BRACKETS.fullmatch(name)
        if part and isinstance(group := found.setdefault(part[1], {}), dict):
            if part[3] and isinstance(listed := group.setdefault(part[2], []), list):
                listed.append(value)
            else:
                group[part[2]] = value
        else:
            found[name] = value
    return found
