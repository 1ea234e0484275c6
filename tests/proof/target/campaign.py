"""Faults of the target: every one of EMC's faults at every request, EMC's data changed by hand, files (L1–L4, E13 …).

What is right is computed by `World.expected` from SmartHR's true state and from what EMC had, with no function of the
product. "EMC was as expected" means every item of every record, those included that are none of ours (E28).
"""

from __future__ import annotations

from pathlib import Path

from tests.proof.case import Case, Effort, Say, in_parts
from tests.proof.target.by_hand import HANDS, user_deleted
from tests.proof.target.faults import every_fault, every_question, scene
from tests.proof.target.files import FILE_CASES, Drops
from tests.proof.target.linked import linked
from tests.proof.worlds import worlds


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Two parts, side by side."""
    return in_parts((faults, by_hand), folder, effort, say)


def faults(folder: Path, effort: Effort, say: Say) -> list[Case]:
    cases: list[Case] = []
    with worlds(folder) as world:
        for name in ("first link", "ordinary day") if effort is Effort.FULL else ("ordinary day",):
            one = scene(world(name), name)
            cases += [*every_fault(one, effort), *every_question(one, effort)]
    return cases


def by_hand(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as world:
        at = linked(world("linked"))
        if effort is Effort.SLICE:
            return [user_deleted(at, 1, ("quiet",))]
        drops = Drops(at)
        return [user_deleted(at, 4), *(hand(at) for hand in HANDS), *(files(drops) for files in FILE_CASES)]
