"""A slice of the campaign `retention`: two tenants, some of the deaths, one next day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.folders import in_memory
from tests.proof.case import Case, Effort
from tests.proof.retention.campaign import campaign


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    with in_memory() as folder:
        return campaign(Path(folder), Effort.SLICE, print)


def test_l3_l4_l6_e31_pruning_that_dies_harms_no_link(cases: list[Case]) -> None:
    """Every case of the slice holds, plain and encrypted."""
    assert {case.case.rpartition(", ")[2] for case in cases} == {"plain", "encrypted"}
    assert [f"{case.case}: {line}" for case in cases for line in case.wrong] == []
    assert all(case.held for case in cases)
