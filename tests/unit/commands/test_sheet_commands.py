"""`renkei template`, `check`, `convert` and `schema`, as they are typed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.sheets.load import load
from tests.harness.typed import renkei, renkei_process

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "include" / "mappings" / "smarthr_emc"
HOSTS = "127.0.0.1:8181"
# The language is chosen when the commands are imported, so each needs a process of its own.
HELP = """
import sys
from renkei.commands.app import app
for command in ([], *([name] for name in sys.argv[1:])):
    app([*command, "--help"], prog_name="renkei", standalone_mode=False)
"""


@pytest.fixture
def sakura(tmp_path: Path) -> Path:
    """A sound sheet, alone in its folder."""
    return Path(shutil.copy(SAMPLES / "sakura.xlsx", tmp_path / "sakura.xlsx"))


@pytest.fixture
def broken(sakura: Path) -> Path:
    """The same with two cells that cannot be."""
    book = openpyxl.load_workbook(sakura)
    sheet = book["ユーザデータ"]
    for row in sheet.iter_rows(min_row=3):
        if row[0].value == "氏名":
            row[3].value, row[4].value = "氏明", "登録しない"
    book.save(sakura)
    return sakura


@pytest.mark.parametrize(
    ("language", "word", "title"),
    [
        ("ja_JP.UTF-8", "誤りと注意をすべて", "すべての連携のコマンド:"),
        ("en_US.UTF-8", "wrong or doubtful", "Commands of all links:"),
    ],
)
def test_every_command_explains_itself_in_the_readers_language(language: str, word: str, title: str) -> None:
    """--help of the entry and of each command, and the exit statuses, in Japanese and in English."""
    commands = ("template", "check", "convert", "schema", "rehearse", "person")
    found = subprocess.run(
        [sys.executable, "-c", HELP, *commands], env=os.environ | {"LC_ALL": language}, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    entry, *helps = found.stdout.split("Usage: ")[1:]
    assert word in entry
    lines = [line.split("  ")[1 if line.startswith("  ") else 0] for line in entry.splitlines() if line.strip()]
    of_all, of_one = lines.index(title), lines.index("SmartHR → EMC:")
    assert of_all < lines.index("check") < lines.index("serve") < of_one < lines.index("template"), entry
    for command, told in zip(commands, helps, strict=True):
        assert command in entry
        assert told.startswith(f"renkei {command} ")


def test_l8_check_names_every_bad_cell_and_says_what_to_do(broken: Path) -> None:
    """E15, E18: cell, what was found, remedy; status 1."""
    found = renkei("check", broken)
    assert found.returncode == 1
    assert "ユーザデータ!D" in found.stdout
    assert "氏明" in found.stdout
    assert "→" in found.stdout


def test_l7_check_names_a_secret_in_the_sheet_and_does_not_show_it(tmp_path: Path) -> None:
    """N1, L7, L8: a webhook's URL in 通知 is told at its cell, in the list and in the marked copy, unquoted."""
    book = openpyxl.load_workbook(SAMPLES / "sakura.xlsx")
    sheet = book["通知"] if "通知" in book.sheetnames else book.create_sheet("通知")
    sheet.append(("名前", "サービス", "接続", "送信先"))
    sheet.append(("総務", "Slack(Webhook)", "https://hooks.slack.com/services/T0/B0/s3cr3t"))
    book.save(tmp_path / "sakura.xlsx")
    found = renkei("check", tmp_path / "sakura.xlsx", "--marked", tmp_path / "marked.xlsx")
    assert found.returncode == 1
    assert "通知!C" in found.stdout
    assert "Airflowの接続" in found.stdout
    assert "s3cr3t" not in found.stdout + found.stderr


def test_n1_convert_keeps_the_channels(tmp_path: Path) -> None:
    """N1, E15: YAML to a workbook and back, as a sound sheet."""
    text = (SAMPLES / "minato.yaml").read_text(encoding="utf-8").partition("\nnotifications:")[0].rstrip("\n")
    more = "\nnotifications:\n- {name: 総務, service: slack, events: [失敗]}\n- {name: 部屋, service: chatwork, to: 0012}\n"
    (tmp_path / "minato.yaml").write_text(text + more, encoding="utf-8")
    assert renkei("convert", tmp_path / "minato.yaml", tmp_path / "minato.xlsx").returncode == 0
    assert renkei("convert", tmp_path / "minato.xlsx", tmp_path / "again.yaml", "--tenant", "minato").returncode == 0
    first, again = (
        load(SHEETS, tmp_path / name, "minato", allowed_hosts=(HOSTS,)) for name in ("minato.yaml", "again.yaml")
    )
    assert [channel.name for channel in first.channels] == ["総務", "部屋"]
    assert again.mapping == first.mapping


def test_check_of_a_sound_sheet_ends_well(sakura: Path) -> None:
    """Nothing wrong: status 0, no 誤り."""
    found = renkei("check", sakura)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "誤り 0" not in found.stdout
    assert "  誤り" not in found.stdout


def test_check_as_json_is_json_alone(broken: Path, sakura: Path) -> None:
    """A program reads all of stdout; several sheets at once."""
    found = renkei_process("check", broken, SAMPLES / "minato.yaml", "--json")
    assert found.returncode == 1
    sheets = json.loads(found.stdout)["sheets"]
    assert [(one["tenant"], one["usable"]) for one in sheets] == [("sakura", False), ("minato", True)]
    assert {"where", "found", "remedy"} == set(sheets[0]["problems"][0])


def test_check_marks_a_copy_and_leaves_the_sheet_alone(broken: Path, tmp_path: Path) -> None:
    """The copy has a list of what is wrong, is its owner's alone, and is not overwritten unasked."""
    before, copy = broken.read_bytes(), tmp_path / "marked.xlsx"
    assert renkei("check", broken, "--marked", copy).returncode == 1
    assert broken.read_bytes() == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert openpyxl.load_workbook(copy).sheetnames[0] == "確認結果"
    again = renkei("check", broken, "--marked", copy)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert renkei("check", broken, "--marked", copy, "--force").returncode == 1


def test_template_is_a_workbook_that_names_what_is_to_be_filled_in(tmp_path: Path) -> None:
    """Fresh from the command the sheet is not usable yet, and the check says which cells are to be filled in."""
    path = tmp_path / "acme.xlsx"
    assert renkei_process("template", "acme", "-o", path).returncode == 0
    assert openpyxl.load_workbook(path).sheetnames[-2:] == ["記入例", "SmartHR項目一覧"]
    report: dict[str, Any] = json.loads(renkei("check", path, "--json").stdout)["sheets"][0]
    assert not report["usable"]
    assert any("SmartHR URL" in problem["found"] for problem in report["problems"])


@pytest.mark.parametrize("name", ["ACME", "株式会社", "", "-x", "a b"])
def test_template_refuses_names_that_no_tenant_can_have(name: str, tmp_path: Path) -> None:
    """L5: the file's name becomes the Dag's."""
    assert renkei("template", "-o", tmp_path / "x.xlsx", "--", name).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_e15_convert_there_and_back_is_the_same_mapping(sakura: Path, tmp_path: Path) -> None:
    """xlsx → YAML → xlsx by the command."""
    text, back = tmp_path / "text" / "sakura.yaml", tmp_path / "back" / "sakura.xlsx"
    assert renkei_process("convert", sakura, text).returncode == 0
    assert renkei("convert", text, back).returncode == 0
    first, last = (load(SHEETS, path, "sakura", allowed_hosts=[HOSTS]).mapping for path in (sakura, back))
    assert first is not None
    assert first == last


def test_convert_refuses_a_sheet_with_mistakes(broken: Path, tmp_path: Path) -> None:
    """What is wrong is listed, and no file is written."""
    found = renkei("convert", broken, tmp_path / "sakura.yaml")
    assert found.returncode == 1
    assert "氏明" in found.stdout
    assert not (tmp_path / "sakura.yaml").exists()


def test_schema_is_the_one_that_is_committed() -> None:
    """Editors and `make check` use the file; the command makes it."""
    assert renkei_process("schema").stdout == (ROOT / "include" / "contracts" / "mapping.schema.json").read_text(
        encoding="utf-8"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Wrong usage: status 2, and no traceback."""
    found = renkei("check", tmp_path / "none.xlsx")
    assert found.returncode == 2
    assert "Traceback" not in found.stderr


def test_what_needs_a_connection_says_which(sakura: Path, tmp_path: Path) -> None:
    """L8: without the tenant's Connection nothing is asked; status 3."""
    found = renkei_process("rehearse", sakura, "--live", AIRFLOW_HOME=str(tmp_path / "airflow"))
    assert found.returncode == 3
    assert "smarthr__sakura" in found.stderr
    assert "Traceback" not in found.stderr
