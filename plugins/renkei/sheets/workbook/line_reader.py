"""What every table of a workbook is read with: cells and their places, and what a reader sees otherwise (E15)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from renkei.errors import Problem
from renkei.sheets.findings import Findings
from renkei.sheets.workbook.grid import Grid
from renkei.texts import RawCell, trim

SECOND_TABLE = "1つのワークシートには表を1つだけ置き、残りは別のワークシートに移してください"


class LineReader(Findings):
    """Reads cells and keeps what it finds on the way."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def where(self, part: str, row: int, column: int | None) -> str:
        """The place of a cell as a `Problem` says it."""
        return f"{self.name} {part}!{letters(column or 0)}{row + 1}"

    def cell(
        self,
        grid: Grid,
        part: str,
        row: int,
        column: int | None,
        kind: Collection[int | None] = (),
        *,
        dated: bool = False,
    ) -> RawCell:
        """A cell that the sheet needs; one that may not be used is a problem and reads as blank.

        One that is to be a date or time (`dated`) may be shown in any words.
        """
        found, where = grid.shown(row, column, kind or (column,)), self.where(part, row, column)
        if found.fault and not (dated and found.exact):
            self.problem(where, found.fault, found.remedy)
        return RawCell(found.text or (found.exact if dated else ""), where, found.exact)

    def passed_over(self, grid: Grid, part: str, number: int, column: int | None, needed: Sequence[int | None]) -> None:
        """A note (※ …) that looks like a line."""
        if any(trim(grid.at(number, each).text) for each in needed):
            found = "「※」「注」「#」で始まる行なので、注記として読み飛ばします"
            remedy = "連携する行の場合は、先頭の記号を削除してください"
            self.warning(self.where(part, number, column), found, remedy)

    def hidden_columns(self, grid: Grid, part: str, first: int, needed: Sequence[int | None]) -> None:
        """Warns of columns that are needed, filled in and not to be seen."""
        for column in dict.fromkeys(needed):
            if column is None or not any(column in hidden for hidden in grid.hidden_columns):
                continue
            if any(trim(grid.at(row, column).text) for row in range(first, len(grid.rows))):
                found = f"{letters(column)}列は非表示です。その内容で連携します"
                where = self.where(part, max(first - 1, 0), column)
                self.warning(where, found, "列を再表示し、内容を確認してください")

    def remarks(
        self, grid: Grid, part: str, number: int, needed: Sequence[int | None], policies: Collection[int | None] = ()
    ) -> tuple[Problem, ...]:
        """What of a line a reader sees otherwise than it is read: hidden, struck through, white, merged over."""
        remarks = []
        if number in grid.hidden_rows:
            found = "非表示の行ですが、その内容で連携します"
            remedy = "行を再表示し、連携しない場合は記入を消してください"
            remarks.append(Problem(self.where(part, number, needed[0]), found, remedy))
        struck = (column for column in needed if (cell := grid.at(number, column)).struck and trim(cell.text))
        if (column := next(struck, None)) is not None:
            found = "取り消し線が引かれていますが、その内容で連携します"
            remedy = "連携しない場合は記入を消し、連携する場合は取り消し線を外してください"
            remarks.append(Problem(self.where(part, number, column), found, remedy))
        white = (column for column in needed if (cell := grid.at(number, column)).white and trim(cell.text))
        if (column := next(white, None)) is not None:
            found = "白い文字なので見えませんが、その内容で連携します"
            remedy = "連携しない場合は記入を消し、連携する場合は文字の色を「自動」にしてください"
            remarks.append(Problem(self.where(part, number, column), found, remedy))
        for column in needed:
            if found := _merged_over(grid, number, column, policies):
                remedy = "セルの結合を解除し、それぞれのセルに記入してください"
                remarks.append(Problem(self.where(part, number, column), found, remedy))
        return tuple(remarks)


def _merged_over(grid: Grid, number: int, column: int | None, policies: Collection[int | None]) -> str:
    """What is doubtful about a cell that is merged into another one; nothing where one cell stands for several lines."""
    merge = grid.merge(number, column)
    if merge is None or (number, column) == merge[:2]:
        return ""
    shown, own = trim(grid.at(merge[0], merge[1]).text), trim(grid.at(number, column).text)
    top = f"{letters(merge[1])}{merge[0] + 1}"
    if own and own != shown:
        return f"{top}と結合されて見えないセルに、別の記入が残っています。その記入で連携します"
    if merge[1] == column or not shown:
        return ""
    if column in policies and merge[1] in policies:
        return f"{top}と結合されているので、同じ指定として読みます"
    return f"{top}と結合されているので、空白として読みます"


def is_line(label: str) -> bool:
    """Whether the first cell of a line makes it one; ※, 注 and # begin a note."""
    return bool(trim(label)) and not trim(label).startswith(("※", "注", "#"))


def letters(column: int) -> str:
    """The column as Excel calls it, counted from 0."""
    text, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
