"""One record's way from its source to its target, step by step: up to the first that stopped it, each with its finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepResult(StrEnum):
    """Whether a record has come past a step."""

    YES = "✓"
    NO = "✕"
    NOT = "–"  # it has not come so far, or waits there


SHOWN = {  # on a page: its tone, and what is read aloud
    StepResult.YES: ("good", "済み"),
    StepResult.NO: ("bad", "ここで止まっています"),
    StepResult.NOT: ("quiet", "まだです"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way."""

    name: str
    passed: StepResult
    reason: str = ""
    remedy: str = ""
