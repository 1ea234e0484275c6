"""A plan's rows as the bytes of EMC's import file, by column."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from renkei.systems.emc.file_format import EmcFormat

BATCH_ROWS = 100_000  # bounds the memory of transcoding


@dataclass(frozen=True, slots=True)
class ImportFile:
    """One file of an import; `repr` hides the content, which holds personal data."""

    content: bytes
    rows: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def __repr__(self) -> str:
        return f"ImportFile(rows={self.rows}, bytes={len(self.content)})"


def encode(rows: pd.DataFrame, columns: Mapping[str, str], emc_format: EmcFormat) -> ImportFile:
    """The file for `rows`: `operation` (CREATE, UPDATE, DELETE) and item columns, in file order.

    A missing cell leaves what EMC has; an empty text in an UPDATE clears it. Item columns that the
    frame lacks are left alone. Every value must be encodable (validate sees to that).
    """
    flags = emc_format.flags
    symbols = {"CREATE": flags.create, "UPDATE": flags.update, "DELETE": flags.delete}
    encoder = codecs.getincrementalencoder(emc_format.encoding)()  # one byte order mark, if any
    out = io.BytesIO()
    out.write(encoder.encode(_lines(pa.table({key: [header] for key, header in columns.items()}), emc_format)))
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows.iloc[start : start + BATCH_ROWS]
        clears = pa.array((batch["operation"] == "UPDATE").to_numpy())
        cells = dict.fromkeys(columns, pa.repeat("", len(batch)))
        for key in columns:
            if key in batch:
                values = pa.array(batch[key].array, type=pa.large_string(), from_pandas=True)
                cleared = pc.and_(clears, pc.equal(values, ""))
                cells[key] = pc.fill_null(pc.if_else(cleared, emc_format.clear_marker, values), "")
        cells["operation"] = pa.array(batch["operation"].map(symbols).array)
        out.write(encoder.encode(_lines(pa.table(cells), emc_format)))
    return ImportFile(out.getvalue(), len(rows))


def _lines(table: pa.Table, emc_format: EmcFormat) -> str:
    """The table's rows as CSV; values hold no line breaks (validate sees to that)."""
    if not emc_format.quote_all:
        text: str = table.to_pandas().to_csv(header=False, index=False, lineterminator=emc_format.line_end)
        return text
    # Arrow writes a million rows in a second, but only with every value quoted.
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid", eol=emc_format.line_end)
    buffer = io.BytesIO()
    arrow_csv.write_csv(table, buffer, options)
    return buffer.getvalue().decode("utf-8")
