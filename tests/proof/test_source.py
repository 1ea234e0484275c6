"""A slice of the campaign `source`: a few stories, among them the one that no total and no first page tells of."""

from __future__ import annotations

from pathlib import Path

from tests.proof.case import Effort
from tests.proof.source.campaign import campaign


def test_e33_l1_whatever_smarthr_does_emc_ends_right_or_as_it_was(tmp_path: Path) -> None:
    """Every row of the slice held."""
    cases = campaign(tmp_path, Effort.SLICE, print)

    assert len(cases) == 4
    assert [line for case in cases for line in case.wrong] == []
    assert all(case.held for case in cases)
    assert sum(case.tries for case in cases) >= 20
