"""A CSV to download: nothing in it runs, and what it says is read back as it was."""

from __future__ import annotations

from renkei.sheets.table_file import BOM, csv_parts, guarded, unguarded

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
