"""Answers that a well-behaved framework would not send: broken-off bodies and closed connections."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "simulator.transport"


class ReachableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also shows the application its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


async def _close(scope: Scope) -> None:
    scope[TRANSPORT].close()
    # Lets uvicorn see the closed connection, otherwise it reports an application that answered nothing.
    await asyncio.sleep(0.01)


class TruncatedResponse(Response):
    """Promises the whole body, sends half of it and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _close(scope)


class DroppedResponse(Response):
    """Closes the connection without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _close(scope)
