"""A slice of the crash campaign (crashes.py); `make proof` runs all of it."""

from __future__ import annotations

from pathlib import Path

from tests.proof.case import Effort
from tests.proof.crashes.campaign import campaign
from tests.proof.crashes.scene import SLICE_POINTS


def test_l4_a_task_killed_at_any_step_ends_as_if_it_had_not(tmp_path: Path) -> None:
    """SIGKILL at ten steps of an ordinary day; after Airflow's or an operator's repetition all is as undisturbed."""
    cases = campaign(tmp_path, Effort.SLICE, print)

    assert [line for case in cases for line in case.wrong] == []
    assert all(case.held for case in cases)
    assert sum(case.tries for case in cases) == 1 + SLICE_POINTS
