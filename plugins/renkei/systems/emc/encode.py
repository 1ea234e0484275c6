"""A plan's rows as the bytes of EMC's import file, by column."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.systems.emc.file_format import EmcFormat

if TYPE_CHECKING:
    import pandas as pd

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
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv

    flags = emc_format.flags
    symbols = {"CREATE": flags.create, "UPDATE": flags.update, "DELETE": flags.delete}
    updated = rows["operation"] == "UPDATE"
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid" if emc_format.quote_all else "needed")
    out = io.BytesIO()
    header = [f'"{name}"' if emc_format.quote_all else name for name in columns.values()]
    out.write((",".join(header) + emc_format.line_end).encode(emc_format.encoding))
    for start in range(0, len(rows), BATCH_ROWS):
        batch, is_update = rows.iloc[start : start + BATCH_ROWS], updated.iloc[start : start + BATCH_ROWS]
        arrays = []
        for key in columns:
            if key == "operation":
                cells = batch[key].map(symbols)
            elif key in batch:
                cells = batch[key].mask((batch[key] == "") & is_update, emc_format.clear_marker).fillna("")
            else:
                cells = pd.Series("", index=batch.index, dtype="str")
            arrays.append(pa.array(cells, type=pa.large_string(), from_pandas=True))
        buffer = io.BytesIO()
        csv.write_csv(pa.table(arrays, names=list(columns)), buffer, options)
        text = buffer.getvalue().decode("utf-8")
        if emc_format.line_end != "\n":
            text = text.replace("\n", emc_format.line_end)  # values hold no line breaks (validate)
        out.write(text.encode(emc_format.encoding))
    return ImportFile(out.getvalue(), len(rows))
