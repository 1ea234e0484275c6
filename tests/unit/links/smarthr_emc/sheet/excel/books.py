"""A workbook as a customer would send it, and what is done to it in the tests."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse

GUIDE_HEADER = (
    ("エマージェンシーコール\n項目", "", "連携有無", "SmartHR 項目", "新規登録処理", None, "更新処理", None),
    (None, None, None, None, *("連携データの項目\nに値がある場合", "連携データの項目\nに値が無い場合") * 2),
)
USERS = (
    ("ユーザID", "必須", "○", "社員番号", "登録", "エラー", "更新しない", "エラー"),
    ("パスワード", "必須", "〇", "秘密:first"),
    ("氏名", "必須", "◯", "姓&名"),
    ("氏名（ヨミ）", "必須", "○", "姓（ヨミガナ）&名（ヨミガナ）"),
    ("保有権限", "任意", "", "", "登録", "登録しない", "更新", "更新しない"),
    ("検索ワード1：勤務地", "任意", "○", "事業所", "登録", "登録しない", "更新", "更新"),
)
Book = Any


def book() -> Book:
    """A workbook as a customer would send it."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "連携情報"
    for row in (
        ("項目", "値", "備考"),
        ("SmartHR URL", "https://acme.smarthr.jp/", "必須"),
        ("結果通知先メールアドレス1", "soumu@acme.example.jp"),
        ("連携開始日", dt.datetime(2026, 4, 1)),
        ("処理時刻", dt.time(5, 30)),
    ):
        sheet.append(row)
    sheet = made.create_sheet("部署データ")
    for row in (
        ("エマージェンシーコール項目", None, "連携有無", "SmartHR項目"),
        ("部署ID", "必須", "○", "部署コード"),
        ("部署名", "必須", "○", "部署名"),
        ("部署名(ヨミ)", "必須", "連携しない(固定値)", "ブショ"),
        ("親部署ID", "必須", "○", "親部署コード"),
    ):
        sheet.append(row)
    sheet = made.create_sheet("ユーザデータ")
    for row in (*GUIDE_HEADER, *USERS):
        sheet.append(row)
    for cells in ("A1:A2", "D1:D2", "E1:F1", "G1:H1"):
        sheet.merge_cells(cells)
    return made


def content(made: Book) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def read(made: Book) -> Mapping:
    return parse(raw_from_workbook(content(made), "acme.xlsx"), "acme")[0]


def refused(made: Book) -> list[str]:
    """The problems of a workbook, as text."""
    with pytest.raises(MappingError) as caught:
        read(made)
    return [str(problem) for problem in caught.value.problems]


def zipped(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def with_part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content(book()))) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    return zipped(parts | {name: change(parts[name])})


FIRST = "xl/worksheets/sheet1.xml"
