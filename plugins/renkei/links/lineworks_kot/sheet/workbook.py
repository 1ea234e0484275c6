"""The sheet as an Excel workbook: 連携情報, 所属, 雇用区分, 通知. Headers are found by their texts."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.parse import DIVISIONS, TYPES, Pair, RawSheet
from renkei.links.lineworks_kot.sheet.settings import INFORMATION as SETTINGS
from renkei.notifications.form import table
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.grid import Grid, grids
from renkei.sheets.workbook.lines import INFORMATION, TableReader, Titles

TITLES = {  # the worksheets, and what each may be called
    INFORMATION: (INFORMATION, "LINE WORKS連携設定"),
    DIVISIONS: (DIVISIONS, "所属設定"),
    TYPES: (TYPES, "雇用区分設定"),
    table.TITLE: table.TITLES,
}
COLUMNS: dict[str, Titles] = {
    DIVISIONS: {"code": ("所属コード", "コード"), "border": ("日付変更時間", "日付変更時刻")},
    TYPES: {"code": ("雇用区分コード", "コード"), "breaks": ("休憩打刻",)},
}


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    found, warnings = grids(content, name, check_container(content, name), TITLES)
    reader = TableReader(name)
    settings = reader.settings(found.get(INFORMATION), SETTINGS)
    divisions, types = (_pairs(reader, found.get(part), part) for part in COLUMNS)
    channels = table.channel_table(reader, found[table.TITLE]) if table.TITLE in found else ()
    return RawSheet(
        *(name, settings, divisions, types, tuple(channels)),
        *(tuple(reader.problems), (*warnings, *reader.warnings)),
    )


def _pairs(reader: TableReader, grid: Grid | None, part: str) -> tuple[Pair, ...]:
    if grid is None:
        return ()
    return tuple(
        (
            reader.cell(grid, part, number, columns["code"]),
            reader.cell(grid, part, number, columns[list(COLUMNS[part])[1]], dated=part == DIVISIONS),
        )
        for number, columns in reader.lines(grid, part, COLUMNS[part])
    )
