"""A tenant's secret, as whoever calls us from outside signs with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from renkei.errors import RenkeiError

FRESH_S, AGAIN_S = 60.0, 5.0  # for which an answer holds; for which a failure does
OVERLAP_S = 600.0  # for which a secret that was replaced still counts
FAILURES = 1_000  # remembered: while nobody can say who is a tenant, anybody is


class NoSecretError(RenkeiError):
    """The tenant is there, and surely has no secret yet."""


@dataclass(slots=True)
class _Known:
    until: float
    secret: str = field(default="", repr=False)
    former: str = field(default="", repr=False)
    former_until: float = 0.0
    error: RenkeiError | None = None  # there was never a secret


class Secrets:
    """Secrets by tenant. Each is read once a minute at most; while it cannot be read, the last one counts."""

    def __init__(self, read: Callable[[str], str | None], clock: Callable[[], float] = time.monotonic) -> None:
        """`read` gives a tenant's secret, None where there is no such tenant. It may wait.

        For a tenant that there is it may raise NoSecretError, and RenkeiError where it cannot be said.
        """
        self._read, self._clock = read, clock
        self._known: dict[str, _Known] = {}

    async def of(self, tenant: str) -> tuple[str, ...]:
        """Those that count now: for ten minutes after a change two; none where there is no such tenant.

        Raises:
            NoSecretError: it has none.
            RenkeiError: it cannot be said, and never could.
        """
        known = self._known.get(tenant)
        if known is None or self._clock() >= known.until:
            if known:
                known.until = self._clock() + AGAIN_S  # nobody else asks meanwhile
            known = await asyncio.to_thread(self._read_anew, tenant)
        if known is None:
            return ()
        if known.error:
            raise known.error
        overlaps = self._clock() < known.former_until
        return (known.secret, known.former) if overlaps else (known.secret,)

    def _read_anew(self, tenant: str) -> _Known | None:
        try:
            secret = self._read(tenant)
        except RenkeiError as error:
            last = self._known.get(tenant)
            known = last if last and last.secret else _Known(0, error=error)
            known.until = self._clock() + AGAIN_S
            if last or len(self._known) < FAILURES:
                self._known[tenant] = known
            return known
        if secret is None:
            self._known.pop(tenant, None)
            return None
        last, now = self._known.get(tenant), self._clock()
        known = _Known(now + FRESH_S, secret)
        if last and last.secret not in ("", secret):
            known.former, known.former_until = last.secret, now + OVERLAP_S
        elif last:
            known.former, known.former_until = last.former, last.former_until
        self._known[tenant] = known
        return known
