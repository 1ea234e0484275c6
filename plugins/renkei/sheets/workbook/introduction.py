"""The worksheet はじめに of any link's workbook: what to prepare, what to do, what the colours mean. It is not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import FIXED, PLAIN, REQUIRED

INTRODUCTION = "はじめに"
SENT_BACK = "記入が終わったら保存し、このファイルをお送りした担当者へ返送してください。誤りがあれば、セルの番地と直し方をお知らせします。"
_COLOURS = (
    (REQUIRED, "黄色", "必ず記入するセルです。"),
    (PLAIN, "白", "必要な場合だけ記入するセルです。"),
    (FIXED, "灰色", "変えずにそのまま使うセルです。"),
)


def introduction_sheet(
    sheet: Any,
    link: str,
    says: str,
    tenant: str,
    preparations: Sequence[tuple[str, str]],
    steps: Sequence[tuple[str, str]],
    services: Sequence[tuple[str, str]],
) -> None:
    """`preparations` and `steps` are (system or worksheet, what to do there); `services` those of the worksheet 通知."""
    drawing.heading(sheet, 1, f"連携設定シート({link})", size=16)
    is_name = re.fullmatch("[a-z0-9][a-z0-9_-]*", tenant)
    told = f"ファイル名の「{tenant}」は変えないでください。" if is_name else ""
    drawing.remark(sheet, 2, says + told)
    row = _block(sheet, 3, "準備すること", [("", *one) for one in preparations])
    first = row + 2
    row = _block(
        sheet, row + 1, "記入の手順", [*((n, *one) for n, one in enumerate(steps, 1)), ("", "返送", SENT_BACK)]
    )
    for number, (title, _) in enumerate(steps):
        drawing.jump(sheet.cell(first + number, 2), title, "A1")
    first = row + 2
    row = _block(sheet, row + 1, "セルの色", [("", name, text) for _, name, text in _COLOURS])
    for number, (fill, *_) in enumerate(_COLOURS):
        drawing.dress(sheet.cell(first + number, 2), fill)
    _block(sheet, row + 1, "通知のサービス(通知のB列とD列)", [("", *one) for one in services])
    drawing.finish(sheet, (5, 26, 110), start="A1")


def _block(sheet: Any, row: int, title: str, lines: Sequence[tuple[str | int, str, str]]) -> int:
    """A heading and what stands below it; the row after it."""
    drawing.heading(sheet, row, title)
    for number, line in enumerate(lines, row + 1):
        drawing.line(sheet, number, line)
    return row + 1 + len(lines)
