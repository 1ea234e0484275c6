"""Text columns: trimming, look-ups, digests. Whole columns at a time, never a loop over people."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.texts import BLANKS, UNSEEN_NAMES


def trim(column: pd.Series[str]) -> pd.Series[str]:
    """The column without surrounding blanks; missing becomes "" (E22)."""
    trimmed = pc.utf8_trim(pa.array(column.fillna(""), type=pa.large_string(), from_pandas=True), characters=BLANKS)
    return pd.Series(pd.array(trimmed, dtype="str"), index=column.index)


def is_in(column: pd.Series[str], values: Iterable[str]) -> pd.Series[bool]:
    """Where the column has one of `values`. A blank is nobody's key: it is never found, whatever `values` hold.

    pandas' own isin makes a scalar of every value and takes 20 times as long.
    """
    known = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype="str")
    return pd.Series(positions(column, known) >= 0, index=column.index)


def positions(ids: pd.Series[str], among: pd.Series[str]) -> Any:
    """Where each of `ids` first stands in `among`, from 0; -1 = nowhere, and for a blank (a NumPy array)."""
    text = pa.large_string()
    keys = pa.array(ids, type=text, from_pandas=True)
    at = pc.index_in(keys, value_set=pa.array(among, type=text, from_pandas=True))
    return pc.if_else(pc.equal(keys, ""), -1, at).fill_null(-1).to_numpy(zero_copy_only=False)


def look_up(ids: pd.Series[str], among: pd.Series[str], values: pd.Series[str]) -> pd.Series[str]:
    """Of each id the value that stands beside its first place in `among`; "" for one that is nowhere, or blank."""
    found = values.array.take(positions(ids, among), allow_fill=True)
    return pd.Series(found, index=ids.index, dtype="str").fillna("")


def flat(values: pd.Series[str]) -> Any:
    """The column as one Arrow array of texts whose offsets start at 0; missing becomes ""."""
    array = pc.fill_null(pa.array(values, type=pa.large_string(), from_pandas=True), "")
    return pa.concat_arrays([array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array])


def rows_where(where: Any) -> Any:
    """The row numbers (NumPy) at which a boolean Arrow array is true."""
    return np.flatnonzero(where.to_numpy(zero_copy_only=False))


def shown(character: str) -> str:
    """A character for a message, with its code point: 「髙」(U+9AD9); one that shows nothing by its name: 改行(U+000A)."""
    code = f"U+{ord(character):04X}"
    if unicodedata.category(character)[0] not in "CMZ":
        return f"「{character}」({code})"
    return f"{UNSEEN_NAMES[character]}({code})" if character in UNSEEN_NAMES else code


def constant(text: str, like: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(text, index=like.index, dtype="str")


def digest(table: pd.DataFrame, sort_by: str) -> str:
    """SHA-256 of a table of texts, the same for the same rows in any order (E14)."""
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
