"""The 変換 column applied: what the sheet asks to be written otherwise than SmartHR has it. Columns, not people.

A value is changed only where a rule asks for it (E22). What a conversion cannot read (no telephone number, no
address, no date) stays as it is, so that the checks name it.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import jaconv
import pandas as pd
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from email_validator import EmailNotValidError, validate_email

from renkei.texts import BLANKS
from renkei.values.conversion import Conversion, Convert
from renkei.values.variants import standard_forms

# Characters that show nothing (不可視文字): soft hyphen, zero-width and bidi marks, fillers, variation selectors.
INVISIBLE = (
    r"\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{180B}-\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}"
    r"\x{2066}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}\x{E0001}-\x{E007F}\x{E0100}-\x{E01EF}"
)
INVISIBLE_CHARACTER = re.compile("[" + re.sub(r"\\x\{(\w+)\}", lambda found: chr(int(found[1], 16)), INVISIBLE) + "]")
_BLANKS = re.compile(f"[{re.escape(BLANKS)}]")
_SELECTORS = r"\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}"
_VARIATION = re.compile("(?<=[\u3005-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")

_HALF_KANA = r"\x{FF61}-\x{FF9F}"
_NOT_KATAKANA = rf"[{_HALF_KANA}\x{{3041}}-\x{{309A}}\x{{309D}}\x{{309E}}]"
_MARKED_KANA = re.compile("[\u3041-\u30ff][\u3099\u309a]")  # as macOS writes が: two characters that show one
_LONE_MARKS = str.maketrans("ﾞﾟ", "゛゜")
_TO_FULL = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_TO_HALF = {full: half for half, full in _TO_FULL.items()} | dict.fromkeys(map(ord, "‐‑−﹣"), ord("-"))
_HYPHENS = "-‐‑‒–—―−－ーｰ﹣"  # whatever people take for one between digits
_HYPHEN_OF_NUMBERS = re.compile(f"(?<=[0-9])[{_HYPHENS}](?=[0-9])")

_PLAIN_MAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9.-]+$"
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_MOBILE = r"^(0[789]0)([1-9][0-9]{3})([0-9]{4})$"
_WRITTEN_MOBILE = r"^0[789]0-[1-9][0-9]{3}-[0-9]{4}$"
_OF_JAPAN = re.compile("0(?!10)[1-9][0-9]{8,9}")  # 010 goes abroad
_BETWEEN_DIGITS = re.compile(rf"[{_HYPHENS}()・.\s]")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_DATE_PARTS = re.compile("YYYY|MM?|DD?")


def converted(values: pd.Series[str], conversions: tuple[Conversion, ...]) -> pd.Series[str]:
    """The column after each of `conversions` in their order; the index stays, missing stays missing."""
    if not conversions:
        return values
    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    for conversion in conversions:
        array = _CONVERT[conversion.convert](array, conversion.form)
    return pd.Series(pd.array(array, dtype="str"), index=values.index)


def date_pattern(form: str) -> str:
    """What a date written in `form` looks like (RE2, and Python's)."""
    digits = {"YYYY": "[0-9]{4}", "MM": "[0-9]{2}", "DD": "[0-9]{2}", "M": "[0-9]{1,2}", "D": "[0-9]{1,2}"}
    parts = re.split(f"({_DATE_PARTS.pattern})", form)
    return "^" + "".join(digits.get(part, re.escape(part)) for part in parts) + "$"


def _where(array: Any, needing: Any, change: Callable[[str], str]) -> Any:
    """The array with `change` made where `needing` says so: once per distinct text."""
    needing = pc.fill_null(needing, False)
    if not pc.any(needing).as_py():
        return array
    texts = array.filter(needing).dictionary_encode()
    changed = pa.array([change(text) for text in texts.dictionary.to_pylist()], type=pa.large_string())
    return pc.replace_with_mask(array, needing, changed.take(texts.indices))


def _matching(array: Any, pattern: str, change: Callable[[str], str]) -> Any:
    return _where(array, pc.match_substring_regex(array, pattern), change)


def _without(array: Any, pattern: str) -> Any:
    return pc.replace_substring_regex(array, pattern, "")


def _katakana(array: Any, _: str) -> Any:
    return _matching(array, _NOT_KATAKANA, katakana)


def katakana(text: str) -> str:
    """Half-width kana and hiragana as full-width katakana; everything else as it is."""
    joined = _MARKED_KANA.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    return jaconv.hira2kata(_full_kana(joined))


def _full_kana(text: str) -> str:
    return jaconv.h2z(text, kana=True, ascii=False, digit=False).translate(_LONE_MARKS)


def _full_width(array: Any, _: str) -> Any:
    return _matching(array, rf"[ -~{_HALF_KANA}]", lambda text: _full_kana(text.translate(_TO_FULL)))


def _half_width(array: Any, _: str) -> Any:
    return _matching(array, rf"[\x{{FF01}}-\x{{FF5E}}\x{{3000}}{_HYPHENS[1:]}]", half_width)


def half_width(text: str) -> str:
    """Letters, digits, signs and blanks as ASCII; of kana only a ー between digits, which is meant as a hyphen."""
    return _HYPHEN_OF_NUMBERS.sub("-", text.translate(_TO_HALF))


def _phone(array: Any, _: str) -> Any:
    array = pc.replace_substring_regex(array, _MOBILE, r"\1-\2-\3")  # as a rule; the library takes 30 µs for each
    return _where(array, pc.invert(pc.match_substring_regex(array, f"{_WRITTEN_MOBILE}|^$")), phone)


@functools.lru_cache(maxsize=20_000)  # a company's own stands in each of its people, and each try converts anew
def phone(text: str) -> str:
    """The number as Japan writes it (090-1234-5678); abroad as +1-650-253-0000; no valid number: the text."""
    digits = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", INVISIBLE_CHARACTER.sub("", text)))
    if not re.fullmatch(r"\+?[0-9]+", digits):  # a note, or a second number: not ours to leave out
        return text
    mobile = re.match(_MOBILE, digits)
    if mobile:
        return "-".join(mobile.groups())
    try:
        number = _japans(digits) or phonenumbers.parse(digits, "JP")
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    home = number.country_code == 81
    form = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form).replace(" ", "-")


def _japans(digits: str) -> phonenumbers.PhoneNumber | None:
    """What `parse` makes of a number as Japan writes all of its own, for half the time; None for any other."""
    if not _OF_JAPAN.fullmatch(digits):
        return None
    return phonenumbers.PhoneNumber(country_code=81, national_number=int(digits[1:]))


def _mail(array: Any, _: str) -> Any:
    return _where(array, pc.invert(pc.match_substring_regex(array, f"{_PLAIN_MAIL}|^$")), mail)


def mail(text: str) -> str:
    """The address in half width, without blanks, its domain in small letters; no address: the text.

    The name before the @ keeps its letters, and dots that old carrier addresses have and the standard does not.
    """
    local, at, domain = INVISIBLE_CHARACTER.sub("", _BLANKS.sub("", unicodedata.normalize("NFKC", text))).rpartition(
        "@"
    )
    normal = domain_of(domain)
    return f"{local}@{normal}" if at and normal and _LOCAL_PART.fullmatch(local) else text


@functools.lru_cache(maxsize=100_000)
def domain_of(domain: str) -> str:
    """The domain as mail servers know it; "" if it is none."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain
    except EmailNotValidError:
        return ""


def _date(array: Any, form: str) -> Any:
    return _matching(array, "[0-9０-９]", lambda text: date(text, form))


def date(text: str, form: str) -> str:
    """The date in another form (YYYY, MM, M, DD, D); no date: the text."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        day = dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    if day is None:
        return text
    parts = {"YYYY": f"{day:%Y}".zfill(4), "MM": f"{day.month:02}", "M": f"{day.month}"}
    parts |= {"DD": f"{day.day:02}", "D": f"{day.day}"}
    return _DATE_PARTS.sub(lambda token: parts[token[0]], form)


def _no_blanks(array: Any, _: str) -> Any:
    return _without(array, "[" + "".join(f"\\x{{{ord(blank):X}}}" for blank in BLANKS) + "]")


def _visible(array: Any, _: str) -> Any:
    return _without(array, f"[{INVISIBLE}]")


def _standard_kanji(array: Any, _: str) -> Any:
    forms = standard_forms()
    table = str.maketrans(forms)
    # A variation selector asks for a variant of the character before it (邉󠄀): the standard form has none.
    array = _matching(array, f"[{_SELECTORS}]", lambda text: _VARIATION.sub("", text))
    return _matching(array, f"[{''.join(forms)}]", lambda text: text.translate(table))


_CONVERT: dict[Convert, Callable[[Any, str], Any]] = {
    Convert.KATAKANA: _katakana,
    Convert.FULL_WIDTH: _full_width,
    Convert.HALF_WIDTH: _half_width,
    Convert.UPPER: lambda array, _: pc.utf8_upper(array),
    Convert.LOWER: lambda array, _: pc.utf8_lower(array),
    Convert.PHONE: _phone,
    Convert.MAIL: _mail,
    Convert.DATE: _date,
    Convert.NO_BLANKS: _no_blanks,
    Convert.VISIBLE: _visible,
    Convert.STANDARD_KANJI: _standard_kanji,
}
