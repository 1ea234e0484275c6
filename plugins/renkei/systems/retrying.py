"""What may pass is asked again: one rule for every client that reads, or that may repeat what it writes.

Not by tenacity, which keeps what was raised in a circle with its frames: a client that was given up would hold its
sockets open until the garbage collector comes by.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import requests

from renkei.errors import RenkeiError, RetriableFetchError, RetriableLoadError
from renkei.systems.transport import retry_after_s

LONGEST_S = 15.0  # between two tries
LONGEST_PAUSE_S = 60.0  # past this an hourly limit or a maintenance is better waited for by the next attempt

_T = TypeVar("_T")


class PassingError(Exception):
    """An answer, or the lack of one, that may be another in a moment; `failure` is what it is told as if it is not."""

    def __init__(self, failure: RenkeiError) -> None:
        super().__init__(type(failure).__name__)  # the text of another may name a person (L6)
        self.failure = failure


def pause_of(response: requests.Response) -> float:
    """For how many seconds an answer asks us to stay away: a 429, at least a second where it does not say."""
    return (retry_after_s(response.headers) or 1.0) if response.status_code == 429 else 0.0


def failure_or_retry(
    failure: RenkeiError, pause_s: float = 0.0, wait: Callable[[float], None] | None = None
) -> Exception:
    """The error to raise for a refused request: as a `PassingError`, after `wait` (by default: sleep) for the pause that the
    answer asks for, where it can be retried; else, or where the pause is too long, the failure itself.
    """
    if not isinstance(failure, RetriableFetchError | RetriableLoadError) or pause_s > LONGEST_PAUSE_S:
        return failure
    if pause_s:
        (wait or time.sleep)(pause_s)
    return PassingError(failure)


def ask_until_passed(once: Callable[[], _T], tries: int) -> _T:
    """What `once` gives. While it raises `PassingError` it is called again, `tries` times in all, after a pause of about
    a second that doubles up to `LONGEST_S`, and is never quite the same, so that many who failed at once do not come
    back at once.

    Raises: the `failure` of the last one; at once, whatever else `once` raises.
    """
    for tried in range(tries):
        if tried:
            time.sleep(min(2.0 ** (tried - 1), LONGEST_S) * random.uniform(0.5, 1.0))
        try:
            return once()
        except PassingError as error:
            failure = error.failure
    try:
        raise failure  # outside, so that it carries nothing of the request along (L6)
    finally:
        del failure  # nor holds this frame, and is held by it
