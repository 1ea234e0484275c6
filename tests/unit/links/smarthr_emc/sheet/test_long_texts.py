"""L5: a long text in any cell is refused in its place, before anything reads it; L8: with what to do."""

from __future__ import annotations

import time

import pytest

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.links.smarthr_emc.sheet.parse import check_sheet
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.texts import MAX_CELL_TEXT
from tests.unit.links.smarthr_emc.sheet.excel.books import book, content, with_part

FILLINGS = {
    "blanks": "{}" + " " * 150_000 + "x",
    "marks": "{}" + "\u0300\u0316" * 75_000,  # NFKC puts them in order, by the square of their number
    "brackets": "{}" + "(" * 150_000,
    "letters": "{}" + "a" * 150_000,
    "quotes": "{}" + "「" * 150_000,
    "addresses": "{}" + "a@" * 75_000,
}
SHEET = """
smarthr_url: {smarthr_url}
result_addresses: [{address}]
link_start_on: {link_start_on}
run_at: {run_at}
root_department: {{id: {id}, name: {name}, yomi: y}}
guards: {{delete_users_percent: {percent}}}
departments: {{yomi: {yomi}}}
users:
  - {{item: {item}, source: {source}, on_create: {{when_blank: {cell}}}, convert: {convert}}}
notifications: [{{name: {channel}, service: {service}, to: {to}, muted: {muted}, events: {events}}}]
"""
VALUES = {
    "smarthr_url": "https://acme.smarthr.jp", "address": "a@example.jp", "link_start_on": "2026-04-01",
    "run_at": "04:30", "id": "r", "name": "n", "percent": "5", "yomi": "y", "item": "氏名", "source": "氏名",
    "cell": "エラー", "convert": "全角", "channel": "c", "service": "slack", "to": "C012ABC", "muted": "true",
    "events": "失敗",
}  # fmt: skip


def _problems(raw_from, data: bytes, name: str) -> tuple[Problem, ...]:
    try:
        return check_sheet(raw_from(data, name), "acme").problems
    except MappingError as error:
        return error.problems


@pytest.mark.parametrize("key", VALUES)
def test_l5_a_long_value_in_a_text_file_is_refused_in_a_moment(key: str) -> None:
    for kind, filling in FILLINGS.items():
        values = {name: f'"{filling.format(value) if name == key else value}"' for name, value in VALUES.items()}
        began = time.process_time()
        (problem,) = _problems(raw_from_yaml, SHEET.format(**values).encode(), "acme.yaml")
        assert time.process_time() - began < 1, kind
        assert "行目の文字が多すぎます" in problem.found
        assert f"{MAX_CELL_TEXT:,}文字以内" in problem.remedy


def test_l5_a_long_key_in_a_text_file_is_refused_in_a_moment() -> None:
    (problem,) = _problems(raw_from_yaml, f'"{FILLINGS["marks"]}": x'.encode(), "acme.yaml")
    assert "文字が多すぎます" in problem.found


CELLS = [
    ("連携情報", "A2"),
    *(("連携情報", f"B{n}") for n in range(2, 6)),
    ("部署データ", "D4"),
    ("ユーザデータ", "A3"),
]
CELLS += [("ユーザデータ", f"{column}3") for column in "CDEFGH"]


@pytest.mark.parametrize(("part", "cell"), CELLS, ids=[f"{part}-{cell}" for part, cell in CELLS])
def test_l5_a_long_cell_of_a_workbook_is_refused_in_its_place(part: str, cell: str) -> None:
    for kind, filling in FILLINGS.items():
        made = book()
        made[part][cell] = filling.format("")[:32_000]  # Excel's own limit, which only openpyxl keeps
        began = time.process_time()
        problems = _problems(raw_from_workbook, content(made), "acme.xlsx")
        assert time.process_time() - began < 1, kind
        (here,) = [problem for problem in problems if problem.where == f"acme.xlsx {part}!{cell}"]
        assert (here.found, here.remedy) == ("文字が多すぎます(32,000文字)", "2,000文字以内で記入してください")


def test_l5_a_long_note_beside_the_table_does_no_harm() -> None:
    """A cell that the sheet does not need may be as long as Excel allows."""
    made = book()
    made["連携情報"]["H9"] = "注" * 32_000
    assert _problems(raw_from_workbook, content(made), "acme.xlsx") == ()


def test_l5_a_long_title_of_a_worksheet_is_cut() -> None:
    """It is compared with ours, folded."""
    marks = ("x" + "\u0300\u0316" * 75_000).encode()
    renamed = with_part("xl/workbook.xml", lambda xml: xml.replace("連携情報".encode(), marks))
    began = time.process_time()
    (problem,) = [found for found in _problems(raw_from_workbook, renamed, "acme.xlsx") if "連携情報" in found.found]
    assert "ワークシート「連携情報」がありません" in problem.found
    assert time.process_time() - began < 1
