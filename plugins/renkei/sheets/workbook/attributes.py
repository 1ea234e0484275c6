"""What the XML of a workbook says by its attributes: places, and how a cell looks."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from renkei.sheets.workbook.package import PackageError
from renkei.sheets.workbook.xml_text import decoded

_SYMBOLS = re.compile(r"wingdings( [23])?|webdings|symbol|marlett|mt extra|bookshelf symbol 7", re.IGNORECASE)
_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
Area = tuple[int, int, int, int]  # first row, first column, last row, last column; from 0


def is_hidden(element: Any, size: str) -> bool:
    """Whether a row or column is hidden, be it by a height or width of nothing."""
    return is_true(element.get("hidden")) or float(element.get(size, 1)) == 0


def is_true(text: str | None) -> bool:
    return text in ("1", "true", "on")


def rich_text(element: Any) -> str:
    """A text with all its differently formatted parts, without its readings (ふりがな)."""
    parts = [element.find("t"), *(run.find("t") for run in element.findall("r"))]
    return "".join(decoded(part.text) for part in parts if part is not None and part.text)


def is_struck(element: Any) -> bool:
    return any(strike.get("val", "1") not in ("0", "false", "off") for strike in element.iter("strike"))


def is_of_symbols(element: Any) -> bool:
    """Whether a font, or that of a part of a text, has signs where others have letters."""
    return any(each.tag in ("name", "rFont") and _SYMBOLS.fullmatch(each.get("val", "")) for each in element.iter())


def is_white(color: Any) -> bool:
    """Whether a colour is the paper's; a shade of it is another one."""
    if color is None or float(color.get("tint", 0)):
        return False
    return (
        color.get("rgb", "")[-6:].upper() == "FFFFFF" or color.get("theme") == "0" or color.get("indexed") in ("1", "9")
    )


def is_bare(fill: Any) -> bool:
    """Whether a cell's ground is as white as the paper."""
    pattern = fill.find("patternFill")
    if pattern is None or pattern.get("patternType", "none") == "none":
        return fill.find("gradientFill") is None
    return pattern.get("patternType") == "solid" and is_white(pattern.find("fgColor"))


@functools.lru_cache(maxsize=1024)
def column_of(letters: str) -> int:
    """The column, from 0."""
    return functools.reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0) - 1


def is_within(areas: Sequence[Area], row: int, column: int) -> bool:
    return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in areas)


def area(reference: str) -> Area:
    """First row, first column, last row and last column of `A1:B2`, from 0.

    Raises:
        PackageError: it is no such place.
    """
    ends = [_PLACE.fullmatch(end.upper()) for end in reference.replace("$", "").split(":")]
    if not 1 <= len(ends) <= 2 or None in ends:
        raise PackageError(f"no place: {reference}")
    (top, left), (bottom, right) = ((int(end[2]) - 1, column_of(end[1])) for end in (ends[0], ends[-1]) if end)
    return top, left, bottom, right
