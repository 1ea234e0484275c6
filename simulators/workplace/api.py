"""GET /api/v1/absences and /api/v1/absences/{id}, by include/contracts/workplace.openapi.yaml."""

from __future__ import annotations

import hmac
import re
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulators.workplace.company import Company

PREFIX = "/api/v1/"
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
PAGE_DEFAULT, MAX_PAGE = 100, 500


class RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.body, self.headers = status, {"code": code, "message": message}, headers


async def answer(company: Company, request: Request) -> Response:
    try:
        body = _read(company, request)
        company.counts["200"] += 1
        return JSONResponse(body)
    except RefusedError as refused:
        company.counts[str(refused.status)] += 1
        return JSONResponse(refused.body, refused.status, refused.headers)


def _read(company: Company, request: Request) -> dict[str, Any]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), company.token.encode()):
        raise RefusedError(401, "UNAUTHORIZED", "トークンが正しくありません。", {"www-authenticate": "Bearer"})
    if wait := company.spend():
        raise RefusedError(429, "TOO_MANY_REQUESTS", "リクエスト数の上限です。", {"retry-after": str(wait)})
    kind, _, number = request.url.path.removeprefix(PREFIX).partition("/")
    if kind != "absences":
        raise RefusedError(404, "NOT_FOUND", "ありません。")
    if request.method != "GET":
        raise RefusedError(405, "METHOD_NOT_ALLOWED", "GETで呼び出してください。", {"allow": "GET"})
    if number:
        if not ID.fullmatch(number):
            raise RefusedError(400, "BAD_REQUEST", "idが不正です。")
        if number not in company.absences:
            raise RefusedError(404, "NOT_FOUND", "不在がありません。")
        return company.absences[number].as_json()
    return _page(company, request)


def _page(company: Company, request: Request) -> dict[str, Any]:
    pairs = request.query_params.multi_items()
    asked = dict(pairs)
    if len(asked) < len(pairs) or asked.keys() - {"since", "after", "limit"}:
        raise RefusedError(400, "BAD_REQUEST", "知らないパラメーターか、2回あるパラメーターです。")
    limit, after = asked.get("limit", str(PAGE_DEFAULT)), asked.get("after")
    if not re.fullmatch(r"[1-9][0-9]{0,2}", limit) or int(limit) > MAX_PAGE:
        raise RefusedError(400, "BAD_REQUEST", "limitが不正です。")
    if after is not None and not ID.fullmatch(after):
        raise RefusedError(400, "BAD_REQUEST", "afterが不正です。")
    found = company.listed(_day(asked.get("since", "")))
    rest = [one for one in found if after is None or one.id > after]
    shown = rest[: int(limit)]
    following = shown[-1].id if len(rest) > len(shown) else None
    if company.settings.bend_next:
        company.settings.bend_next -= 1
        shown = shown[: max(0, len(shown) - company.settings.bend_drop)]
    absences = [one.as_json() for one in shown]
    return {"version": company.version, "total": len(found), "next": following, "absences": absences}


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise RefusedError(400, "BAD_REQUEST", "sinceが日付ではありません。")
