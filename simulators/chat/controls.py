"""Settings of one service that a test changes: `GET`, `POST` (those named) and `DELETE /_sim/<service>`."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from simulators.chat.inbox import Inbox
from simulators.chat.limits import Bucket


class Settings(BaseModel):
    """What each service can be told. `strict`: the documented limits, where else bursts are allowed."""

    model_config = ConfigDict(extra="forbid")
    strict: bool = False


S = TypeVar("S", bound=Settings)


class CurrentSettings(Generic[S]):
    """The settings in force and how fast each place was written to since they were set."""

    def __init__(self, first: S) -> None:
        self.first = first
        self.now = first
        self._buckets: dict[str, Bucket] = {}

    def put(self, settings: S) -> None:
        self.now = settings
        self._buckets.clear()

    def wait(self, place: str, burst: int, per_s: float) -> int:
        """Seconds until `place` takes another message; 0: it took this one."""
        return self._buckets.setdefault(place, Bucket(burst, per_s)).take()


def controls(inbox: Inbox, service: str, first: S) -> tuple[APIRouter, CurrentSettings[S]]:
    """The routes and what they change; a reset of the inbox puts it back too."""
    held = CurrentSettings(first)
    inbox.at_reset(lambda: held.put(first))
    router = APIRouter(prefix=f"/_sim/{service}")

    @router.get("")
    async def shown() -> dict[str, Any]:
        return held.now.model_dump()

    @router.post("")
    async def change(given: dict[str, Any]) -> dict[str, Any]:
        try:
            held.put(type(first).model_validate(held.now.model_dump() | given))
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error
        return held.now.model_dump()

    @router.delete("", status_code=204)
    async def back() -> Response:
        held.put(first)
        return Response(status_code=204)

    return router, held
