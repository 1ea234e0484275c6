"""The worksheets of a sheet as grids of cells, found by their titles (E15); what a cell shows is `Book`'s affair.

Formulas are refused: their stored value may be of another day.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from renkei.errors import MappingError, Problem
from renkei.sheets.workbook.attributes import area
from renkei.sheets.workbook.book import Book, Layout, ReadCell, Worksheet
from renkei.sheets.workbook.container import refusal
from renkei.texts import MAX_CELL_TEXT, fold, trim

MAX_ROWS = 5_000
MAX_COLUMNS = 200
MAX_MERGED_ROWS = 100_000  # rows of all merged cells together
MAX_TEXT = 1_000_000  # characters of one worksheet; one shared text may stand in every cell
_COPY = re.compile(r"[0-9\-_. ]*|.{0,3}(コピー|copy|旧|old|新|new|修正|変更).{0,10}")
_SHORT = 2  # characters of a title that begins too many others to tell a copy by it: 部署, 通知


_BLANK = ReadCell("")
_Row = tuple[ReadCell, ...]
Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; from 0


@dataclass(frozen=True, slots=True)
class Grid:
    """A worksheet's cells, and what its reader sees otherwise than they say."""

    rows: list[_Row]
    merges: Dict[int, Sequence[Merge]]  # those of more than one cell, by each of their rows
    hidden_rows: Collection[int]
    hidden_columns: Sequence[range]

    def at(self, row: int, column: int | None) -> ReadCell:
        """The cell itself."""
        cells = self.rows[row] if 0 <= row < len(self.rows) else ()
        return cells[column] if column is not None and column < len(cells) else _BLANK

    def merge(self, row: int, column: int | None) -> Merge | None:
        """The merged cells that this one belongs to."""
        if column is None:
            return None
        return next((m for m in self.merges.get(row, ()) if m[1] <= column <= m[3]), None)

    def shown(self, row: int, column: int | None, kind: Collection[int | None]) -> ReadCell:
        """The cell; one below or beside a merged cell of its own `kind` of columns has that cell's text (E15)."""
        found, merge = self.at(row, column), self.merge(row, column)
        if merge is None or trim(found.text) or found.fault or merge[1] not in kind:
            return found
        return self.at(merge[0], merge[1])


def grids(
    content: bytes, name: str, readable: Iterable[str], titles: Dict[str, Sequence[str]]
) -> tuple[dict[str, Grid], list[Problem]]:
    """The worksheets that are there by their proper names, and what is doubtful about their choice.

    `titles` has what each of them may be called.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            book = Book(archive, readable)
            chosen, warnings = _choose(book.worksheets, name, titles)
            return {part: _grid(book, each, f"{name} {part}") for part, each in chosen.items()}, warnings
    except (MappingError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged part makes its reader trip over
        remedy = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
        raise refusal(name, "Excelブックの中身が壊れています", remedy) from error


def _choose(
    sheets: Sequence[Worksheet], name: str, all_titles: Dict[str, Sequence[str]]
) -> tuple[dict[str, Worksheet], list[Problem]]:
    """The part of each of our worksheets; hidden ones, and others that look the same, are doubtful."""
    chosen: dict[str, Worksheet] = {}
    warnings = []
    for part, titles in all_titles.items():
        ours = [sheet for title in titles for sheet in sheets if fold(sheet.title) == fold(title)]
        if not ours:
            continue
        chosen[part], title = ours[0], ours[0].title
        if ours[0].hidden:
            found = f"ワークシート「{trim(title)}」は非表示です。その内容で連携します"
            remedy = "ワークシートを再表示し、内容を確認してください"
            if ours[0].very_hidden:
                remedy = (
                    "「再表示」の一覧には出ません。ブックを作った人に再表示を頼むか、新しいひな形に記入してください"
                )
            warnings.append(Problem(name, found, remedy))
        copies = [sheet.title for sheet in sheets if _is_copy(sheet.title, titles)]
        others = dict.fromkeys(trim(other) for other in (*(s.title for s in ours[1:]), *copies))
        if others:
            names = "、".join(f"「{other}」" for other in list(others)[:3])
            found = f"ワークシート{names}は読みません。「{trim(title)}」の内容で連携します"
            warnings.append(Problem(name, found, "正しい方だけを残し、使わないワークシートを削除してください"))
    return chosen, warnings


def _is_copy(title: str, ours: Sequence[str]) -> bool:
    """Excel's `ユーザデータ (2)`, and what people call a copy; of a short title only 通知2."""
    folded = fold(title)
    for own in map(fold, ours):
        rest = folded[len(own) :] if folded.startswith(own) else ""
        if rest and (re.fullmatch("[0-9]+", rest) if len(own) <= _SHORT else _COPY.fullmatch(rest)):
            return True
    return False


def _grid(book: Book, worksheet: Worksheet, where: str) -> Grid:
    rows: list[_Row] = []
    characters = 0
    layout = Layout()
    for number, cells in book.rows(worksheet, layout):
        if number > MAX_ROWS:
            remedy = "表の下の余分な行を、空白の行も含めて削除してください"
            raise refusal(where, f"{MAX_ROWS:,}行を超えています", remedy)
        row: list[ReadCell] = []
        for column, found in cells:
            characters += len(found.text)
            if characters > MAX_TEXT:
                much = f"文字が多すぎます({MAX_TEXT:,}文字を超えています)"
                raise refusal(where, much, "表に関係のない文字を削除してください")
            if column >= MAX_COLUMNS:
                if not found.text:
                    continue
                raise refusal(where, f"{MAX_COLUMNS}列を超えています", "表の右の余分な列を削除してください")
            row += [_BLANK] * (column + 1 - len(row))
            row[column] = _bounded(found)
        rows += [()] * (number - 1 - len(rows))
        rows.append(tuple(row))
    return Grid(rows, _merges(layout.merges, len(rows), where), layout.hidden_rows, layout.hidden_columns)


def _bounded(found: ReadCell) -> ReadCell:
    if len(found.text) <= MAX_CELL_TEXT:
        return found
    return ReadCell("", f"文字が多すぎます({len(found.text):,}文字)", f"{MAX_CELL_TEXT:,}文字以内で記入してください")


def _merges(references: Iterable[str], height: int, where: str) -> dict[int, list[Merge]]:
    """The merged cells by row, cut to the rows that there are."""
    found: dict[int, list[Merge]] = {}
    spent = 0
    for top, left, bottom, right in map(area, references):
        merge = (top, left, min(bottom, height - 1), min(right, MAX_COLUMNS - 1))
        spent += max(0, merge[2] - merge[0] + 1)
        if spent > MAX_MERGED_ROWS:
            raise refusal(where, "セルの結合が多すぎます", "セルの結合を解除してください")
        for row in range(merge[0], merge[2] + 1):
            found.setdefault(row, []).append(merge)
    return found
