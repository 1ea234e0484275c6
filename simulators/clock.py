"""The clock of a simulated service, which a test sets, moves and stops."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict

TOKYO = timezone(timedelta(hours=9))


class Clock:
    """Runs with the machine's, some seconds before or behind it, or stands still."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._stands_at: float | None = None

    def seconds(self) -> float:
        """Since the epoch."""
        return time.time() + self._ahead_s if self._stands_at is None else self._stands_at

    def now(self) -> datetime:
        """The moment in UTC, without what is below a second."""
        return datetime.fromtimestamp(int(self.seconds()), UTC)

    def set(self, at: float, *, stands: bool) -> None:
        self._ahead_s = at - time.time()
        self._stands_at = at if stands else None

    def back(self) -> None:
        """The machine's time again."""
        self.__init__()  # type: ignore[misc]


class Setting(BaseModel):
    """`at`: the time it is now. `advance_s`: so much later (or earlier). `stands`: no second passes from here on."""

    model_config = ConfigDict(extra="forbid")
    at: AwareDatetime | None = None
    advance_s: float = 0.0
    stands: bool | None = None


def routes(clock: Clock) -> APIRouter:
    """`GET`, `POST` and `DELETE /_sim/clock`."""
    router = APIRouter(prefix="/_sim/clock")

    @router.get("")
    async def shown() -> dict[str, Any]:
        return {"now": clock.now().isoformat(), "stands": clock._stands_at is not None}

    @router.post("")
    async def change(setting: Setting) -> dict[str, Any]:
        at = setting.at.timestamp() if setting.at else clock.seconds()
        stands = clock._stands_at is not None if setting.stands is None else setting.stands
        clock.set(at + setting.advance_s, stands=stands)
        return await shown()

    @router.delete("")
    async def back() -> dict[str, Any]:
        clock.back()
        return await shown()

    return router
