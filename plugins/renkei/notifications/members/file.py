"""The members table as a file (N4): CSV or Excel, every mistake in it found before any of it is used (L2)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from renkei.errors import Problem, RenkeiError
from renkei.notifications.members.checks import cell_problems, duplicates, line_conflicts, quotable, shared_webhook
from renkei.notifications.members.table import LABELS, completed
from renkei.sheets.findings import Findings
from renkei.sheets.table_file import guarded, unguarded
from renkei.sheets.workbook import kind
from renkei.sheets.workbook.book import Book, Found, Layout
from renkei.sheets.workbook.kind import told_of_text
from renkei.sheets.workbook.xml_text import encoded
from renkei.texts import trim

MAX_BYTES, MAX_UNPACKED = 20_000_000, 200_000_000
MAX_ROWS, MAX_COLUMNS = 200_000, 200
MAX_CELL = 32_767  # characters, as in Excel
LINKED_LABEL = "LINE連携"  # written by an export for its reader, and no news in an import
_ALIASES = {
    "user_id": ("ユーザーID", "userid", "EMCユーザID", "EmergencyCallユーザID"),
    "lineworks_id": ("LINE WORKS", "LINE WORKSユーザーID", "LINE WORKSユーザID", "LINE WORKSアカウント"),
    "slack_member_id": ("Slack", "Slack ID", "slackmemberid", "SlackユーザーID", "SlackユーザID"),
    "google_chat_webhook": ("Google Chat", "Google Chat Webhook URL", "Google ChatのWebhook", "Google Chat URL"),
    "line_user_id": ("LINEユーザID", "LINE ID", "lineuserid"),
}


@dataclass(frozen=True, slots=True)
class MembersFile:
    """What was read. `frame` has the columns that the file has, no row where there is a problem."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class _UnreadableError(RenkeiError):
    """The file as a whole is of no use: what was found, and the remedy."""

    def __init__(self, found: str, remedy: str, row: int = 0) -> None:
        super().__init__(found)
        self.found, self.remedy, self.row = found, remedy, row


def read_members(
    content: bytes,
    name: str,
    current: pd.DataFrame,
    linked: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
) -> MembersFile:
    """The members in a file called `name`, and everything wrong with it by the row that a spreadsheet shows.

    `current` is the table so far (what a column that the file lacks is taken from), `linked` the LINE ids linked
    by login (user id → LINE id), `allowed` the operator's stand-in hosts.
    """
    try:
        findings = Findings()
        is_excel = name.lower().endswith((".xlsx", ".xlsm"))
        rows = _excel_rows(content, name, findings) if is_excel else _csv_rows(content)
        table = _columns(rows, name, findings)
    except _UnreadableError as error:
        where = f"{name} {error.row}行目" if error.row else name
        return MembersFile(pd.DataFrame(columns=["user_id"]), (Problem(where, error.found, error.remedy),))
    findings.add_elsewhere([*cell_problems(table, name, allowed), *duplicates(table, name)])
    whole, problems = completed(table, current), findings.problems
    if not problems:
        problems += line_conflicts(table, whole, linked or {}, name)
    problems.sort(key=lambda p: int(found[1]) if (found := re.search(r" (\d+)行目", p.where)) else 0)
    findings.warnings += shared_webhook(table, name)
    return MembersFile(table.iloc[:0] if problems else table, tuple(problems), tuple(findings.warnings))


# --- bytes to rows: the number that the spreadsheet shows, and the cells


def _csv_rows(content: bytes) -> list[list[str]]:
    if len(content) > MAX_BYTES:
        raise _UnreadableError(f"ファイルが{MAX_BYTES:,}バイトを超えています", "社員の行だけを残してください")
    if what := told_of_text(content):
        raise _UnreadableError(
            f"名前はCSVですが、中身は{what}",
            "拡張子を元に戻し、Excelで「Excelブック(.xlsx)」かCSVで保存し直してください",
        )
    text = _decoded(content)
    if "\0" in text:
        raise _UnreadableError("CSVではありません", "Excelで「CSV UTF-8(コンマ区切り)」として保存し直してください")
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
            raise _UnreadableError("長すぎるセルがあります", "セルの内容を確かめてください", len(rows) + 1) from None
        raise _UnreadableError(
            '引用符(")の数が合わないなど、CSVとして読めません',
            "この行の引用符とコンマを確かめてください",
            len(rows) + 1,
        ) from None
    return rows


def _bound(number: int, is_wide: bool) -> None:
    """Raises: _UnreadableError: row `number` is one too many, or too wide."""
    if number > MAX_ROWS + 1:
        raise _UnreadableError(f"社員が{MAX_ROWS:,}行を超えています", "余分な行を削除してください")
    if is_wide:
        raise _UnreadableError(f"{MAX_COLUMNS}列を超えています", "余分な列を削除してください", number)


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _UnreadableError(
        "文字コードがUTF-8でもShift_JISでもありません", "Excelで「CSV UTF-8(コンマ区切り)」として保存し直してください"
    )


def _excel_rows(content: bytes, name: str, findings: Findings) -> list[list[str]]:
    """The rows of the first worksheet to be seen, each cell as Excel shows it; `findings` gets the faults of our columns."""
    save_again = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
    if told := kind.told(content):
        raise _UnreadableError(told.found, told.remedy_for(name))
    rows: list[list[str]] = []
    faults: list[tuple[int, int, Found]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if max(len(content) - MAX_BYTES, unpacked - MAX_UNPACKED) > 0:
                raise _UnreadableError("ファイルが大きすぎます", "社員の行だけを残してください")
            book = Book(archive, archive.namelist())
            shown = next((sheet for sheet in book.worksheets if not sheet.hidden), book.worksheets[0])
            for number, cells in book.rows(shown, Layout()):
                _bound(number, any(column >= MAX_COLUMNS for column, _ in cells))
                rows += [[] for _ in range(number - len(rows))]
                for column, found in cells:
                    rows[-1] += [""] * (column + 1 - len(rows[-1]))
                    rows[-1][column] = found.text
                    faults += [(number, column, found)] if found.fault else []
    except _UnreadableError:
        raise
    except Exception:  # whatever a damaged file makes its reader trip over
        raise _UnreadableError("Excelブックではありません、または壊れています", save_again) from None
    titles = next((row for row in rows if any(row)), [])
    keys = {column: _HEADERS.get(_folded(title)) for column, title in enumerate(titles)}
    for number, column, found in faults:
        if key := keys.get(column):
            findings.problem(f"{name} {number}行目 {LABELS[key]}", found.fault, found.remedy)
    return rows


# --- rows to columns


def _columns(rows: list[list[str]], name: str, findings: Findings) -> pd.DataFrame:
    """The known columns, indexed by the row's number, trimmed (E22); empty rows are left out."""
    width = max(map(len, rows), default=0)
    grid = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], index=range(1, len(rows) + 1), dtype="str")
    for column in grid:
        grid[column] = grid[column].map(trim)
    grid = grid[(grid != "").any(axis=1)]
    if len(grid) < 2:
        raise _UnreadableError("社員の行がありません", "1行目に見出し、2行目から社員を入力してください")
    if len(grid) > MAX_ROWS:
        raise _UnreadableError(f"社員が{MAX_ROWS:,}行を超えています", "余分な行を削除してください")
    head, grid = grid.iloc[0], grid.iloc[1:]
    places: dict[str, list[Any]] = {}
    for column, title in head.items():
        key = _HEADERS.get(_folded(title))
        if key:
            places.setdefault(key, []).append(column)
        elif _folded(title) != _folded(LINKED_LABEL) and (title or grid[column].ne("").any()):
            found = f"列「{quotable(title)}」は使いません" if title else "見出しの無い列に値があります"
            known = "、".join(LABELS.values())
            findings.warning(f"{name} {head.name}行目", found, f"使う列は {known} です。余分な列は無視しました")
    if "user_id" not in places:
        raise _UnreadableError(
            "見出し「ユーザID」の列がありません", "1行目を見出しの行にし、ユーザIDの列を加えてください"
        )
    for key, columns in places.items():
        if len(columns) > 1:
            found = f"「{LABELS[key]}」の列が{len(columns)}つあります"
            findings.problem(f"{name} {head.name}行目", found, "1つにしてください")
    return pd.DataFrame({key: grid[columns[0]] for key, columns in places.items()})


def _folded(title: object) -> str:
    return re.sub(r"[\s_\-()]", "", unicodedata.normalize("NFKC", str(title))).casefold()


_HEADERS = {_folded(title): key for key, label in LABELS.items() for title in (label, key, *_ALIASES[key])}


# --- and back


def written(table: pd.DataFrame, columns: Sequence[str], *, excel: bool) -> bytes:
    """A file of these columns of `Members.all()` that `read_members` takes back.

    Its LINE ids are what `table` has; 'LINE連携' tells the reader which of them came by login.
    """
    named = table[list(columns)].rename(columns=LABELS)
    if "linked_at" in table:
        named[LINKED_LABEL] = table["linked_at"].ne("").map({True: "ログインで連携", False: ""})
    rows: Iterator[list[str]] = ([str(value) for value in row] for row in named.itertuples(index=False))
    if not excel:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([list(named.columns), *([guarded(value) for value in row] for row in rows)])
        return text.getvalue().encode("utf-8-sig")  # Excel takes a CSV without the mark for Shift_JIS
    book = Workbook(write_only=True)
    sheet = book.create_sheet("社員")

    def cell(value: str) -> Any:
        """A text, whatever it looks like; in a cell of the format 文字列 it stays one when it is edited."""
        made = WriteOnlyCell(sheet, encoded(value))
        made.data_type, made.number_format = "s", "@"
        return made

    for row in [list(named.columns), *rows]:
        sheet.append([cell(value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
