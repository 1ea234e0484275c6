"""Request limits of one access token: so many in any second, so many in an hour."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

HOUR_S = 3600.0


@dataclass
class Limits:
    """What SmartHR allows a token; shared by all tokens, so that one control call changes it."""

    per_second: int = 10
    per_hour: int = 5000


@dataclass
class Budget:
    """What one token has used: a sliding second, and an hour that starts with the first request."""

    limits: Limits
    recent: deque[float] = field(default_factory=deque)
    hour_began: float = -math.inf
    hour_used: int = 0

    def spend(self, now: float) -> bool:
        """Count a request made at `now` (monotonic seconds); False when it is over a limit and was not counted."""
        self._roll(now)
        if len(self.recent) >= self.limits.per_second or self.hour_used >= self.limits.per_hour:
            return False
        if self.hour_used == 0:
            self.hour_began = now
        self.hour_used += 1
        self.recent.append(now)
        return True

    def headers(self, now: float) -> dict[str, str]:
        """Both header sets: the hour, and as "intensive" the second. Resets are seconds from now, not moments."""
        self._roll(now)
        hour_reset = math.ceil(self.hour_began + HOUR_S - now) if self.hour_used else 0
        second_reset = math.ceil(self.recent[0] + 1 - now) if self.recent else 0
        return {
            "x-rate-limit-limit": str(self.limits.per_hour),
            "x-rate-limit-remaining": str(max(0, self.limits.per_hour - self.hour_used)),
            "x-rate-limit-reset": str(hour_reset),
            "x-intensive-rate-limit-limit": str(self.limits.per_second),
            "x-intensive-rate-limit-remaining": str(max(0, self.limits.per_second - len(self.recent))),
            "x-intensive-rate-limit-reset": str(second_reset),
        }

    def _roll(self, now: float) -> None:
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if now - self.hour_began >= HOUR_S:
            self.hour_used = 0
