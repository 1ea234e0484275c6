"""A sheet looked at before it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from renkei.channel import Channel
from renkei.errors import Problem


@dataclass(frozen=True, slots=True)
class Review:
    """What was found; `mapping` is there exactly when there is no problem that Airflow, too, would find.

    `problems` and `warnings` are the customer's. What only the operator can mend, or may know, is apart from them and
    never in a customer's copy: `misplaced` are errors (a second file of the tenant), `beside` warnings about other
    tenants. `content` is the file as it was read, empty when it could not be, or was too much.
    """

    tenant: str
    mapping: Any | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    content: bytes
    misplaced: tuple[Problem, ...] = ()
    beside: tuple[Problem, ...] = ()
    channels: tuple[Channel, ...] = field(default=(), kw_only=True)
    is_read: bool = field(default=True, kw_only=True)  # else it took too long: another look may find something else

    @property
    def usable(self) -> bool:
        return self.mapping is not None and not self.problems and not self.misplaced
