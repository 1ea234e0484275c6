"""A table of texts as a workbook to download."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from renkei.sheets.workbook.xml_text import encoded

MAX_CELL = 32_767  # characters in a cell of Excel's
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """The workbook: every cell is a text of the format 文字列, whatever it looks like; the first row stays in view."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.sheet_format.defaultColWidth = 20
    for row in rows:
        sheet.append([_cell(sheet, text) for text in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, encoded(_NO_XML.sub("\ufffd", text[:MAX_CELL])))
    cell.data_type, cell.number_format = "s", "@"  # openpyxl takes what begins with = for a formula
    return cell
