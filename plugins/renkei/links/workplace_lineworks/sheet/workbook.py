"""The sheet as an Excel workbook: 連携情報, 予定名, 通知管理, 通知. Headers are found by their texts."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS
from renkei.links.workplace_lineworks.sheet.parse import TABLE, RawSheet
from renkei.links.workplace_lineworks.sheet.parse import TITLES as EVENT_TITLES
from renkei.links.workplace_lineworks.sheet.settings import INFORMATION as SETTINGS
from renkei.notifications.form import table
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.grid import grids
from renkei.sheets.workbook.lines import INFORMATION, TableReader, Titles

TITLES = {  # the worksheets, and what each may be called
    INFORMATION: (INFORMATION, "サービス連携設定"),
    EVENT_TITLES: (EVENT_TITLES, "不在の種類"),
    TABLE: (TABLE, "ワークフロー通知"),  # of members; results go to 通知
    table.TITLE: tuple(title for title in table.TITLES if title != TABLE),
}
COLUMNS: dict[str, Titles] = {
    EVENT_TITLES: {"kind": ("不在の種類", "不在タイプ", "種類"), "title": ("予定名", "カレンダーの予定名")},
    TABLE: {"event": ("通知項目", "項目"), **{key: (label,) for key, label in CHANNELS.items()}},
}


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    found, warnings = grids(content, name, check_container(content, name), TITLES)
    reader = TableReader(name)
    settings = reader.settings(found.get(INFORMATION), SETTINGS)
    titles, marks = (
        tuple(reader.cells(found[part], part, columns)) if part in found else () for part, columns in COLUMNS.items()
    )
    channels = table.channel_table(reader, found[table.TITLE]) if table.TITLE in found else ()
    return RawSheet(
        *(name, settings, titles, marks, tuple(channels)),
        *(tuple(reader.problems), (*warnings, *reader.warnings)),
    )
