"""Tables of the store as the bytes of parquet files; imported with the first table, for parsing has no use for pyarrow."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PART = 65_536  # rows of a table that are read at once, where not all are
MANY = 1_000_000  # bytes of a table for which starting threads is worth its time
GROUP = 262_144  # rows of a table that are found at once; smaller ones make the file much larger


def read(content: bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The whole table, or of `columns` those that it has, in this order."""
    file = pq.ParquetFile(pa.BufferReader(content))
    names = _existing(columns, file.schema_arrow.names)
    return _frame(file.read(names, use_threads=len(content) > MANY).select(names))


def parts(content: bytes, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The table in parts of `PART` rows."""
    for part in pq.ParquetFile(pa.BufferReader(content)).iter_batches(PART, columns=list(columns)):
        yield _frame(pa.Table.from_batches([part]))


def page(content: bytes, start: int, stop: int) -> tuple[pd.DataFrame, int]:
    """The rows from `start` to before `stop`, and how many there are."""
    file = pq.ParquetFile(pa.BufferReader(content))
    found, begin = [file.schema_arrow.empty_table()], 0
    for part in file.iter_batches(PART):
        if begin >= stop:
            break
        found.append(pa.Table.from_batches([part[max(start - begin, 0) : stop - begin]]))
        begin += len(part)
    return _frame(pa.concat_tables(found)), file.metadata.num_rows


def find_rows(
    content: bytes, wanted: Mapping[str, Iterable[str]], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """`Store.find_rows`: where one of the columns has one of the texts wanted of it, a group of rows after another."""
    file = pq.ParquetFile(pa.BufferReader(content))
    types = {field.name: field.type for field in file.schema_arrow}
    asked = {
        name: pa.array({text for text in texts if text}, type=types[name])
        for name, texts in wanted.items()
        if name in types
    }
    shown = _existing(columns, list(types))
    found = [file.schema_arrow.empty_table().select(shown)]
    for part in range(file.num_row_groups) if asked else ():
        keys = file.read_row_group(part, columns=list(asked))
        where = functools.reduce(pc.or_, (pc.is_in(keys[name], value_set=texts) for name, texts in asked.items()))
        if pc.any(where).as_py():
            found.append(file.read_row_group(part, columns=shown).filter(where))
    return _frame(pa.concat_tables(found))


def written(frame: pd.DataFrame) -> bytes:
    """The table as a file; without statistics, for nobody reads them."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, compression="zstd", row_group_size=GROUP, write_statistics=False)
    return cast(bytes, sink.getvalue().to_pybytes())


def _existing(wanted: Sequence[str] | None, names: list[str]) -> list[str]:
    return names if wanted is None else [name for name in wanted if name in names]


def _frame(table: pa.Table) -> pd.DataFrame:
    return cast(
        "pd.DataFrame",
        table.to_pandas(
            types_mapper=lambda t: (
                pd.StringDtype(na_value=float("nan")) if pa.types.is_string(t) or pa.types.is_large_string(t) else None
            )
        ),
    )
