"""The worksheets of a sheet as grids of cells: found by their titles, each cell as Excel shows it (E15).

Formulas are refused: their stored value may be of another day.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.excel.container import refusal
from renkei.links.smarthr_emc.sheet.names import fold, trim

PARTS = {
    "連携情報": ("連携情報",),
    "部署データ": ("部署データ", "部署(組織)データ", "部署"),
    "ユーザデータ": ("ユーザデータ", "ユーザーデータ", "社員データ"),
    "通知": ("通知", "通知管理", "通知設定", "通知先"),
}
OPTIONAL = ("通知",)
ROWS_MOST = 5_000
COLUMNS_MOST = 200
MERGED_ROWS_MOST = 100_000  # rows of all merged cells together
TITLE_LONGEST = 40
TEXT_MOST = 1_000_000  # characters of one worksheet; one shared text may stand in every cell
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# Excel's own formats of a Japanese cell, which no stylesheet lists (ECMA-376 part 1, 18.8.30, ja-jp); dates and times
_JAPANESE_FORMATS = {
    **dict.fromkeys((*range(27, 32), 34, 35, 36, *range(50, 59)), 'yyyy"年"m"月"d"日"'),
    **dict.fromkeys((32, 33), 'h"時"mm"分"'),
}
_COPY = re.compile(r"[0-9\-_. ]*|.{0,3}(コピー|copy|旧|old|新|new|修正|変更).{0,10}")
_NUMBERED = re.compile(r"通知[0-9]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A cell as read; `fault` says why it may not be used, should the sheet need it."""

    text: str
    fault: str = ""
    struck: bool = False  # 取り消し線


_BLANK = Found("")
_Row = tuple[Found, ...]
Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; from 0


@dataclass(frozen=True, slots=True)
class Grid:
    """A worksheet's cells, and what its reader sees otherwise than they say."""

    rows: list[_Row]
    merges: Dict[int, Sequence[Merge]]  # those of more than one cell, by each of their rows
    hidden_rows: Collection[int]
    hidden_columns: Sequence[range]

    def at(self, row: int, column: int | None) -> Found:
        """The cell itself."""
        cells = self.rows[row] if 0 <= row < len(self.rows) else ()
        return cells[column] if column is not None and column < len(cells) else _BLANK

    def merge(self, row: int, column: int | None) -> Merge | None:
        """The merged cells that this one belongs to."""
        if column is None:
            return None
        return next((m for m in self.merges.get(row, ()) if m[1] <= column <= m[3]), None)

    def shown(self, row: int, column: int | None, kind: Collection[int | None]) -> Found:
        """The cell; one below or beside a merged cell of its own `kind` of columns has that cell's text (E15)."""
        found, merge = self.at(row, column), self.merge(row, column)
        if merge is None or trim(found.text) or found.fault or merge[1] not in kind:
            return found
        return self.at(merge[0], merge[1])


def grids(content: bytes, name: str, readable: Iterable[str]) -> tuple[dict[str, Grid], list[Problem]]:
    """The worksheets of `PARTS` that are there by their proper names, and what is doubtful about their choice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of Excel features that it leaves out, none of which we read
        try:
            book = _open(content, readable)
            with book.archive:
                chosen, doubts = _choose(book.sheets, name)
                return {part: _grid(book, at, f"{name} {part}") for part, at in chosen.items()}, doubts
        except MappingError:
            raise
        except Exception as error:  # openpyxl raises whatever a damaged part makes it trip over
            remedy = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
            raise refusal(name, "Excelブックの中身が壊れています", remedy) from error


def _choose(sheets: Sequence[tuple[str, bool, str]], name: str) -> tuple[dict[str, str], list[Problem]]:
    """The part of each of our worksheets; hidden ones, and others that look the same, are doubtful."""
    chosen: dict[str, str] = {}
    doubts = []
    for part, titles in PARTS.items():
        ours = [sheet for title in titles for sheet in sheets if fold(sheet[0]) == fold(title)]
        if not ours:
            continue
        title, hidden, chosen[part] = ours[0]
        if hidden:
            found = f"ワークシート「{trim(title)}」は非表示です。その内容で連携します"
            doubts.append(Problem(name, found, "ワークシートを再表示し、内容を確認してください"))
        copies = [sheet[0] for sheet in sheets if _is_copy(sheet[0], titles)]
        others = dict.fromkeys(trim(other)[:TITLE_LONGEST] for other in (*(s[0] for s in ours[1:]), *copies))
        if others:
            names = "、".join(f"「{other}」" for other in list(others)[:3])
            found = f"ワークシート{names}は読みません。「{trim(title)}」の内容で連携します"
            doubts.append(Problem(name, found, "正しい方だけを残し、使わないワークシートを削除してください"))
    return chosen, doubts


def _is_copy(title: str, ours: Sequence[str]) -> bool:
    """Excel's `ユーザデータ (2)`, and what people call a copy; 部署 and 通知 alone begin too many other titles."""
    folded = fold(title)
    if _NUMBERED.fullmatch(folded) and "通知" in ours:
        return True
    names = [fold(own) for own in ours if own not in ("部署", "通知")]
    rest = next((folded[len(own) :] for own in names if folded.startswith(own)), "")
    return bool(rest) and _COPY.fullmatch(rest) is not None


@dataclass(frozen=True, slots=True)
class _Style:
    """What a cell's style says that matters here."""

    shown_as: str = "General"
    struck: bool = False


@dataclass(frozen=True, slots=True)
class _Book:
    """An opened workbook: what its worksheets refer to, and title, whether it is hidden, and part of each of them."""

    archive: zipfile.ZipFile
    epoch: dt.datetime
    texts: list[str]
    struck_texts: Collection[str]
    styles: list[_Style]
    sheets: list[tuple[str, bool, str]]


def _open(content: bytes, readable: Iterable[str]) -> _Book:
    """The steps of openpyxl's own `load_workbook`, without links, names, charts and the customer's other worksheets."""
    from openpyxl.reader.excel import ExcelReader

    reader: Any = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
    known = reader.archive.NameToInfo
    reader.archive.NameToInfo = {name: known[name] for name in readable}
    reader.read_manifest()
    texts, struck = _shared_texts(reader)
    reader.read_workbook()
    sheets = [
        (sheet.name, sheet.state != "visible", relation.target)
        for sheet, relation in reader.parser.find_sheets()
        if relation.target in readable and "chartsheet" not in relation.Type
    ]
    return _Book(reader.archive, reader.wb.epoch, texts, struck, _styles(reader.archive), sheets)


def _shared_texts(reader: Any) -> tuple[list[str], set[str]]:
    """The texts that cells refer to, and those of which a part is struck through (取り消し線)."""
    from openpyxl.xml.constants import SHARED_STRINGS
    from openpyxl.xml.functions import iterparse

    texts: list[str] = []
    struck: set[str] = set()
    if (listed := reader.package.find(SHARED_STRINGS)) is None:
        return texts, struck
    with reader.archive.open(listed.PartName[1:]) as source:
        for _, element in iterparse(source):
            if element.tag == f"{_MAIN}si":
                texts.append(_rich_text(element).replace("x005F_", ""))
                struck |= {texts[-1]} if _is_struck(element) else set()
                element.clear()
    return texts, struck


def _rich_text(element: Any) -> str:
    """A text with all its differently formatted parts, without its readings (ふりがな)."""
    parts = [element.findtext(f"{_MAIN}t"), *(run.findtext(f"{_MAIN}t") for run in element.iterfind(f"{_MAIN}r"))]
    return "".join(part for part in parts if part)


def _is_struck(element: Any) -> bool:
    return any(strike.get("val") not in ("0", "false") for strike in element.iter(f"{_MAIN}strike"))


def _styles(archive: zipfile.ZipFile) -> list[_Style]:
    """The cell styles; none for a workbook without a stylesheet."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS
    from openpyxl.xml.functions import fromstring

    if "xl/styles.xml" not in archive.NameToInfo:
        return []
    sheet: Any = fromstring(archive.read("xl/styles.xml"))
    formats = BUILTIN_FORMATS | _JAPANESE_FORMATS
    formats |= {int(each.get("numFmtId")): each.get("formatCode", "") for each in sheet.iter(f"{_MAIN}numFmt")}
    struck = dict(enumerate(_is_struck(font) for font in sheet.iterfind(f"{_MAIN}fonts/{_MAIN}font")))
    return [
        _Style(formats.get(int(each.get("numFmtId", 0)), "General"), struck.get(int(each.get("fontId", 0)), False))
        for each in sheet.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")
    ]


def _grid(book: _Book, part: str, where: str) -> Grid:
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format
    from openpyxl.worksheet._reader import WorkSheetParser

    rows: list[_Row] = []
    characters = 0
    shown_as = [style.shown_as for style in book.styles]
    with book.archive.open(part) as source:
        parser: Any = WorkSheetParser(
            source,
            book.texts,
            epoch=book.epoch,
            date_formats={number for number, text in enumerate(shown_as) if is_date_format(text)},
            timedelta_formats={number for number, text in enumerate(shown_as) if is_timedelta_format(text)},
        )
        references: set[str] = set()
        for number, cells in _parsed(parser, references):
            if number > ROWS_MOST:
                remedy = "表の下の余分な行を、空白の行も含めて削除してください"
                raise refusal(where, f"{ROWS_MOST:,}行を超えています", remedy)
            if number <= len(rows):
                continue  # a row twice
            row: list[Found] = []
            for cell in cells:
                found = _found(cell, book)
                if found is _BLANK:
                    continue
                column = cell["column"] - 1
                characters += len(found.text)
                if characters > TEXT_MOST:
                    much = f"文字が多すぎます({TEXT_MOST:,}文字を超えています)"
                    raise refusal(where, much, "表に関係のない文字を削除してください")
                if column >= COLUMNS_MOST:
                    if not found.text:
                        continue
                    raise refusal(where, f"{COLUMNS_MOST}列を超えています", "表の右の余分な列を削除してください")
                row += [_BLANK] * (column + 1 - len(row))
                row[column] = found
            rows += [()] * (number - 1 - len(rows))
            rows.append(tuple(row))
    hidden = {int(number) - 1 for number, kept in parser.row_dimensions.items() if _is_hidden(kept)}
    columns = [
        range(int(kept["min"]) - 1, min(int(kept.get("max", kept["min"])), COLUMNS_MOST))
        for kept in parser.column_dimensions.values()
        if _is_hidden(kept)
    ]
    return Grid(rows, _merges(references, len(rows), where), hidden, columns)


def _parsed(parser: Any, merges: set[str]) -> Iterator[tuple[int, Sequence[Dict[str, Any]]]]:
    """The rows of a worksheet; the parser is left with what it learned of rows and columns.

    openpyxl's own loop, without the choices, conditions, links and views that it would build and we do not read.
    """
    from openpyxl.worksheet._reader import COL_TAG, MERGE_TAG, ROW_TAG
    from openpyxl.xml.functions import iterparse

    for _, element in iterparse(parser.source):
        if element.tag == ROW_TAG:
            inline = [cell for cell in element if cell.get("t") == "inlineStr"]
            for cell in inline:
                cell.set("t", "")  # openpyxl would build objects of it, which costs more than all the rest
            number, cells = parser.parse_row(element)
            if inline:
                _read_inline(element, cells)
            yield number, cells
            element.clear()
        elif element.tag == COL_TAG:
            parser.parse_column_dimensions(element)
        elif element.tag == MERGE_TAG:
            merges |= {merge.get("ref", "") for merge in element}


def _read_inline(row: Any, cells: Sequence[dict[str, Any]]) -> None:
    """Puts the texts that stand in the cells themselves where openpyxl was kept from reading them."""
    for cell, written in zip(cells, row, strict=True):
        if cell["data_type"] == "":
            text = written.find(f"{_MAIN}is")
            cell["value"] = None if text is None else _rich_text(text)
            cell["struck"] = text is not None and _is_struck(text)


def _is_hidden(dimension: Dict[str, str]) -> bool:
    return dimension.get("hidden") in ("1", "true")


def _merges(references: Iterable[str], height: int, where: str) -> dict[int, list[Merge]]:
    """The merged cells by row, cut to the rows that there are."""
    from openpyxl.utils import range_boundaries

    found: dict[int, list[Merge]] = {}
    spent = 0
    for reference in references:
        left, top, right, bottom = (edge or 0 for edge in range_boundaries(reference))
        merge = (top - 1, left - 1, min(bottom, height) - 1, min(right, COLUMNS_MOST) - 1)
        spent += max(0, merge[2] - merge[0] + 1)
        if spent > MERGED_ROWS_MOST:
            raise refusal(where, "セルの結合が多すぎます", "セルの結合を解除してください")
        for row in range(merge[0], merge[2] + 1):
            found.setdefault(row, []).append(merge)
    return found


def _found(cell: Dict[str, Any], book: _Book) -> Found:
    value, kind = cell["value"], cell["data_type"]
    if value is None:
        return _BLANK
    if kind == "f":
        return Found("", "数式が入力されています")
    if kind == "e":
        return Found("", f"Excelのエラー値({value})です")
    style = book.styles[cell["style_id"]] if book.styles else _Style()
    struck = style.struck or cell.get("struck", False) or value in book.struck_texts
    try:
        return Found(_text(value, style.shown_as), struck=struck)
    except (OverflowError, ValueError):  # 1e999, or thousands of digits
        return Found("", "数値が大きすぎるか、数値ではありません")


def _text(value: Any, shown_as: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, dt.timedelta):
        value = (dt.datetime.min + value).time() if dt.timedelta() <= value < dt.timedelta(days=1) else str(value)
    if isinstance(value, dt.time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, int | float):
        return _number(value, shown_as)
    return str(value)


def _number(value: int | float, shown_as: str) -> str:
    whole = int(value)  # which infinity has not
    if "%" in shown_as:
        return f"{value * 100:.10g}%"
    text = str(whole) if value == whole else repr(value)
    return text.zfill(len(shown_as)) if shown_as and set(shown_as) == {"0"} else text
