"""What a link brings for the console, beside what all links have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from renkei.storage.runs import RunRecord
from renkei.web.facts import Counts, RunProblem


@dataclass(frozen=True, slots=True)
class LinkView:
    """Functions of what a run left behind."""

    counted_by: str  # the task whose XCom has the counts
    counts: Callable[[Any], Counts | None]  # of that XCom
    problems: Callable[[RunRecord], tuple[Sequence[RunProblem], int]]  # the first errors, and how many there are
    frozen: Callable[[str], bool]  # whether 災害時凍結 is on for a tenant; may raise StoreError
