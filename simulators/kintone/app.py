"""The domain as one ASGI application: the API, its limit of requests at once, faults, controls and pages."""

from __future__ import annotations

from email.utils import format_datetime

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators import clock, copies, faults
from simulators.faults import Answer, Faults, FaultyApp
from simulators.kintone.api import HTML, answer
from simulators.kintone.control import build_control
from simulators.kintone.domain import Domain
from simulators.kintone.errors import KintoneError
from simulators.kintone.pages import build_pages

API = ("/k/v1/", "/k/guest/")  # the pages of a person lie beside it


def refusal(code: str, status: int | None = None) -> Answer:
    error = KintoneError(code, status=status)
    return Answer(status=error.status, body=error.body(), headers={"X-Cybozu-Error": code})


# What kintone answers in states that it does not get into by itself here.
STATES = {
    "maintenance": Answer(status=503, body=HTML.format("503 Service Unavailable")),
    "lock": refusal("GAIA_DA02"),
    "lock_520": refusal("GAIA_DA02", 520),
    "too_many": refusal("GAIA_TO04"),
    "address": Answer(status=403, body=HTML.format("403 Forbidden")),  # (guess) IPアドレス制限
    "interrupted": refusal("CB_NO02"),  # (guess) API stopped by Cybozu for too many requests; never published
}


def build_app(domain: Domain) -> ASGIApp:
    played = Faults(STATES)
    app = FastAPI(title="kintone simulator", docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/k/v1/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    @app.api_route("/k/guest/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def api(path: str, request: Request) -> Response:
        return await answer(domain, request)

    app.include_router(build_control(domain))
    app.include_router(clock.routes(domain.clock))
    app.include_router(copies.routes(domain))
    app.include_router(faults.routes(played))
    app.include_router(build_pages(domain))
    return AtOnce(FaultyApp(app, played, API), domain)


class AtOnce:
    """Counts the requests to the API that run at once, refuses those beyond the limit, and says so on every answer."""

    def __init__(self, app: ASGIApp, domain: Domain) -> None:
        self.app, self.domain, self.running = app, domain, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return
        limit = self.domain.settings.concurrency
        self.running += 1
        self.domain.most_at_once = max(self.domain.most_at_once, self.running)
        try:
            telling = Telling(send, self.domain, limit, min(self.running, limit))
            if self.running > limit:
                await self._refuse(receive, telling)
            else:
                await self.app(scope, receive, telling)
        finally:
            self.running -= 1

    async def _refuse(self, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        await faults.answered(STATES["too_many"], send)


class Telling:
    """uvicorn's `send`, with what kintone says on every answer; `inner` leads to the connection."""

    def __init__(self, inner: Send, domain: Domain, limit: int, running: int) -> None:
        self.inner = inner
        self.headers = [
            (b"x-concurrencylimit-limit", str(limit).encode()),
            (b"x-concurrencylimit-running", str(running).encode()),
            (b"date", format_datetime(domain.clock.now(), usegmt=True).encode()),
        ]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *self.headers]}
        await self.inner(message)
