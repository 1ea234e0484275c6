"""The customer's own workbook with the bad cells coloured and commented, and a list of all problems in front (L8)."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings as python_warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import openpyxl
from openpyxl.styles import Color, PatternFill
from openpyxl.utils import range_boundaries

from renkei.errors import MappingError, Problem
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.book import Book
from renkei.sheets.workbook.container import check_container
from renkei.sheets.workbook.package import plain_copy
from renkei.sheets.workbook.xml_text import decoded
from renkei.texts import fold

RESULT = "確認結果"
ERROR, WARNING = "誤り", "注意"
COLOURS = {ERROR: "FFFF8080", WARNING: "FFFFFF66"}
MAX_REACHED = 200_000  # cells that merged cells, links, comments … may cover: openpyxl makes each of them
_HARMLESS = ("dimension", "autoFilter", "sortState", "sortCondition")  # of these it makes none
_COLUMNS, _ROWS = 16_384, 1_048_576
_TITLE = "連携設定シートの確認結果"
_HEAD, _RULE = "【確認結果】", "\n────────────\n"
_ALONE = "元のブックは写せないため、この一覧だけをお渡しします。元のブックを直してください。"
_CELL = re.compile(r"([A-Z]{1,3}[1-9]\d{0,6})(?::[A-Z]{1,3}[1-9]\d{0,6})?")
_TEXT = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>[^<]*")
_KEPT = b"xx005F_005F_"  # which it makes `x005F_`
_HEADER_ROW = 5
_RECORD = 6  # the hidden column that remembers what a marked cell looked like
_NOT_KEPT = (
    ("マクロ", re.compile(r"xl/vbaProject"), None),
    ("ボタンなどの部品", re.compile(r"xl/(activeX|ctrlProps)/"), None),
    ("埋め込んだファイル", re.compile(r"xl/embeddings/"), None),
    ("スライサー", re.compile(r"xl/slicers/"), None),
    ("画像", re.compile(r"xl/media/"), None),
    ("図形", re.compile(r"xl/drawings/drawing"), re.compile(rb"<(xdr:)?(sp|grpSp|cxnSp)[ >]")),
    ("グラフの一部の書式", re.compile(r"xl/charts/"), None),
    ("一部の入力規則と条件付き書式", re.compile(r"xl/worksheets/sheet"), re.compile(rb"<x14:(data|cond|spark)")),
)


@dataclass(frozen=True, slots=True)
class _Finding:
    """One problem and where it stands in the workbook: `title` of the worksheet and `cell`, as far as it names them."""

    kind: str
    problem: Problem
    title: str = ""
    cell: str = ""


def mark(
    content: bytes,
    problems: Sequence[Problem],
    warnings: Sequence[Problem],
    titles: Mapping[str, Sequence[str]],
) -> bytes:
    """The workbook with a first worksheet 確認結果, bad cells red and doubtful ones yellow, each with a comment.

    `content` is what the problems were found in, `titles` what each worksheet may be called (as for `grids`).
    What the reader refuses to open, or openpyxl cannot copy, is not opened here either: the list then stands alone and
    says so. A copy that is checked again gives the same problems; marked again, it loses its earlier marks first. The
    problems' texts are taken as they are.
    """
    told = ((ERROR, problems), (WARNING, warnings))
    try:
        readable = check_container(content, "")
        _check_reach(content, readable)
        book = _load(content, readable)
        return _marked(
            book, [_place(book, kind, p, titles) for kind, ps in told for p in ps], _not_copied(book, content)
        )
    except Exception:  # whatever openpyxl trips over, the list is owed all the same
        return _marked(drawing.new_book(), [_Finding(kind, p) for kind, ps in told for p in ps], _ALONE)


def mark_alone(*given: Any) -> tuple[bytes, None]:
    """As `mark`, for the child process of `sheets/bounded.WorkbookMarker`."""
    return mark(*given), None


def _marked(book: Any, findings: Sequence[_Finding], note: str) -> bytes:
    _unmark(book)
    _list(book, findings, _mark_cells(book, findings), note)
    file = io.BytesIO()
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        book.save(file)
    return file.getvalue()


def _not_copied(book: Any, content: bytes) -> str:
    """What of the customer's workbook is not in the copy, and what keeps the customer from mending it."""
    notes = []
    if lost := _lost(content):
        notes.append(f"この写しには、元のブックの{'、'.join(lost)}は入っていません。")
    if locked := [sheet.title for sheet in book.worksheets if sheet.protection.sheet]:
        names = "、".join(f"「{title}」" for title in locked)
        notes.append(f"{names}は保護されています。直すときは、校閲タブの「シート保護の解除」を押してください。")
    return "".join(notes)


def _load(content: bytes, readable: Collection[str]) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        worksheets = len(Book(archive, readable).worksheets)
    for copy in (False, True):
        for links in (True, False):
            with contextlib.suppress(Exception):  # whatever openpyxl trips over
                book = _opened(_guarded(plain_copy(content, readable) if copy else content), keep_links=links)
                if len(book.worksheets) >= worksheets:  # it passes over what it does not find
                    return book
    raise MappingError([])


def _guarded(content: bytes) -> bytes:
    """The workbook with all escapes left when openpyxl has taken every `x005F_` out of its texts."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if not any(b"x005F_" in part for part in parts.values()):
        return content
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as copy:
        for name, part in parts.items():
            is_taken = name.lower().startswith(("xl/worksheets/", "xl/sharedstrings"))
            copy.writestr(name, _TEXT.sub(lambda text: text[0].replace(b"x005F_", _KEPT), part) if is_taken else part)
    return file.getvalue()


def _opened(content: bytes, *, keep_links: bool) -> Any:
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # what openpyxl leaves out is told in the list
        return openpyxl.load_workbook(io.BytesIO(content), rich_text=True, keep_links=keep_links)


def _check_reach(content: bytes, readable: Collection[str]) -> None:
    """Refuses what the reader refuses to open, and ranges over more cells than a sheet can need.

    Raises:
        MappingError: the content would fill the memory, or is no workbook.
    """
    reach = 0

    def count(name: str, attributes: dict[str, str]) -> None:
        nonlocal reach
        if "ref" not in attributes or name.rpartition(":")[2] in _HARMLESS:
            return
        try:
            left, top, right, bottom = range_boundaries(attributes["ref"])
        except (TypeError, ValueError):  # no range at all
            return
        reach += ((right or _COLUMNS) - (left or 1) + 1) * ((bottom or _ROWS) - (top or 1) + 1)
        if reach > MAX_REACHED:
            raise MappingError([])

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in readable:
            parser = expat.ParserCreate()
            parser.StartElementHandler = count
            parser.Parse(archive.read(member), True)


def _lost(content: bytes) -> list[str]:
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for what, name, inside in _NOT_KEPT:
            members = [member for member in archive.namelist() if name.match(member)]
            if any(inside is None or inside.search(archive.read(member)) for member in members):
                found.append(what)
    return found


def _place(book: Any, kind: str, problem: Problem, titles: Mapping[str, Sequence[str]]) -> _Finding:
    """Finds the worksheet that `where` means: by its proper name it may have another title in this workbook."""
    left, mark_, cell = problem.where.rpartition("!")
    match = _CELL.fullmatch(cell) if mark_ else None
    named = left if match else problem.where
    there = [sheet.title for sheet in book.worksheets]
    for name in sorted({*titles, *there}, key=len, reverse=True):
        if named == name or named.endswith(f" {name}"):
            title = _title(titles.get(name, (name,)), there)
            return _Finding(kind, problem, title, match[1] if match and title else "")
    return _Finding(kind, problem)


def _title(names: Sequence[str], there: Sequence[str]) -> str:
    """The title of the worksheet that the reader takes for one of these names."""
    return next((title for name in names for title in there if fold(decoded(title)) == fold(name)), "")


def _mark_cells(book: Any, findings: Sequence[_Finding]) -> dict[tuple[str, str], tuple[str, str]]:
    """Colours and comments the cells. Gives the marked cell of each place, and its fill as it was."""
    by_cell: dict[tuple[str, str], list[_Finding]] = {}
    for finding in findings:
        if finding.cell:
            by_cell.setdefault((finding.title, _top_left(book[finding.title], finding.cell)), []).append(finding)
    looks: dict[tuple[str, str], tuple[str, str]] = {}
    for (title, at), found in by_cell.items():
        cell = book[title][at]
        looks |= {(title, finding.cell): (at, _look(cell)) for finding in found}
        _fill(cell, COLOURS[ERROR if any(f.kind == ERROR for f in found) else WARNING])
        text = "\n".join(f"{f.kind}: {f.problem.found}\n直し方: {f.problem.remedy}" for f in found)
        own = f"{_RULE}{decoded(cell.comment.text)}" if cell.comment else ""
        drawing.note(cell, f"{_HEAD}\n{text}{own}")
    return looks


def _top_left(sheet: Any, cell: str) -> str:
    """The only cell of a merged one that can be written to."""
    area = next((area for area in sheet.merged_cells.ranges if cell in area), None)
    return str(area.start_cell.coordinate) if area else cell


def _fill(cell: Any, colour: str) -> None:
    cell.fill = PatternFill("solid", fgColor=colour)


def _look(cell: Any) -> str:
    """The fill of a cell as a text that `_restore` understands."""
    fill = cell.fill
    if getattr(fill, "fill_type", None) is None or not hasattr(fill, "fgColor"):
        return ""
    colours = [(colour.type, colour.value, colour.tint) for colour in (fill.fgColor, fill.bgColor)]
    return json.dumps([fill.fill_type, *colours])


def _restore(cell: Any, look: str) -> None:
    try:
        kind, *colours = json.loads(look)
        made: Any = Color
        first, second = (made(**{str(key): value, "tint": tint}) for key, value, tint in colours)
        cell.fill = PatternFill(kind, fgColor=first, bgColor=second)
    except (TypeError, ValueError):  # it had no fill, or somebody wrote into the hidden column
        cell.fill = PatternFill()


def _unmark(book: Any) -> None:
    """Takes the marks of an earlier copy away, and its list."""
    looks: dict[tuple[str, str], str] = {}
    for sheet in [one for one in book.worksheets if one.title.startswith(RESULT) and _text(one["A1"]) == _TITLE]:
        for row in sheet.iter_rows(min_row=_HEADER_ROW + 1, max_col=_RECORD):
            at, _, look = _text(row[_RECORD - 1]).partition(" ")
            looks.setdefault((_text(row[1]), at), look)
        book.remove(sheet)
    if not looks:
        return
    for sheet in book.worksheets:
        for cell in list(sheet._cells.values()):
            if not hasattr(cell, "comment"):
                continue
            if getattr(cell.fill, "fgColor", None) is not None and cell.fill.fgColor.value in COLOURS.values():
                _restore(cell, looks.get((sheet.title, cell.coordinate), ""))
            if cell.comment and cell.comment.text.startswith(_HEAD):
                own = cell.comment.text.partition(_RULE)[2]
                cell.comment = None
                if own:
                    drawing.note(cell, decoded(own))


def _text(cell: Any) -> str:
    return "" if cell.value is None else decoded(str(cell.value))


def _list(book: Any, findings: Sequence[_Finding], looks: dict[tuple[str, str], tuple[str, str]], lost: str) -> None:
    sheet = book.create_sheet(RESULT, 0)
    drawing.heading(sheet, 1, _TITLE, size=14)
    errors = sum(finding.kind == ERROR for finding in findings)
    drawing.remark(sheet, 2, f"{ERROR} {errors}件、{WARNING} {len(findings) - errors}件。{_advice(errors, findings)}")
    drawing.remark(sheet, 3, lost)
    drawing.line(sheet, _HEADER_ROW, ("区分", "シート", "セル", "内容", "直し方"), drawing.HEADER, bold=True)
    for number, finding in enumerate(findings, _HEADER_ROW + 1):
        at, look = looks.get((finding.title, finding.cell), ("", ""))
        texts = (finding.kind, finding.title, finding.cell, finding.problem.found, finding.problem.remedy)
        drawing.line(sheet, number, texts)
        drawing.dress(sheet.cell(number, 1), COLOURS[finding.kind])
        drawing.put(sheet, number, _RECORD, f"{at} {look}" if at else "")
        if finding.title:
            target = sheet.cell(number, 3 if finding.cell else 2)
            drawing.jump(target, finding.title, finding.cell or "A1")
    drawing.finish(sheet, (8, 18, 10, 60, 62), header=(_HEADER_ROW,) * 2)
    sheet.column_dimensions["F"].hidden = True
    sheet.print_area = f"A1:E{_HEADER_ROW + max(1, len(findings))}"
    for other in book.worksheets:  # two selected worksheets would both take what is typed into one
        other.sheet_view.tabSelected = other is sheet
    book.active = 0
    for each in book.worksheets:
        for cell in list(each._cells.values()):
            if getattr(cell, "comment", None):
                drawing.fit_note(cell.comment)


def _advice(errors: int, findings: Sequence[_Finding]) -> str:
    if errors:
        return (
            "赤いセルを直し、黄色のセルを確かめて、もう一度確認してください。セルの番地を押すと、そのセルへ移ります。"
        )
    return "誤りはありません。黄色のセルを確かめてください。" if findings else "直すところはありません。"
