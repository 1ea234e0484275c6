"""E41: what the operator's file gives to whom."""

from __future__ import annotations

import os
from pathlib import Path

from renkei.channel import Channel, Service
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import Grants, check_channels, read_grants

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


def test_e41_what_is_refused_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "operator.yaml"
    path.write_text("tenants:\n  acme: {passwords_in_files: false}\n")
    assert not read_grants(path).of("acme").passwords_in_files


def test_e41_a_sheet_that_names_another_companys_connection_cannot_be_used() -> None:
    """Nor is anything told there; what is the company's own, or was given to it, is heard as ever (L5)."""
    own, given, foreign = (
        Channel(name, Service.SLACK_WEBHOOK, connection)
        for name, connection in (("総務", "slack__acme"), ("人事", "slack_all"), ("他社", "slack__beta"))
    )
    mail, grants = Channel("メール", Service.MAIL), Grants(connections=frozenset({"slack_all"}))
    sound = Compiled("acme", "", "the mapping", channels=(own, given, mail))
    assert check_channels(sound, grants, "acme.xlsx") == sound
    found = check_channels(Compiled("acme", "", "the mapping", channels=(own, foreign, mail)), grants, "acme.xlsx")
    assert (found.mapping, found.channels) == (None, (own, mail))
    assert [problem.where for problem in found.problems] == ["acme.xlsx 通知「他社」"]
    assert "acme: {connections: [slack__beta]}" in found.problems[0].remedy


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
