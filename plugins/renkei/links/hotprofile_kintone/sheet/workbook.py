"""The sheet as an Excel workbook: 連携情報, a worksheet for each data set, ユーザー対応表, 通知. Headers are found by their texts."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS
from renkei.links.hotprofile_kintone.sheet.raw import RawItem, RawSheet
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION as SETTINGS
from renkei.notifications.form import table
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.grid import Grid, grids
from renkei.sheets.workbook.lines import INFORMATION, Columns, TableReader
from renkei.texts import trim

USERS = "ユーザー対応表"
TITLES = {  # the worksheets, and what each may be called
    INFORMATION: (INFORMATION, "kintone連携設定"),
    "会社": ("会社", "会社情報", "会社データ"),
    "部署": ("部署", "部署情報", "部署データ"),
    "リード": ("リード", "リード情報", "リードデータ"),
    USERS: (USERS, "対応表", "ユーザ対応表"),
    table.TITLE: table.TITLES,
}
COLUMNS = {  # of a data set, in the order of `RawItem`
    "item": ("ホットプロファイル項目", "Hot Profile項目", "HotProfileの項目"),
    "field": ("kintoneフィールドコード", "フィールドコード", "kintoneアプリ項目"),
    "key": ("更新キー",),
    "blank": ("空のとき", "空の場合", "値が空のとき"),
    "conversion": ("変換",),
    "table": ("テーブル", "テーブルのフィールドコード"),
    "conflict": ("競合", "競合のとき", "競合検知"),
}
USER_COLUMNS = {
    "hotprofile": ("ホットプロファイルのユーザー", "Hot Profileのユーザー"),
    "kintone": ("kintoneのログイン名",),
}


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    found, warnings = grids(content, name, check_container(content, name), TITLES)
    reader = _Reader(name)
    settings = reader.settings(found.get(INFORMATION), SETTINGS)
    items = {key: reader.items(found[label], label) for key, label in DATA_SETS.items() if label in found}
    users = (
        tuple((ours, theirs) for ours, theirs in reader.cells(found[USERS], USERS, USER_COLUMNS))
        if USERS in found
        else ()
    )
    channels = table.channel_table(reader, found[table.TITLE]) if table.TITLE in found else ()
    return RawSheet(
        name, settings, items, users, tuple(channels), tuple(reader.problems), (*warnings, *reader.warnings)
    )


class _Reader(TableReader):
    def items(self, grid: Grid, part: str) -> tuple[RawItem, ...]:
        return tuple(
            RawItem(
                *(self.said(grid, part, number, columns, key) for key in COLUMNS),
                remarks=self.remarks(grid, part, number, [columns.get(key) for key in COLUMNS]),
            )
            for number, columns in self.lines(grid, part, COLUMNS)
            if self._is_filled(grid, number, columns)
        )

    @staticmethod
    def _is_filled(grid: Grid, number: int, columns: Columns) -> bool:
        """A line of the template that says only which item there is, is not linked."""
        return any(trim(grid.at(number, columns.get(key)).text) for key in ("field", "key"))
