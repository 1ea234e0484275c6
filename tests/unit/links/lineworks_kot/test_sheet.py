"""The 連携設定シート of LINE WORKS → KING OF TIME, as YAML and as a workbook."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest

from renkei.links.lineworks_kot.sheet.compile import compile_sheet
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.sheets.compiled import Compiled
from tests.conftest import ROOT

SAMPLE = ROOT / "include" / "mappings" / "lineworks_kot" / "sample.yaml"
SHEET = """
company_name: アクメ
bot_id: "2000001"
result_addresses: [a@example.jp]
breaks: 表示する
double_press_s: 90
exact: 完全一致
silence_at: "9:30"
divisions:
  - {code: "0010", day_border: "5:00"}
  - {code: "20", day_border: 0時}
types:
  - {code: "2", breaks: 許可しない}
  - {code: "1", breaks: 許可する}
"""
MAPPING = Mapping(
    tenant="acme",
    company="アクメ",
    boundaries={"0010": dt.time(5), "20": dt.time(0)},
    bot_id="2000001",
    breaks=True,
    no_break_types=frozenset({"2"}),
    double_press_s=90,
    exact=True,
    silence_at=dt.time(9, 30),
    result_addresses=("a@example.jp",),
)


def read(text: str) -> Compiled[Mapping]:
    return compile_sheet("acme.yaml", text.encode(), "acme")[0]


def test_p7_p10_a_sheet_says_where_a_day_begins_and_what_may_be_punched() -> None:
    assert read(SHEET) == Compiled(
        tenant="acme",
        digest=read(SHEET).digest,
        mapping=MAPPING,
        company_name="アクメ",
        result_addresses=("a@example.jp",),
        run_at=dt.time(10, 5),
    )


def test_what_a_sheet_leaves_out_is_the_careful_choice() -> None:
    least = read('result_addresses: [a@example.jp]\ndivisions: [{code: "1", day_border: "0:00"}]').mapping
    assert least == Mapping("acme", "acme", {"1": dt.time()}, result_addresses=("a@example.jp",))
    assert (least.breaks, least.outings, least.groups, least.replies) == (False, False, False, True)


def test_the_sample_can_be_used() -> None:
    compiled = compile_sheet(SAMPLE.name, SAMPLE.read_bytes(), "sample")[0]
    assert (compiled.problems, compiled.warnings) == ((), ())
    assert compiled.mapping


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('day_border: "5:00"', 'day_border: ""', "日付変更時間が記入されていません"),  # P10: it has no default
        ('day_border: "5:00"', "day_border: 25:00", "「25:00」は時刻ではありません"),
        ('code: "20"', 'code: "0010"', "所属コード「0010」が2回あります"),
        ('code: "1"', 'code: "2"', "雇用区分コード「2」が2回あります"),
        ("breaks: 許可しない", "breaks: たぶん", "許可する または 許可しない と記入してください"),  # P8
        ("breaks: 表示する", "breaks: ときどき", "表示する または 表示しない と記入してください"),  # P7
        ("exact: 完全一致", "exact: だいたい", "完全一致 または 含む と記入してください"),  # P9
        ("double_press_s: 90", "double_press_s: 601", "0から600までの整数を記入してください"),  # P13
        ('bot_id: "2000001"', "bot_id: ボット", "Bot IDが数字ではありません"),
        ("result_addresses: [a@example.jp]", "", "通知先メールアドレスが記入されていません"),
    ],
)
def test_p8_p9_p10_what_cannot_be_meant_is_named_with_its_remedy(old: str, new: str, said: str) -> None:
    assert old in SHEET
    found = [str(problem) for problem in read(SHEET.replace(old, new, 1)).problems]
    assert any(said in problem for problem in found), found


def test_p10_a_sheet_without_any_boundary_is_no_sheet() -> None:
    (problem,) = read("result_addresses: [a@example.jp]").problems
    assert "所属が1つも記入されていません" in str(problem)


def test_a_broken_sheet_still_says_whom_to_tell() -> None:
    compiled = read(SHEET.replace("完全一致", "だいたい"))
    assert (compiled.mapping, compiled.result_addresses, compiled.company) == (None, ("a@example.jp",), "アクメ")


def test_a_workbook_says_the_same_whatever_form_excel_shows_a_time_in() -> None:
    book = openpyxl.Workbook()
    assert book.active
    book.active.title = "連携情報"
    tables: dict[str, list[list[Any]]] = {
        "連携情報": [
            *(["項目", "値"], ["会社名", "アクメ"], ["Bot ID", "2000001"], ["通知先メールアドレス", "a@example.jp"]),
            *(["休憩打刻", "表示する"], ["二度押しとみなす秒数", 90], ["打刻メッセージの判定", "完全一致"]),
            ["打刻がないときに知らせる時刻", dt.time(9, 30)],
        ],
        "所属": [["所属コード", "日付変更時間", "所属名"], ["0010", dt.time(5), "大阪"], ["20", "0:00", "本社"]],
        "雇用区分": [["雇用区分コード", "休憩打刻"], ["2", "許可しない"], ["1", "許可する"]],
    }
    for title, rows in tables.items():
        sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book["所属"]["B2"].number_format = "h時mm分"
    content = io.BytesIO()
    book.save(content)
    compiled = compile_sheet("acme.xlsx", content.getvalue(), "acme")[0]
    assert (compiled.problems, compiled.mapping) == ((), MAPPING)
