"""Texts as patterns: every spelling that the reader takes for a word, as far as a pattern can say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from renkei.links.smarthr_emc.sheet import names
from renkei.links.smarthr_emc.sheet.names import fold

Schema = dict[str, Any]
SCALAR = ["string", "number", "boolean", "null"]


def _span(first: str, last: str) -> frozenset[str]:
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))


LOWER_DIGITS = _span("a", "z") | _span("0", "9")
# The signs that names are made of, which the reader folds one by one, whatever stands beside them. A text with any
# other may be a name all the same (half-width kana, a dash for a long vowel, marks beside the name …).
PLAIN = (
    LOWER_DIGITS
    | _span("A", "Z")
    | _span("ぁ", "ゖ")
    | (_span("ァ", "ヺ") | {"ー"})
    | _span("一", "龥")
    | frozenset("々_/:： \u3000()（）・&＆")
)
# The same for 連携情報, where the reader only brings texts to normal width.
TYPED = PLAIN | _span(" ", "~") | _span("！", "～")


def character_class(characters: Iterable[str], *, negated: bool = False) -> str:
    """A character class that both ECMAScript and Python read."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, set(characters))):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])

    def sign(code: int) -> str:
        character = chr(code)
        if not (character.isprintable() or character == "\u3000"):
            return f"\\u{code:04x}"
        return "\\" + character if character in "\\]^-[" else character

    parts = (sign(a) if a == b else sign(a) + ("-" if b > a + 1 else "") + sign(b) for a, b in runs)
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _variants() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for character in PLAIN:
        found.setdefault(fold(character), set()).add(character)
    return found


_VARIANTS = _variants()
_SKIP = character_class(_VARIANTS[""]) + "*"
BLANK = "[ 　]*"
UNUSUAL = f"{character_class(PLAIN, negated=True)}|必須|任意"  # left to the reader
UNTYPED = character_class(TYPED, negated=True)
DIGIT = "[0-9０-９]"
COLON = "[:：]"
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
TRIMMED = character_class(names.BLANKS)
_SEEN = f"[^{TRIMMED[1:-1]}{_CONTROLS}]"


def one_line(longest: int | None = None) -> str:
    """A pattern of texts that say something, on one line once the blanks around are gone."""
    more = "*" if longest is None else f"{{0,{longest - 2}}}"
    return f"^{TRIMMED}*{_SEEN}(?:[^{_CONTROLS}]{more}{_SEEN})?{TRIMMED}*$"


def spelled(words: Iterable[str]) -> str:
    """A pattern of every spelling in PLAIN that folds to one of the words; shared beginnings stand once."""
    trie: dict[str, Any] = {}
    for word in sorted({fold(word) for word in words}):
        if all(character in _VARIANTS for character in word):
            node = trie
            for character in word:
                node = node.setdefault(character, {})
            node[""] = {}
    return _SKIP + _branches(trie)


def _branches(node: dict[str, Any]) -> str:
    by_rest: dict[str, set[str]] = {}
    for character, below in node.items():
        if character:
            by_rest.setdefault(_branches(below), set()).update(_VARIANTS[character])
    found = [
        (character_class(signs) if len(signs) > 1 else min(signs)) + _SKIP + rest for rest, signs in by_rest.items()
    ]
    if not found:
        return ""
    text = found[0] if len(found) == 1 and "" not in node else f"(?:{'|'.join(found)})"
    return text + "?" if "" in node else text


def _folded(words: Iterable[str], *more: str, may_be_blank: bool = True) -> Schema:
    """A text that folds to one of the words, or matches one of `more`."""
    choices = "|".join((spelled(words), *more, *([BLANK] if may_be_blank else [])))
    types = ["string", "null"] if may_be_blank else "string"
    return {"type": types, "pattern": f"^(?:{choices})$|{UNUSUAL}"}


def choice(shown: Sequence[str], words: Iterable[str], *more: str, may_be_blank: bool = True) -> Schema:
    """As `_folded`, with the spellings that an editor offers."""
    return {"anyOf": [{"enum": list(shown)}, _folded(words, *more, may_be_blank=may_be_blank)]}


def matches(*patterns: str) -> str:
    """A text that the reader only brings to normal width (連携情報)."""
    return f"^{BLANK}(?:{'|'.join(patterns)})?{BLANK}$|{UNTYPED}"
