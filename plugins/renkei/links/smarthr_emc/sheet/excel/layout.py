"""What the worksheets of the form share: their titles, the headers of the tables, the lines of 部署データ."""

from __future__ import annotations

from typing import Any

from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import HEADER
from renkei.values.conversion import WORDS, Convert

INTRODUCTION, EXAMPLE, ITEM_LIST = "はじめに", "記入例", "SmartHR項目一覧"
ITEM_NAMES = "SmartHR項目名"  # a defined name: Excel keeps a list on another worksheet in a part that others lose
INFORMATION, DEPARTMENTS, USERS = "連携情報", "部署データ", "ユーザデータ"
TABLE = ("エマージェンシーコール項目", "必須/任意", "連携有無", "SmartHR項目")
_GROUPS = ("新規登録処理", "更新処理")
_CASES = ("連携データの項目\nに値がある場合", "連携データの項目\nに値が無い場合")
_CONSTANT_ONLY = "連携しない(固定値)"
DEPARTMENT_LINES = (  # item, 連携有無, SmartHR項目, words to choose from
    ("部署ID", "○", "部署コード", ("部署コード",)),
    ("部署名", "○", "部署名", ("部署名", "部署名(階層)")),
    ("部署名(ヨミ)", _CONSTANT_ONLY, "", ()),
    ("親部署ID", "○", "親部署コード", ("親部署コード",)),
)


def user_header(sheet: Any, row: int) -> None:
    """The two header rows of ユーザデータ."""
    drawing.line(sheet, row, (*TABLE, _GROUPS[0], "", _GROUPS[1], "", "変換"), HEADER, bold=True)
    drawing.line(sheet, row + 1, ("",) * 4 + _CASES * 2 + ("",), HEADER, bold=True)
    for column in (1, 2, 3, 4, 9):
        sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
    for column in (5, 7):
        sheet.merge_cells(start_row=row, end_row=row, start_column=column, end_column=column + 1)


def conversion_word(convert: Convert) -> str:
    """The word for 変換 as it is offered; a date needs the way it is to be written."""
    return WORDS[convert] + (":YYYY/MM/DD" if convert is Convert.DATE else "")
