"""A workbook to download: nothing in it runs, and what it says is read back as it was."""

from __future__ import annotations

import io

from openpyxl import load_workbook

from renkei.sheets.workbook.table import workbook
from renkei.sheets.workbook.xml_text import decoded
from tests.unit.sheets.test_table_file import ROWS


def test_l5_every_cell_of_a_workbook_is_a_text() -> None:
    """L5: formulas, markup and what only looks like an escape; what XML cannot hold is one sign."""
    sheet = load_workbook(io.BytesIO(workbook([*ROWS, ["長" * 40_000]]))).worksheets[0]
    found = [[decoded(cell.value) for cell in row if cell.value is not None] for row in sheet.iter_rows()]
    assert found[:4] == ROWS[:4]
    assert found[4:] == [["_x0041_", "\ufffd\ufffd 0012"], ["長" * 32_767]]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert sheet.freeze_panes == "A2"
