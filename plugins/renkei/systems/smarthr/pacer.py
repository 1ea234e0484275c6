"""SmartHR's request limits: 10 a second and 5,000 an hour per token (developer.smarthr.jp, "about_api")."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from renkei.systems import pace

WINDOW_S = 1.0
LONGEST_S = 3600.0  # the longest window that SmartHR has; a reset beyond is none


class Pacer(pace.Pacer):
    """Evenly spread over the second."""

    def __init__(
        self,
        requests_per_second: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(requests_per_second, WINDOW_S, spread=True, reset_s=_reset_s, clock=clock, sleep=sleep)


def _reset_s(headers: Mapping[str, str]) -> float:
    """Seconds to wait because a window is used up; 0 when none is.

    SmartHR does not document which window the "intensive" headers describe, so whichever shows 0
    counts. A window that is over within a second is the one that the pacer keeps itself, to the
    millisecond, while `reset` is in whole seconds: obeying it would halve the rate.
    """
    wait = 0.0
    for prefix in ("x-rate-limit", "x-intensive-rate-limit"):
        remaining, reset = headers.get(f"{prefix}-remaining"), headers.get(f"{prefix}-reset")
        if remaining is not None and remaining.strip() == "0":
            try:
                wait = max(wait, float(reset or WINDOW_S))
            except ValueError:
                continue
    return min(wait, LONGEST_S) if wait > WINDOW_S else 0.0
