"""The workbook that a customer fills in, of a link whose sheet is 連携情報 and a few short tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.channel import Channel
from renkei.notifications.form import table
from renkei.notifications.form.filled import NOTHING, Filled, Rows
from renkei.notifications.form.worksheet import channel_sheet, service_notes
from renkei.notifications.form.written import channel_line
from renkei.sheets.information import Information
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import FIXED, HEADER
from renkei.sheets.workbook.information_sheet import information_sheet
from renkei.sheets.workbook.introduction import INTRODUCTION, introduction_sheet
from renkei.sheets.workbook.lines import INFORMATION, Titles

_HEADER = 3
_SPARE = 30  # lines for a customer to fill in


@dataclass(frozen=True, slots=True)
class TableForm:
    """A worksheet with one line for each thing. `given` are lines whose first cell stands; else there are blank ones."""

    title: str
    says: str
    columns: Titles
    widths: Sequence[int]
    given: Sequence[str] = ()
    offers: Mapping[str, Sequence[str]] = field(default_factory=dict)  # drop-downs by the key of their column
    notes: Mapping[str, str] = field(default_factory=dict)  # by the key of their column


@dataclass(frozen=True, slots=True)
class Template:
    """What a link's workbook asks for. `steps` are by worksheet, in their order."""

    link: str
    says: str
    preparations: Sequence[tuple[str, str]]  # which system, what to do there
    steps: Mapping[str, str]
    information: Information
    tables: Sequence[TableForm]


def write_template(
    path: Path, template: Template, tenant: str, filled: Filled = NOTHING, channels: Sequence[Channel] = ()
) -> None:
    """The workbook of this tenant: a fresh one, or filled in."""
    book = drawing.new_book()
    book.properties.title, book.properties.creator = "連携設定シート", "Renkei"
    steps = [
        *template.steps.items(),
        (table.TITLE, "結果をチャットなどでも受け取る場合だけ、通知先を1行に1つ記入します。"),
    ]
    introduction = book.create_sheet(INTRODUCTION)
    information_sheet(book.create_sheet(INFORMATION), template.information, filled.settings)
    for form in template.tables:
        _table_sheet(book.create_sheet(form.title), form, filled.tables.get(form.title, ()))
    channel_sheet(book.create_sheet(table.TITLE), list(map(channel_line, channels)))
    introduction_sheet(
        *(introduction, template.link, template.says, tenant),
        *(template.preparations, steps, service_notes()),
    )
    book.save(path)


def _table_sheet(sheet: Any, form: TableForm, rows: Rows) -> None:
    drawing.heading(sheet, 1, form.title, size=14)
    drawing.remark(sheet, 2, form.says)
    drawing.line(sheet, _HEADER, [titles[0] for titles in form.columns.values()], HEADER, bold=True)
    blank = ("",) * len(form.columns)
    names = {row[0] for row in rows}
    lines = [*rows, *((given, *blank[1:]) for given in form.given if given not in names)]
    lines += [] if form.given else [blank] * _SPARE
    for number, line in enumerate(lines, _HEADER + 1):
        drawing.line(sheet, number, line)
        if line[0] in form.given:
            drawing.dress(sheet.cell(number, 1), FIXED)
    letters = dict(zip(form.columns, "ABCDEFGHIJ", strict=False))
    for key, words in form.offers.items():
        cells = f"{letters[key]}{_HEADER + 1}:{letters[key]}{_HEADER + len(lines)}"
        drawing.offer(sheet, [cells], words, strict=True)
    for number, key in enumerate(form.columns, 1):
        if key in form.notes:
            drawing.note(sheet.cell(_HEADER, number), form.notes[key])
    drawing.finish(sheet, form.widths, header=(_HEADER, _HEADER), start=f"A{_HEADER + 1}")
