"""Dates and times as Excel shows them: a serial number of days under a format with 年, 月, 時 … (ECMA-376 part 1, 18.17.4)."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise

from renkei.sheets.workbook.number_format import NotShownError, Section, Token, literal

_DAY = 86_400
_MAX_DAYS = 2_958_466
_LEAP_1900 = 61  # Excel knows a 29 February 1900, so that days before it are counted otherwise
_ERAS = (
    (dt.date(2019, 5, 1), "令和", "R"),
    (dt.date(1989, 1, 8), "平成", "H"),
    (dt.date(1926, 12, 25), "昭和", "S"),
    (dt.date(1912, 7, 30), "大正", "T"),
)
_WEEKDAYS = "月火水木金土日"
_DATE, _CLOCK = "ymdgea", "hMs"
_ENGLISH = ("", "409")


def show_date(serial: float, section: Section, *, since_1904: bool) -> tuple[str, str]:
    """What Excel shows, and the day and time of it in ISO's form (of a time alone, the time).

    The first is empty where it cannot be told.

    Raises:
        NotShownError: it is no day, or no time of day, that a sheet can mean.
    """
    letters = _letters(section)
    kinds = {token.text[0] for token in letters if token.kind == "date"}
    has_day = bool(kinds & set(_DATE))
    has_time = bool(kinds & set(_CLOCK)) or section.has("elapsed", "half")
    days = serial + 1_462 if since_1904 else serial
    if not 0 <= days < _MAX_DAYS or (has_day and days < _LEAP_1900):
        raise NotShownError("Excelが日付として表示できない数値です")
    seconds = round(days * _DAY)
    moment = dt.datetime(1899, 12, 30) + dt.timedelta(seconds=seconds)
    exact = [moment.date().isoformat()] if has_day else []
    if has_time and not (has_day and seconds % _DAY == 0):
        clock = moment.time().isoformat("seconds" if moment.second and "s" in kinds else "minutes")
        exact.append(clock if has_day or seconds < _DAY else "")
    if section.fault:
        return "", " ".join(exact).strip()
    try:
        shown = {_shown(letters, section.locale, at) for at in (seconds, math.floor(days * _DAY + 1e-4))}
    except NotShownError:
        shown = set()
    return shown.pop() if len(shown) == 1 else "", " ".join(exact).strip()


def _letters(section: Section) -> list[Token]:
    """The signs, each m that means minutes as M, and the year of an era apart from a sign behind it."""
    tokens: list[Token] = []
    for token in section.tokens:
        if token.kind == "power":
            tokens += [Token("date", token.text[0]), Token("plain", token.text[1])]
        else:
            tokens.append(Token(token.kind, token.text.lower()) if token.kind == "date" else token)
    dates = [n for n, token in enumerate(tokens) if token.kind in ("date", "elapsed")]
    for before, at in pairwise([None, *dates]):
        if at is None or tokens[at].kind != "date" or tokens[at].text not in ("m", "mm"):
            continue
        after = next((n for n in dates if n > at), None)
        behind_hours = before is not None and tokens[before].text[0] == "h"
        before_seconds = after is not None and tokens[after].text[0] == "s"
        if behind_hours or before_seconds:
            tokens[at] = Token("date", tokens[at].text.upper())
    return tokens


def _shown(tokens: Sequence[Token], locale: str, seconds: int) -> str:
    """What is shown at `seconds` since the beginning of 30 December 1899."""
    moment = dt.datetime(1899, 12, 30) + dt.timedelta(seconds=seconds)
    halves = any(token.kind == "half" for token in tokens)
    if halves and locale.lstrip("0") not in _ENGLISH:
        raise NotShownError("言語によって変わる表示形式です")
    pieces = []
    for token in tokens:
        if token.kind == "date":
            pieces.append(_part(token.text, locale.lstrip("0"), moment, halves))
        elif token.kind == "elapsed":
            count = seconds // {"h": 3_600, "m": 60, "s": 1}[token.text[0]]
            pieces.append(str(count).zfill(len(token.text)))
        elif token.kind == "half":
            afternoon = moment.hour >= 12
            pieces.append(token.text.split("/")[afternoon].upper())
        elif token.kind in ("digit", "general", "text", "percent"):
            raise NotShownError("表示形式を読み取れません")
        else:
            pieces.append(literal(token))
    text = "".join(pieces).strip(" \0")
    if "\0" in text:
        raise NotShownError("列の幅によって変わる表示形式です")
    return text


def _part(letters: str, locale: str, moment: dt.datetime, halves: bool) -> str:
    kind, length = letters[0], len(letters)
    if letters in ("mmm", "mmmm", "ddd", "dddd"):
        if locale not in _ENGLISH:
            raise NotShownError("言語によって変わる表示形式です")
        words = calendar.day_name if kind == "d" else calendar.month_name
        name = words[moment.weekday() if kind == "d" else moment.month]
        return name[:3] if length == 3 else name
    if kind in "ge":
        return _era(letters, moment.date())
    if kind == "a":
        return _WEEKDAYS[moment.weekday()] + ("曜日" if length == 4 else "")
    if kind == "y":
        return f"{moment.year % 100:02}" if length <= 2 else str(moment.year)
    hour = (moment.hour % 12 or 12) if halves else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "M": moment.minute, "s": moment.second}[kind]
    if length > 2:
        raise NotShownError("表示形式を読み取れません")
    return str(number).zfill(length)


def _era(letters: str, day: dt.date) -> str:
    """The name of the era, or the year of it; its first year is 1 or 元 as the computer likes."""
    for first, name, letter in _ERAS:
        if day >= first:
            year = day.year - first.year + 1
            if year == 1:
                break
            if letters[0] == "e":
                return str(year).zfill(len(letters))
            return {1: letter, 2: name[0]}.get(len(letters), name)
    raise NotShownError("元年または古い年号の日付です")
