"""A slice of the campaign's group `kintone` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.kintone.campaign import campaign


def test_l4_k5_k15_nothing_is_lost_doubled_or_sent_beyond_the_quota() -> None:
    """Killed by SIGKILL, misled by either system, changed meanwhile: a line says how to repeat one that did not hold."""
    with in_memory() as folder:
        cases = campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []
