"""A worksheet of lines below a header, which is found by its texts, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from renkei.sheets.information import Information, RawSetting
from renkei.sheets.workbook.grid import Grid
from renkei.sheets.workbook.line_reader import LineReader, is_line
from renkei.texts import RawCell, fold, trim

INFORMATION = "連携情報"
SETTING_COLUMNS = {"name": ("項目", "設定項目", "項目名"), "value": ("値", "設定値", "内容", "記入欄")}
Titles = Mapping[str, Sequence[str]]  # of columns by their keys, each with all that it may be called
Columns = Mapping[str, int]


class TableReader(LineReader):
    """Reads tables and keeps what it finds on the way."""

    def settings(self, grid: Grid | None, information: Information) -> tuple[RawSetting, ...]:
        """The lines of 連携情報, which every sheet has."""
        if grid is None:
            remedy = f"「{INFORMATION}」という名前のワークシートを用意してください"
            self.problem(self.name, f"ワークシート「{INFORMATION}」がありません", remedy)
            return ()
        return tuple(
            RawSetting(
                self.cell(grid, INFORMATION, number, columns["name"]),
                self.cell(
                    *(grid, INFORMATION, number, columns["value"]),
                    dated=information.is_dated(grid.at(number, columns["name"]).text),
                ),
                self.remarks(grid, INFORMATION, number, (columns["name"], columns["value"])),
            )
            for number, columns in self.lines(grid, INFORMATION, SETTING_COLUMNS)
        )

    def lines(self, grid: Grid, part: str, titles: Titles) -> Sequence[tuple[int, Columns]]:
        """The numbers of the lines below the header that shows the first two of the titles, and where each stands."""
        needed = list(titles)[:2]
        for first in range(len(grid.rows)):
            columns = _columns(grid, first, titles)
            if all(key in columns for key in needed):
                self.hidden_columns(grid, part, first + 1, list(columns.values()))
                rows = [(n, columns) for n in range(first + 1, len(grid.rows))]
                return [one for one in rows if self._is_line(grid, part, *one, *needed)]
        if any(trim(cell.text) for row in grid.rows for cell in row):
            names = "」「".join(titles[key][0] for key in needed)
            self.problem(
                f"{self.name} {part}", "見出しの行が見つかりません", f"「{names}」の見出しがある行を残してください"
            )
        return ()

    def _is_line(self, grid: Grid, part: str, number: int, columns: Columns, name: str, what: str) -> bool:
        """Whether a row is named. One that says something of nothing is no line, and told."""
        text = grid.shown(number, columns[name], ()).text
        if not trim(text) and trim(grid.at(number, columns[what]).text):
            found, remedy = "左の列が空白の行なので読みません", "左の列を記入するか、行を削除してください"
            self.warning(self.where(part, number, columns[what]), found, remedy)
        return is_line(text)

    def said(self, grid: Grid, part: str, number: int, columns: Columns, key: str) -> RawCell:
        """A cell of a line; blank where the table has no such column."""
        if key in columns:
            return self.cell(grid, part, number, columns[key])
        return RawCell("", self.where(part, number, next(iter(columns.values()))))

    def cells(self, grid: Grid, part: str, titles: Titles) -> Iterator[tuple[RawCell, ...]]:
        """Each line's cells in the order of the titles."""
        for number, columns in self.lines(grid, part, titles):
            yield tuple(self.said(grid, part, number, columns, key) for key in titles)


def _columns(grid: Grid, number: int, titles: Titles) -> dict[str, int]:
    by_title = {fold(title): key for key, names in titles.items() for title in names}
    found: dict[str, int] = {}
    for column, cell in enumerate(grid.rows[number]):
        if key := by_title.get(fold(cell.text)):
            found.setdefault(key, column)
    return found
