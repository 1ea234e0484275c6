"""Characters that look wrong in texts: warnings, never errors; nothing is changed (E22).

    invisible      a character that shows nothing, inside a value
    variant        異体字: a kanji that JIS X 0208 lacks, which a file can carry and a reader may not show
    substituted    a sign that the encoding has no place for: its reader gets the one next to it (CP932: 〜 as ～)
    machine        機種依存文字: another such character (①, ㈱, 外字)
    kana_*         a reading in half-width kana, hiragana, kanji, half-width letters, small letters
    full_width     full-width letters or digits in an id or an address
    double_blank   two blanks in a row
    id_blank       a blank within an id
    id_alike       ids that differ only in capitals or width

What the encoding cannot carry is an error, and not told here.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.texts import BLANKS
from renkei.values.columns import joined, rows_where, shown
from renkei.values.convert import INVISIBLE_CHARACTER
from renkei.values.variants import in_jis_x_0208

CHARACTERS_SHOWN = 3
KINDS = (
    *("invisible", "variant", "substituted", "machine"),
    *("kana_half", "kana_hiragana", "kana_kanji", "kana_letters", "kana_lower"),
    "full_width",
)
_BLANK = "[" + "".join(f"\\x{{{ord(character):X}}}" for character in BLANKS) + "]"


def character_warnings(
    array: Any, encoding: str, *, is_reading: bool = False, is_latin: bool = False
) -> Iterator[tuple[Any, str, Any]]:
    """Doubtful characters of one column of texts: row numbers, the kind, the first characters of each row.

    `encoding` is that in which the values are sent; a reading (ヨミ) is to be in full-width katakana, and ids and
    addresses in Latin letters of half width. All the text is looked at at once, each distinct character judged once.
    """
    rows = None
    if not is_reading:  # elsewhere no ASCII character is doubtful
        rows = rows_where(pc.invert(pc.string_is_ascii(array)))
        array = array.take(pa.array(rows))
    text = joined(array)
    if not text:
        return
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    occurring = np.zeros(0x110000, dtype=bool)
    occurring[codes] = True
    by_kind: dict[str, list[int]] = {}
    for code in np.flatnonzero(occurring).tolist():
        for kind in kinds_of(chr(code), encoding, is_reading, is_latin):
            by_kind.setdefault(kind, []).append(code)
    if not by_kind:
        return
    ends = np.cumsum(pc.utf8_length(array).to_numpy(zero_copy_only=False))
    for kind in (kind for kind in KINDS if kind in by_kind):
        is_doubtful = np.zeros(0x110000, dtype=bool)
        is_doubtful[by_kind[kind]] = True
        at = np.flatnonzero(is_doubtful[codes])
        hit, details = _first_characters(np.searchsorted(ends, at, side="right"), codes[at])
        yield (hit if rows is None else rows[hit]), kind, details


def _first_characters(rows: Any, codes: Any) -> tuple[Any, Any]:
    """The distinct rows, and for each its first doubtful characters; both arguments are in the order of the rows."""
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (codes[1:] != codes[:-1])  # ーー is one character
    rows, codes = rows[fresh], codes[fresh]
    names, which = np.unique(codes, return_inverse=True)
    texts = np.array([shown(chr(code)) for code in names.tolist()], dtype=object)[which]
    hit, first, count = np.unique(rows, return_index=True, return_counts=True)
    details = texts[first]
    for further in range(1, CHARACTERS_SHOWN):
        more = count > further
        details[more] = details[more] + texts[first[more] + further]
    return hit, details


@functools.lru_cache(maxsize=100_000)
def kinds_of(character: str, encoding: str, is_reading: bool = False, is_latin: bool = False) -> tuple[str, ...]:
    """The kinds of warning about one character."""
    if not _carried(character, encoding):
        return ()  # an error already
    found = []
    name = unicodedata.name(character, "")
    if character.encode(encoding).decode(encoding) != character:
        found.append("substituted")
    if INVISIBLE_CHARACTER.fullmatch(character):
        found.append("invisible")
    elif not in_jis_x_0208(character):
        found.append("variant" if name.startswith("CJK") else "machine")
    if is_reading:
        found += _kana_kinds(character, name)
    if is_latin and "\uff01" <= character <= "\uff5e" and unicodedata.normalize("NFKC", character).isalnum():
        found.append("full_width")
    return tuple(found)


def _kana_kinds(character: str, name: str) -> Iterator[str]:
    if name.startswith("HALFWIDTH KATAKANA"):
        yield "kana_half"
    elif name.startswith("HIRAGANA"):
        yield "kana_hiragana"
    elif name.startswith("CJK") and unicodedata.category(character) == "Lo":
        yield "kana_kanji"
    elif character.isascii() and character.isalnum():
        yield "kana_letters"
    if character.islower():
        yield "kana_lower"


def _carried(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def double_blanks(array: Any) -> Any:
    """The numbers of the rows with two blanks in a row."""
    return rows_where(pc.match_substring_regex(array, _BLANK + "{2}"))


def id_warnings(ids: Any, written: int) -> Iterator[tuple[Any, str, Any]]:
    """Blanks within the ids, and ids that a person takes for one; those behind the `written` ones are deleted now."""
    blanks = rows_where(pc.match_substring_regex(ids.slice(0, written), _BLANK))
    if len(blanks):
        yield blanks, "id_blank", ""
    alike = pc.utf8_lower(pc.utf8_normalize(ids, "NFKC")).dictionary_encode()
    if len(alike.dictionary) == len(ids):
        return
    people = pd.DataFrame({"alike": alike.indices})
    people = people[people["alike"].duplicated(keep=False)].reset_index(names="row")
    group = people.groupby("alike")["row"]
    people["other"] = np.where(
        group.transform("first") != people["row"], group.transform("first"), group.transform("last")
    )
    people = people[people["row"] < written]
    if len(people):
        others = ids.take(pa.array(people["other"])).to_pandas()
        yield people["row"].to_numpy(), "id_alike", ("「" + others + "」").to_numpy()
