"""Text columns: trimming, blanks, sources, digests. Whole columns at a time, never a loop over people."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.sheet.mapping import Constant, Secret, Source, Term

if TYPE_CHECKING:
    import pandas as pd

# Unicode White_Space, and the characters that show nothing (E22).
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000" + "\u200b\u200c\u200d\u2060\u180e\ufeff\u00ad\u200e\u200f"
)


def trim(column: pd.Series[str]) -> pd.Series[str]:
    """The column without surrounding blanks; missing becomes "" (E22)."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim(pa.array(column.fillna(""), type=pa.large_string(), from_pandas=True), characters=BLANKS)
    return pd.Series(pd.array(trimmed, dtype="str"), index=column.index)


def is_in(column: pd.Series[str], values: Iterable[str]) -> pd.Series[bool]:
    """Where the column has one of `values`; pandas' own isin makes a scalar of every value and takes 20 times as long."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    known = pa.array(values if isinstance(values, pd.Series) else list(values), type=text, from_pandas=True).drop_null()
    found = pc.is_in(pa.array(column, type=text, from_pandas=True), value_set=known)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=column.index)


def positions(ids: pd.Series[str], among: pd.Series[str]) -> Any:
    """Where each of `ids` stands in `among`, from 0; -1 = nowhere (a NumPy array)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    at = pc.index_in(pa.array(ids, type=text, from_pandas=True), value_set=pa.array(among, type=text, from_pandas=True))
    return at.fill_null(-1).to_numpy(zero_copy_only=False)


def flat(values: pd.Series[str]) -> Any:
    """The column as one Arrow array of texts whose offsets start at 0; missing becomes ""."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pc.fill_null(pa.array(values, type=pa.large_string(), from_pandas=True), "")
    return pa.concat_arrays([array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array])


def rows_where(where: Any) -> Any:
    """The row numbers (NumPy) at which a boolean Arrow array is true."""
    import numpy as np

    return np.flatnonzero(where.to_numpy(zero_copy_only=False))


def shown(character: str) -> str:
    """A character for a message, with its code point: 「髙」(U+9AD9); one that shows nothing by that alone."""
    code = f"U+{ord(character):04X}"
    return code if unicodedata.category(character)[0] in "CMZ" else f"「{character}」({code})"


def constant(text: str, like: pd.DataFrame) -> pd.Series[str]:
    import pandas as pd

    return pd.Series(text, index=like.index, dtype="str")


def evaluate(source: Source, table: pd.DataFrame) -> pd.Series[str]:
    """The value of `source` for each row: the first alternative that has one, trimmed, else "" (E17)."""
    value = constant("", table)
    for alternative in source.alternatives:
        joined, present = _join(alternative, table)
        value = value.mask((value == "") & present, joined)
    return trim(value)


def _join(alternative: Sequence[Term], table: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[bool]]:
    """The joined text, and where the alternative has a value at all."""
    joined = constant("", table)
    present = joined != ""
    has_field = False
    for term in alternative:
        if isinstance(term, Constant):
            joined = joined + term.text
        elif not isinstance(term, Secret):  # secrets are looked up by the loader alone (L7)
            cells = table[column_name(term)]
            joined = joined + cells
            present = present | (cells != "")
            has_field = True
    return joined, present if has_field else joined != ""


def digest(table: pd.DataFrame, sort_by: str) -> str:
    """SHA-256 of a table of texts, the same for the same rows in any order (E14)."""
    import pyarrow as pa

    ordered = table.sort_values(sort_by, kind="stable")
    sha = hashlib.sha256()
    for name in sorted(ordered.columns):
        array = pa.array(ordered[name].fillna("\0"), type=pa.large_string(), from_pandas=True)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        array = cast("pa.LargeStringArray", pa.concat_arrays([array]))  # offsets that start at 0
        sha.update(f"{name}\0{len(array)}\0".encode())
        for buffer in array.buffers()[1:]:
            sha.update(memoryview(buffer) if buffer is not None else b"")
    return sha.hexdigest()
