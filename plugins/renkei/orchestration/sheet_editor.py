"""A 連携設定シート of 連携情報 and a few short tables as a form, and the file that says what was filled in (S2).

Nothing is judged here: the file is checked like any other, so that a mistake is told at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from renkei.channel import Channel
from renkei.notifications.form.filled import Filled, Rows, Table, as_yaml
from renkei.sheets.information import Information, Setting, clock_time, date
from renkei.sheets.placed import is_yaml
from renkei.sheets.review import Review
from renkei.web.sheet_facts import FormField, FormLine, FormTable, SheetForm

SHOWN = 300  # lines of a table that a page lets edit; the others stay as they are
Offered = Mapping[str, Mapping[str, Sequence[str]]]  # what a column of a table usually says: by title, then by its key
_DATED: Mapping[Any, str] = {date: "date", clock_time: "time"}


@dataclass(frozen=True, slots=True)
class SheetEditor:
    """The editor of one link's sheets."""

    information: Information
    tables: Sequence[Table]
    filled: Callable[[Any], Filled]  # what a mapping's sheet says
    draw: Callable[[Path, Filled, Sequence[Channel], str], None]  # the workbook of a tenant that says so
    offered: Callable[[Any], Offered] = lambda mapping: {}  # what is known of the tenant's systems

    def form(self, mapping: Any) -> SheetForm:
        """What the sheet says, each cell with all that it may say where that is a list."""
        filled, offered = self.filled(mapping), self.offered(mapping)
        fields = [_field(number, setting) for number, setting in enumerate(self.information.settings)]
        values = {
            f"setting.{number}": filled.settings.get(setting.key, "")
            for number, setting in enumerate(self.information.settings)
        }
        tables = []
        for number, table in enumerate(self.tables):
            own = filled.tables.get(table.title, ())
            rows = _rows(table, own)
            shown = [n for n in range(len(rows)) if n < SHOWN or n >= len(own)]
            values |= {
                _cell(number, n, key): text for n in shown for key, text in zip(table.columns, rows[n], strict=True)
            }
            title = table.title + (f"（{SHOWN}行目まで。ほかの行は変わりません）" if len(own) > SHOWN else "")
            offers = {**table.offers, **offered.get(table.title, {})}
            lines = [_line(table, offers, number, n, rows[n][0]) for n in shown]
            tables.append(FormTable(title, tuple(table.columns.values()), lines))
        return SheetForm(fields, values, tables)

    def formed(self, review: Review, given: Mapping[str, str], suffix: str) -> bytes:
        """The reviewed sheet with what was filled in, in the form of `suffix`; its channels stay as they are."""
        said = self._said(self.filled(review.mapping), given)
        if is_yaml(suffix):
            return as_yaml(said, self.tables, review.channels)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "sheet.xlsx"
            self.draw(path, said, review.channels, review.tenant)
            return path.read_bytes()

    def _said(self, filled: Filled, given: Mapping[str, str]) -> Filled:
        settings = {
            setting.key: given.get(f"setting.{number}", filled.settings.get(setting.key, "")).strip()
            for number, setting in enumerate(self.information.settings)
        }
        tables = {
            table.title: _given_rows(table, number, filled.tables.get(table.title, ()), given)
            for number, table in enumerate(self.tables)
        }
        return Filled({key: text for key, text in settings.items() if text}, tables)


def _given_rows(table: Table, number: int, own: Rows, given: Mapping[str, str]) -> Rows:
    rows = [
        tuple(given.get(_cell(number, n, key), text).strip() for key, text in zip(table.columns, row, strict=True))
        for n, row in enumerate(_rows(table, own))
    ]
    return [row for row in rows if table.says(row)]


def _rows(table: Table, own: Rows) -> list[tuple[str, ...]]:
    """The sheet's lines, then the given ones that it has not, then blank ones."""
    blank = ("",) * (len(table.columns) - 1)
    names = {row[0] for row in own}
    return [*own, *((name, *blank) for name in table.given if name not in names), *[("", *blank)] * table.spare]


def _field(number: int, setting: Setting) -> FormField:
    words = ("", *setting.words) if setting.words else ()
    dated = _DATED.get(setting.read, "") if setting.dated else ""
    return FormField(f"setting.{number}", setting.label, setting.note, setting.needed, words, dated)


def _line(table: Table, offers: Mapping[str, Sequence[str]], number: int, row: int, name: str) -> FormLine:
    """A given line stands under its name; another one is named in its first cell."""
    first, *others = _cells(table, offers, number, row)
    return FormLine(name, others) if name in table.given else FormLine(f"{row + 1}行目", others, first)


def _cells(table: Table, offers: Mapping[str, Sequence[str]], number: int, row: int) -> Iterator[FormField]:
    for key, label in table.columns.items():
        words, usual = tuple(table.words.get(key, ())), tuple(offers.get(key, ()))
        yield FormField(*(_cell(number, row, key), label), words=words, dated=table.dated.get(key, ""), offers=usual)


def _cell(table: int, row: int, key: str) -> str:
    return f"table.{table}.{row}.{key}"
