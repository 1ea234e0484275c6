"""L5: which files of a folder are tenants' sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from renkei.sheets.tenant_files import is_tenant, tenants


def test_l5_files_that_are_no_tenant_are_shown_not_raised(tmp_path: Path) -> None:
    """Odd names and second files of a tenant have a problem and a Dag name of their own."""
    for name in (
        "acme.xlsx",
        "acme.yaml",
        "Ａcme.xlsx",
        "株式会社.xlsx",
        "b c.yml",
        "b.yml",
        "~$b.xlsx",
        ".c.yaml",
        "x.txt",
    ):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.yaml").mkdir()

    found = tenants(tmp_path)

    assert [file.path.name for file in found if file.problem is None] == ["b.yml"]
    assert [file.path.name for file in found if file.problem] == ["acme.xlsx", "b c.yml", "株式会社.xlsx", "Ａcme.xlsx"]
    assert "acme.xlsx、acme.yaml" in str(found[0].problem)  # nobody knows which one is meant
    assert len({file.tenant for file in found}) == len(found)
    assert all(file.tenant.isascii() and file.tenant.replace("-", "").isalnum() for file in found)
    assert tenants(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "name",
    ["acme.xls", "acme.XLSM", "acme.ods", "acme.csv", "acme.numbers", "Acme.tsv", "株式会社.xls", "acme (2).xlsb"],
)
def test_l5_a_file_of_another_kind_is_seen(tmp_path: Path, name: str) -> None:
    """What was plainly meant as a sheet has a failing Dag that says what it is; a sheet beside it stays in use."""
    (tmp_path / name).write_bytes(b"x")
    (alone,) = tenants(tmp_path)
    assert alone.problem is not None
    assert ".xlsx" in alone.problem.remedy
    assert alone.tenant == "acme" or not is_tenant(Path(name).stem)

    (tmp_path / "acme.yaml").write_bytes(b"x")
    sheet, other = tenants(tmp_path)
    assert (sheet.tenant, sheet.problem) == ("acme", None)
    assert other.problem is not None
    assert other.tenant != "acme"


@pytest.mark.parametrize(
    "name", ["社員 一覧.csv", "readme.txt", "acme.xlsx.bak", "~$acme.xls", ".acme.csv", "acme.json"]
)
def test_l5_what_was_not_meant_as_a_sheet_is_passed_over(tmp_path: Path, name: str) -> None:
    """A folder may hold notes."""
    (tmp_path / name).write_bytes(b"x")
    assert tenants(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "right"), [("acme", True), ("0_-", True), ("a" * 100, True), ("a" * 101, False), ("", False), ("A", False)]
)
def test_l5_a_tenant_is_named_as_a_file_may_be(text: str, right: bool) -> None:
    """L5: the rule of `tenants`, for whoever names a tenant before there is a file."""
    assert is_tenant(text) is right


@pytest.mark.parametrize(
    "name", ["a__b", "acme__", "__acme", "_acme", "a___b", "", "Acme", "ａｃｍｅ", "a/b", "..", "a.b"]
)
def test_e41_a_tenants_name_holds_no_double_underscore(name: str) -> None:
    """Else `smarthr__a__b` would be the Connection of two tenants; nor a path, nor what only looks alike."""
    assert not is_tenant(name)


@pytest.mark.parametrize("name", ["acme", "a-b", "a_b", "a--b", "0", "acme_"])
def test_e41_other_names_of_tenants_stay(name: str) -> None:
    assert is_tenant(name)
