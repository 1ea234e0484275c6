"""Sheets to fill in, of the links whose workbook is a few short tables (E15)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.links.lineworks_kot.sheet import SHEETS as PUNCHING
from renkei.links.workplace_lineworks.sheet import SHEETS as WORKPLACE
from renkei.sheets.compiled import Compiled, SheetKind
from renkei.sheets.load import load
from tests.harness.typed import renkei


def compiled(kind: SheetKind[Any], path: Path) -> Compiled[Any]:
    return load(kind, path, path.stem)


def fill(path: Path, title: str, cells: dict[str, str]) -> None:
    book = openpyxl.load_workbook(path)
    for place, text in cells.items():
        book[title][place] = text
    book.save(path)


def row_of(path: Path, label: str) -> int:
    sheet = openpyxl.load_workbook(path)["連携情報"]
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == label)


def test_e15_a_filled_in_sheet_of_king_of_time_is_read(tmp_path: Path) -> None:
    """E15, P10: left as it is, it says what is missing; with a 日付変更時間 it can be used."""
    path = tmp_path / "acme.xlsx"
    made = renkei("kingoftime", "template", "acme", "-o", path)
    assert made.returncode == 0, made.stderr
    said = [str(one) for one in compiled(PUNCHING, path).problems]
    assert len(said) == 2
    assert "通知先メールアドレス" in said[0]
    assert "所属が1つも" in said[1]
    fill(path, "連携情報", {f"B{row_of(path, '通知先メールアドレス')}": "soumu@acme.example.jp"})
    fill(path, "所属", {"A4": "0100", "B4": "05:00"})
    fill(path, "雇用区分", {"A4": "20", "B4": "許可しない"})
    found = compiled(PUNCHING, path)
    assert not found.problems
    assert found.mapping is not None
    assert {code: str(at) for code, at in found.mapping.boundaries.items()} == {"0100": "05:00:00"}
    assert found.mapping.no_break_types == {"20"}


def test_e15_c1_a_filled_in_sheet_of_workplace_is_read(tmp_path: Path) -> None:
    """E15, C1, W1: left as it is, everything is 使用しない."""
    path = tmp_path / "acme.xlsx"
    made = renkei("workplace", "template", "acme", "-o", path)
    assert made.returncode == 0, made.stderr
    fill(path, "連携情報", {f"B{row_of(path, '通知先メールアドレス')}": "soumu@acme.example.jp"})
    found = compiled(WORKPLACE, path)
    assert not found.problems
    assert found.mapping is not None
    assert (found.mapping.calendar, found.mapping.messengers) == (False, {})
    used = {f"B{row_of(path, label)}": "使用する" for label in ("カレンダー登録", "Slackメッセンジャー")}
    fill(path, "連携情報", used)
    fill(path, "予定名", {"A4": "年次有給休暇", "B4": "休暇"})
    fill(path, "通知管理", {"C4": "○"})
    found = compiled(WORKPLACE, path)
    assert not found.problems
    assert found.mapping is not None
    assert (found.mapping.calendar, found.mapping.titles) == (True, {"年次有給休暇": "休暇"})
    assert found.mapping.table["requested"] == {"slack"}


@pytest.mark.parametrize("group", ["kingoftime", "workplace"])
def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, group: str) -> None:
    path = tmp_path / "acme.xlsx"
    path.write_bytes(b"mine")
    assert renkei(group, "template", "acme", "-o", path).returncode != 0
    assert path.read_bytes() == b"mine"
