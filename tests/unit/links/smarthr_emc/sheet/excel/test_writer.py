"""E15: a mapping written as a workbook is the template, filled in."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.mapping import Constant, Source
from renkei.links.smarthr_emc.sheet.parse import parse
from tests.builders import CONTACT, mapping
from tests.unit.links.smarthr_emc.sheet.excel import books
from tests.unit.links.smarthr_emc.sheet.mappings import raw_sheet

SHEET = mapping(
    {
        **CONTACT,
        "検索ワード1:勤務地": "事業所",
        "氏名": ("姓&名", "登録", "デフォルト:不明", "更新", "デフォルト:不明"),
    },
    {"処理時刻": "5:30", "ID付与コード": "0012", "削除保留(人数割合%)": "12.5", "連携状態": "連携解除"},
)


@pytest.fixture
def book(tmp_path: Path) -> Any:
    write_workbook(SHEET, tmp_path / "acme.xlsx")
    return openpyxl.load_workbook(tmp_path / "acme.xlsx")


def line(sheet: Any, label: str) -> list[Any]:
    return next([cell.value for cell in row] for row in sheet.iter_rows() if str(row[0].value).startswith(label))


def test_e15_it_is_read_back_exactly(tmp_path: Path) -> None:
    """With labels, defaults, leading zeros and odd times."""
    write_workbook(SHEET, tmp_path / "acme.xlsx")
    assert parse(raw_sheet(tmp_path / "acme.xlsx"), "acme")[0] == SHEET


def test_e15_it_looks_like_the_template(book: Any, tmp_path: Path) -> None:
    """The same worksheets, headings, items, drop-downs and notes; it opens where something can be changed."""
    write_template(tmp_path / "empty.xlsx")
    empty = openpyxl.load_workbook(tmp_path / "empty.xlsx")

    assert book.sheetnames == empty.sheetnames
    assert book.active.title == "連携情報"
    for sheet in empty.worksheets:
        other = book[sheet.title]
        assert sheet.dimensions == other.dimensions
        labels = [str(cell.value).partition(":")[0] for cell in sheet["A"]]
        assert [str(cell.value).partition(":")[0] for cell in other["A"]] == labels
        rules = [(rule.formula1, str(rule.sqref)) for rule in sheet.data_validations.dataValidation]
        assert [(rule.formula1, str(rule.sqref)) for rule in other.data_validations.dataValidation] == rules
        assert [bool(c.comment) for r in sheet for c in r] == [bool(c.comment) for r in other for c in r]


def test_e15_values_can_be_edited_as_what_they_are(book: Any) -> None:
    """Dates, times and numbers are Excel's own; a code with leading zeros is a text."""
    info = book["連携情報"]
    assert line(info, "連携開始日")[1] == dt.datetime(2026, 4, 1)
    assert line(info, "処理時刻")[1] == dt.time(5, 30)
    assert line(info, "ID付与コード")[1] == "0012"
    assert line(info, "削除保留(人数割合%)")[1] == 12.5
    assert line(info, "削除保留(最少人数)")[1] == 5


def test_e16_linked_lines_are_marked_and_the_others_wait(book: Any) -> None:
    """A blank 連携有無 with the recommended policies for what is not linked."""
    users = book["ユーザデータ"]
    assert line(users, "検索ワード1")[:4] == ["検索ワード1:勤務地", "任意", "○", "事業所"]
    assert line(users, "氏名")[2:8] == ["○", "姓&名", "登録", "デフォルト:不明", "更新", "デフォルト:不明"]
    assert line(users, "検索ワード2")[2:8] == [None, None, "登録", "登録しない", "更新", "更新しない"]
    assert line(users, "処理フラグ")[2] is None


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", '=HYPERLINK("http://x")'])
def test_e15_a_written_workbook_holds_texts_and_no_formulas(text: str, tmp_path: Path) -> None:
    """What a customer opens runs nothing: cells that begin like a formula are texts, also when they are edited."""
    sheet = books.read(books.book())
    users = tuple(
        dataclasses.replace(rule, source=Source(((Constant(text),),))) if rule.item == "password" else rule
        for rule in sheet.users
    )
    write_workbook(dataclasses.replace(sheet, users=users, id_prefix="=1"), tmp_path / "acme.xlsx")

    cells = [
        cell
        for part in openpyxl.load_workbook(tmp_path / "acme.xlsx").worksheets
        for row in part.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert "=1" in {cell.value for cell in cells}
    assert any(text in cell.value for cell in cells)
    with zipfile.ZipFile(tmp_path / "acme.xlsx") as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(parts) >= 3
    assert not any(b"<f>" in part or b"<f " in part for part in parts)
