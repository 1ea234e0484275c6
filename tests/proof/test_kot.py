"""A slice of the campaign's group `kot` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.kot.campaign import campaign


def test_l4_p13_p14_each_punch_is_there_once_with_its_own_time() -> None:
    """Killed, misled by KING OF TIME, clocks apart: a line says how to repeat one that did not hold."""
    with in_memory() as folder:
        cases = campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
