"""How our worksheets look: fonts, colours, notes, drop-downs, and paper (E15).

Everything that knows openpyxl's styles is here. A text is always stored as a text, never as a formula.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties

from renkei.sheets.workbook.xml_text import encoded

Value = str | int | float | dt.date | dt.time

FONT = "游ゴシック"
AUTHOR = "連携設定シート"
HEADER, SECTION, REQUIRED, FIXED, PLAIN = "DDEBF7", "E2EFDA", "FFF2CC", "F2F2F2", ""
MISSING = "F8CBAD"
LINK, DIM = "0563C1", "7F7F7F"
_LINE = "BFBFBF"
_LINE_POINTS = 18.0  # of 游ゴシック at 11 points; Excel does not fit heights by itself when it opens a file
_A4 = 9
_THIN = Side(style="thin", color=_LINE)
_BOX = Border(_THIN, _THIN, _THIN, _THIN)
_RULE_ABOVE = Border(_THIN, _THIN, Side(style="medium", color=DIM), _THIN)
_WRAPPED = Alignment(vertical="center", wrap_text=True, horizontal="left")
_RUNNING = Alignment(vertical="center", horizontal="left")


def new_book() -> Any:
    """A workbook without worksheets whose own font is Japanese, so that widths are counted in it."""
    book: Any = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book._named_styles["Normal"].font = _font()  # openpyxl offers no other way
    return book


@cache
def _font(**more: Any) -> Any:
    """游ゴシック; charset and family let a computer without it take another Japanese Gothic.

    Made once, as every look here: openpyxl compares what it does not know yet with all that it knows, field by field.
    """
    return Font(**{"name": FONT, "size": 11, "charset": 128, "family": 3, **more})


@cache
def _fill(color: str) -> Any:
    return PatternFill("solid", fgColor=color)


def put(sheet: Any, row: int, column: int, value: Value) -> Any:
    """Writes a value; a blank text leaves the cell empty, yet ready for a text. Gives the cell."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = encoded(ILLEGAL_CHARACTERS_RE.sub("", value)) or None
        if cell.value is not None:
            cell.data_type = "s"  # also where a text begins with "="
        cell.number_format = "@"
    else:
        cell.value = value
        form = "yyyy-mm-dd" if isinstance(value, dt.date) else "h:mm" if isinstance(value, dt.time) else "General"
        cell.number_format = form
    return cell


def dress(
    cell: Any, fill: str = PLAIN, *, bold: bool = False, size: int = 11, color: str = "", box: bool = True
) -> Any:
    """Font, colour, border and alignment of one cell. Gives the cell."""
    cell.font = _font(bold=bold, size=size, **({"color": color} if color else {}))
    cell.alignment = _WRAPPED
    if fill:
        cell.fill = _fill(fill)
    if box:
        cell.border = _BOX
    return cell


def line(sheet: Any, row: int, values: Sequence[Value], fill: str = PLAIN, *, bold: bool = False) -> None:
    """A dressed line from the first column on."""
    for column, value in enumerate(values, 1):
        dress(put(sheet, row, column, value), fill, bold=bold)


def heading(sheet: Any, row: int, text: str, *, size: int = 12) -> None:
    """A bold line that runs over the cells to its right: merged, it would be read as the text of each of them."""
    run_on(dress(put(sheet, row, 1, text), bold=True, size=size, box=False))


def remark(sheet: Any, row: int, text: str) -> None:
    """As `heading`, in plain letters."""
    run_on(dress(put(sheet, row, 1, text), box=False))


def run_on(cell: Any) -> None:
    """Lets a text run over the empty cells to its right instead of wrapping."""
    cell.alignment = _RUNNING


def rule_above(sheet: Any, row: int, columns: int) -> None:
    """A stronger line above a row: here begins another group."""
    for column in range(1, columns + 1):
        sheet.cell(row, column).border = _RULE_ABOVE


def jump(cell: Any, title: str, place: str) -> None:
    """Makes a cell a link to a place in the same workbook."""
    shown = str(cell.value or "")
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{quote_sheetname(title)}!{place}", display=shown)
    cell.font = _font(color=LINK, underline="single")


def width_of(text: str) -> int:
    """The width of a text, in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(width_of(part) / max(1.0, width - 1))) for part in text.split("\n"))


def note(cell: Any, text: str) -> None:
    """A note on a cell, large enough to be read without scrolling."""
    cell.comment = Comment(encoded(text), AUTHOR)
    fit_note(cell.comment)


def fit_note(comment: Any) -> None:
    """Sets the size by the text: 320 pixels wide, 18 for each line."""
    comment.width = 320
    comment.height = min(600, 18 * _lines(comment.text, 42) + 14)


def offer(
    sheet: Any, cells: Iterable[str], words: Sequence[str], *, strict: bool, prompt: tuple[str, str] = ("", "")
) -> None:
    """A drop-down; where other texts may be legal too (not `strict`), Excel asks before it takes one."""
    text = (
        "一覧の言葉から選んでください。"
        if strict
        else "一覧に無い言葉です。「デフォルト:値」のように書き足した言葉なら「はい」で続けられます。"
    )
    style = "stop" if strict else "warning"
    _validate(sheet, cells, prompt, "使えない言葉です" if strict else "確認してください", text, style, _list(words))


def suggest(sheet: Any, cells: Iterable[str], source: str | Sequence[str], *, prompt: tuple[str, str]) -> None:
    """A drop-down beside which any text may stand; `source` is a defined name, or the words."""
    formula = source if isinstance(source, str) else _list(source)["formula1"]
    _validate(sheet, cells, prompt, "", "", "", {"type": "list", "formula1": formula})


def limit(sheet: Any, cells: Iterable[str], kind: str, least: float, most: float | None, text: str) -> None:
    """Only a number, date, time or text length of `kind` from `least` to `most`."""
    rule = {"type": kind, "operator": "greaterThanOrEqual" if most is None else "between", "formula1": f"{least:g}"}
    if kind == "date":
        rule["formula1"] = str(int(least))
    if most is not None:
        rule["formula2"] = f"{most:.10g}"
    _validate(sheet, cells, ("", ""), "使えない値です", text, "stop", rule)


def _list(words: Sequence[str]) -> dict[str, str]:
    return {"type": "list", "formula1": '"' + ",".join(words) + '"'}


def _validate(
    sheet: Any, cells: Iterable[str], prompt: tuple[str, str], title: str, text: str, style: str, rule: dict[str, Any]
) -> None:
    made: Any = DataValidation
    choice = made(
        **rule,
        allow_blank=True,
        showErrorMessage=bool(style),
        errorStyle=style or None,
        errorTitle=title or None,
        error=text or None,
        showInputMessage=bool(prompt[1]),
        promptTitle=prompt[0] or None,
        prompt=prompt[1] or None,
    )
    for cell in cells:
        choice.add(cell)
    sheet.add_data_validation(choice)


def when(sheet: Any, cells: str, formula: str, *, fill: str = "", color: str = "") -> None:
    """Colours cells while a formula holds."""
    look: dict[str, Any] = {"font": Font(color=color)} if color else {}
    if fill:
        look["fill"] = PatternFill("solid", bgColor=fill, fgColor=fill)
    rule: Any = FormulaRule
    sheet.conditional_formatting.add(cells, rule(formula=[formula], **look))


def new_page(sheet: Any, row: int) -> None:
    """Begins another page below a row."""
    sheet.row_breaks.append(Break(id=row))


def finish(
    sheet: Any,
    widths: Sequence[int],
    *,
    header: tuple[int, int] | None = None,
    start: str = "A1",
    one_page: bool = False,
) -> None:
    """Widths, heights, the frozen header, the cell to begin at, and paper: A4 across, as wide as the page.

    `header` are the first and the last row of the table's header: it is repeated on every page.
    """
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    _fit_heights(sheet, widths)
    if header:
        sheet.freeze_panes = sheet.cell(header[1] + 1, 2)
        sheet.print_title_rows = f"{header[0]}:{header[1]}"
    selection = sheet.sheet_view.selection[-1]  # the pane below and right of the frozen ones
    selection.activeCell = selection.sqref = start
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, int(one_page)
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom, margins.footer = 0.5, 0.7, 0.3
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P/&N"


def _fit_heights(sheet: Any, widths: Sequence[int]) -> None:
    """Every row as high as its longest wrapped text; a merged text counts the widths that it stands over."""
    spans = {(area.min_row, area.min_col): area for area in sheet.merged_cells.ranges}
    for cells in sheet.iter_rows(max_col=len(widths)):
        most = 1.0
        for cell in cells:
            if not isinstance(cell.value, str):
                continue
            if not cell.alignment.wrap_text:
                most = max(most, (cell.font.size or 11) / 11)
                continue
            area = spans.get((cell.row, cell.column))
            last, rows = (area.max_col, area.max_row - area.min_row + 1) if area else (cell.column, 1)
            scale = (cell.font.size or 11) / 11
            most = max(most, _lines(cell.value, sum(widths[cell.column - 1 : last]) / scale) * scale / rows)
        sheet.row_dimensions[cells[0].row].height = most * _LINE_POINTS + 4


def steady(book: bytes) -> bytes:
    """The workbook without the moment at which it was saved: what says the same has the same bytes."""
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(found, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(part.filename), content, zipfile.ZIP_DEFLATED)
    return found.getvalue()
