"""Texts as people fill them in: compared whatever their width and blanks, each with the place where it stands (E22).

What every form has in common, whichever link it belongs to; it knows none of them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from renkei.errors import Problem

_INVISIBLE = "\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff"
# What `\s` and _INVISIBLE match, one by one: a pattern at the end of a text takes time by the square of its blanks.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
)
_IGNORED = re.compile(rf"[\s{_INVISIBLE}()\[\]{{}}〔〕【】「」『』〈〉《》・]")
# A dash typed for the long vowel, as in メ－ル
_LONG_VOWEL = re.compile(r"(?<=[ァ-ヺ])[\-\u2010-\u2015\u2212\u2500]")
_DITTO = ("同上", "同左", "同じ", "上に同じ", "上と同じ", "〃", "々", "ゝ", "↑", "←", '"', "”", "“", "''", "’’", "〃〃")
NAME_LONGEST = 100  # no name of ours comes near; a longer text is not like any of them
CIRCLES = ("○", "〇", "◯", "◎", "●", "⭕", "⭕\ufe0f", "o", "о", "ο")  # the last two: Cyrillic and Greek
CROSSES = ("×", "✕", "✖", "✗", "✘", "╳", "☓", "❌", "x", "х", "χ")
CHECKS = ("✓", "✔", "✔\ufe0f", "☑", "レ")


class Fault(Exception):
    """One thing wrong with one cell: `found` and `remedy` of the `Problem` that the caller places."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found} → {remedy}")
        self.found = found
        self.remedy = remedy

    def at(self, where: str) -> Problem:
        return Problem(where, self.found, self.remedy)


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell's text and its place as its reader sees it (`acme.xlsx 連携情報!B3`)."""

    text: str
    where: str


NO_CELL = RawCell("", "")  # where a form has no such cell


def trim(text: str) -> str:
    """The text without surrounding blanks; blank means Unicode white space and zero-width characters (E22)."""
    return text.strip(BLANKS)


def narrow(text: str) -> str:
    """The trimmed text in its normal width: Ａ１ is A1, ﾒｰﾙ is メール."""
    return trim(unicodedata.normalize("NFKC", text))


def fold(text: str) -> str:
    """The form under which two spellings of a name are the same one."""
    return _LONG_VOWEL.sub("ー", _IGNORED.sub("", unicodedata.normalize("NFKC", text))).casefold()


_DITTO_FOLDED = {fold(text) for text in _DITTO}


def is_ditto(text: str) -> bool:
    """True for 同上, 〃, ↑ …: a cell that only means another one, which a moved line would change."""
    return len(text) <= NAME_LONGEST and fold(text) in _DITTO_FOLDED


def has_control(text: str) -> bool:
    """True where a text holds line breaks or other control characters, which no item of EMC can take."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


def nearest(text: str, known: Iterable[str]) -> str:
    """A hint naming the known name most like `text`, or an empty text when none is."""
    if len(text) > NAME_LONGEST:
        return ""
    by_fold = {fold(name): name for name in known}
    found = difflib.get_close_matches(fold(text), by_fold, n=1, cutoff=0.4)
    return f"「{by_fold[found[0]]}」ではありませんか。" if found else ""


def mail_addresses(text: str) -> tuple[str, ...]:
    """The mail addresses of a cell, however they are separated, as a mail server takes them.

    Raises:
        Fault: one of them is none.
    """
    from email_validator import EmailNotValidError, validate_email  # only when a sheet is compiled

    found = []
    for part in re.split(r"[,;、，；\s]+", narrow(text)):
        if not part:
            continue
        try:
            found.append(validate_email(part, check_deliverability=False).normalized)
        except EmailNotValidError as error:
            raise Fault(
                "メールアドレスの形が正しくありません", "「name@example.co.jp」の形で記入してください"
            ) from error
    return tuple(found)
