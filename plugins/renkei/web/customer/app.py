"""The app, to be mounted where the internet reaches it; and what it answers where something is wrong."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from renkei.errors import RenkeiError
from renkei.web.customer import connection, entry, guard, results, sheets
from renkei.web.customer.facts import Services
from renkei.web.customer.page import message
from renkei.web.guarded import Answer, build_app

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": connection.policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # none to others; to ourselves, or older browsers send no Origin with a button
    "Strict-Transport-Security": "max-age=31536000",  # browsers heed it by TLS alone
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
ROUTERS = (entry.router, sheets.router, results.router, connection.router)
REFUSED = {
    413: ("送信された内容が大きすぎます", "ファイルの大きさを確かめてください。"),
    503: ("混み合っています", "30秒ほどおいてから、もう一度お試しください。"),
}
NO_PAGE = (
    "このページは開けません",
    "招待の期限が切れたか、取り消されたか、開いてから時間がたっています。届いたリンクを、もう一度開いてください。",
    "それでも開けない場合は、リンクを送った運用担当者に、新しい招待を依頼してください。",
)


def build(services: Services, limits: guard.Limits | None = None) -> ASGIApp:
    """The pages over what they need of their surroundings."""
    answers: dict[Any, Answer] = {guard.TooManyRequests: _too_often, guard.Busy: _busy, Exception: _failed}
    app = build_app(ROUTERS, _said, _not_found, answers, REFUSED)
    app.state.services, app.state.limits = services, limits or guard.Limits()
    return _WithHeaders(app)


class _WithHeaders:
    """The app with `HEADERS` on whatever it answers."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                ours = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(one for one in ours if one[0] not in given)]
            await send(message)

        own = dict(scope)
        if scope["type"] == "http":
            # An access log around us reads them when the request is done: what the source system sends back is a secret.
            scope["query_string"] = b""
        try:
            await self.app(own, receive, sent)
        except Exception:
            return  # `_failed` has answered and logged; Starlette raises it again for a log that would show its text


# --- what is answered where something is wrong


def _said(request: Request, status: int, title: str, *lines: str) -> Response:
    """A page; but none of ours has the source system's answer in its address, whatever came of it and whoever asks."""
    if request.url.path.endswith(f"/{connection.BACK}"):
        return connection.there(request)
    return message(request, status, title, *lines)


def _alone(request: Request) -> None:
    """The answer says nothing of who asks: it is the same to everybody."""
    request.state.visitor = None


def _not_found(request: Request, _: Exception) -> Response:
    _alone(request)
    title, *lines = NO_PAGE
    return _said(request, 404, title, *lines)


def _too_often(request: Request, _: Exception) -> Response:
    response = _said(request, 429, "操作が多すぎます", "1分ほどおいてから、もう一度お試しください。")
    response.headers["Retry-After"] = "60"
    return response


def _busy(request: Request, _: Exception) -> Response:
    said = (
        "同じ会社の別の操作（アップロード、シートの確認、結果の表示）が終わっていません。"
        "少し待ってから、もう一度お試しください。"
    )
    return _said(request, 409, "ほかの操作の途中です", said)


def _failed(request: Request, error: Exception) -> Response:
    """A fault of the setting, the store, or ours: its text is the operator's, and might quote anybody (L6)."""
    log.error("customer page: %s", error if isinstance(error, RenkeiError) else type(error).__name__)
    _alone(request)
    said = "時間をおいて、もう一度お試しください。続く場合は、リンクを送った運用担当者に連絡してください。"
    return _said(request, 503, "ただいま使えません", said)
