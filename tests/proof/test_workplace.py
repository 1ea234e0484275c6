"""A slice of the campaign's group `workplace` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.workplace.campaign import campaign


def test_l4_c5_c8_c9_calendars_are_what_workplace_says_whatever_happens() -> None:
    """Killed by SIGKILL, misled by either system, changed by hand: a line says how to repeat one that did not hold."""
    with in_memory() as folder:
        cases = campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
