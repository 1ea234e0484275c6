"""Numbers and texts as Excel shows them under a number format (表示形式; ECMA-376 part 1, 18.8.31).

What cannot be told exactly is refused, never guessed: fractions, powers of ten, colours of the machine's own locale …
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

_TOKEN = re.compile(
    r""""(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<pad>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]|(?P<general>General)"""
    r"""|(?P<half>AM/PM|A/P)|(?P<power>[Ee][+-])|(?P<date>y+|m+|d+|h+|s+|g+|e+|a{3,4})|(?P<digit>[0#?])"""
    r"""|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)|(?P<text>@)|(?P<end>;)|(?P<bad>[A-Za-z"\\_*\[!])|(?P<plain>.)""",
    re.IGNORECASE | re.DOTALL,
)
_COLOUR = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?\d{1,2}", re.IGNORECASE)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_LOCALE = re.compile(r"\$([^\-]*)(?:-(?:0*[0-9A-F]{1,4}|[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?))?", re.IGNORECASE)
_OF_THE_MACHINE = re.compile(r"-0*F[48]00$|-x-sys", re.IGNORECASE)
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}
MAX_DIGITS = 15  # of a number that Excel keeps


class NotShownError(ValueError):
    """What a cell shows cannot be told exactly; the text says why, in Japanese."""


@dataclass(frozen=True, slots=True)
class Token:
    """One sign of a format: `kind` is its group in `_TOKEN`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One of the parts of a format between semicolons."""

    tokens: tuple[Token, ...]
    condition: tuple[str, Decimal] | None = None
    locale: str = ""
    fault: str = ""

    def has(self, *kinds: str) -> bool:
        return any(token.kind in kinds for token in self.tokens)

    @property
    def is_date(self) -> bool:
        return self.has("date", "elapsed", "half")


@functools.lru_cache(maxsize=1024)
def sections(code: str) -> tuple[Section, ...]:
    """The parts of a format; what is unknown in one is its `fault`."""
    parts: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code or "General"):
        kind = match.lastgroup or ""
        if kind == "end":
            parts.append([])
        else:
            parts[-1].append(Token(kind, match[kind]))
    return tuple(_section(part) for part in parts)


def _section(part: Sequence[Token]) -> Section:
    tokens, condition, locale, fault = [], None, "", ""
    for token in part:
        if token.kind == "bad":
            fault = "表示形式を読み取れません"
        elif token.kind == "bracket":
            text = token.text
            if found := _CONDITION.fullmatch(text):
                condition = (found[1], Decimal(found[2]))
            elif re.fullmatch(r"h+|m+|s+", text, re.IGNORECASE):
                tokens.append(Token("elapsed", text.lower()))
            elif _OF_THE_MACHINE.search(text):
                fault = "パソコンの地域の設定によって変わる表示形式です"
            elif found := _LOCALE.fullmatch(text):
                locale = text.rpartition("-")[2] if "-" in text else locale
                tokens += [Token("quoted", found[1])] if found[1] else []
            elif not _COLOUR.fullmatch(text):
                fault = "表示形式を読み取れません"
        else:
            tokens.append(token)
    return Section(tuple(tokens), condition, locale, fault)


def decimal(value: float) -> Decimal:
    """The number as Excel knows it: 15 digits of it.

    Raises:
        NotShownError: it is none, or larger than any that Excel keeps.
    """
    if not abs(value) < 1e308:
        raise NotShownError("数値が大きすぎるか、数値ではありません")
    return Decimal(f"{value:.{MAX_DIGITS}g}")


def number_section(value: float, code: str) -> tuple[Section, str]:
    """The part of the format that shows the number, and the sign that Excel puts before it.

    Raises:
        NotShownError: which one it is cannot be told.
    """
    found, exact = list(sections(code)), decimal(value)
    if found[-1].has("text") and (len(found) > 1 or code.strip() != "@"):
        found.pop()
        if not found:
            raise NotShownError("文字のための表示形式が数値に付いています")
    found = found[:3]
    if any(section.condition for section in found):
        if exact < 0:
            raise NotShownError("条件付きの表示形式が負の数に付いています")
        for section in found:
            if section.condition is None or _COMPARE[section.condition[0]](exact, section.condition[1]):
                return section, ""
        raise NotShownError("表示形式のどの条件にも当てはまりません")
    if exact < 0:
        return (found[1], "") if len(found) > 1 else (found[0], "-")
    return (found[2], "") if exact == 0 and len(found) > 2 else (found[0], "")


def show_number(value: float, code: str) -> str:
    """What Excel shows for a number, blanks around it left out. Dates are `date_format.show_date`'s.

    Raises:
        NotShownError: it cannot be told exactly, or would be hidden.
    """
    section, sign = number_section(value, code)
    if section.fault:
        raise NotShownError(section.fault)
    if not section.tokens:
        raise NotShownError("表示形式によって隠されています")
    return _filled([sign, *_pieces(section, abs(decimal(value)), value < 0)])


def show_text(text: str, code: str) -> str:
    """What Excel shows for a text.

    Raises:
        NotShownError: it would be hidden, or the format is not understood.
    """
    if not text or code in ("General", "@"):
        return text
    found = sections(code)
    section = found[-1]
    if not section.has("text") and len(found) < 4:
        return text
    if section.fault or section.is_date or section.has("digit", "point", "percent", "general", "power"):
        raise NotShownError("表示形式を読み取れません")
    if not section.tokens:
        raise NotShownError("表示形式によって隠されています")
    return _filled([text if token.kind == "text" else literal(token) for token in section.tokens])


def literal(token: Token) -> str:
    """A sign that stands for itself; a fill of blanks is told apart by `\\0`."""
    if token.kind == "pad":
        return " "
    if token.kind == "fill":
        if token.text != " ":
            raise NotShownError("列の幅によって変わる表示形式です")
        return "\0"
    return token.text


def _filled(pieces: Sequence[str]) -> str:
    """The text; blanks that fill the cell may stand at its ends only."""
    text = "".join(pieces).strip(" \0")
    if "\0" in text:
        raise NotShownError("列の幅によって変わる表示形式です")
    return text


def _pieces(section: Section, value: Decimal, negative: bool) -> list[str]:
    if section.has("power"):
        raise NotShownError("指数の表示形式です")
    if section.has("general", "text"):
        if section.has("digit", "percent", "point"):
            raise NotShownError("表示形式を読み取れません")
        return [general(value) if token.kind in ("general", "text") else literal(token) for token in section.tokens]
    kinds = [token.kind for token in section.tokens]
    if "digit" not in kinds:
        return [literal(token) for token in section.tokens]
    first, last = kinds.index("digit"), len(kinds) - 1 - kinds[::-1].index("digit")
    if any(token.text == "/" and token.kind == "plain" for token in section.tokens[first:last]):
        raise NotShownError("分数の表示形式です")
    point = kinds.index("point") if "point" in kinds else len(kinds)
    if kinds.count("point") > 1:
        raise NotShownError("表示形式を読み取れません")
    whole, part = list(section.tokens[:point]), list(section.tokens[point:])
    places = sum(token.kind == "digit" for token in part)
    scale, grouped = _commas(whole)
    value = value.scaleb(2 * kinds.count("percent") - 3 * (scale + _commas(part)[0]))
    if value.adjusted() >= MAX_DIGITS:
        raise NotShownError(f"{MAX_DIGITS}桁を超える数値です")
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if negative and not rounded:
        raise NotShownError("0に丸められる負の数です")
    digits, _, decimals = f"{rounded:f}".partition(".")
    return [*_whole(whole, digits.lstrip("0"), grouped), *_part(part, decimals)]


def _commas(tokens: list[Token]) -> tuple[int, bool]:
    """By how many thousands the commas behind the digits divide, and whether others group; all are taken out."""
    at = [n for n, token in enumerate(tokens) if token.kind == "digit"]
    scale, grouped = 0, False
    for n in reversed(range(len(tokens))):
        if tokens[n].kind != "comma" or not at or n < at[0]:
            continue
        if n > at[-1]:
            scale += 1
        else:
            grouped = True
        del tokens[n]
    return scale, grouped


def _whole(tokens: Sequence[Token], digits: str, grouped: bool) -> list[str]:
    """The signs before the point; the first place takes all digits that are left."""
    at = [n for n, token in enumerate(tokens) if token.kind == "digit"]
    pieces = ["" if token.kind == "digit" else literal(token) for token in tokens]
    if not at:
        return [*pieces, digits]
    places = _strongest([tokens[n].text for n in at])
    if grouped:
        if "?" in places or at[-1] - at[0] >= len(at):
            raise NotShownError("表示形式を読み取れません")
        padded = digits.zfill(places.count("0"))
        pieces[at[0]] = f"{padded[: len(padded) % 3]},{','.join(re.findall('...', padded[len(padded) % 3 :]))}".strip(
            ","
        )
        return pieces
    own = [tokens[n].text for n in at]
    if len(digits) < len(places) and any(first == "0" != second for first, second in pairwise(own)):
        raise NotShownError("表示形式を読み取れません")  # `0#` of a short number, of which programs disagree
    for n, place in zip(reversed(at), reversed(places), strict=True):
        pieces[n], digits = (digits[-1], digits[:-1]) if digits else ({"0": "0", "?": " "}.get(place, ""), "")
    pieces[at[0]] = digits + pieces[at[0]]
    return pieces


def _strongest(places: Sequence[str]) -> list[str]:
    """Each place as the strongest one before it: behind a 0 every place is filled."""
    found, most = [], "#"
    for place in places:
        most = max(most, place, key="#?0".index)
        found.append(most)
    return found


def _part(tokens: Sequence[Token], decimals: str) -> list[str]:
    """The signs from the point on; `decimals` has one digit for each place."""
    places = _strongest([token.text for token in reversed(tokens) if token.kind == "digit"])[::-1]
    kept = len(decimals.rstrip("0"))
    pieces, n = [], 0
    for token in tokens:
        if token.kind != "digit":
            pieces.append(literal(token))
            continue
        pieces.append(decimals[n] if n < kept else {"0": "0", "?": " "}.get(places[n], ""))
        n += 1
    return pieces


def general(value: Decimal) -> str:
    """A number under Excel's 標準: at most 11 signs.

    Raises:
        NotShownError: it is so long, or so small, that Excel shows a power of ten.
    """
    if not value:
        return "0"
    power = value.adjusted()
    if power < -4:
        raise NotShownError("小さな数値で、Excelでは指数で表示されます")
    places = max(0, 9 - power if power >= 0 else 9)
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded.adjusted() > 10:
        raise NotShownError("12桁以上の数値で、Excelでは指数(1.23E+11など)で表示されます")
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
