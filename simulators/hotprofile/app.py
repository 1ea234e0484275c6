"""The service as one ASGI application: the API behind its faults, controls and pages."""

from __future__ import annotations

from email.utils import formatdate

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators import clock, copies, faults
from simulators.faults import Answer, Faults, FaultyApp
from simulators.hotprofile.api import answer, errors
from simulators.hotprofile.control import build_control, build_settings
from simulators.hotprofile.instance import Instance
from simulators.hotprofile.pages import build_pages

API = "/rest_api/"
HTML = "<!doctype html><html lang=ja><meta charset=utf-8><title>{0}</title><h1>{0}</h1></html>"
# (guess) each of them: none is published
STATES = {
    "error": Answer(status=500, body=errors("internal_server_error", "エラーが発生しました。")),
    "maintenance": Answer(status=503, body=HTML.format("メンテナンス中です")),
    "login_page": Answer(status=200, body=HTML.format("ログイン")),
    "empty_page": Answer(status=200, body=""),
    "too_many": Answer(status=429, body=errors("too_many_requests", "リクエスト数の上限に達しました。")),
    "address": Answer(status=403, body=HTML.format("403 Forbidden")),
}


def build_app(instance: Instance) -> ASGIApp:
    played = Faults(STATES)
    app = FastAPI(title="Hot Profile simulator", docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route(API + "{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def api(path: str, request: Request) -> Response:
        return await answer(instance, request)

    app.include_router(build_settings(instance))
    app.include_router(clock.routes(instance.clock))
    app.include_router(copies.routes(instance))
    app.include_router(faults.routes(played))
    app.include_router(build_control(instance))
    app.include_router(build_pages(instance))
    return Dated(FaultyApp(app, played, API), instance)


class Dated:
    """Says on every answer what the service's clock says."""

    def __init__(self, app: ASGIApp, instance: Instance) -> None:
        self.app, self.instance = app, instance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, Dating(send, self.instance) if scope["type"] == "http" else send)


class Dating:
    """uvicorn's `send`, with a Date header; `inner` leads to the connection."""

    def __init__(self, inner: Send, instance: Instance) -> None:
        self.inner, self.instance = inner, instance

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            at = self.instance.clock.seconds() + self.instance.settings.date_ahead_s
            date = (b"date", formatdate(at, usegmt=True).encode())
            message = {**message, "headers": [*message.get("headers", ()), date]}
        await self.inner(message)
