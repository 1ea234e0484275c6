"""A slice of the campaign's group `modes` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.modes import campaign as modes


def test_l1_l3_freeze_restore_and_compare_hold_over_random_days() -> None:
    """Every case of the slice held; a line says the seed of one that did not."""
    with in_memory() as folder:
        cases = modes.campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
    assert len(cases) == 3
