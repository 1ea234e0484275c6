"""E15: a workbook is read as customers fill it in, and what cannot be read is named by its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.policy import format_code
from tests.unit.links.smarthr_emc.sheet.excel.books import Book, book, read, refused


def policies(mapping: Mapping, item: str) -> str:
    rule = mapping.rule(item)
    assert rule is not None
    cells = (rule.on_create.when_present, rule.on_create.when_blank)
    return " ".join(map(format_code, (*cells, rule.on_update.when_present, rule.on_update.when_blank)))


def test_e15_the_guides_form_is_read() -> None:
    """Merged header, Excel's own dates and times, all three circles, blank policies."""
    mapping = read(book())

    assert (mapping.link_start_on, mapping.run_at) == (dt.date(2026, 4, 1), dt.time(5, 30))
    assert mapping.departments.yomi == "ブショ"
    assert [rule.item for rule in mapping.users] == [
        "user_id",
        "password",
        "full_name",
        "full_name_yomi",
        "search_word_1",
    ]
    assert policies(mapping, "password") == "SET REJECT SKIP SKIP"
    assert policies(mapping, "search_word_1") == "SET SKIP SET SET"


def _moved_down(made: Book) -> None:
    for sheet in made:
        sheet.insert_rows(1, 3)
        sheet["A1"] = "エマージェンシーコール SmartHR連携"


def _moved_right(made: Book) -> None:
    for sheet in made:
        sheet.insert_cols(1, 2)


def _columns_swapped(made: Book) -> None:
    sheet = made["ユーザデータ"]
    sheet.unmerge_cells("D1:D2")
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 12, sheet.cell(row, 4).value)
        sheet.cell(row, 4).value = None


def _one_header_row(made: Book) -> None:
    sheet = made["ユーザデータ"]
    for cells in [str(merged) for merged in sheet.merged_cells.ranges]:
        sheet.unmerge_cells(cells)
    for column in "EFGH":
        group = "新規登録処理" if column in "EF" else "更新処理"
        sheet[f"{column}1"] = f"{group}: {sheet[f'{column}2'].value}"
    sheet.delete_rows(2)


def _no_link_column(made: Book) -> None:
    made["ユーザデータ"].delete_cols(3)


def _blank_rows(made: Book) -> None:
    for sheet in made:
        sheet.cell(sheet.max_row + 200, 1, "　")
        sheet.cell(sheet.max_row + 1, 1, "※ 項目はお客様ごとに異なります")


def _odd_names(made: Book) -> None:
    made["連携情報"].title = "連携情報 "
    made["部署データ"].title = "部署ﾃﾞｰﾀ"
    made["ユーザデータ"].title = "ユーザ データ"
    made.create_sheet("メモ").append(("=1+1",))


def _headless_settings(made: Book) -> None:
    made["連携情報"].delete_rows(1)
    made["連携情報"].insert_rows(1)
    made["連携情報"]["A1"] = "<連携情報>"


def _excel_text(made: Book) -> None:
    made["連携情報"]["B4"] = "2026/4/1"
    made["連携情報"]["B5"] = dt.timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    "change",
    [
        _moved_down,
        _columns_swapped,
        _one_header_row,
        _no_link_column,
        _blank_rows,
        _odd_names,
        _headless_settings,
        _excel_text,
    ],
)
def test_e15_a_rearranged_workbook_says_the_same(change: Callable[[Book], None]) -> None:
    """Rows, columns, headers, names and types may differ; the mapping does not."""
    expected, made = read(book()), book()

    change(made)

    assert read(made) == expected


def test_e15_moved_columns_are_found_by_their_headers() -> None:
    """Columns to the left of the table do not matter (merged ranges do not move with inserted columns)."""
    made = book()
    for cells in ("A1:A2", "D1:D2", "E1:F1", "G1:H1"):
        made["ユーザデータ"].unmerge_cells(cells)
    _moved_right(made)
    assert read(made) == read(book())


def test_e34_a_percentage_may_be_a_percent_cell() -> None:
    """12.5 % is 12.5, whether typed as a number, a text or a percent cell."""
    for value, shown_as in ((0.125, "0.0%"), (12.5, "General"), ("12.5%", "@")):
        made = book()
        made["連携情報"].append(("削除保留(人数割合%)", value))
        made["連携情報"].cell(made["連携情報"].max_row, 2).number_format = shown_as
        assert read(made).guards.delete_users_percent == 12.5


def test_a_formula_is_refused_where_it_stands() -> None:
    """A formula's stored value may be stale, so the cell is named instead; a note may hold one."""
    made = book()
    made["連携情報"]["C2"] = "=A2"
    made["ユーザデータ"]["D3"] = '="社員"&"番号"'
    made["ユーザデータ"]["H3"] = "=E3"

    found = refused(made)

    assert [text.partition(":")[0] for text in found] == ["acme.xlsx ユーザデータ!D3", "acme.xlsx ユーザデータ!H3"]
    assert "数式" in found[0]


def test_l8_a_problem_names_its_cell() -> None:
    """Worksheet and cell, as Excel shows them."""
    made = book()
    made["連携情報"]["B5"] = "朝"
    made["ユーザデータ"]["E3"] = "とうろく"
    made["ユーザデータ"].append((None, None, "○", "社員番号"))

    found = refused(made)

    assert [text.partition(":")[0] for text in found] == [
        "acme.xlsx ユーザデータ!A9",
        "acme.xlsx 連携情報!B5",
        "acme.xlsx ユーザデータ!E3",
    ]


def test_l8_missing_worksheets_and_headers_are_named() -> None:
    """What is not there is said once, without faults that only follow from it."""
    made = book()
    del made["部署データ"]
    assert refused(made) == [
        "acme.xlsx: ワークシート「部署データ」がありません → 「部署データ」という名前のワークシートを用意してください"
    ]

    made = book()
    made["ユーザデータ"]["D1"] = "項目"
    found = refused(made)
    assert len(found) == 1
    assert "見出しの行が見つかりません" in found[0]
