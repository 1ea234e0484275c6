"""Texts as people fill them in: compared whatever their width and blanks, each with the place where it stands (E22).

What every form has in common, whichever link it belongs to; it knows none of them.
"""

from __future__ import annotations

import difflib
import functools
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
_OTHER_LETTERS = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_KANJI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_DITTO = ("同上", "同左", "同じ", "上に同じ", "上と同じ", "〃", "々", "ゝ", "↑", "←", '"', "”", "“", "''", "’’", "〃〃")
MAX_CELL_TEXT = 2_000  # characters; refused before anything reads them: NFKC alone takes time by their square
MAX_NAME = 100  # no name of ours comes near; a longer text is not like any of them
UNSEEN_SHOWN = 3
TYPE_AGAIN = "セルの内容をすべて消してから、1行の文字だけで入力し直してください(貼り付けると、また入ることがあります)"
CIRCLES = ("○", "〇", "◯", "◎", "●", "⭕", "⭕\ufe0f", "o", "о", "ο")  # the last two: Cyrillic and Greek
CROSSES = ("×", "✕", "✖", "✗", "✘", "╳", "☓", "❌", "x", "х", "χ")
CHECKS = ("✓", "✔", "✔\ufe0f", "☑", "レ")


class Fault(Exception):
    """One thing wrong with one cell: `found` and `remedy` of the `Problem` that the caller places."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found} → {remedy}")
        self.found = found
        self.remedy = remedy

    def at(self, where: str, text: str = "") -> Problem:
        """The problem at a place; with the cell's `text`, what nobody can tell in it by looking is named too."""
        hidden = "、".join(part for part in (unseen(text), look_alikes(text)) if part)
        if not hidden or hidden in self.found:
            return Problem(where, self.found, self.remedy)
        return Problem(where, f"{self.found}({hidden}があります)", f"{TYPE_AGAIN}。{self.remedy}")


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell's text and its place as its reader sees it (`acme.xlsx 連携情報!B3`).

    `exact` is the day or time of a workbook's own date or time in ISO's form, in whatever words the cell shows it.
    """

    text: str
    where: str
    exact: str = ""


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
    return len(text) <= MAX_NAME and fold(text) in _DITTO_FOLDED


def has_control(text: str) -> bool:
    """True where a text holds line breaks or other control characters, which no item of EMC can take."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


UNSEEN_NAMES = {
    **{"\n": "改行", "\r": "改行", "\t": "タブ", "\u2028": "改行", " ": "空白", "\u3000": "全角空白"},
    **{"\u00a0": "改行しない空白", "\u00ad": "ソフトハイフン", "\u200b": "ゼロ幅スペース", "\u200d": "ゼロ幅接合子"},
    "\ufeff": "BOM",
}


def unseen(text: str) -> str:
    """The characters in `text` that show nothing, each with its place: `3文字目に改行(U+000A)`; empty if there is none.

    Blanks that show as such are none of them, nor is anything at the edges, which is trimmed.
    """
    plain = trim(text)
    start = text.find(plain)
    found = [
        f"{start + place}文字目に{UNSEEN_NAMES.get(character, '見えない文字')}(U+{ord(character):04X})"
        for place, character in enumerate(plain, 1)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    return "、".join(found[:UNSEEN_SHOWN]) + (
        f"ほか{len(found) - UNSEEN_SHOWN}か所" if len(found) > UNSEEN_SHOWN else ""
    )


def look_alikes(text: str) -> str:
    """Cyrillic and Greek letters beside Latin ones or digits, each with its place; empty if there is none."""
    plain = trim(text)
    if not any("!" <= character <= "~" for character in unicodedata.normalize("NFKC", plain)) and len(plain) > 1:
        return ""
    start = text.find(plain)
    found = [
        f"{start + place}文字目に英字ではない「{character}」(U+{ord(character):04X})"
        for place, character in enumerate(plain, 1)
        if _OTHER_LETTERS.match(character)
    ]
    return "、".join(found[:UNSEEN_SHOWN])


def control_fault(text: str, what: str) -> Fault | None:
    """What is wrong with a cell that holds control characters; None where it holds none."""
    if not has_control(trim(text)):
        return None
    return Fault(f"{what}に改行または制御文字が含まれています({unseen(text)})", TYPE_AGAIN)


def similar(text: str, known: Iterable[str]) -> str:
    """The known name that `text` can only be a slip of the pen for, or an empty text.

    A name with other kanji or digits is another thing (部署9, 契約終了日), however alike it is spelled.
    """
    if len(text) > MAX_NAME:
        return ""
    same = {fold(name): name for name in known if _core(name) == _core(text)}
    found = difflib.get_close_matches(fold(text), same, n=1, cutoff=0.7)
    return same[found[0]] if found else ""


def nearest(text: str, known: Iterable[str]) -> str:
    """The remedy that gives the known name that is `similar`, or an empty text when none is."""
    name = similar(text, known)
    return f"「{name}」と記入してください" if name else ""


@functools.lru_cache(maxsize=1_000)
def _core(text: str) -> str:
    """What a slip of the pen leaves alone: kanji and digits."""
    return "".join(character for character in fold(text) if character.isdecimal() or _KANJI.match(character))


def one_line(text: str) -> str:
    """The text on one line: what shows nothing, or would begin a line of its own, is shown by its number."""
    if text.isprintable():  # as most are: a letter at a time, a thousand sheets take a quarter of a second
        return text
    return "".join(c if c.isprintable() or c == "\u3000" else f"[U+{ord(c):04X}]" for c in text)


def masked_address(text: str) -> str:
    """The text as it is, but for a mail address: `ta…@…` for pages that are no place for one (L6)."""
    at = re.search("[@＠﹫]", text)
    return text if at is None else f"{text[: min(2, at.start())]}…@…"


# Addresses that DoCoMo and au once gave out against RFC 5321; they are still in use, and mail to them is delivered.
OLD_CARRIER_MAIL = r"[A-Za-z0-9._/?+-]{1,64}@(?i:(?:[a-z0-9-]+\.)*(?:docomo\.ne\.jp|ezweb\.ne\.jp|au\.com))"


def mail_addresses(text: str) -> tuple[str, ...]:
    """The mail addresses of a cell, however they are separated, as every mail server takes them: ASCII alone.

    Raises:
        Fault: one of them is none.
    """
    from email_validator import EmailNotValidError, validate_email  # only when a sheet is compiled

    parts = [part for part in re.split(r"[,;、，；\s]+", narrow(text)) if part]
    found, wrong = [], []
    for place, part in enumerate(parts, 1):
        try:
            checked = validate_email(part, check_deliverability=False, allow_smtputf8=False, strict=True)
            found.append(checked.ascii_email or part)
        except EmailNotValidError:
            if re.fullmatch(OLD_CARRIER_MAIL, part):
                found.append(part)
            else:
                wrong.append(place)
    if wrong:
        which = "、".join(f"{place}件目" for place in wrong) + "の" if len(parts) > 1 else ""
        raise Fault(f"{which}メールアドレスの形が正しくありません", "「name@example.co.jp」の形で記入してください")
    return tuple(found)
