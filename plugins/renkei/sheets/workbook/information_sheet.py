"""The worksheet 連携情報 of any link's workbook, to be filled in or filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renkei.sheets.information import Information
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import HEADER, PLAIN, REQUIRED, Value
from renkei.sheets.workbook.lines import SETTING_COLUMNS

_HEADER, _WIDTHS = 3, (34, 46, 9, 64)


def information_sheet(sheet: Any, information: Information, values: Mapping[str, Value]) -> None:
    """A line for each setting; `values` by their keys, blank where there is none."""
    drawing.heading(sheet, 1, "連携情報: 連携する環境と、結果の通知先", size=14)
    drawing.remark(sheet, 2, "黄色のセルは必ず記入してください。ほかのセルは、必要な場合だけ記入してください。")
    name, value = (titles[0] for titles in SETTING_COLUMNS.values())
    drawing.line(sheet, _HEADER, (name, value, "必須", "備考"), HEADER, bold=True)
    by_words: dict[tuple[str, ...], list[str]] = {}
    start = ""
    for row, setting in enumerate(information.settings, _HEADER + 1):
        needed = "必須" if setting.needed else "任意"
        drawing.line(sheet, row, (setting.label, values.get(setting.key, ""), needed, setting.note))
        drawing.dress(sheet.cell(row, 2), REQUIRED if setting.needed else PLAIN)
        start = start or (f"B{row}" if setting.needed else "")
        if setting.words:
            by_words.setdefault(setting.words, []).append(f"B{row}")
        if setting.dated:
            sheet.cell(row, 2).number_format = "yyyy-mm-dd"
    for words, cells in by_words.items():
        drawing.offer(sheet, cells, words, strict=True)
    drawing.finish(sheet, _WIDTHS, header=(_HEADER, _HEADER), start=start or "B4", one_page=True)
