"""Faults that are played on the requests to one service, whichever module serves it."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.faults import Answer, answered, cut, unheard, wait

Service = Literal["slack", "chatwork", "teams", "lineworks", "googlechat", "line"]


class Fault(BaseModel):
    """What happens to the next `times` requests (None: to all) of a service, after `after` undisturbed ones.

    status: this answer instead of the service's, which never sees the request. hang: no answer for `seconds`, then the
    connection is cut; the service never sees the request. drop: cut at once, before the service sees it. drop_after:
    the service does its work, and the connection is cut before it answers. `path` is a shell pattern for the whole
    path; a `body` that is no text is sent as JSON.
    """

    model_config = ConfigDict(extra="forbid")
    service: Service
    kind: Literal["status", "hang", "drop", "drop_after"]
    status: Annotated[int | None, Field(ge=200, le=599)] = None
    body: str | dict[str, Any] | list[Any] = ""
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: Annotated[float, Field(ge=0, le=600)] = 60.0
    times: Annotated[int | None, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    path: str = "*"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "status") != (self.status is not None):
            raise ValueError("status goes with kind status, and only with it")
        return self


class Faults:
    """The faults still to be played, in the order they were given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults += [fault.model_copy() for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[Fault]:
        with self._lock:
            return [fault.model_copy() for fault in self._faults]

    def take(self, path: str) -> Fault | None:
        """The fault to play on a request; every matching one that still waits is counted down by it."""
        service = path.strip("/").partition("/")[0]
        with self._lock:
            taken = None
            for fault in self._faults:
                if fault.service != service or not fnmatchcase(path, fault.path):
                    continue
                if fault.after:
                    fault.after -= 1
                elif taken is None:
                    taken = fault
                    if fault.times is not None:
                        fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times != 0]
            return taken


class FaultyApp:
    """The application behind its faults; must be what uvicorn runs, as it closes uvicorn's connections."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.faults.take(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        match fault.kind:
            case "status":
                await _drain(receive)
                assert fault.status is not None
                await answered(Answer(status=fault.status, body=fault.body, headers=fault.headers), send)
            case "hang":
                await _drain(receive)
                await wait(receive, fault.seconds)
                await cut(send, at_once=True)
            case "drop":
                await cut(send, at_once=True)
            case "drop_after":
                await self.app(scope, receive, unheard)
                await cut(send, at_once=True)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass
