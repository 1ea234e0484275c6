"""A process that dies at a chosen step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Died(BaseException):
    """What a killed process looks like from inside: nothing catches it."""


@dataclass
class Fuse:
    """Counts the steps that others can see, and dies before or after one of them."""

    at: int | str = -1  # a step's number, or its label: the first with it
    after: bool = False
    seen: list[str] = field(default_factory=list)

    def around(self, label: str, call: Callable[[], Any]) -> Any:
        strikes = self.at in (len(self.seen), label)
        self.seen.append(label)
        if strikes and not self.after:
            self.die()
        answer = call()
        if strikes:
            self.die()
        return answer

    def die(self) -> None:
        raise Died(self.seen[-1])
