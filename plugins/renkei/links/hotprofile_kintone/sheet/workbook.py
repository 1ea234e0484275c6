"""The sheet as an Excel workbook: 連携情報, a worksheet for each data set, ユーザー対応表, 通知. Headers are found by their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS
from renkei.links.hotprofile_kintone.sheet.raw import RawItem, RawSetting, RawSheet
from renkei.links.hotprofile_kintone.sheet.settings import BY_NAME
from renkei.notifications.form import table
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.grid import Grid, grids
from renkei.sheets.workbook.line_reader import LineReader, is_line
from renkei.texts import RawCell, fold, trim

INFORMATION, USERS = "連携情報", "ユーザー対応表"
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
}
SETTING_COLUMNS = {"name": ("項目", "設定項目", "項目名"), "value": ("値", "設定値", "内容", "記入欄")}
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
    if INFORMATION not in found:
        remedy = f"「{INFORMATION}」という名前のワークシートを用意してください"
        reader.problem(name, f"ワークシート「{INFORMATION}」がありません", remedy)
    settings = reader.settings(found[INFORMATION]) if INFORMATION in found else ()
    items = {key: reader.items(found[label], label) for key, label in DATA_SETS.items() if label in found}
    users = reader.users(found[USERS]) if USERS in found else ()
    channels = table.channel_table(reader, found[table.TITLE]) if table.TITLE in found else ()
    return RawSheet(
        name, settings, items, users, tuple(channels), tuple(reader.problems), (*warnings, *reader.warnings)
    )


class _Reader(LineReader):
    def settings(self, grid: Grid) -> tuple[RawSetting, ...]:
        rows = self._rows(grid, INFORMATION, SETTING_COLUMNS)
        return tuple(
            RawSetting(
                self.cell(grid, INFORMATION, number, columns["name"]),
                self.cell(grid, INFORMATION, number, columns["value"], dated=self._is_dated(grid, number, columns)),
                self.remarks(grid, INFORMATION, number, (columns["name"], columns["value"])),
            )
            for number, columns in rows
        )

    def items(self, grid: Grid, part: str) -> tuple[RawItem, ...]:
        return tuple(
            RawItem(
                *(self._said(grid, part, number, columns, key) for key in COLUMNS),
                remarks=self.remarks(grid, part, number, [columns.get(key) for key in COLUMNS]),
            )
            for number, columns in self._rows(grid, part, COLUMNS)
            if self._is_filled(grid, number, columns)
        )

    def users(self, grid: Grid) -> tuple[tuple[RawCell, RawCell], ...]:
        rows = self._rows(grid, USERS, USER_COLUMNS)
        return tuple(
            (self.cell(grid, USERS, number, columns["hotprofile"]), self.cell(grid, USERS, number, columns["kintone"]))
            for number, columns in rows
        )

    def _rows(
        self, grid: Grid, part: str, titles: Mapping[str, Sequence[str]]
    ) -> Sequence[tuple[int, Mapping[str, int]]]:
        """The numbers of the lines below the header that shows the first two of the titles, and where each stands."""
        needed = list(titles)[:2]
        for first in range(len(grid.rows)):
            columns = _columns(grid, first, titles)
            if all(key in columns for key in needed):
                self.hidden_columns(grid, part, first + 1, list(columns.values()))
                rows = range(first + 1, len(grid.rows))
                return [(n, columns) for n in rows if is_line(grid.shown(n, columns[needed[0]], ()).text)]
        if any(trim(cell.text) for row in grid.rows for cell in row):
            names = "」「".join(titles[key][0] for key in needed)
            self.problem(
                f"{self.name} {part}", "見出しの行が見つかりません", f"「{names}」の見出しがある行を残してください"
            )
        return ()

    def _said(self, grid: Grid, part: str, number: int, columns: Mapping[str, int], key: str) -> RawCell:
        if key in columns:
            return self.cell(grid, part, number, columns[key])
        return RawCell("", self.where(part, number, columns["item"]))

    @staticmethod
    def _is_filled(grid: Grid, number: int, columns: Mapping[str, int]) -> bool:
        """A line of the template that says only which item there is, is not linked."""
        return any(trim(grid.at(number, columns.get(key)).text) for key in ("field", "key"))

    @staticmethod
    def _is_dated(grid: Grid, number: int, columns: Mapping[str, int]) -> bool:
        setting = BY_NAME.get(fold(grid.at(number, columns["name"]).text))
        return setting is not None and setting.key == "link_start_on"


def _columns(grid: Grid, number: int, titles: Mapping[str, Sequence[str]]) -> dict[str, int]:
    by_title = {fold(title): key for key, names in titles.items() for title in names}
    found: dict[str, int] = {}
    for column, cell in enumerate(grid.rows[number]):
        if key := by_title.get(fold(cell.text)):
            found.setdefault(key, column)
    return found
