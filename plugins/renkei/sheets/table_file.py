"""A table of texts as a CSV to download, of which no spreadsheet runs a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_RUN = "=+-@\t\r"  # what a spreadsheet takes for the beginning of a formula, in a CSV too
BOM = "\ufeff"  # Excel takes a CSV without the mark for Shift_JIS
PART = 500  # rows of a CSV that are sent at once


def guarded(text: str) -> str:
    """The text as a CSV can hold it without a spreadsheet running it; `unguarded` gives it back."""
    return f"'{text}" if text.startswith(("'", *_RUN)) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(("'", *_RUN)) else text


def csv_parts(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The CSV (UTF-8 with BOM) in parts."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(BOM)
    for number, row in enumerate(rows, start=1):
        writer.writerow([guarded(cell) for cell in row])
        if number % PART == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode("utf-8", "replace")
    text.seek(0)
    text.truncate()
    return found
