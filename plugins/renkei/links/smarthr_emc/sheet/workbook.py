"""The 連携設定シート as an Excel workbook, read as customers really fill it in (E15).

Worksheets, header rows and columns are found by their texts wherever they stand. Formulas are refused:
their stored value may be of another day. A file that is no workbook is refused before it is unpacked.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.names import fold, trim
from renkei.links.smarthr_emc.sheet.raw import RawCell, RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import setting_key
from renkei.links.smarthr_emc.sheet.workbook_writer import write_workbook

__all__ = ["raw_from_workbook", "read_workbook", "write_workbook"]

UNPACKED_MOST = 50_000_000
MEMBERS_MOST = 2_000
NODES_MOST = 200_000  # XML elements, comments and instructions of all parts; openpyxl may take 30 µs for one
ROWS_MOST = 5_000
COLUMNS_MOST = 200
MERGED_ROWS_MOST = 100_000  # rows of all merged cells together
TITLE_LONGEST = 40
TEXT_MOST = 1_000_000  # characters of one worksheet; one shared text may stand in every cell
_CHUNK = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = {
    "連携情報": ("連携情報",),
    "部署データ": ("部署データ", "部署(組織)データ", "部署"),
    "ユーザデータ": ("ユーザデータ", "ユーザーデータ", "社員データ"),
}
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# Excel's own formats of a Japanese cell, which no stylesheet lists (ECMA-376 part 1, 18.8.30, ja-jp); dates and times
_JAPANESE_FORMATS = {
    **dict.fromkeys((*range(27, 32), 34, 35, 36, *range(50, 59)), 'yyyy"年"m"月"d"日"'),
    **dict.fromkeys((32, 33), 'h"時"mm"分"'),
}
_COPY = re.compile(r"[0-9\-_. ]*|.{0,3}(コピー|copy|旧|old|新|new|修正|変更).{0,10}")
_ITEM_HEADERS = ("エマージェンシーコール項目", "emc項目", "emergencycall項目")  # as folded, like all headers below
_SOURCE_HEADERS = ("smarthr項目", "スマートhr項目", "smarthrの項目", "スマートhrの項目")
_LABEL_HEADERS = {fold(text) for text in ("項目", "設定項目", "項目名")}
_VALUE_HEADERS = {fold(text) for text in ("値", "設定値", "内容", "記入欄")}


_SECOND_TABLE = "1つのワークシートには表を1つだけ置き、残りは別のワークシートに移してください"


@dataclass(frozen=True, slots=True)
class _Found:
    """A cell as read; `fault` says why it may not be used, should the sheet need it."""

    text: str
    fault: str = ""
    struck: bool = False  # 取り消し線


_BLANK = _Found("")
_Row = tuple[_Found, ...]
_Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; from 0


@dataclass(frozen=True, slots=True)
class _Grid:
    """A worksheet's cells, and what its reader sees otherwise than they say."""

    rows: list[_Row]
    merges: Dict[int, Sequence[_Merge]]  # those of more than one cell, by each of their rows
    hidden_rows: Collection[int]
    hidden_columns: Sequence[range]

    def at(self, row: int, column: int | None) -> _Found:
        """The cell itself."""
        cells = self.rows[row] if 0 <= row < len(self.rows) else ()
        return cells[column] if column is not None and column < len(cells) else _BLANK

    def merge(self, row: int, column: int | None) -> _Merge | None:
        """The merged cells that this one belongs to."""
        if column is None:
            return None
        return next((m for m in self.merges.get(row, ()) if m[1] <= column <= m[3]), None)

    def shown(self, row: int, column: int | None, kind: Collection[int | None]) -> _Found:
        """The cell; one below or beside a merged cell of its own `kind` of columns has that cell's text (E15)."""
        found, merge = self.at(row, column), self.merge(row, column)
        if merge is None or trim(found.text) or found.fault or merge[1] not in kind:
            return found
        return self.at(merge[0], merge[1])


def read_workbook(path: Path) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    return raw_from_workbook(path.read_bytes(), path.name)


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """As `read_workbook`, for bytes already read."""
    grids, doubts = _grids(content, name, _check_container(content, name))
    reader = _Reader(name)
    settings = reader.settings(grids["連携情報"]) if "連携情報" in grids else None
    departments = reader.table(grids["部署データ"], "部署データ") if "部署データ" in grids else None
    users = reader.table(grids["ユーザデータ"], "ユーザデータ") if "ユーザデータ" in grids else None
    for part in _PARTS:
        if part not in grids:
            remedy = f"「{part}」という名前のワークシートを用意してください"
            reader.problems.append(Problem(name, f"ワークシート「{part}」がありません", remedy))
    return RawSheet(name, settings, departments, users, tuple(reader.problems), (*doubts, *reader.warnings))


def _bad(name: str, found: str, remedy: str) -> MappingError:
    return MappingError([Problem(name, found, remedy)])


class _TooMuch(Exception):
    """More XML than a sheet can need: `found` and `remedy` of the problem."""


def _check_container(content: bytes, name: str) -> set[str]:
    """The members that are XML, harmless and not too much of it."""
    save_again = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
    if not content:
        raise _bad(name, "ファイルが空です", save_again)
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise _bad(
                name, "パスワードで保護(暗号化)されたファイルです", "Excelで読み取りパスワードを外して保存してください"
            )
        raise _bad(name, "古い形式(.xls)のファイルです", save_again)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > UNPACKED_MOST:
                remedy = f"{UNPACKED_MOST:,}バイト以下にしてください"
                raise _bad(name, f"展開後の大きさが{unpacked:,}バイトあります", remedy)
            if "[Content_Types].xml" not in archive.namelist():
                raise _bad(name, "Excelブックではありません", save_again)
            return _survey(archive, entries)
    except MappingError:
        raise
    except _TooMuch as much:
        raise _bad(name, *much.args) from much
    except Exception as error:  # zipfile, too, raises whatever a damaged file makes it trip over
        raise _bad(name, "Excelブックではありません、または壊れています", save_again) from error


def _survey(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> set[str]:
    """The names of the members that are XML; what openpyxl must not be given is refused.

    openpyxl builds a tree of all that it reads, and lets a DTD multiply it. So every part is walked through first,
    without keeping any of it. Members that are no XML (pictures, macros) are left out: nothing of them is read.

    Raises:
        Exception: a part is damaged.
        _TooMuch: too many members or nodes, or a DTD, which no workbook has.
    """
    less = "使っていないワークシートと、表の下や右の余分な行・列を、空白の行・列も含めて削除してください"
    nodes = 0

    def count(*_: object) -> None:
        nonlocal nodes
        nodes += 1
        if nodes > NODES_MOST:
            raise _TooMuch(f"中身が多すぎます(要素が{NODES_MOST:,}を超えています)", less)

    def refuse_dtd(*_: object) -> None:
        raise _TooMuch(
            "Excelブックには無いはずの定義(DTD)が含まれています", "Excelで新しいブックに写して保存してください"
        )

    if len(entries) > MEMBERS_MOST:
        raise _TooMuch(f"中身が多すぎます(部品が{len(entries):,}個あります)", less)
    readable = set()
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("packed otherwise than Excel packs")
        parser = expat.ParserCreate()
        parser.StartElementHandler = parser.CommentHandler = parser.ProcessingInstructionHandler = count
        parser.StartDoctypeDeclHandler = refuse_dtd
        try:
            with archive.open(entry) as member:
                while chunk := member.read(_CHUNK):
                    parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError):  # the last two: an encoding that there is not
            if entry.filename.endswith((".xml", ".rels")):
                raise
            readable.discard(entry.filename)
        else:
            readable.add(entry.filename)
    return readable


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


def _grids(content: bytes, name: str, readable: Iterable[str]) -> tuple[dict[str, _Grid], list[Problem]]:
    """The three worksheets that are there by their proper names, and what is doubtful about their choice."""
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
            raise _bad(name, "Excelブックの中身が壊れています", remedy) from error


def _choose(sheets: Sequence[tuple[str, bool, str]], name: str) -> tuple[dict[str, str], list[Problem]]:
    """The part of each of our worksheets; hidden ones, and others that look the same, are doubtful."""
    chosen: dict[str, str] = {}
    doubts = []
    for part, titles in _PARTS.items():
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
    """Excel's `ユーザデータ (2)`, and what people call a copy; 部署 alone begins too many other titles."""
    folded = fold(title)
    names = [fold(own) for own in ours if own != "部署"]
    rest = next((folded[len(own) :] for own in names if folded.startswith(own)), "")
    return bool(rest) and _COPY.fullmatch(rest) is not None


def _grid(book: _Book, part: str, where: str) -> _Grid:
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
                raise _bad(where, f"{ROWS_MOST:,}行を超えています", remedy)
            if number <= len(rows):
                continue  # a row twice
            row: list[_Found] = []
            for cell in cells:
                found = _found(cell, book)
                if found is _BLANK:
                    continue
                column = cell["column"] - 1
                characters += len(found.text)
                if characters > TEXT_MOST:
                    much = f"文字が多すぎます({TEXT_MOST:,}文字を超えています)"
                    raise _bad(where, much, "表に関係のない文字を削除してください")
                if column >= COLUMNS_MOST:
                    if not found.text:
                        continue
                    raise _bad(where, f"{COLUMNS_MOST}列を超えています", "表の右の余分な列を削除してください")
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
    return _Grid(rows, _merges(references, len(rows), where), hidden, columns)


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


def _merges(references: Iterable[str], height: int, where: str) -> dict[int, list[_Merge]]:
    """The merged cells by row, cut to the rows that there are."""
    from openpyxl.utils import range_boundaries

    found: dict[int, list[_Merge]] = {}
    spent = 0
    for reference in references:
        left, top, right, bottom = (edge or 0 for edge in range_boundaries(reference))
        merge = (top - 1, left - 1, min(bottom, height) - 1, min(right, COLUMNS_MOST) - 1)
        spent += max(0, merge[2] - merge[0] + 1)
        if spent > MERGED_ROWS_MOST:
            raise _bad(where, "セルの結合が多すぎます", "セルの結合を解除してください")
        for row in range(merge[0], merge[2] + 1):
            found.setdefault(row, []).append(merge)
    return found


def _found(cell: Dict[str, Any], book: _Book) -> _Found:
    value, kind = cell["value"], cell["data_type"]
    if value is None:
        return _BLANK
    if kind == "f":
        return _Found("", "数式が入力されています")
    if kind == "e":
        return _Found("", f"Excelのエラー値({value})です")
    style = book.styles[cell["style_id"]] if book.styles else _Style()
    struck = style.struck or cell.get("struck", False) or value in book.struck_texts
    try:
        return _Found(_text(value, style.shown_as), struck=struck)
    except (OverflowError, ValueError):  # 1e999, or thousands of digits
        return _Found("", "数値が大きすぎるか、数値ではありません")


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


class _Reader:
    """Turns grids into raw lines and keeps the problems met on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def where(self, part: str, row: int, column: int | None) -> str:
        return f"{self.name} {part}!{_letters(column or 0)}{row + 1}"

    def cell(self, grid: _Grid, part: str, row: int, column: int | None, kind: Collection[int | None] = ()) -> RawCell:
        """A cell that the sheet needs; one that may not be used is a problem and reads as blank."""
        found, where = grid.shown(row, column, kind or (column,)), self.where(part, row, column)
        if found.fault:
            self.problems.append(Problem(where, found.fault, "値を文字として直接入力してください"))
        return RawCell(found.text, where)

    def settings(self, grid: _Grid) -> tuple[RawSetting, ...]:
        """The lines of 連携情報; without a header, a label's value stands right of it."""
        place = next((found for row in range(len(grid.rows)) if (found := _setting_columns(grid, row))), None)
        if place is None:
            remedy = "「項目」「値」の見出しと、その下に連携情報を記入してください"
            self.problems.append(Problem(f"{self.name} 連携情報", "連携情報の項目が見つかりません", remedy))
            return ()
        first, label_column, value_column = place
        self._hidden_columns(grid, "連携情報", first, (value_column,))
        lines = []
        for number in range(first, len(grid.rows)):
            label = grid.shown(number, label_column, (label_column,))
            if _is_line(label.text):
                lines.append(self._setting(grid, number, label_column, value_column))
            elif trim(label.text) and setting_key(trim(label.text).lstrip("※#注")):
                self._passed_over(grid, "連携情報", number, label_column, (value_column,))
        return tuple(lines)

    def _setting(self, grid: _Grid, number: int, label_column: int, value_column: int) -> RawSetting:
        label = self.cell(grid, "連携情報", number, label_column)
        value = self.cell(grid, "連携情報", number, value_column)
        remarks = self._remarks(grid, "連携情報", number, (label_column, value_column))
        return RawSetting(label, value, remarks)

    def table(self, grid: _Grid, part: str) -> tuple[RawRow, ...] | None:
        """The lines of 部署データ or ユーザデータ; None when it has no header."""
        columns = next((found for row in range(len(grid.rows)) if (found := _columns(grid, row))), None)
        if columns is None:
            remedy = "「エマージェンシーコール項目」と「SmartHR項目」の見出しがある行を残してください"
            self.problems.append(Problem(f"{self.name} {part}", "見出しの行が見つかりません", remedy))
            return None
        if columns.beside is not None:
            where = self.where(part, columns.header, columns.beside)
            self.problems.append(Problem(where, "見出しが右にもう1つあります", _SECOND_TABLE))
        self._hidden_columns(grid, part, columns.first, columns.used)
        rows = []
        for number in range(columns.first, len(grid.rows)):
            item = grid.shown(number, columns.item, (columns.item,))
            asked = [grid.at(number, column) for column in (columns.linked, columns.source)]
            if any("項目" in cell.text for cell in grid.rows[number]) and (below := _columns(grid, number)) is not None:
                where = self.where(part, number, below.item)
                self.problems.append(Problem(where, "見出しの行がもう1つあります", _SECOND_TABLE))
                break
            if _is_line(item.text) or item.fault:
                rows.append(self._row(grid, part, number, columns))
            elif trim(item.text) and any(trim(found.text) for found in asked):
                self._passed_over(grid, part, number, columns.item, (columns.linked, columns.source))
            elif not trim(item.text) and trim(asked[1].text):
                where = self.where(part, number, columns.item)
                self.problems.append(Problem(where, "項目名が空白です", "項目名を記入するか、行を削除してください"))
        return tuple(rows)

    def _row(self, grid: _Grid, part: str, number: int, columns: _Columns) -> RawRow:
        linked = self.cell(grid, part, number, columns.linked) if columns.linked is not None else None
        item, source = (self.cell(grid, part, number, column) for column in (columns.item, columns.source))
        policies = (self.cell(grid, part, number, column, columns.policies) for column in columns.policies)
        remarks = self._remarks(grid, part, number, columns.used, columns.policies)
        row = RawRow(item, linked, source, *policies, remarks=remarks)
        if columns.convert is None:
            return row
        return dataclasses.replace(row, convert=self.cell(grid, part, number, columns.convert))

    def _passed_over(
        self, grid: _Grid, part: str, number: int, column: int | None, needed: Sequence[int | None]
    ) -> None:
        """A note (※ …) that looks like a line."""
        if any(trim(grid.at(number, each).text) for each in needed):
            found = "「※」「注」「#」で始まる行なので、注記として読み飛ばします"
            remedy = "連携する行の場合は、先頭の記号を削除してください"
            self.warnings.append(Problem(self.where(part, number, column), found, remedy))

    def _hidden_columns(self, grid: _Grid, part: str, first: int, needed: Sequence[int | None]) -> None:
        for column in dict.fromkeys(needed):
            if column is None or not any(column in hidden for hidden in grid.hidden_columns):
                continue
            if any(trim(grid.at(row, column).text) for row in range(first, len(grid.rows))):
                found = f"{_letters(column)}列は非表示です。その内容で連携します"
                where = self.where(part, max(first - 1, 0), column)
                self.warnings.append(Problem(where, found, "列を再表示し、内容を確認してください"))

    def _remarks(
        self, grid: _Grid, part: str, number: int, needed: Sequence[int | None], policies: Collection[int | None] = ()
    ) -> tuple[Problem, ...]:
        """What of a line a reader sees otherwise than it is read: hidden, struck through, merged over."""
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
        for column in needed:
            if found := _merged_over(grid, number, column, policies):
                remedy = "セルの結合を解除し、それぞれのセルに記入してください"
                remarks.append(Problem(self.where(part, number, column), found, remedy))
        return tuple(remarks)


def _merged_over(grid: _Grid, number: int, column: int | None, policies: Collection[int | None]) -> str:
    """What is doubtful about a cell that is merged into another one; nothing where one cell stands for several lines."""
    merge = grid.merge(number, column)
    if merge is None or (number, column) == merge[:2]:
        return ""
    shown, own = trim(grid.at(merge[0], merge[1]).text), trim(grid.at(number, column).text)
    top = f"{_letters(merge[1])}{merge[0] + 1}"
    if own and own != shown:
        return f"{top}と結合されて見えないセルに、別の記入が残っています。その記入で連携します"
    if merge[1] == column or not shown:
        return ""
    if column in policies and merge[1] in policies:
        return f"{top}と結合されているので、同じ指定として読みます"
    return f"{top}と結合されているので、空白として読みます"


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


def _setting_columns(grid: _Grid, number: int) -> tuple[int, int, int] | None:
    """The first row of 連携情報 and the columns of its labels and values, when row `number` shows them."""
    row = grid.rows[number]
    texts = [fold(found.text) for found in row]
    labels = [column for column, text in enumerate(texts) if text in _LABEL_HEADERS]
    values = [column for column, text in enumerate(texts) if text in _VALUE_HEADERS]
    if labels and values:
        return number + 1, labels[0], values[0]
    known = [column for column, found in enumerate(row) if setting_key(found.text)]
    if not known:
        return None
    merge = grid.merge(number, known[0])
    return number, known[0], (merge[3] if merge else known[0]) + 1


def _columns(grid: _Grid, number: int) -> _Columns | None:
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


def _is_line(label: str) -> bool:
    return bool(trim(label)) and not trim(label).startswith(("※", "注", "#"))


def _letters(column: int) -> str:
    text, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
