"""What is wrong with one text, whichever item it is: its characters, its length, an address, a number (E29)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.sheet.conversion import UNCONVERTED
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, PASSWORD, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Loader
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import has_text, joined, shown, text
from renkei.values.convert import INVISIBLE_CHARACTER
from renkei.values.variants import standard_forms

MAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
PHONE = r"\+?[0-9](-?[0-9]){9,14}"
CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
# What a spreadsheet would run when a person opens a file for upload (E38). Telephone numbers are none; a tab or a
# line break in front is a control character, which no cell may have.
FORMULA = r"^(?:[=@]|[+-].*[^0-9 ().-])"
# Items by which EMC finds a record again: what comes back must be what was sent.
IDS = ("user_id", "department_id", *DEPARTMENT_REFERENCES)


class ProblemMaker(Protocol):
    """Makes problem rows of one record set: where, which item, what kind."""

    def __call__(self, where: Any, item: str, kind: str, detail: Any = "") -> pd.DataFrame:
        """`where` is an Arrow array of yes and no, `detail` a text, or an Arrow array of one for each row found."""


def text_checks(
    problems: ProblemMaker, texts: Any, item: str, emc_format: EmcFormat, loader: Loader
) -> Iterator[pd.DataFrame]:
    """Length, encoding, control characters and formulas of one column; missing cells are not written.

    The column is judged before its cells. Of a password no character is told: it may be most of it (L6).
    """
    limit, length = emc_format.length_of(item), pc.utf8_length(texts)
    if limit is not None:
        long = pc.greater(length, limit)
        counts = length.filter(long).cast(pa.large_string())
        detail = pc.binary_join_element_wise(text(f"最大{limit}文字、現在"), counts, text("文字"), text(""))
        yield problems(long, item, "too_long", detail)
    if item == "password":
        other = pc.invert(pc.match_substring_regex(texts, f"^(?:{PASSWORD})$"))
        yield problems(pc.and_(has_text(texts), other), item, "password")
    else:
        yield from _character_checks(problems, texts, item, emc_format)
    marker = emc_format.clear_marker
    yield problems(pc.equal(texts, marker), item, "reserved", "" if item == "password" else f"「{marker}」")
    if loader is Loader.FILE_DROP:
        yield problems(pc.match_substring_regex(texts, FORMULA), item, "formula")


def _character_checks(problems: ProblemMaker, texts: Any, item: str, emc_format: EmcFormat) -> Iterator[pd.DataFrame]:
    """Characters that the encoding lacks, named by what can be done about them, and control characters."""
    whole = joined(texts)
    if whole.isascii() and whole.isprintable():  # as most columns are
        return
    lacking = _unencodable(whole, emc_format.encoding, item in IDS)
    for kind, bad in _by_remedy(lacking, item, emc_format).items():
        where = pc.match_substring_regex(texts, "[" + "".join(f"\\x{{{ord(c):x}}}" for c in bad) + "]")
        yield problems(where, item, kind, each(functools.partial(placed, characters=bad), texts, where))
    if re.search(CONTROL, whole):
        where = pc.match_substring_regex(texts, CONTROL)
        yield problems(where, item, "control", each(_controls, texts, where))


def placed(text: str, characters: Collection[str]) -> str:
    """Those of `characters` that stand in the text, once each; what nobody sees with its place."""
    found = []
    for character in dict.fromkeys(text):
        if character in characters:
            name = shown(character)
            found.append(name if "「" in name else f"{text.index(character) + 1}文字目の{name}")
    return "、".join(found)


def _controls(text: str) -> str:
    return placed(text, re.findall(CONTROL, text))


def malformed_mail(text: str) -> str:
    """What is wrong with an address, without a word of it."""
    odd = [c for c in text if not ("!" <= c <= "~") or c in '()<>,;:"[]\\']
    if odd:
        return f"使えない文字 {placed(text, odd)}"
    return "「@」がありません" if "@" not in text else "「@」が2つ以上あります" if text.count("@") > 1 else ""


def malformed_phone(text: str) -> str:
    odd = [c for c in text if c not in "0123456789-" and not (c == "+" and text.startswith(c))]
    if odd:
        return f"使えない文字 {placed(text, odd)}"
    digits = sum(map(str.isdigit, text))
    return f"{digits}桁です" if not 10 <= digits <= 15 else "ハイフンの位置が正しくありません"


def _by_remedy(characters: set[str], item: str, emc_format: EmcFormat) -> dict[str, set[str]]:
    """Characters that the encoding lacks, by what can be done about them; only users' items have a 変換."""
    kinds: dict[str, set[str]] = {}
    convertible = item in USER_ITEM and item not in UNCONVERTED
    for character in sorted(characters):
        kind = "encoding"
        if INVISIBLE_CHARACTER.fullmatch(character):
            kind = "encoding_invisible" if convertible else "unseen"
        elif convertible and _encodes(standard_forms().get(character, character), emc_format.encoding, item in IDS):
            kind = "encoding_variant"
        kinds.setdefault(kind, set()).add(character)
    return kinds


def _unencodable(whole: str, encoding: str, exactly: bool) -> set[str]:
    """The characters of a text that the file's encoding cannot carry; usually none, and then cheap.

    `exactly`: nor those that would come back as another one (CP932 makes 〜 U+301C a full-width ～).
    """
    if _encodes(whole, encoding, exactly):
        return set()
    return {character for character in set(whole) if not _encodes(character, encoding, exactly)}


def _encodes(text: str, encoding: str, exactly: bool) -> bool:
    try:
        encoded = text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return not exactly or encoded.decode(encoding) == text


def each(change: Callable[[str], str], texts: Any, where: Any) -> Any:
    """What `change` makes of each of the texts at `where`."""
    return pa.array(map(change, texts.filter(where).to_pylist()), type=pa.large_string())
