"""The members table as a file (N4): CSV or Excel, every mistake in it found before any of it is used (L2)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei.errors import Problem, RenkeiError
from renkei.notifications.members.checks import cell_problems, duplicates, line_conflicts, quotable, shared_webhook
from renkei.notifications.members.table import LABELS, completed

if TYPE_CHECKING:
    import pandas as pd

BYTES_MOST, UNPACKED_MOST = 20_000_000, 200_000_000
ROWS_MOST = 200_000
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
    import pandas as pd

    try:
        rows = _excel_rows(content) if name.lower().endswith((".xlsx", ".xlsm")) else _csv_rows(content)
        table, problems, warnings = _columns(rows, name)
    except _UnreadableError as error:
        where = f"{name} {error.row}行目" if error.row else name
        return MembersFile(pd.DataFrame(columns=["user_id"]), (Problem(where, error.found, error.remedy),))
    problems += cell_problems(table, name, allowed) + duplicates(table, name)
    whole = completed(table, current)
    if not problems:
        problems += line_conflicts(table, whole, linked or {}, name)
    problems.sort(key=lambda p: int(found[1]) if (found := re.search(r" (\d+)行目", p.where)) else 0)
    warnings += shared_webhook(table, name)
    return MembersFile(table.iloc[:0] if problems else table, tuple(problems), tuple(warnings))


# --- bytes to rows: the number that the spreadsheet shows, and the cells


def _csv_rows(content: bytes) -> list[list[str]]:
    if len(content) > BYTES_MOST:
        raise _UnreadableError(f"ファイルが{BYTES_MOST:,}バイトを超えています", "社員の行だけを残してください")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _UnreadableError(
            "名前はCSVですが、中身はExcelブックです", "拡張子を .xlsx にするか、CSVで保存し直してください"
        )
    text = _decoded(content)
    if "\0" in text:
        raise _UnreadableError("CSVではありません", "Excelで「CSV UTF-8(コンマ区切り)」として保存し直してください")
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",", strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error:
        raise _UnreadableError(
            '引用符(")の数が合わないなど、CSVとして読めません',
            "この行の引用符とコンマを確かめてください",
            len(rows) + 1,
        ) from None
    return rows


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


def _excel_rows(content: bytes) -> list[list[str]]:
    from openpyxl import load_workbook

    save_again = "Excelで開き、「Excelブック(.xlsx)」として保存し直してください"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if max(len(content) - BYTES_MOST, unpacked - UNPACKED_MOST) > 0:
            raise _UnreadableError("ファイルが大きすぎます", "社員の行だけを残してください")
        book = load_workbook(io.BytesIO(content), read_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size need not be true
        rows = [[_cell_text(cell) for cell in row] for row in sheet.iter_rows(max_row=ROWS_MOST + 2)]
        book.close()
    except _UnreadableError:
        raise
    except Exception:  # openpyxl and zipfile raise whatever a damaged file makes them trip over
        raise _UnreadableError("Excelブックではありません、または壊れています", save_again) from None
    return rows


def _cell_text(cell: Any) -> str:
    """A cell as the spreadsheet shows it; a formula is left as one, to be refused."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(getattr(value, "text", value))
    if value != int(value):
        return str(value)
    if abs(value) > 10**15:  # Excel itself has only 15 digits of it
        return f"{value:.5E}"
    shown = str(int(value))
    return shown.zfill(len(cell.number_format)) if re.fullmatch("0+", str(cell.number_format)) else shown


# --- rows to columns


def _columns(rows: list[list[str]], name: str) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """The known columns, indexed by the row's number, trimmed (E22); empty rows are left out."""
    import pandas as pd

    width = max(map(len, rows), default=0)
    grid = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], index=range(1, len(rows) + 1), dtype="str")
    for column in grid:
        grid[column] = grid[column].map(_trimmed)
    grid = grid[(grid != "").any(axis=1)]
    if len(grid) < 2:
        raise _UnreadableError("社員の行がありません", "1行目に見出し、2行目から社員を入力してください")
    if len(grid) > ROWS_MOST:
        raise _UnreadableError(f"社員が{ROWS_MOST:,}行を超えています", "余分な行を削除してください")
    head, grid = grid.iloc[0], grid.iloc[1:]
    places: dict[str, list[Any]] = {}
    warnings = []
    for column, title in head.items():
        key = _HEADERS.get(_folded(title))
        if key:
            places.setdefault(key, []).append(column)
        elif _folded(title) != _folded(LINKED_LABEL) and (title or grid[column].ne("").any()):
            found = f"列「{quotable(title)}」は使いません" if title else "見出しの無い列に値があります"
            known = "、".join(LABELS.values())
            warnings.append(Problem(f"{name} {head.name}行目", found, f"使う列は {known} です。余分な列は無視しました"))
    if "user_id" not in places:
        raise _UnreadableError(
            "見出し「ユーザID」の列がありません", "1行目を見出しの行にし、ユーザIDの列を加えてください"
        )
    problems = [
        Problem(f"{name} {head.name}行目", f"「{LABELS[key]}」の列が{len(columns)}つあります", "1つにしてください")
        for key, columns in places.items()
        if len(columns) > 1
    ]
    return pd.DataFrame({key: grid[columns[0]] for key, columns in places.items()}), problems, warnings


def _folded(title: object) -> str:
    return re.sub(r"[\s_\-()]", "", unicodedata.normalize("NFKC", str(title))).casefold()


_HEADERS = {_folded(title): key for key, label in LABELS.items() for title in (label, key, *_ALIASES[key])}


def _trimmed(text: object) -> str:
    """Without blanks, zero-width characters and control characters around it (E22)."""
    return re.sub(r"^[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]+|[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]+$", "", str(text))


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
        csv.writer(text).writerows([list(named.columns), *rows])
        return text.getvalue().encode("utf-8-sig")  # Excel takes a CSV without the mark for Shift_JIS
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("社員")
    for row in [list(named.columns), *rows]:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
