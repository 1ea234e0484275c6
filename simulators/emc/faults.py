"""Faults that are played on requests to /api/v1, and the count of those requests."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.emc.api import STUCK
from simulators.emc.problems import Problem
from simulators.faults import cut

MAINTENANCE = "<!doctype html><meta charset=utf-8><title>メンテナンス</title><h1>メンテナンス中です</h1>"
NOT_JSON = "<!doctype html><html lang=ja><meta charset=utf-8><title>Proxy</title><p>OK</p>"
IMPORT_ID = re.compile(r"imp_[0-9a-f]{32}")


class Fault(BaseModel):
    """What happens to the next `times` requests of this path (a shell pattern), after `after` undisturbed ones."""

    model_config = ConfigDict(extra="forbid")
    path: str
    kind: Literal[
        "slow",
        "status_429",
        "status_500",
        "maintenance_503",
        "drop_before",
        "drop_after",
        "truncated",
        "not_json",
        "expired_token",
        "stuck_applying",
    ]
    method: str | None = None
    times: Annotated[int, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0)] = 1.0
    retry_after: Annotated[int, Field(ge=0)] = 1


class Faults:
    """The faults still to be played, and how often each route was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._requests: Counter[str] = Counter()

    def add(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.model_dump() for fault in self._faults]

    def requests(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._requests.items()))

    def clear_requests(self) -> None:
        with self._lock:
            self._requests.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Count the request and give the fault to play on it; every matching fault counts it down."""
        with self._lock:
            self._requests[f"{method} {IMPORT_ID.sub('{id}', path)}"] += 1
            taken = None
            for fault in self._faults:
                if (fault.method or method).upper() != method or not fnmatchcase(path, fault.path):
                    continue
                if fault.after:
                    fault.after -= 1
                elif taken is None and fault.times:
                    fault.times -= 1
                    taken = fault
            self._faults = [fault for fault in self._faults if fault.times]
            return taken


class FaultyApp:
    """The application behind its faults; must be what uvicorn runs, as it closes uvicorn's connections."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/v1/"):
            await self.app(scope, receive, send)
            return
        fault = self.faults.take(scope["method"], scope["path"])
        if fault is None:
            await self.app(scope, receive, send)
            return
        match fault.kind:
            case "slow":
                await asyncio.sleep(fault.seconds)
                await self.app(scope, receive, send)
            case "stuck_applying":
                await self.app({**scope, STUCK: fault.seconds}, receive, send)
            case "status_429":
                problem = Problem("TOO_MANY_REQUESTS", headers={"Retry-After": str(fault.retry_after)})
                await _refuse(problem, receive, send)
            case "status_500":
                await _refuse(Problem("SERVER_ERROR"), receive, send)
            case "expired_token":
                await _refuse(Problem("UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"}), receive, send)
            case "maintenance_503":
                await _drain(receive)
                await _answer(send, 503, "text/html; charset=utf-8", MAINTENANCE.encode())
            case "drop_before":
                await cut(send, at_once=True)
            case "drop_after":
                await self._record(scope, receive)
                await cut(send, at_once=True)
            case "not_json":
                await self._record(scope, receive)
                await _answer(send, 200, "text/html; charset=utf-8", NOT_JSON.encode())
            case "truncated":
                await self._truncate(scope, receive, send)

    async def _record(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Let the application do its work and keep its answer from the client."""
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, keep)
        return start, bytes(body)

    async def _truncate(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await self._record(scope, receive)
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await cut(send, at_once=False)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


async def _answer(
    send: Send, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None
) -> None:
    pairs = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _refuse(problem: Problem, receive: Receive, send: Send) -> None:
    await _drain(receive)
    body = json.dumps(problem.body(), ensure_ascii=False).encode()
    await _answer(send, problem.status, "application/json", body, problem.headers)
