"""Faults that are played on the requests to one service, whichever module serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from simulators import faults
from simulators.faults import Answer

Service = Literal["slack", "chatwork", "teams", "lineworks", "googlechat", "line"]


class Fault(faults.Fault):
    """As `simulators.faults.Fault`, on the requests to a service: those whose path begins with its name.

    status: this answer instead of the service's, which never sees the request; a `body` that is no text is sent as JSON.
    """

    service: Service
    kind: Literal["status", "held", "hang", "drop", "drop_after"]
    status: Annotated[int | None, Field(ge=200, le=599)] = None
    body: str | dict[str, Any] | list[Any] = ""
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: Annotated[float, Field(ge=0, le=600)] = 60.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "status") != (self.status is not None):
            raise ValueError("status goes with kind status, and only with it")
        if self.status is not None:
            self.answer = Answer(status=self.status, body=self.body, headers=self.headers)
        return self

    def is_known(self, answers: Mapping[str, Answer]) -> bool:
        return True

    def matches(self, method: str, path: str, body: bytes) -> bool:
        return path.strip("/").partition("/")[0] == self.service and super().matches(method, path, body)
