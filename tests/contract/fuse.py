"""A process that dies at a chosen step, seen from inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Died(BaseException):
    """What a killed process looks like from inside: nothing catches it."""


@dataclass
class Fuse:
    """Counts the steps that others can see, and dies before or after one of them."""

    at: int = -1
    after: bool = False
    seen: list[str] = field(default_factory=list)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        self.seen.append(name)
        if len(self.seen) - 1 != self.at:
            return call()
        if self.after:
            call()
        raise Died(name)
