"""A file's rows, with every finding that needs no look at the account."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

from simulators.emc.fileformat import Column, DataSet, FileFormat
from simulators.emc.findings import Findings

csv.field_size_limit(16 * 1024 * 1024)

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UNDECODED = re.compile(r"[\udc80-\udcff]")
PASSWORD = re.compile(r"[\x21-\x7e]+")
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
MAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{LABEL}\.)+{LABEL}")
PHONE = re.compile(r"\+?[0-9]+(?:-[0-9]+)*")


@dataclass(slots=True)
class Row:
    """One data row; `values` holds only the cells that have a value, without flag, id and clear markers."""

    line: int
    flag: str
    id: str
    values: dict[str, str]
    password: str | None = None
    cleared: list[str] = field(default_factory=list)


def count_rows(body: bytes) -> int | None:
    """Number of data rows, or None if the bytes cannot be split into rows."""
    try:
        records = sum(1 for _ in csv.reader(io.StringIO(body.decode("latin-1"), newline="")))
    except csv.Error:
        return None
    return max(records - 1, 0)


def read_rows(body: bytes, data_set: DataSet, file_format: FileFormat, findings: Findings) -> list[Row] | None:
    """The rows whose flag and id could be read, even those with findings in other cells; None for a broken file."""
    file = data_set.file
    try:
        text = body.decode(file_format.encoding)
        undecoded = False
    except UnicodeDecodeError:
        text = body.decode(file_format.encoding, errors="surrogateescape")
        undecoded = True
    broken_at = _broken_at(text, file_format)
    if broken_at is not None:
        findings.add(file, broken_at, None, "BAD_CSV")
        return None
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    if next(records, None) != data_set.header:
        findings.add(file, 0, None, "WRONG_HEADER")
        return None
    clean = not undecoded and not CONTROL.search(text.replace(file_format.newline, ""))
    checker = _RowChecker(data_set, file_format, findings)
    rows = []
    text_line = records.line_num
    for line, record in enumerate(records, start=1):
        one_line = records.line_num == text_line + 1
        text_line = records.line_num
        if len(record) != len(data_set.columns):
            findings.add(file, line, None, "WRONG_COLUMN_COUNT")
            continue
        if not (clean and one_line) and not checker.characters_allowed(line, record):
            continue
        row = checker.check(line, record)
        if row is not None:
            rows.append(row)
    return rows


def _broken_at(text: str, file_format: FileFormat) -> int | None:
    """Number of the data row at which the text stops being what the format demands, or None."""
    quoted = r'"[^"]*+(?:""[^"]*+)*+"'
    cell = quoted if file_format.quote_all else rf'(?:{quoted}|[^",\r\n]*+)'
    newline = re.escape(file_format.newline)
    whole = re.compile(f"(?:{cell}(?:,{cell})*+{newline})*+").match(text)
    end = whole.end() if whole else 0
    if end == len(text):
        return None
    return sum(1 for _ in csv.reader(io.StringIO(text[:end], newline="")))


class _RowChecker:
    def __init__(self, data_set: DataSet, file_format: FileFormat, findings: Findings) -> None:
        self.columns = data_set.columns
        self.file = data_set.file
        self.format = file_format
        self.findings = findings
        self.flag_at = next(i for i, column in enumerate(self.columns) if column.kind == "flag")
        self.id_at = next(i for i, column in enumerate(self.columns) if column.kind == "id")
        self.required_at = [i for i, column in enumerate(self.columns) if column.required and column.kind != "id"]
        self.seen: dict[str, str] = {}  # flag of the last row, by id

    def characters_allowed(self, line: int, record: list[str]) -> bool:
        allowed = True
        for column, cell in zip(self.columns, record, strict=True):
            if UNDECODED.search(cell):
                self.findings.add(self.file, line, column.name, "BAD_ENCODING")
                allowed = False
            elif CONTROL.search(cell):
                self.findings.add(self.file, line, column.name, "BAD_CHARACTER")
                allowed = False
        return allowed

    def check(self, line: int, record: list[str]) -> Row | None:
        """The row, or None if its flag or id is unusable (which is then among the findings)."""
        flag, row_id = record[self.flag_at], record[self.id_at]
        id_column = self.columns[self.id_at]
        usable = True
        if flag not in (self.format.add, self.format.update, self.format.delete):
            self._add(line, self.columns[self.flag_at], "BAD_FLAG")
            usable = False
        if not row_id.strip():
            self._add(line, id_column, "MISSING_REQUIRED")
            usable = False
        elif row_id == self.format.clear_marker:
            self._add(line, id_column, "CLEAR_NOT_ALLOWED")
            usable = False
        elif row_id in self.seen and not self._replaces(row_id, flag):
            self._add(line, id_column, "REPEATED_ID")
            usable = False
        elif len(row_id) > id_column.max_length > 0:
            self._add(line, id_column, "TOO_LONG")
        self.seen[row_id] = flag
        row = Row(line, flag, row_id, {})
        self._read_cells(row, record)
        return row if usable else None

    def _replaces(self, row_id: str, flag: str) -> bool:
        """A user may be deleted and added anew by one file, in that order."""
        return self.file == "users" and (self.seen[row_id], flag) == (self.format.delete, self.format.add)

    def _read_cells(self, row: Row, record: list[str]) -> None:
        deleting, adding = row.flag == self.format.delete, row.flag == self.format.add
        for position, cell in enumerate(record):
            if not cell or position in (self.flag_at, self.id_at):
                continue
            column = self.columns[position]
            if deleting:
                self._add(row.line, column, "NOT_EMPTY_ON_DELETE")
            elif column.kind == "password" and not adding:
                self._add(row.line, column, "PASSWORD_NOT_ALLOWED")
            elif cell == self.format.clear_marker:
                if adding or column.required:
                    self._add(row.line, column, "CLEAR_NOT_ALLOWED")
                else:
                    row.cleared.append(column.name)
            else:
                self._check_cell(row.line, column, cell)
                if column.kind == "password":
                    row.password = cell
                else:
                    row.values[column.name] = cell
        if not deleting:
            for position in self.required_at:
                # Blank characters are no value; an empty cell of an update leaves the value as it is.
                if not record[position].strip() and (adding or record[position]):
                    self._add(row.line, self.columns[position], "MISSING_REQUIRED")

    def _check_cell(self, line: int, column: Column, cell: str) -> None:
        if len(cell) > column.max_length > 0:
            self._add(line, column, "TOO_LONG")
        if column.kind == "choice" and cell not in self.format.choices:
            self._add(line, column, "BAD_CHOICE")
        elif column.kind == "medium" and cell not in self.format.media:
            self._add(line, column, "BAD_MEDIUM")
        elif column.kind == "password" and not PASSWORD.fullmatch(cell):
            self._add(line, column, "BAD_PASSWORD")

    def _add(self, line: int, column: Column, code: str) -> None:
        self.findings.add(self.file, line, column.name, code)


def address_code(file_format: FileFormat, medium: str, address: str) -> str | None:
    """The code of what is wrong with an address for its medium, or None."""
    if medium == file_format.mail and not MAIL.fullmatch(address):
        return "BAD_MAIL_ADDRESS"
    if medium == file_format.phone:
        digits = sum(char.isdigit() for char in address)
        if not PHONE.fullmatch(address) or not 10 <= digits <= 15:
            return "BAD_PHONE_NUMBER"
    return None
