"""Writes a `Mapping` as the Excel workbook that a customer fills in (E15)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet.form import to_raw
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.links.smarthr_emc.sheet.settings import SETTINGS

_TABLE = ("エマージェンシーコール項目", "必須/任意", "連携有無", "SmartHR項目")
_GROUPS = ("新規登録処理", "更新処理")
_CASES = ("連携データの項目に値がある場合", "連携データの項目に値が無い場合")


def write_workbook(mapping: Mapping, path: Path) -> None:
    """Writes the mapping so that `read_workbook` and `parse` give it back exactly.

    Every item of EMC has a line; the ones that are not linked have a blank 連携有無.
    """
    import openpyxl

    raw = to_raw(mapping)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("連携情報")
    _line(sheet, 1, ("項目", "値", "備考"))
    texts = [setting.value.text for setting in raw.settings or ()]
    for number, (setting, text) in enumerate(zip(SETTINGS, texts, strict=True), 2):
        _line(sheet, number, (setting.label, _typed(mapping, setting.key, text), setting.note))
    _finish(sheet, 1, (34, 42, 60))

    sheet = book.create_sheet("部署データ")
    _line(sheet, 1, _TABLE)
    for number, row in enumerate(raw.departments or (), 2):
        linked = "連携しない(固定値)" if row.item.text == "部署名(ヨミ)" else "○"
        _line(sheet, number, (row.item.text, "必須", linked, row.source.text))
    _finish(sheet, 1, (34, 12, 20, 42))

    sheet = book.create_sheet("ユーザデータ")
    _line(sheet, 1, (*_TABLE, _GROUPS[0], "", _GROUPS[1], "", "変換"))
    _line(sheet, 2, ("",) * 4 + _CASES * 2)
    for cells in ("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:F1", "G1:H1", "I1:I2"):
        sheet.merge_cells(cells)
    rows = {named.item.key: row for row in raw.users or () if (named := user_item(row.item.text))}
    for number, item in enumerate(USER_ITEMS, 3):
        _line(sheet, number, _user_line(item, rows.get(item.key)))
    _finish(sheet, 2, (34, 12, 12, 42, 20, 20, 20, 20, 20))
    _offer_link_marks(sheet, len(USER_ITEMS) + 2)
    book.save(path)


def _user_line(item: Item, row: RawRow | None) -> tuple[str, ...]:
    needed = "初期値 必須" if item.key == "password" else "必須" if item.required else "任意"
    if row is None:
        return item.name, needed, "", "", "", "", "", "", ""
    words = (row.create_present, row.create_blank, row.update_present, row.update_blank)
    return row.item.text, needed, "○", row.source.text, *(word.text for word in words), row.convert.text


def _typed(mapping: Mapping, key: str, text: str) -> str | int | float | dt.date | dt.time:
    """Dates, times and numbers as Excel's own, so that they can be edited as such."""
    if key.startswith("guards."):
        return float(text) if "." in text else int(text)
    match key:
        case "link_start_on":
            return mapping.link_start_on
        case "run_at":
            return mapping.run_at
        case "requests_per_second":
            return mapping.requests_per_second
    return text


def _line(sheet: Any, number: int, values: Sequence[str | int | float | dt.date | dt.time]) -> None:
    for column, value in enumerate(values, 1):
        if value == "":
            continue
        cell = sheet.cell(number, column, value)
        if isinstance(value, str):
            cell.data_type = "s"  # also where a text begins with "="
            cell.number_format = "@"
        elif isinstance(value, dt.date):
            cell.number_format = "yyyy-mm-dd"
        elif isinstance(value, dt.time):
            cell.number_format = "h:mm"


def _finish(sheet: Any, header_rows: int, widths: Sequence[int]) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.worksheet.properties import PageSetupProperties

    thin = Side(style="thin", color="BFBFBF")
    for row in sheet.iter_rows(max_col=len(widths)):
        for cell in row:
            cell.border = Border(thin, thin, thin, thin)
            cell.alignment = Alignment(vertical="center", wrap_text=True, horizontal="left")
            if cell.row <= header_rows:
                cell.font = Font(bold=True)
                cell.fill = PatternFill("solid", fgColor="DDEBF7")
    for row_number in range(1, header_rows + 1):
        sheet.row_dimensions[row_number].height = 32 if row_number == 2 else 20
    for column, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGHI"[column]].width = width
    sheet.freeze_panes = sheet.cell(header_rows + 1, 2)
    # On paper: A4 across, as wide as the page, the header on every page.
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"1:{header_rows}"


def _offer_link_marks(sheet: Any, last: int) -> None:
    """A list of ○ and × to choose from in 連携有無; other words stay possible (固定値)."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choice = DataValidation(type="list", formula1='"○,×"', allow_blank=True, showErrorMessage=False)
    choice.add(f"C3:C{last}")
    sheet.add_data_validation(choice)
