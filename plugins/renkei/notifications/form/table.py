"""The worksheet 通知, which a workbook may have or not (N1). Its columns are found by their titles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from renkei.channel import LABELS, Event
from renkei.errors import Problem
from renkei.notifications.form.lines import ChannelLine
from renkei.notifications.form.secrecy import SECRET_FAULT, is_secret
from renkei.notifications.form.words import event_of
from renkei.sheets.workbook.grid import Grid
from renkei.sheets.workbook.line_reader import SECOND_TABLE, LineReader, is_line
from renkei.texts import RawCell, fold, trim

TITLE = "通知"
TITLES = (TITLE, "通知管理", "通知設定", "通知先")  # what the worksheet may be called
HEADERS = {
    "name": ("名前", "通知名", "通知先の名前", "通知先名", "名称"),
    "service": ("サービス", "サービス名", "通知サービス"),
    "connection": ("接続", "接続名", "接続ID", "Connection", "Airflow接続"),
    "to": ("送信先", "宛先", "通知先", "あて先"),
    "muted": ("通知を行わない", "通知しない", "通知停止"),
}
_KEYS = {fold(title): key for key, titles in HEADERS.items() for title in titles}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns stand; `first` is the first row below the header."""

    first: int
    parts: Mapping[str, int]
    events: Mapping[Event, int]
    beside: int | None = None  # where a second table begins

    @property
    def used(self) -> tuple[int | None, ...]:
        return (*(self.parts.get(key) for key in HEADERS), *self.events.values())


def channel_table(reader: LineReader, grid: Grid) -> tuple[ChannelLine, ...]:
    """The filled-in lines of 通知. A worksheet that only has the name of ours is doubtful, and not read."""
    place = f"{reader.name} {TITLE}"
    columns = next((found for row in range(len(grid.rows)) if (found := _columns(grid, row))), None)
    if columns is None:
        if any(trim(cell.text) for row in grid.rows for cell in row):
            what = f"ワークシート「{TITLE}」に見出しの行が無いので、通知の設定としては読みません"
            remedy = f"通知を設定する場合は、ひな形の「{TITLE}」を使ってください"
            reader.warning(place, what, remedy)
        return ()
    missing = [HEADERS[key][0] for key in ("name", "service") if key not in columns.parts]
    if missing:
        names = "、".join(f"「{title}」" for title in missing)
        remedy = "ひな形のとおりの見出しにしてください"
        reader.problem(place, f"{names}の見出しが見つかりません", remedy)
        return ()
    if columns.beside is not None:
        where = reader.where(TITLE, columns.first - 1, columns.beside)
        reader.problem(where, "見出しが右にもう1つあります", SECOND_TABLE)
    before = len(reader.warnings)
    reader.hidden_columns(grid, TITLE, columns.first, columns.used)
    lines = _lines(reader, grid, columns)
    reader.warnings[before:] = _of_channels(reader.warnings[before:])
    return tuple(lines)


def _lines(reader: LineReader, grid: Grid, columns: _Columns) -> list[ChannelLine]:
    lines = []
    for number in range(columns.first, len(grid.rows)):
        again = all(_KEYS.get(fold(grid.at(number, columns.parts[key]).text)) == key for key in ("name", "service"))
        if again:
            where = reader.where(TITLE, number, columns.parts["name"])
            reader.problem(where, "見出しの行がもう1つあります", SECOND_TABLE)
            break
        line = _line(reader, grid, number, columns)
        lines += [] if line is None else [line]
        _look_for_secrets(reader, grid, number, columns.used if line else ())
    return lines


def _line(reader: LineReader, grid: Grid, number: int, columns: _Columns) -> ChannelLine | None:
    """The line of a row; None where it is blank, but for ○ that somebody copied down, or a note or heading."""
    name = columns.parts["name"]
    own = {column for column in columns.used if trim((cell := grid.at(number, column)).text) or cell.fault}
    title = grid.shown(number, name, (name,)).text
    if not own & {columns.parts[key] for key in ("name", "service", "connection", "to") if key in columns.parts}:
        return None
    service = trim(grid.shown(number, columns.parts["service"], (columns.parts["service"],)).text)
    if trim(title) and not is_line(title) and not service:  # unlike 注文係
        reader.passed_over(grid, TITLE, number, name, [column for column in columns.used if column != name])
        return None
    if own == {name} and not service and not grid.at(number, name).fault:
        found, remedy = "名前だけの行なので読みません", "見出しや説明の行であれば、このままで構いません"
        reader.warning(reader.where(TITLE, number, name), found, remedy)
        return None
    events = tuple(columns.events.values())
    nothing = RawCell("", reader.where(TITLE, number, name))  # where the column is missing

    def said(key: str) -> RawCell:
        return reader.cell(grid, TITLE, number, columns.parts[key]) if key in columns.parts else nothing

    marks = tuple(
        (RawCell(LABELS[event], ""), reader.cell(grid, TITLE, number, column, events))
        for event, column in columns.events.items()
    )
    remarks = tuple(_of_channels(reader.remarks(grid, TITLE, number, columns.used, events)))
    cells = (said("name"), said("service"), said("connection"), said("to"), said("muted"))
    return ChannelLine(*cells, marks or None, remarks=remarks)


def _look_for_secrets(reader: LineReader, grid: Grid, number: int, read: Sequence[int | None]) -> None:
    """Remarks beside the table, too, are read by everybody who gets the sheet (L7)."""
    for column, cell in enumerate(grid.rows[number]):
        if column not in read and is_secret(cell.text):
            reader.problems.append(SECRET_FAULT.at(reader.where(TITLE, number, column)))


def _of_channels(problems: Sequence[Problem]) -> list[Problem]:
    """What the reader of tables says of 連携, said of 通知."""
    return [
        dataclasses.replace(p, found=p.found.replace("連携", "通知"), remedy=p.remedy.replace("連携", "通知"))
        for p in problems
    ]


def _columns(grid: Grid, number: int) -> _Columns | None:
    """The columns, when row `number` is the header; the events may stand in the row below it."""
    header = [fold(found.text) for found in grid.rows[number]]
    parts: dict[str, int] = {}
    beside = None
    for column, text in enumerate(header):
        key = _KEYS.get(text)
        if key == "name" and key in parts:
            beside = column
            break
        if key is not None:
            parts.setdefault(key, column)
    if len(parts) < 2:
        return None
    for row in (number, number + 1):
        if events := _events(grid, row, beside):
            return _Columns(row + 1, parts, events, beside)
    return _Columns(number + 1, parts, {}, beside)


def _events(grid: Grid, row: int, beside: int | None) -> dict[Event, int]:
    cells = grid.rows[row][:beside] if row < len(grid.rows) else ()
    found: dict[Event, int] = {}
    for column, cell in enumerate(cells):
        if (event := event_of(cell.text)) is not None:
            found.setdefault(event, column)
    return found
