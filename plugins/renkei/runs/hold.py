"""A plan that guards hold until a person lets exactly that plan through (E34, E36)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to hold a plan: how many of how many, and the limit that was passed."""

    kind: str
    text: str  # Japanese, with the figures
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """The plan that was made, and what holds it: nothing, as a rule."""

    FILE: ClassVar[str] = "hold"
    digest: str
    holds: list[Hold]


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a person's answer counts."""

    FILE: ClassVar[str] = "question"
    until: Moment


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let the held plan of that digest through, or refused it, and why."""

    FILE: ClassVar[str] = "approval"
    digest: str
    approved: bool
    by: str
    why: str
    at: Moment


def is_unanswered(record: RunRecord) -> bool:
    """Whether the guards hold this run's plan and nobody let it through."""
    hold, approval = record.read_or_none(HeldPlan), record.read_or_none(Approval)
    return hold is not None and bool(hold.holds) and not (approval and approval.approved)
