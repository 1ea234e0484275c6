"""The one app that the internet may reach: what the links' routes share.

A route whose requests are signed is `POST …/callback` or `POST …/events`, and does nothing before it knows the signature.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from renkei.errors import RenkeiError
from renkei.public.limits import RateLimit, network_of

log = logging.getLogger(__name__)

PREFIX = "/renkei"  # before every route, alone as in Airflow's API server
HEALTH_S = 5.0  # for which an answer about our health is not asked for again
HEADERS = {  # a page sets its own in place of these
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
SIGNED = ("/callback", "/events")
REFUSALS_PER_S, REFUSALS_AT_ONCE = 2, 300  # of one address, after which it is not listened to


def build(routes: Sequence[BaseRoute], check: Callable[[], None]) -> ASGIApp:
    """The service alone: the routes below PREFIX, and `/health`. `check` raises RenkeiError where something is wrong."""
    return guarded(
        [
            Route("/health", _Health(check).answer, methods=["GET"]),
            Mount(PREFIX, app=Router(routes, redirect_slashes=False)),
        ]
    )


def guarded(routes: Sequence[BaseRoute]) -> ASGIApp:
    """The routes with what each of them needs: headers, limits, and answers that tell nothing."""
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, RenkeiError: _away, Exception: _away})
    app.router.redirect_slashes = False
    return _Guarded(app)


class _Guarded:
    """The app behind its limit by address: only refusals count, as a service's own address sends for all tenants.

    For that reason a callback is listened to all the same, and past the limit every refusal of one is a 429: a tenant's
    wrong secret, or a stranger's bot, takes nothing from what is rightly signed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refusals = RateLimit(REFUSALS_PER_S, REFUSALS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no WebSocket, and nothing to be done at start or end
            return
        client = scope.get("client")
        address = network_of(client[0]) if client else ""
        too_many = not self._refusals.allows(address)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _HEADERS if one[0] not in given)]
                if 400 <= message["status"] < 500:
                    self._refusals.take(address)
                    message["status"] = 429 if too_many else message["status"]
            await send(message)

        if too_many and not (scope["method"] == "POST" and scope["path"].endswith(SIGNED)):
            scope["query_string"] = b""  # no page takes what may be a secret out of it before a log around us reads it
            await _answer(429, {"Retry-After": "60", "Connection": "close"})(scope, receive, with_headers)
            return
        try:
            await self._app(scope, receive, with_headers)
        except Exception:
            return  # `_away` has answered and logged; Starlette raises it again for a log that would show its text


class _Health:
    """Whether what a request needs is there; asked seldom, whoever asks."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._well, self._until = False, 0.0
        self._lock = asyncio.Lock()

    async def answer(self, _: Request) -> Response:
        async with self._lock:
            if time.monotonic() >= self._until:
                self._well = await asyncio.to_thread(self._is_well)
                self._until = time.monotonic() + HEALTH_S
        return Response("ok\n" if self._well else "", 200 if self._well else 503, media_type="text/plain")

    def _is_well(self) -> bool:
        try:
            self._check()
        except Exception as error:
            log.error("public service: %s", error if isinstance(error, RenkeiError) else type(error).__name__)
            return False
        return True


def _answer(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, dict(error.headers or {}))


async def _away(_: Request, error: Exception) -> Response:
    """A fault of the setting, the store, or ours: whoever sent it may send it again."""
    log.error("public service: %s", error if isinstance(error, RenkeiError) else type(error).__name__)
    return _answer(503)
