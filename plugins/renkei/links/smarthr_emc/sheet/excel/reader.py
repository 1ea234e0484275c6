"""The 連携設定シート as an Excel workbook, read as customers really fill it in (E15).

Header rows and columns are found by their texts wherever they stand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import setting_of
from renkei.notifications.form import table
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.grid import Grid, grids
from renkei.sheets.workbook.line_reader import SECOND_TABLE, LineReader, is_line
from renkei.texts import fold, trim

TITLES = {  # the worksheets, and what each may be called
    "連携情報": ("連携情報",),
    "部署データ": ("部署データ", "部署(組織)データ", "部署"),
    "ユーザデータ": ("ユーザデータ", "ユーザーデータ", "社員データ"),
    table.TITLE: table.TITLES,
}
_ITEM_HEADERS = ("エマージェンシーコール項目", "emc項目", "emergencycall項目")  # as folded, like all headers below
_SOURCE_HEADERS = ("smarthr項目", "スマートhr項目", "smarthrの項目", "スマートhrの項目")
_LABEL_HEADERS = {fold(text) for text in ("項目", "設定項目", "項目名")}
_VALUE_HEADERS = {fold(text) for text in ("値", "設定値", "内容", "記入欄")}


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    found, warnings = grids(content, name, check_container(content, name), TITLES)
    reader = _Reader(name)
    settings = reader.settings(found["連携情報"]) if "連携情報" in found else None
    departments = reader.table(found["部署データ"], "部署データ") if "部署データ" in found else None
    users = reader.table(found["ユーザデータ"], "ユーザデータ") if "ユーザデータ" in found else None
    channels = table.channel_table(reader, found[table.TITLE]) if table.TITLE in found else ()
    for part in TITLES:
        if part not in found and part != table.TITLE:
            remedy = f"「{part}」という名前のワークシートを用意してください"
            reader.problem(name, f"ワークシート「{part}」がありません", remedy)
    warnings += reader.warnings
    return RawSheet(name, settings, departments, users, tuple(reader.problems), tuple(warnings), channels)


class _Reader(LineReader):
    """連携情報, 部署データ and ユーザデータ as raw lines."""

    def settings(self, grid: Grid) -> tuple[RawSetting, ...]:
        """The lines of 連携情報; without a header, a label's value stands right of it."""
        place = next((found for row in range(len(grid.rows)) if (found := _setting_columns(grid, row))), None)
        if place is None:
            remedy = "「項目」「値」の見出しと、その下に連携情報を記入してください"
            self.problem(f"{self.name} 連携情報", "連携情報の項目が見つかりません", remedy)
            return ()
        first, label_column, value_column = place
        self.hidden_columns(grid, "連携情報", first, (value_column,))
        lines = []
        for number in range(first, len(grid.rows)):
            label = grid.shown(number, label_column, (label_column,))
            if is_line(label.text) or (label.fault and trim(grid.at(number, value_column).text)):
                lines.append(self._setting(grid, number, label_column, value_column))
            elif trim(label.text) and setting_of(trim(label.text).lstrip("※#注")):
                self.passed_over(grid, "連携情報", number, label_column, (value_column,))
        return tuple(lines)

    def _setting(self, grid: Grid, number: int, label_column: int, value_column: int) -> RawSetting:
        label = self.cell(grid, "連携情報", number, label_column)
        setting = setting_of(label.text)
        dated = setting is not None and setting.kind.dated
        value = self.cell(grid, "連携情報", number, value_column, dated=dated)
        remarks = self.remarks(grid, "連携情報", number, (label_column, value_column))
        return RawSetting(label, value, remarks)

    def table(self, grid: Grid, part: str) -> tuple[RawRow, ...] | None:
        """The lines of 部署データ or ユーザデータ; None when it has no header."""
        columns = next((found for row in range(len(grid.rows)) if (found := _columns(grid, row))), None)
        if columns is None:
            remedy = "「エマージェンシーコール項目」と「SmartHR項目」の見出しがある行を残してください"
            self.problem(f"{self.name} {part}", "見出しの行が見つかりません", remedy)
            return None
        if columns.beside is not None:
            where = self.where(part, columns.header, columns.beside)
            self.problem(where, "見出しが右にもう1つあります", SECOND_TABLE)
        self.hidden_columns(grid, part, columns.first, columns.used)
        rows = []
        for number in range(columns.first, len(grid.rows)):
            item = grid.shown(number, columns.item, (columns.item,))
            asked = [grid.at(number, column) for column in (columns.linked, columns.source)]
            if any("項目" in cell.text for cell in grid.rows[number]) and (below := _columns(grid, number)) is not None:
                where = self.where(part, number, below.item)
                self.problem(where, "見出しの行がもう1つあります", SECOND_TABLE)
                break
            if is_line(item.text) or item.fault:
                rows.append(self._row(grid, part, number, columns))
            elif trim(item.text) and any(trim(found.text) for found in asked):
                self.passed_over(grid, part, number, columns.item, (columns.linked, columns.source))
            elif not trim(item.text) and trim(asked[1].text):
                where = self.where(part, number, columns.item)
                self.problem(where, "項目名が空白です", "項目名を記入するか、行を削除してください")
        return tuple(rows)

    def _row(self, grid: Grid, part: str, number: int, columns: _Columns) -> RawRow:
        linked = self.cell(grid, part, number, columns.linked) if columns.linked is not None else None
        item, source = (self.cell(grid, part, number, column) for column in (columns.item, columns.source))
        policies = (self.cell(grid, part, number, column, columns.policies) for column in columns.policies)
        remarks = self.remarks(grid, part, number, columns.used, columns.policies)
        row = RawRow(item, linked, source, *policies, remarks=remarks)
        if columns.convert is None:
            return row
        return dataclasses.replace(row, convert=self.cell(grid, part, number, columns.convert))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a table's columns stand; `first` is the first row below the header."""

    header: int
    first: int
    item: int
    source: int
    linked: int | None
    policies: tuple[int | None, int | None, int | None, int | None]
    convert: int | None = None
    beside: int | None = None  # where a second table begins

    @property
    def used(self) -> tuple[int | None, ...]:
        return (self.item, self.linked, self.source, *self.policies, self.convert)


def _setting_columns(grid: Grid, number: int) -> tuple[int, int, int] | None:
    """The first row of 連携情報 and the columns of its labels and values, when row `number` shows them."""
    row = grid.rows[number]
    texts = [fold(found.text) for found in row]
    labels = [column for column, text in enumerate(texts) if text in _LABEL_HEADERS]
    values = [column for column, text in enumerate(texts) if text in _VALUE_HEADERS]
    if labels and values:
        return number + 1, labels[0], values[0]
    known = [column for column, found in enumerate(row) if setting_of(found.text)]
    if not known:
        return None
    merge = grid.merge(number, known[0])
    return number, known[0], (merge[3] if merge else known[0]) + 1


def _columns(grid: Grid, number: int) -> _Columns | None:
    """The columns, when row `number` is the header."""
    header = [fold(found.text) for found in grid.rows[number]]
    item = _first(header, *_ITEM_HEADERS)
    source = _first(header, *_SOURCE_HEADERS)
    if item is None or source is None or item == source:  # the last: a title above the table
        return None
    beside = next((column for column in range(item + 1, len(header)) if header[column] == header[item]), None)
    if beside is not None:
        header = header[:beside]
        if source >= beside:
            return None
    below = [fold(found.text) for found in grid.rows[number + 1]] if number + 1 < len(grid.rows) else []
    double = any(map(_is_present, below)) or any(map(_is_blank, below))
    under = below[:beside] if double else []
    linked, convert = _first(header, "連携有無"), _first(header, "変換")
    create, update = _first(header, "新規登録"), _first(header, "更新処理")
    after = [column for column in (create, update, convert) if column is not None]
    pairs = (*_pair(header, under, create, after), *_pair(header, under, update, after))
    return _Columns(number, number + 1 + double, item, source, linked, pairs, convert, beside)


def _pair(
    header: Sequence[str], under: Sequence[str], start: int | None, groups: Sequence[int]
) -> tuple[int | None, int | None]:
    """The columns 値がある場合 and 値が無い場合 of a group that starts at `start`."""
    if start is None:
        return None, None
    stop = min((column for column in groups if column > start), default=max(len(header), len(under)))
    texts = {column: (under if column < len(under) and under[column] else header) for column in range(start, stop)}
    names = {column: text[column] if column < len(text) else "" for column, text in texts.items()}
    present = next((column for column, text in names.items() if _is_present(text)), None)
    blank = next((column for column, text in names.items() if _is_blank(text)), None)
    return (start, start + 1) if present is None and blank is None else (present, blank)


def _is_present(text: str) -> bool:
    return "値がある" in text or "値が有る" in text


def _is_blank(text: str) -> bool:
    return "値が無い" in text or "値がない" in text


def _first(header: Sequence[str], *texts: str) -> int | None:
    return next((column for column, found in enumerate(header) if any(text in found for text in texts)), None)
