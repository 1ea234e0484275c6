"""The members table as a file (N4): CSV or Excel, every mistake in it found before any of it is used (L2)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from renkei.errors import Problem
from renkei.notifications.members.checks import cell_problems, duplicates, line_conflicts, quotable, shared_webhook
from renkei.notifications.members.table import LABELS, completed
from renkei.sheets.findings import Findings
from renkei.sheets.rows import MAX_ROWS, Rows, UnreadableError, read_rows
from renkei.sheets.table_file import guarded
from renkei.sheets.workbook.xml_text import encoded
from renkei.texts import trim

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
        table = _columns(read_rows(content, name), name, findings)
    except UnreadableError as error:
        where = f"{name} {error.row}行目" if error.row else name
        return MembersFile(pd.DataFrame(columns=["user_id"]), (Problem(where, error.found, error.remedy),))
    findings.add_elsewhere([*cell_problems(table, name, allowed), *duplicates(table, name)])
    whole, problems = completed(table, current), findings.problems
    if not problems:
        problems += line_conflicts(table, whole, linked or {}, name)
    problems.sort(key=lambda p: int(found[1]) if (found := re.search(r" (\d+)行目", p.where)) else 0)
    findings.warnings += shared_webhook(table, name)
    return MembersFile(table.iloc[:0] if problems else table, tuple(problems), tuple(findings.warnings))


# --- rows to columns


def _columns(read: Rows, name: str, findings: Findings) -> pd.DataFrame:
    """The known columns, indexed by the row's number, trimmed (E22); empty rows are left out.

    `findings` gets what is wrong with their cells.
    """
    rows = read.rows
    keys = [_HEADERS.get(_folded(title)) for title in next((row for row in rows if any(row)), [])]
    for number, place, fault in read.faults:
        if place < len(keys) and (known_key := keys[place]):
            findings.problem(f"{name} {number}行目 {LABELS[known_key]}", fault.found, fault.remedy)
    width = max(map(len, rows), default=0)
    grid = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], index=range(1, len(rows) + 1), dtype="str")
    for column in grid:
        grid[column] = grid[column].map(trim)
    grid = grid[(grid != "").any(axis=1)]
    if len(grid) < 2:
        raise UnreadableError("社員の行がありません", "1行目に見出し、2行目から社員を入力してください")
    if len(grid) > MAX_ROWS:
        raise UnreadableError(f"社員が{MAX_ROWS:,}行を超えています", "余分な行を削除してください")
    head, grid = grid.iloc[0], grid.iloc[1:]
    places: dict[str, list[Any]] = {}
    for column, title in head.items():
        key = _HEADERS.get(_folded(title))
        if key:
            places.setdefault(key, []).append(column)
        elif _folded(title) != _folded(LINKED_LABEL) and (title or grid[column].ne("").any()):
            said = f"列「{quotable(title)}」は使いません" if title else "見出しの無い列に値があります"
            known = "、".join(LABELS.values())
            findings.warning(f"{name} {head.name}行目", said, f"使う列は {known} です。余分な列は無視しました")
    if "user_id" not in places:
        raise UnreadableError(
            "見出し「ユーザID」の列がありません", "1行目を見出しの行にし、ユーザIDの列を加えてください"
        )
    for key, columns in places.items():
        if len(columns) > 1:
            said = f"「{LABELS[key]}」の列が{len(columns)}つあります"
            findings.problem(f"{name} {head.name}行目", said, "1つにしてください")
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
