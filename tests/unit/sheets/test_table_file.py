"""Tables as files to download: nothing in them runs, and what they say is read back as it was."""

from __future__ import annotations

import io

from openpyxl import load_workbook

from renkei.sheets.table_file import BOM, csv_parts, guarded, unguarded, workbook
from renkei.sheets.workbook.xml_text import decoded

ROWS = [
    ["内容", "対処"],
    ["=1+1", "+81"],
    ["-", "@SUM(A1)"],
    ["<b>&\"'", "a\n,b"],
    ["_x0041_", "\x01\ufffe 0012"],
]


def test_l5_a_csv_runs_nothing_in_a_spreadsheet() -> None:
    """L5: UTF-8 with BOM; what would be a formula has an apostrophe before it."""
    text = b"".join(csv_parts(ROWS)).decode("utf-8")
    assert text.startswith(f"{BOM}内容,対処\r\n'=1+1,'+81\r\n'-,'@SUM(A1)\r\n")
    assert '"a\n,b"' in text
    assert all(unguarded(guarded(cell)) == cell for row in ROWS for cell in row)


def test_a_long_csv_comes_in_parts() -> None:
    parts = list(csv_parts(["x", "y"] for _ in range(1200)))
    assert len(parts) == 3
    assert b"".join(parts).count(b"x,y\r\n") == 1200


def test_l5_every_cell_of_a_workbook_is_a_text() -> None:
    """L5: formulas, markup and what only looks like an escape; what XML cannot hold is one sign."""
    sheet = load_workbook(io.BytesIO(workbook([*ROWS, ["長" * 40_000]]))).worksheets[0]
    found = [[decoded(cell.value) for cell in row if cell.value is not None] for row in sheet.iter_rows()]
    assert found[:4] == ROWS[:4]
    assert found[4:] == [["_x0041_", "\ufffd\ufffd 0012"], ["長" * 32_767]]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert sheet.freeze_panes == "A2"
