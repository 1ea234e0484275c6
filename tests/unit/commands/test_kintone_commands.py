"""`renkei kintone template` and `convert`: files as a person asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from renkei.commands import app
from renkei.links.hotprofile_kintone.sheet.compile import compile_sheet
from tests.conftest import ROOT

SAMPLE = ROOT / "include" / "mappings" / "hotprofile_kintone" / "sample.yaml"


def test_e15_a_template_is_written_and_a_sheet_converted_there_and_back(tmp_path: Path) -> None:
    book, text = tmp_path / "sample.xlsx", tmp_path / "sample.yaml"
    runner = CliRunner()
    assert runner.invoke(app.app, ["kintone", "template", "minato", "-o", str(tmp_path / "minato.xlsx")]).exit_code == 0
    assert runner.invoke(app.app, ["kintone", "convert", str(SAMPLE), str(book)]).exit_code == 0
    assert runner.invoke(app.app, ["kintone", "convert", str(book), str(text)]).exit_code == 0
    there, back = (compile_sheet("x.yaml", file.read_bytes(), "sample")[0].mapping for file in (SAMPLE, text))
    assert there == back


@pytest.mark.parametrize(
    "arguments", [["template", "Minato"], ["template", "minato", "-o", "x.yaml"], ["convert", str(SAMPLE), "x.txt"]]
)
def test_what_cannot_be_written_is_said(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app.app, ["kintone", *arguments]).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_l8_a_sheet_with_mistakes_is_not_converted_and_each_is_named(tmp_path: Path) -> None:
    template = tmp_path / "minato.xlsx"
    CliRunner().invoke(app.app, ["kintone", "template", "minato", "-o", str(template)])
    found = CliRunner().invoke(app.app, ["kintone", "convert", str(template), str(tmp_path / "x.yaml")])
    assert found.exit_code == 1
    assert "連携情報!B5" in found.output


def test_a_sheet_is_checked_as_its_links_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a customer's mail folder nothing else says which link it is of."""
    monkeypatch.setenv("RENKEI_STORE", tmp_path.as_uri())
    sheet, runner = str(tmp_path / "minato.xlsx"), CliRunner()
    runner.invoke(app.app, ["kintone", "template", "minato", "-o", sheet])
    found = runner.invoke(app.app, ["check", sheet, "--link", "hotprofile_kintone"])
    assert (found.exit_code, "サブドメインが記入されていません" in found.output) == (1, True)
    assert runner.invoke(app.app, ["check", sheet, "--link", "kintone"]).exit_code == 2
