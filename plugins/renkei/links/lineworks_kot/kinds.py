"""打刻種別: what a word can punch, and the form in which a word and a message are compared (P7, P9)."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.texts import BLANKS

_BLANK = re.compile(f"[{re.escape(BLANKS)}]")


class Kind(StrEnum):
    """By KING OF TIME's code. These six are there from the beginning and stay (text 4)."""

    CLOCK_IN = "1"
    CLOCK_OUT = "2"
    BREAK_BEGIN = "3"
    BREAK_END = "4"
    GO_OUT = "7"
    COME_BACK = "8"

    @property
    def label(self) -> str:
        return LABELS[self]

    @property
    def is_break(self) -> bool:
        return self in (Kind.BREAK_BEGIN, Kind.BREAK_END)

    @property
    def is_outing(self) -> bool:
        return self in (Kind.GO_OUT, Kind.COME_BACK)


LABELS = {
    Kind.CLOCK_IN: "出勤",
    Kind.CLOCK_OUT: "退勤",
    Kind.BREAK_BEGIN: "休憩開始",
    Kind.BREAK_END: "休憩終了",
    Kind.GO_OUT: "外出開始",
    Kind.COME_BACK: "外出終了",
}


def switched_on(mapping: Mapping) -> tuple[Kind, ...]:
    """The kinds that the company's sheet lets people punch (P7)."""
    return tuple(
        kind for kind in Kind if (mapping.breaks or not kind.is_break) and (mapping.outings or not kind.is_outing)
    )


def folded(text: str) -> str:
    """The text whatever its width, its case and its blanks (P9): 「 出 勤　」 is 「出勤」."""
    return _BLANK.sub("", unicodedata.normalize("NFKC", _BLANK.sub("", text))).casefold()
