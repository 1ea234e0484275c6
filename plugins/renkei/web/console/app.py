"""The app, to be mounted at /renkei/console; and what it answers where something is wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from renkei.errors import StoreError
from renkei.web.console import (
    bulk,
    channels,
    company,
    connections,
    freeze,
    guard,
    invitations,
    jobs,
    many,
    members,
    overview,
    readiness,
    runs,
    sheets,
    start,
)
from renkei.web.console.page import address, message, statics
from renkei.web.guarded import AGAIN, NOT_UNDERSTOOD, Answer, build_app
from renkei.web.services import Refused, Services

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; object-src 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "noindex, nofollow",
}
SECRET = "renkei.secret_query"  # in the scope of such a request
TOO_LARGE = ("送信された内容が大きすぎます", AGAIN)
MOST_BYTES = 64 * 1024  # of a form without a file
FOR_EVER = "public, max-age=31536000, immutable"

files = APIRouter()


@files.get("/static/{version}/{name}")
def static(version: str, name: str, _: Annotated[None, Depends(guard.everybody)]) -> Response:
    file = statics().get(name)
    if file is None:
        raise guard.NotFound
    kept = {"Cache-Control": FOR_EVER} if file.version == version else {}
    return Response(file.content, headers=kept, media_type=file.media_type)


ROUTERS = (
    files,
    overview.router,
    company.router,
    freeze.router,
    runs.router,
    readiness.router,
    jobs.router,
    sheets.router,
    start.router,
    invitations.router,
    many.router,
    connections.router,
    channels.router,
    bulk.router,
    members.router,
)


def build(services: Services) -> ASGIApp:
    """The pages over what they need of their surroundings."""
    routers = (*ROUTERS, *(own.router for own in services.own_pages))
    answers: dict[Any, Answer] = {
        guard.NotLoggedIn: _not_logged_in,
        guard.NotAllowed: _not_allowed,
        Refused: _refused,
        StoreError: _store,
        Exception: _failed,
    }
    app = build_app(routers, message, _not_found, answers, {413: TOO_LARGE})
    app.state.services = services
    own = {end: most for own in services.own_pages for end, most in own.uploads.items()}
    secret = tuple(end for own in services.own_pages for end in own.secret_queries)
    return _Guarded(app, {**sheets.UPLOADS, **many.UPLOADS, **bulk.UPLOADS, **members.UPLOADS, **own}, secret)


class _Guarded:
    """The app with `HEADERS` on whatever it answers, and without bodies that no form of ours has.

    FastAPI reads the whole form before it asks who sends it.
    """

    def __init__(self, app: FastAPI, uploads: Mapping[str, int], secret: tuple[str, ...] = ()) -> None:
        """`uploads`: by the end of an address how many bytes its form may have, which has a file.

        `secret`: the ends of addresses whose query no log may have.
        """
        self.app, self._uploads, self._secret = app, uploads, secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, whole, failed = 0, False, False
        path: str = scope["path"]
        most = next((most for end, most in self._uploads.items() if path.endswith(end)), MOST_BYTES)

        async def received() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413)
            return message

        async def sent(message: Message) -> None:
            nonlocal whole
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if self._secret and path.endswith(self._secret):
            scope, outer = {**scope, SECRET: True}, scope
            outer["query_string"] = b""  # Airflow's access log reads it when the request is done
        refused = _refused_unread(scope, most)
        if refused:
            request = Request({**scope, "app": self.app})
            said = TOO_LARGE if refused == 413 else NOT_UNDERSTOOD
            answer = await run_in_threadpool(message, request, refused, *said)
            await answer(scope, receive, sent)
            return
        try:
            await self.app(scope, received, sent)
        except Exception:
            # `_failed` has answered and logged; Starlette raises it again for a log that would show its text.
            failed = True
        if failed and not whole:  # the server closes the connection, and half an answer is not taken for a whole one
            raise RuntimeError("console: the answer broke off")


def _refused_unread(scope: Scope, most: int) -> int | None:
    """The status, where a body does not say how long it is, or is longer than a form of ours."""
    headers = Headers(scope=scope)
    if "Transfer-Encoding" in headers:
        return 411
    length = headers.get("Content-Length", "0")
    fits = length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= most
    return None if fits else 413


# --- what is answered where something is wrong


def _is_htmx(request: Request) -> bool:
    return request.headers.get("HX-Request") == "true"


def _refused(request: Request, error: Exception) -> Response:
    """Why it was not done, and the way back to the company of whose page it was asked."""
    dag_id = request.path_params.get("dag_id")
    links = [("会社の画面に戻る", address(request, "dag", dag_id))] if dag_id else ()
    return message(request, 409, "操作できませんでした", str(error), links=links)


def _not_logged_in(request: Request, _: Exception) -> Response:
    """A page leads to the log-in and back. What was sent is lost, and said to be."""
    path = (request.scope.get("raw_path") or quote(request.url.path).encode()).decode("ascii", "replace")
    back = path.partition("?")[0] + (f"?{request.url.query}" if request.url.query else "")
    to = guard.services_of(request).authority.log_in
    if _is_htmx(request):  # it would put the log-in page into a part of ours
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    if request.method == "GET" and SECRET not in request.scope:  # its query would come into the log-in's address
        return RedirectResponse(to(back), 303)
    said = "送信した内容は保存していません。ログインし直してから、もう一度操作してください。"
    return message(request, 401, "ログインの期限が切れました", said, links=[("ログインする", to(address(request, "")))])


def _not_found(request: Request, _: Exception) -> Response:
    said = "アドレスが違うか、表示する権限がありません。権限が必要な場合は、運用担当者に連絡してください。"
    return message(request, 404, "ページがありません", said)


def _not_allowed(request: Request, _: Exception) -> Response:
    said = "この操作には、Airflowでこの会社のDagを編集・実行する権限が必要です。運用担当者に連絡してください。"
    return message(request, 403, "この操作の権限がありません", said)


def _store(request: Request, error: Exception) -> Response:
    log.error("console: %s", error)
    return message(request, 503, "保存先を読み取れません", str(error))


def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: its text might quote anybody (L6)."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    log.error("console: %s at %s", type(error).__name__, place)
    said = "予期しないエラーです。画面を開き直しても続く場合は、運用担当者がAPIサーバーのログを確認してください。"
    return message(request, 500, "表示できませんでした", said)
