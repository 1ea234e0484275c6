"""The 連携設定シート as an Excel workbook, read as customers really fill it in (E15).

Worksheets, header rows and columns are found by their texts wherever they stand. Formulas are refused:
their stored value may be of another day. A file that is no workbook is refused before it is unpacked.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterable, Sequence
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
TEXT_MOST = 1_000_000  # characters of one worksheet; one shared text may stand in every cell
_CHUNK = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = {
    "連携情報": ("連携情報",),
    "部署データ": ("部署データ", "部署(組織)データ", "部署"),
    "ユーザデータ": ("ユーザデータ", "ユーザーデータ", "社員データ"),
}
_LABEL_HEADERS = {fold(text) for text in ("項目", "設定項目", "項目名")}
_VALUE_HEADERS = {fold(text) for text in ("値", "設定値", "内容", "記入欄")}


@dataclass(frozen=True, slots=True)
class _Found:
    """A cell as read; `fault` says why it may not be used, should the sheet need it."""

    text: str
    fault: str = ""


_BLANK = _Found("")
_Grid = list[tuple[_Found, ...]]


def read_workbook(path: Path) -> RawSheet:
    """What the workbook says.

    Raises:
        MappingError: the file is no workbook that could be a sheet.
    """
    return raw_from_workbook(path.read_bytes(), path.name)


def raw_from_workbook(content: bytes, name: str) -> RawSheet:
    """As `read_workbook`, for bytes already read."""
    grids = _grids(content, name, _check_container(content, name))
    reader = _Reader(name)
    settings = reader.settings(grids["連携情報"]) if "連携情報" in grids else None
    departments = reader.table(grids["部署データ"], "部署データ") if "部署データ" in grids else None
    users = reader.table(grids["ユーザデータ"], "ユーザデータ") if "ユーザデータ" in grids else None
    for part in _PARTS:
        if part not in grids:
            remedy = f"「{part}」という名前のワークシートを用意してください"
            reader.problems.append(Problem(name, f"ワークシート「{part}」がありません", remedy))
    return RawSheet(name, settings, departments, users, tuple(reader.problems))


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


def _worksheets(content: bytes, readable: Iterable[str]) -> tuple[Any, dict[str, Any]]:
    """The workbook, and those of its worksheets that could be ours by their folded titles, the first of each.

    The steps of openpyxl's own `load_workbook`, without links, names, charts and the customer's other worksheets.
    """
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    reader: Any = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
    known = reader.archive.NameToInfo
    reader.archive.NameToInfo = {name: known[name] for name in readable}
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    ours = {fold(title) for titles in _PARTS.values() for title in titles}
    found: dict[str, Any] = {}
    for sheet, relation in reader.parser.find_sheets():
        title = fold(sheet.name)
        if title in ours and title not in found and relation.target in readable and "chartsheet" not in relation.Type:
            found[title] = ReadOnlyWorksheet(reader.wb, sheet.name, relation.target, reader.shared_strings)
    return reader.wb, found


def _grids(content: bytes, name: str, readable: Iterable[str]) -> dict[str, _Grid]:
    """The texts of the three worksheets that are there, by their proper names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of Excel features that it leaves out, none of which we read
        try:
            book, by_fold = _worksheets(content, readable)
            try:
                found: dict[str, _Grid] = {}
                for part, names in _PARTS.items():
                    sheet = next((by_fold[fold(n)] for n in names if fold(n) in by_fold), None)
                    if sheet is not None:
                        found[part] = _grid(sheet, f"{name} {part}")
                return found
            finally:
                book.close()
        except MappingError:
            raise
        except Exception as error:  # openpyxl raises whatever a damaged part makes it trip over
            remedy = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
            raise _bad(name, "Excelブックの中身が壊れています", remedy) from error


def _grid(sheet: Any, where: str) -> _Grid:
    sheet.reset_dimensions()  # what the file says of its size is not always so
    grid: _Grid = []
    characters = 0
    for row in sheet.iter_rows(max_col=COLUMNS_MOST + 1):
        if len(grid) >= ROWS_MOST:
            raise _bad(where, f"{ROWS_MOST:,}行を超えています", "表の下の余分な行を、空白の行も含めて削除してください")
        cells = tuple(_found(cell) for cell in row)
        characters += sum(len(cell.text) for cell in cells)
        if characters > TEXT_MOST:
            raise _bad(
                where, f"文字が多すぎます({TEXT_MOST:,}文字を超えています)", "表に関係のない文字を削除してください"
            )
        if len(cells) > COLUMNS_MOST and cells[COLUMNS_MOST].text:
            raise _bad(where, f"{COLUMNS_MOST}列を超えています", "表の右の余分な列を削除してください")
        while cells and cells[-1] is _BLANK:
            cells = cells[:-1]
        grid.append(cells)
    return grid


def _found(cell: Any) -> _Found:
    value = cell.value
    if value is None:
        return _BLANK
    if cell.data_type == "f":
        return _Found("", "数式が入力されています")
    if cell.data_type == "e":
        return _Found("", f"Excelのエラー値({value})です")
    if isinstance(value, bool):
        return _Found(str(value).upper())
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return _Found(value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="minutes"))
    if isinstance(value, dt.timedelta):
        value = (dt.datetime.min + value).time() if dt.timedelta() <= value < dt.timedelta(days=1) else str(value)
    if isinstance(value, dt.time):
        return _Found(value.isoformat("seconds" if value.second else "minutes"))
    if isinstance(value, int | float):
        try:
            return _Found(_number(value, cell.number_format or ""))
        except (OverflowError, ValueError):  # 1e999, or thousands of digits
            return _Found("", "数値が大きすぎるか、数値ではありません")
    return _Found(str(value))


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

    def cell(self, grid: _Grid, part: str, row: int, column: int | None) -> RawCell:
        """A cell that the sheet needs; one that may not be used is a problem and reads as blank."""
        found = _at(grid[row], column)
        where = f"{self.name} {part}!{_letters(column or 0)}{row + 1}"
        if found.fault:
            self.problems.append(Problem(where, found.fault, "値を文字として直接入力してください"))
        return RawCell(found.text, where)

    def settings(self, grid: _Grid) -> tuple[RawSetting, ...]:
        """The lines of 連携情報; without a header, a label's value stands right of it."""
        first, label_column, value_column = 0, None, None
        for number, row in enumerate(grid):
            texts = [fold(found.text) for found in row]
            labels = [column for column, text in enumerate(texts) if text in _LABEL_HEADERS]
            values = [column for column, text in enumerate(texts) if text in _VALUE_HEADERS]
            if labels and values:
                first, label_column, value_column = number + 1, labels[0], values[0]
                break
            known = [column for column, found in enumerate(row) if setting_key(found.text)]
            if known:
                first, label_column, value_column = number, known[0], known[0] + 1
                break
        if label_column is None:
            remedy = "「項目」「値」の見出しと、その下に連携情報を記入してください"
            self.problems.append(Problem(f"{self.name} 連携情報", "連携情報の項目が見つかりません", remedy))
            return ()
        return tuple(
            RawSetting(
                self.cell(grid, "連携情報", number, label_column), self.cell(grid, "連携情報", number, value_column)
            )
            for number in range(first, len(grid))
            if _is_line(_at(grid[number], label_column).text)
        )

    def table(self, grid: _Grid, part: str) -> tuple[RawRow, ...] | None:
        """The lines of 部署データ or ユーザデータ; None when it has no header."""
        columns = next((found for row in range(len(grid)) if (found := _columns(grid, row))), None)
        if columns is None:
            remedy = "「エマージェンシーコール項目」と「SmartHR項目」の見出しがある行を残してください"
            self.problems.append(Problem(f"{self.name} {part}", "見出しの行が見つかりません", remedy))
            return None
        rows = []
        for number in range(columns.first, len(grid)):
            item = _at(grid[number], columns.item)
            if _is_line(item.text) or item.fault:
                rows.append(self._row(grid, part, number, columns))
            elif not trim(item.text) and trim(_at(grid[number], columns.source).text):
                where = f"{self.name} {part}!{_letters(columns.item)}{number + 1}"
                self.problems.append(Problem(where, "項目名が空白です", "項目名を記入するか、行を削除してください"))
        return tuple(rows)

    def _row(self, grid: _Grid, part: str, number: int, columns: _Columns) -> RawRow:
        linked = self.cell(grid, part, number, columns.linked) if columns.linked is not None else None
        item, source = (self.cell(grid, part, number, column) for column in (columns.item, columns.source))
        policies = (self.cell(grid, part, number, column) for column in columns.policies)
        row = RawRow(item, linked, source, *policies)
        if columns.convert is None:
            return row
        return dataclasses.replace(row, convert=self.cell(grid, part, number, columns.convert))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a table's columns stand; `first` is the first row below the header."""

    first: int
    item: int
    source: int
    linked: int | None
    policies: tuple[int | None, int | None, int | None, int | None]
    convert: int | None = None


def _columns(grid: _Grid, number: int) -> _Columns | None:
    """The columns, when row `number` is the header."""
    header = [fold(found.text) for found in grid[number]]
    item = _first(header, "エマージェンシーコール項目", "emc項目")
    source = _first(header, "smarthr項目")
    if item is None or source is None:
        return None
    below = [fold(found.text) for found in grid[number + 1]] if number + 1 < len(grid) else []
    double = any(map(_is_present, below)) or any(map(_is_blank, below))
    under = below if double else []
    create = _pair(header, under, _first(header, "新規登録"), _first(header, "更新処理"))
    update = _pair(header, under, _first(header, "更新処理"), _first(header, "変換"))
    linked, convert = _first(header, "連携有無"), _first(header, "変換")
    return _Columns(number + 1 + double, item, source, linked, (*create, *update), convert)


def _pair(
    header: Sequence[str], under: Sequence[str], start: int | None, end: int | None
) -> tuple[int | None, int | None]:
    """The columns 値がある場合 and 値が無い場合 of a group that starts at `start`."""
    if start is None:
        return None, None
    stop = end if end is not None and end > start else max(len(header), len(under))
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
    return next((column for column, found in enumerate(header) if any(fold(text) in found for text in texts)), None)


def _is_line(label: str) -> bool:
    return bool(trim(label)) and not trim(label).startswith(("※", "注", "#"))


def _at(row: Sequence[_Found], column: int | None) -> _Found:
    return row[column] if column is not None and column < len(row) else _BLANK


def _letters(column: int) -> str:
    text, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
