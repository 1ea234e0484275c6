"""What may pass is asked again: one rule for every client that reads, or that may repeat what it writes.

Not by tenacity, which keeps what was raised in a circle with its frames: a client that was given up would hold its
sockets open until the garbage collector comes by.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from renkei.errors import RenkeiError

LONGEST_S = 15.0  # between two tries

_T = TypeVar("_T")


class PassingError(Exception):
    """An answer, or the lack of one, that may be another in a moment; `failure` is what it is told as if it is not."""

    def __init__(self, failure: RenkeiError) -> None:
        super().__init__(type(failure).__name__)  # the text of another may name a person (L6)
        self.failure = failure


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
