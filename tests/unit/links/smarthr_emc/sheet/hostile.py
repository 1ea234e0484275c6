"""Sheets that cost their reader more than a sheet may, though each of their cells keeps to the limits."""

from __future__ import annotations

from functools import cache

from tests.unit.links.smarthr_emc.sheet.excel.books import book, content

MARKS = "\u0300\u0316" * 950  # NFKC puts them in order: 6 ms each time that the text is compared with another


@cache
def slow_workbook(lines: int = 480) -> bytes:
    """30 kB, for Excel keeps one text once: 20 seconds of a processor."""
    made = book()
    for sheet in (made["部署データ"], made["ユーザデータ"]):
        for _ in range(lines):
            sheet.append(("項目" + MARKS, None, "○", "x"))
    return content(made)


def slow_text(lines: int = 240) -> bytes:
    """950 kB: ten seconds."""
    users = "".join(f"  - {{item: '{number}{MARKS}', source: x}}\n" for number in range(lines))
    return f"departments: {{yomi: ブショ}}\nusers:\n{users}".encode()
