"""The cells of an Excel workbook, each as Excel shows it (E15).

What Excel shows and what the file holds are two things: 7 under `"K"000` is K007, `skr_x000D_` is skr and a line end.
A cell of which it cannot be told what Excel shows has a `fault`, and no text.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from renkei.sheets.workbook import date_format, number_format
from renkei.sheets.workbook.attributes import (
    _PLACE,
    Area,
    area,
    column_of,
    is_bare,
    is_hidden,
    is_of_symbols,
    is_struck,
    is_true,
    is_white,
    is_within,
    rich_text,
)
from renkei.sheets.workbook.built_in_formats import BUILT_IN, GENERAL
from renkei.sheets.workbook.number_format import NotShownError
from renkei.sheets.workbook.package import Package, PackageError, relation_id
from renkei.sheets.workbook.xml_text import decoded

MAX_TITLE = 40  # characters; Excel takes 31
_UNKNOWN = "[$-F800]"
_UNCONDITIONAL = (
    "「ホーム」>「条件付き書式」>「ルールのクリア」で書式のルールを消し、表示したい値を文字として入力してください"
)
_SYMBOL = re.compile("[!-\xff\uf000-\uf0ff]")  # what such a font has a sign for; kanji it leaves to other fonts
_OTHER_FONT = "セルのフォントを「游ゴシック」などに変え、表示したい文字(○など)を入力し直してください"
_NO_FILL = "「セルの書式設定」>「配置」>「横位置」を「繰り返し」から「標準」に変えてください"
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class ReadCell:
    """A cell as read; `fault` says why it may not be used, should the sheet need it."""

    text: str
    fault: str = ""
    remedy: str = "セルの表示形式を「文字列」に変えてから、表示したい値を入力し直してください"
    struck: bool = False  # 取り消し線
    white: bool = False  # on white
    exact: str = ""  # of a date or time: the same in ISO's form, in whatever words the cell shows it


@dataclass(frozen=True, slots=True)
class _Style:
    """What a cell's style says that matters here."""

    shown_as: str = GENERAL
    struck: bool = False
    symbols: bool = False  # a font of signs, in which o is no o
    white: bool = False  # on white
    repeated: bool = False  # 横位置 繰り返し: the text as often as the column takes it


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One worksheet of a book, unread."""

    title: str
    hidden: bool
    part: str
    very_hidden: bool = False  # Excel's list of hidden ones does not name it


@dataclass(slots=True)
class Layout:
    """What a worksheet says of its rows and columns, complete once its rows have been read."""

    hidden_rows: set[int] = field(default_factory=set)  # from 0
    hidden_columns: list[range] = field(default_factory=list)  # from 0
    merges: set[str] = field(default_factory=set)
    hides_zeros: bool = False
    shows_formulas: bool = False  # 数式の表示: numbers and dates are shown as they are kept
    computed: list[Area] = field(default_factory=list)  # what formulas of many cells fill
    restyled: list[Area] = field(default_factory=list)  # what conditional formats show otherwise


class Book:
    """An opened workbook.

    Raises:
        PackageError: it lacks what a workbook has, or has it twice. Whatever a damaged part makes its reader trip over
            may be raised too, here and while the rows are read.
    """

    def __init__(self, archive: zipfile.ZipFile, readable: Iterable[str]) -> None:
        self._package = Package(archive, readable)
        if (workbook := self._package.related("officeDocument")) is None:
            raise PackageError("no workbook")
        self.worksheets: list[Worksheet] = []
        self._since_1904 = False
        relations = {each.id: each for each in self._package.relations(workbook)}
        for element in self._package.root(workbook).iter():
            if element.tag == "workbookPr":
                self._since_1904 = is_true(element.get("date1904"))
            elif element.tag == "sheet":
                if (related := relations.get(relation_id(element))) is None:
                    raise PackageError("a worksheet without a part")
                if related.kind == "worksheet" and related.part in self._package:
                    state = element.get("state", "visible")
                    title = decoded(element.get("name", ""))[:MAX_TITLE]
                    self.worksheets.append(Worksheet(title, state != "visible", related.part, state == "veryHidden"))
        shared = next((each.part for each in relations.values() if each.kind == "sharedstrings"), None)
        self._texts, self._struck, self._symbols = self._shared_texts(shared)
        self._numbered: set[int] = set()  # what a conditional format may ask for and shows numbers otherwise
        self._styles = self._read_styles(self._package.related("styles", workbook))

    def _shared_texts(self, part: str | None) -> tuple[list[str], set[int], set[int]]:
        """The texts that cells refer to; which of them are struck through (取り消し線) or of signs, be it in part."""
        texts: list[str] = []
        struck: set[int] = set()
        symbols: set[int] = set()
        for element in self._package.elements(part) if part else ():
            if element.tag == "si":
                if element.find("r") is not None:  # else it has the cell's font
                    struck |= {len(texts)} if is_struck(element) else set()
                    symbols |= {len(texts)} if is_of_symbols(element) else set()
                texts.append(rich_text(element))
                element.clear()
        return texts, struck, symbols

    def _read_styles(self, part: str | None) -> list[_Style]:
        if part is None:
            return []
        sheet = self._package.root(part)
        formats = {int(each.get("numFmtId")): decoded(each.get("formatCode", "")) for each in sheet.iter("numFmt")}
        formats = BUILT_IN | formats
        fonts = [
            (is_struck(font), is_of_symbols(font), is_white(font.find("color")))
            for font in sheet.iterfind("fonts/font")
        ] or [(False, False, False)]
        bare = [is_bare(fill) for fill in sheet.iterfind("fills/fill")] or [True]
        self._numbered = {n for n, each in enumerate(sheet.iterfind("dxfs/dxf")) if each.find("numFmt") is not None}
        cells = sheet.findall("cellXfs/xf")
        looks = [
            (
                fonts[min(int(each.get("fontId", 0)), len(fonts) - 1)],
                bare[min(int(each.get("fillId", 0)), len(bare) - 1)],
            )
            for each in cells
        ]
        return [
            _Style(
                formats.get(int(each.get("numFmtId", 0)), _UNKNOWN),
                struck,
                symbols,
                white and on_white,
                any(alignment.get("horizontal") == "fill" for alignment in each.iterfind("alignment")),
            )
            for each, ((struck, symbols, white), on_white) in zip(cells, looks, strict=True)
        ]

    def rows(self, worksheet: Worksheet, layout: Layout) -> Iterator[tuple[int, list[tuple[int, ReadCell]]]]:
        """The rows that are there, counted from 1, with their cells by column, from 0; `layout` is filled on the way.

        Raises:
            PackageError: a row or a cell is there twice, which Excel would not open.
        """
        number = 0
        layout.restyled += self._restyled(worksheet.part)
        for element in self._package.elements(worksheet.part):
            match element.tag:
                case "row":
                    number, before = int(element.get("r", number + 1)), number
                    if number <= before:
                        raise PackageError(f"row {number} is not behind row {before}")
                    if is_hidden(element, "ht"):
                        layout.hidden_rows.add(number - 1)
                    yield number, self._cells(element, number, layout)
                    element.clear()
                case "col" if is_hidden(element, "width"):
                    first = int(element.get("min"))
                    layout.hidden_columns.append(range(first - 1, int(element.get("max", first))))
                case "mergeCell":
                    layout.merges.add(element.get("ref", "").replace("$", ""))
                case "sheetView":
                    layout.hides_zeros |= element.get("showZeros") in ("0", "false")
                    layout.shows_formulas |= is_true(element.get("showFormulas"))

    def _restyled(self, part: str) -> list[Area]:
        """The cells that a conditional format (条件付き書式) may show otherwise. They stand behind the rows."""
        written = self._package.read(part)
        if not self._numbered and b"showValue" not in written and b"conditionalFormattings" not in written:
            return []
        found: list[Area] = []
        for element in self._package.elements(part):
            if not element.tag.endswith("conditionalFormatting") or not any(map(self._shows_otherwise, element.iter())):
                continue
            places = [element.get("sqref", "")]  # Excel's newer kind has them in an element, and its formats inside
            places += [each.text or "" for each in element.iter() if each.tag.endswith("}sqref")]
            found += map(area, " ".join(places).split())
            element.clear()
        return found

    def _shows_otherwise(self, element: Any) -> bool:
        return (
            element.tag == "numFmt"
            or element.get("showValue") in ("0", "false")
            or int(element.get("dxfId", -1)) in self._numbered
        )

    def _cells(self, row: Any, number: int, layout: Layout) -> list[tuple[int, ReadCell]]:
        cells: list[tuple[int, ReadCell]] = []
        column = -1
        for element in row:
            if element.tag != "c":
                continue
            place = _PLACE.fullmatch(element.get("r", "").upper())
            before, column = column, column_of(place[1]) if place else column + 1
            if column <= before:
                raise PackageError(f"a cell of row {number} is there twice")
            formula = element.find("f")
            if formula is not None and formula.get("ref") and formula.get("t") in ("array", "dataTable"):
                layout.computed.append(area(formula.get("ref")))
            if formula is not None or (len(element) and is_within(layout.computed, number - 1, column)):
                cells.append((column, ReadCell("", "数式が入力されています")))
            elif len(element) and is_within(layout.restyled, number - 1, column):
                cells.append((column, ReadCell("", "条件付き書式によって表示が変わるセルです", _UNCONDITIONAL)))
            elif len(element) and (found := self._found(element, layout)) is not None:
                cells.append((column, self._in_its_font(found, element)))
        return cells

    def _in_its_font(self, found: ReadCell, cell: Any) -> ReadCell:
        """The cell; a fault where its font or its alignment shows another text."""
        style = self._style(cell)
        shared = cell.get("t") == "s" and int(cell.findtext("v")) in self._symbols
        written = cell.find("is")
        own = written is not None and is_of_symbols(written)
        if (style.symbols or shared or own) and _SYMBOL.search(found.text):
            return ReadCell("", "文字が記号として表示されるフォント(Wingdingsなど)のセルです", _OTHER_FONT)
        if style.repeated and found.text:
            return ReadCell("", "文字が列の幅まで繰り返し表示されるセルです", _NO_FILL)
        return dataclasses.replace(found, white=True) if style.white else found

    def _style(self, cell: Any) -> _Style:
        return self._styles[int(cell.get("s", 0))] if self._styles else _Style()

    def _found(self, cell: Any, layout: Layout) -> ReadCell | None:
        """The cell; None for an empty one."""
        kind, value = cell.get("t", "n"), cell.findtext("v")
        struck = False
        if kind == "inlineStr":
            written = cell.find("is")
            value = None if written is None else rich_text(written)
            struck = written is not None and is_struck(written)
        if not value:
            return None
        style = self._style(cell)
        struck = struck or style.struck
        try:
            match kind:
                case "s":
                    if (index := int(value)) < 0:
                        raise PackageError("a text before the first one")
                    text = number_format.show_text(self._texts[index], style.shown_as)
                    return ReadCell(text, struck=struck or index in self._struck)
                case "str" | "inlineStr":
                    text = value if kind == "inlineStr" else decoded(value)
                    return ReadCell(number_format.show_text(text, style.shown_as), struck=struck)
                case "b":
                    return ReadCell("TRUE" if is_true(value.strip()) else "FALSE", struck=struck)
                case "e" if cell.get("vm"):
                    return ReadCell("", "文字ではないもの(画像、データ型など)が入っています")
                case "e":
                    return ReadCell("", f"Excelのエラー値({value})です")
                case "d":
                    return self._day(_serial(value, self._since_1904), style, layout, struck)
                case _:
                    return self._number(_float(value), style, layout, struck)
        except NotShownError as error:
            return ReadCell("", str(error), struck=struck)

    def _day(self, serial: float, style: _Style, layout: Layout, struck: bool) -> ReadCell:
        """A date that the file writes out; one without a date's format has no words, and is sure all the same."""
        if number_format.number_section(serial, style.shown_as)[0].is_date:
            return self._number(serial, style, layout, struck)
        (plain,) = number_format.sections("yyyy/m/d h:mm")
        exact = date_format.show_date(serial, plain, since_1904=self._since_1904)[1]
        return ReadCell("", "日付の表示形式ではありません", struck=struck, exact=exact)

    def _number(self, value: float, style: _Style, layout: Layout, struck: bool) -> ReadCell:
        if layout.hides_zeros and not value:
            raise NotShownError("0を表示しない設定のため、見えないセルです")
        if layout.shows_formulas and style.shown_as not in (GENERAL, "@"):
            raise NotShownError("「数式の表示」が選ばれているため、表示形式のとおりに表示されないセルです")
        section, sign = number_format.number_section(value, style.shown_as)
        if not section.is_date:
            return ReadCell(_shown(value, style.shown_as), struck=struck)
        if sign:
            raise NotShownError("Excelが日付として表示できない数値です")
        text, exact = date_format.show_date(value, section, since_1904=self._since_1904)
        fault = "" if text else "日付または時刻の表示形式を読み取れません"
        return ReadCell(text, fault, struck=struck, exact=exact)


@functools.lru_cache(maxsize=4096)
def _shown(value: float, code: str) -> str:
    return number_format.show_number(value, code)


def _float(text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise NotShownError("数値が大きすぎるか、数値ではありません")
    return float(text)


def _serial(text: str, since_1904: bool) -> float:
    """The serial number of a day written out (Strict)."""
    try:
        moment = dt.datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise NotShownError("日付を読み取れません") from None
    first = dt.datetime(1904, 1, 1) if since_1904 else dt.datetime(1899, 12, 30)
    return (moment - first) / dt.timedelta(days=1)
