"""E41: what the operator's file gives to whom."""

from __future__ import annotations

import os
from pathlib import Path

from renkei.sheets.grants import Grants, read_grants

FILE = "tenants:\n  acme: {emc_accounts: [group], secrets: [first], passwords_in_files: true}\n  beta: {emc_accounts: [010]}\n"


def test_e41_the_operators_file_gives_to_each_tenant_its_own(tmp_path: Path) -> None:
    """Names stay texts (010), a tenant that is not listed has nothing."""
    path = tmp_path / "operator.yaml"
    path.write_text(FILE)
    found = read_grants(path)
    assert found.problems == ()
    assert found.of("acme") == Grants(frozenset({"group"}), frozenset({"first"}), passwords_in_files=True)
    assert found.of("beta").emc_accounts == {"010"}
    assert found.of("gamma") == Grants()
    assert read_grants(tmp_path / "none.yaml").of("acme") == Grants(file="none.yaml")


def test_e41_one_tenants_broken_line_leaves_the_others(tmp_path: Path) -> None:
    """L5: neither what they have is lost, nor is the fault told as theirs."""
    path = tmp_path / "operator.yaml"
    path.write_text("tenants:\n  acme: {emc_accounts: [group]}\n  beta: {oops: 1}\n")
    found = read_grants(path)
    assert found.of("acme").emc_accounts == {"group"}
    assert (found.of("gamma").fault, bool(found.of("beta").fault)) == ("", True)


def test_e41_a_tenant_that_is_listed_twice_is_told(tmp_path: Path) -> None:
    """The last line counts."""
    path = tmp_path / "operator.yaml"
    path.write_text("tenants:\n  acme: {secrets: [first]}\n  acme: {emc_accounts: [group]}\n")
    found = read_grants(path)
    assert [problem.found for problem in found.problems] == ["同じキーが2回記入されています"]
    assert (found.of("acme").secrets, found.of("acme").emc_accounts) == (frozenset(), {"group"})


def test_l5_an_operators_file_that_is_none_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe has no end until somebody writes to it."""
    os.mkfifo(tmp_path / "operator.yaml")
    assert read_grants(tmp_path / "operator.yaml").problems
