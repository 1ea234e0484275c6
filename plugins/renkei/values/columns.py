"""Text columns: trimming, look-ups, digests. Whole columns at a time, never a loop over people."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.texts import BLANKS, UNSEEN_NAMES

_TEXT: Any = pd.StringDtype(na_value=float("nan"))


def arrow(column: pd.Series[str]) -> Any:
    """The column's texts as an Arrow array, without a copy; what is missing is null.

    Arrow's functions take a tenth of pandas' time on a few rows, and half of it on a million.
    """
    array = pa.array(column.array, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def arrows(table: pd.DataFrame) -> dict[str, Any]:
    """The same of each column of a table of texts."""
    return {str(name): arrow(column) for name, column in table.items()}


def series(texts: Any, index: pd.Index) -> pd.Series[str]:
    """The column of an Arrow array of texts."""
    return pd.Series(_kept(texts), index=index, copy=False)


def frame(columns: Mapping[str, Any], index: pd.Index) -> pd.DataFrame:
    """The table of Arrow arrays of texts."""
    return pd.DataFrame({name: _kept(texts) for name, texts in columns.items()}, index=index, copy=False)


def _kept(texts: Any) -> Any:
    return _TEXT.__from_arrow__(texts.cast(pa.large_string()))


def mask(where: pd.Series[bool]) -> Any:
    """A column of yes and no as an Arrow array."""
    return pa.array(where.to_numpy())


def some(where: Any) -> bool:
    """Whether an Arrow array of yes and no has any yes."""
    return bool(pc.any(where).as_py())


def count(where: Any) -> int:
    """How many yes an Arrow array of yes and no has."""
    return int(pc.sum(where, min_count=0).as_py())


def has_text(texts: Any) -> Any:
    """Where there is a text: neither missing nor blank."""
    return pc.fill_null(pc.not_equal(texts, ""), False)


def text(value: str | None) -> Any:
    """One value for Arrow's functions, of the columns' own type."""
    return pa.scalar(value, pa.large_string())


def prefixed(prefix: str, texts: Any) -> Any:
    """Each text with the prefix in front; blank stays blank, and missing missing."""
    return pc.if_else(pc.equal(texts, ""), texts, pc.binary_join_element_wise(text(prefix), texts, text("")))


def trim(column: pd.Series[str]) -> pd.Series[str]:
    """The column without surrounding blanks; missing becomes "" (E22)."""
    return series(pc.utf8_trim(pc.fill_null(arrow(column), ""), characters=BLANKS), column.index)


def is_in(column: pd.Series[str], values: Iterable[str]) -> pd.Series[bool]:
    """Where the column has one of `values`. A blank is nobody's key: it is never found, whatever `values` hold.

    pandas' own isin makes a scalar of every value and takes 20 times as long.
    """
    known = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype="str")
    return pd.Series(positions(column, known) >= 0, index=column.index)


def positions(ids: pd.Series[str], among: pd.Series[str]) -> Any:
    """Where each of `ids` first stands in `among`, from 0; -1 = nowhere, and for a blank (a NumPy array)."""
    return places(arrow(ids), arrow(among)).fill_null(-1).to_numpy(zero_copy_only=False)


def places(keys: Any, among: Any) -> Any:
    """The same of Arrow arrays, as one: missing = nowhere, and for a blank."""
    keys = pc.if_else(pc.equal(keys, ""), text(None), keys)
    if len(keys) * 4 > len(among):
        return pc.index_in(keys, value_set=among, skip_nulls=True)
    # Of many only those that are asked for: Arrow makes a hash table of what it looks in, and that takes the time.
    found = rows_where(pc.is_in(among, value_set=keys, skip_nulls=True))
    return pa.array(found).take(pc.index_in(keys, value_set=among.take(pa.array(found)), skip_nulls=True))


def first_of_each(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Of rows with one text in the column `key` the first; the table itself where there are no two, as a rule."""
    repeated = rows[key].duplicated()
    return rows[~repeated] if repeated.any() else rows


def look_up(ids: pd.Series[str], among: pd.Series[str], values: pd.Series[str]) -> pd.Series[str]:
    """Of each id the value that stands beside its first place in `among`; "" for one that is nowhere, or blank."""
    return series(pc.fill_null(arrow(values).take(places(arrow(ids), arrow(among))), ""), ids.index)


def flat(values: pd.Series[str]) -> Any:
    """The column as one Arrow array of texts whose offsets start at 0; missing becomes ""."""
    return pa.concat_arrays([pc.fill_null(arrow(values), "")])


def joined(texts: Any) -> str:
    """The texts of an Arrow array one after another."""
    array = pa.concat_arrays([texts])  # offsets that start at 0
    _, offsets, content = array.buffers()
    if content is None or not len(array):
        return ""
    return str(memoryview(content)[: int(np.frombuffer(offsets, dtype=np.int64)[len(array)])], "utf-8")


def rows_where(where: Any) -> Any:
    """The row numbers (NumPy) at which a boolean Arrow array is true."""
    return np.flatnonzero(where.to_numpy(zero_copy_only=False))


def shown(character: str) -> str:
    """A character for a message, with its code point: 「髙」(U+9AD9); one that shows nothing by its name: 改行(U+000A)."""
    code = f"U+{ord(character):04X}"
    if unicodedata.category(character)[0] not in "CMZ":
        return f"「{character}」({code})"
    return f"{UNSEEN_NAMES[character]}({code})" if character in UNSEEN_NAMES else code


def constant(value: str, like: pd.DataFrame) -> pd.Series[str]:
    return series(pa.repeat(text(value), len(like)), like.index)


def digest(table: pd.DataFrame, sort_by: str, where: pd.Series[bool] | None = None) -> str:
    """SHA-256 of a table of texts, or of those of its rows: the same for the same rows in any order (E14)."""
    rows = pa.array(np.arange(len(table)) if where is None else np.flatnonzero(where))
    order = rows.take(pc.sort_indices(arrow(table[sort_by]).take(rows)))
    sha = hashlib.sha256()
    for name in sorted(table.columns):
        array = pc.fill_null(arrow(table[name]), "\0").take(order)
        array = cast("pa.LargeStringArray", pa.concat_arrays([array]))  # offsets that start at 0
        sha.update(f"{name}\0{len(array)}\0".encode())
        for buffer in array.buffers()[1:]:
            sha.update(memoryview(buffer) if buffer is not None else b"")
    return sha.hexdigest()
