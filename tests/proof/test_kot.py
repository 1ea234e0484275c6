"""A slice of the campaign's group `kot` in every test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.folders import in_memory
from tests.proof.case import Effort
from tests.proof.kot import storm
from tests.proof.kot.campaign import campaign


def test_l4_p13_p14_each_punch_is_there_once_with_its_own_time() -> None:
    """Killed, misled by KING OF TIME, clocks apart: a line says how to repeat one that did not hold."""
    with in_memory() as folder:
        cases = campaign(Path(folder), Effort.SLICE, print)

    assert [(case.case, case.wrong) for case in cases if not case.held] == []


def test_a_pump_that_breaks_off_fails_its_proof_with_what_it_said(tmp_path: Path) -> None:
    asked = {"database": "nosuch://", "king": "", "lineworks": None, "tenants": [], "quick": 0.5}
    with pytest.raises(AssertionError, match=r"(?s)did not end well.*open_database.*ended by itself"):
        storm.rage(f"sqlite:///{tmp_path}/renkei.db", asked, messages=1)
