"""Faults played on order, for the simulators whose requests are told apart by path, method and body."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Body = str | dict[str, Any] | list[Any]


class Answer(BaseModel):
    """An answer that the service would give in the state that the fault plays."""

    status: Annotated[int, Field(ge=200, le=599)]
    body: Body = ""
    headers: dict[str, str] = Field(default_factory=dict)


class Call(BaseModel):
    """A control call, as it would come over the wire."""

    model_config = ConfigDict(extra="forbid")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    body: Any = None


class Fault(BaseModel):
    """What happens to the next `times` requests (None: to all) that match, after `after` undisturbed ones.

    answer: that one, and the service never sees the request; any other name of `kind` that the service knows stands for
    an answer of its own. slow: `seconds` pass first. held: the faults are cleared
    first; served then, though the client has gone long since. hang: no answer for `seconds`, then the connection is cut; the
    service never sees it. drop: cut at once, before the service sees it. drop_after: the service does its work and the
    connection is cut before it answers. truncated: half of the answer, then cut. calls: these control calls are carried
    out first, then the request is served. `path` is a shell pattern, `contains` a text that the body has.
    """

    model_config = ConfigDict(extra="forbid")
    kind: str
    path: str = "*"
    method: str | None = None
    contains: str = ""
    times: Annotated[int | None, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    answer: Answer | None = None
    calls: list[Call] = Field(default_factory=list)

    def is_known(self, answers: Mapping[str, Answer]) -> bool:
        """Whether somebody plays its kind; `answers` are the service's own."""
        return self.kind in PLAYED | answers.keys() and (self.kind == "answer") == (self.answer is not None)

    def matches(self, method: str, path: str, body: bytes) -> bool:
        """Whether it is for such a request."""
        is_its = (self.method or method).upper() == method and fnmatchcase(path, self.path)
        return is_its and self.contains.encode() in body


PLAYED = frozenset({"answer", "slow", "held", "hang", "drop", "drop_after", "truncated", "calls"})


class Faults:
    """The faults still to be played, in the order they were given; `answers` are the service's own, by name."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = answers or {}
        self._faults: list[Fault] = []
        self.cleared = asyncio.Event()

    def add(self, faults: Sequence[Fault]) -> None:
        """Put them in force after those that are.

        Raises:
            ValueError: a kind that nobody plays.
        """
        for fault in faults:
            if not fault.is_known(self.answers):
                raise ValueError(f"{fault.kind}: one of {sorted(PLAYED | self.answers.keys())}; answer has an answer")
        self._faults += [fault.model_copy() for fault in faults]

    def clear(self) -> None:
        self._faults.clear()
        self.cleared.set()
        self.cleared = asyncio.Event()

    def pending(self) -> list[Fault]:
        return list(self._faults)

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """The fault to play on a request; every matching one that still waits is counted down by it."""
        taken = None
        for fault in self._faults:
            if not fault.matches(method, path, body):
                continue
            if fault.after:
                fault.after -= 1
            elif taken is None:
                taken = fault
                if fault.times is not None:
                    fault.times -= 1
        self._faults = [fault for fault in self._faults if fault.times != 0]
        return taken


def routes(faults: Faults) -> APIRouter:
    """`GET`, `POST` and `DELETE /_sim/faults`."""
    router = APIRouter(prefix="/_sim/faults")

    @router.get("")
    async def pending() -> list[Fault]:
        return faults.pending()

    @router.post("", status_code=204)
    async def add(given: list[Fault]) -> Response:
        try:
            faults.add(given)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return Response(status_code=204)

    @router.delete("", status_code=204)
    async def clear() -> Response:
        faults.clear()
        return Response(status_code=204)

    return router


class FaultyApp:
    """The application behind its faults; must be what uvicorn runs, or hand on uvicorn's `send` as it is."""

    def __init__(self, app: ASGIApp, faults: Faults, prefix: str | tuple[str, ...]) -> None:
        self.app, self.faults, self.prefix = app, faults, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        fault = self.faults.take(scope["method"], scope["path"], body)
        again = _again(body, receive)
        match fault and fault.kind:
            case None:
                await self.app(scope, again, send)
            case "slow":
                assert fault
                await asyncio.sleep(fault.seconds)
                await self.app(scope, again, send)
            case "held":
                await self.faults.cleared.wait()
                await self.app(scope, again, send)
            case "hang":
                assert fault
                await wait(receive, fault.seconds)
                await cut(send, at_once=True)
            case "drop":
                await cut(send, at_once=True)
            case "drop_after":
                await self.app(scope, again, unheard)
                await cut(send, at_once=True)
            case "truncated":
                await self._half(scope, again, send)
            case "calls":
                assert fault
                for call in fault.calls:
                    await control(self.app, call)
                await self.app(scope, again, send)
            case kind:
                assert fault
                await answered(fault.answer or self.faults.answers[str(kind)], send)

    async def _half(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def half(message: Message) -> None:
            body = message.get("body", b"")
            await send({**message, "body": body[: len(body) // 2], "more_body": True} if body else message)

        await self.app(scope, receive, half)
        await cut(send, at_once=False)


async def control(app: ASGIApp, call: Call) -> None:
    """Carry out a control call from inside.

    Raises:
        RuntimeError: it was refused.
    """
    body = json.dumps(call.body).encode() if call.body is not None else b""
    path, _, query = f"/_sim/{call.path.lstrip('/')}".partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        "client": None,
        "server": ("localhost", 80),
    }
    status = 0

    async def heard(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    async def sent() -> Message:
        return {"type": "http.request", "body": body}

    await app(scope, sent, heard)
    if status >= 400:
        raise RuntimeError(f"{call.method} {call.path}: {status}")


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what else comes from the client: that it has gone."""
    waiting = [body]

    async def next_message() -> Message:
        return {"type": "http.request", "body": waiting.pop()} if waiting else await receive()

    return next_message


async def answered(answer: Answer, send: Send) -> None:
    if isinstance(answer.body, str):
        kind = "html" if answer.body.startswith("<!doctype html>") else "plain"
        content, media = answer.body.encode(), f"text/{kind}; charset=utf-8"
    else:
        content, media = json.dumps(answer.body, ensure_ascii=False).encode(), "application/json; charset=utf-8"
    headers = {"content-type": media, "content-length": str(len(content))}
    headers |= {name.lower(): value for name, value in answer.headers.items()}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


async def wait(receive: Receive, seconds: float) -> None:
    """Come back after `seconds`, or when the client has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def unheard(message: Message) -> None:
    """Takes an answer that nobody gets."""


async def cut(send: Send, *, at_once: bool) -> None:
    # ASGI has no way to hang up; uvicorn's `send` is a method of its request cycle, which holds the transport.
    while hasattr(send, "inner"):
        send = send.inner
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    if at_once:
        cycle.transport.abort()
    else:
        cycle.transport.close()
    while not cycle.disconnected:
        await asyncio.sleep(0.005)
