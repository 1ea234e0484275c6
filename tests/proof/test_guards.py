"""A slice of the campaign's group `guards` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.guards import campaign as guards


def test_e33_e36_each_limit_holds_what_spec_says_and_an_approval_is_for_one_plan() -> None:
    """Every case of the slice held; a line says how to repeat one that did not."""
    with in_memory() as folder:
        cases = guards.campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
