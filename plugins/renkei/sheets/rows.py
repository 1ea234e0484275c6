"""A table that somebody made with a spreadsheet, CSV or Excel, as rows of texts; whatever it is, it is bounded."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass

from renkei.errors import RenkeiError
from renkei.sheets.table_file import unguarded
from renkei.sheets.workbook import kind
from renkei.sheets.workbook.book import Book, Layout
from renkei.sheets.workbook.kind import told_of_text

MAX_BYTES, MAX_UNPACKED = 20_000_000, 200_000_000
MAX_ROWS, MAX_COLUMNS = 200_000, 200
MAX_CELL = 32_767  # characters, as in Excel


class UnreadableError(RenkeiError):
    """The file as a whole is of no use: what was found, and the remedy."""

    def __init__(self, found: str, remedy: str, row: int = 0) -> None:
        super().__init__(found)
        self.found, self.remedy, self.row = found, remedy, row


@dataclass(frozen=True, slots=True)
class CellFault:
    """Why a cell may not be used."""

    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row from the first on: row n of the spreadsheet is `rows[n - 1]`. `faults` are rows and columns with theirs."""

    rows: list[list[str]]
    faults: list[tuple[int, int, CellFault]]


def read_rows(content: bytes, name: str) -> Rows:
    """What a file called `name` holds; of a workbook the first worksheet to be seen, each cell as Excel shows it.

    Raises:
        UnreadableError: it is no table, or too large.
    """
    is_excel = name.lower().endswith((".xlsx", ".xlsm"))
    return _excel_rows(content, name) if is_excel else Rows(_csv_rows(content), [])


def _csv_rows(content: bytes) -> list[list[str]]:
    if len(content) > MAX_BYTES:
        raise UnreadableError(f"ファイルが{MAX_BYTES:,}バイトを超えています", "社員の行だけを残してください")
    if what := told_of_text(content):
        raise UnreadableError(
            f"名前はCSVですが、中身は{what}",
            "拡張子を元に戻し、Excelで「Excelブック(.xlsx)」かCSVで保存し直してください",
        )
    text = _decoded(content)
    if "\0" in text:
        raise UnreadableError("CSVではありません", "Excelで「CSV UTF-8(コンマ区切り)」として保存し直してください")
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t", key=first.count), strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            # csv's own limit belongs to the whole process: anybody in it may have raised it.
            if max(map(len, row), default=0) > MAX_CELL:
                raise csv.Error("field limit")
            _bound(len(rows) + 1, any(row[MAX_COLUMNS:]))
            rows.append([unguarded(cell) for cell in row[:MAX_COLUMNS]])
    except csv.Error as error:
        if "field limit" in str(error):
            raise UnreadableError("長すぎるセルがあります", "セルの内容を確かめてください", len(rows) + 1) from None
        raise UnreadableError(
            '引用符(")の数が合わないなど、CSVとして読めません',
            "この行の引用符とコンマを確かめてください",
            len(rows) + 1,
        ) from None
    return rows


def _bound(number: int, is_wide: bool) -> None:
    """Raises: UnreadableError: row `number` is one too many, or too wide."""
    if number > MAX_ROWS + 1:
        raise UnreadableError(f"社員が{MAX_ROWS:,}行を超えています", "余分な行を削除してください")
    if is_wide:
        raise UnreadableError(f"{MAX_COLUMNS}列を超えています", "余分な列を削除してください", number)


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError(
        "文字コードがUTF-8でもShift_JISでもありません", "Excelで「CSV UTF-8(コンマ区切り)」として保存し直してください"
    )


def _excel_rows(content: bytes, name: str) -> Rows:
    save_again = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
    if told := kind.unreadable_kind(content):
        raise UnreadableError(told.found, told.remedy_for(name))
    rows: list[list[str]] = []
    faults: list[tuple[int, int, CellFault]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if max(len(content) - MAX_BYTES, unpacked - MAX_UNPACKED) > 0:
                raise UnreadableError("ファイルが大きすぎます", "社員の行だけを残してください")
            book = Book(archive, archive.namelist())
            shown = next((sheet for sheet in book.worksheets if not sheet.hidden), book.worksheets[0])
            for number, cells in book.rows(shown, Layout()):
                _bound(number, any(column >= MAX_COLUMNS for column, _ in cells))
                rows += [[] for _ in range(number - len(rows))]
                for column, found in cells:
                    rows[-1] += [""] * (column + 1 - len(rows[-1]))
                    rows[-1][column] = found.text
                    faults += [(number, column, CellFault(found.fault, found.remedy))] if found.fault else []
    except UnreadableError:
        raise
    except Exception:  # whatever a damaged file makes its reader trip over
        raise UnreadableError("Excelブックではありません、または壊れています", save_again) from None
    return Rows(rows, faults)
