"""A slice of the campaign's group `target` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.target import campaign as target


def test_l1_l4_emc_is_whole_and_as_smarthr_says_after_each_fault() -> None:
    """Every case of the slice held; a line says how to repeat one that did not."""
    with in_memory() as folder:
        cases = target.campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
