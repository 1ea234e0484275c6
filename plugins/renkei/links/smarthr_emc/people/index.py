"""Everybody of a recorded read, and of the baseline before it, in columns that are searched in memory.

One row per person: those of the read in its order, then those whom only the baseline has. Nothing is decided here: what
is said of a person stands in the run's diff, problems and warnings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Reason
from renkei.links.smarthr_emc.wording import REASONS
from renkei.texts import BLANKS
from renkei.values.columns import joined

PAGE = 100  # people at once
_BLANKS = f"[{BLANKS}]"
_ODD = r"[^\x00!-~ぁ-ゖァ-ヺー々一-鿿]"  # all but what is no blank and has no other form: most texts have none of it
END = "\0"
_VISIBLE = bytes([0, *range(0x21, 0x7F)])  # what _ODD leaves of ASCII


class Kind(StrEnum):
    """What the run does about a person (区分)."""

    CREATE = "新規"
    UPDATE = "更新"
    DELETE = "削除"
    ID_CHANGE = "ID変更"
    OUT = "対象外"  # neither in EMC nor to be
    OPEN = "判定前"  # the run stopped before it compared


class PeopleFilter(StrEnum):
    """What a list of people is narrowed to."""

    CREATE = Kind.CREATE.value
    UPDATE = Kind.UPDATE.value
    DELETE = Kind.DELETE.value
    ID_CHANGE = Kind.ID_CHANGE.value
    OUT = Kind.OUT.value
    WRONG = "誤り"
    NOTED = "注意"


KINDS = tuple(Kind)
WHY = {
    **REASONS,
    Reason.ADOPTED.value: "EMCに既に登録がある",
    Reason.RECREATED.value: "EMCに登録が無くなっている",
    Reason.TAKEN_OVER.value: "同じ氏名の別の従業員から登録し直された",
    Reason.HANDED_OVER.value: "ユーザIDを別の人から引き継ぐ",
    "no_id": "ユーザIDの値が無い",
    "duplicate": "同じユーザIDの人がほかにもいる",
    "passed_on": "ユーザIDを別の人が引き継いだ",
    "": "",
}
REASON_NAMES = tuple(WHY)


@dataclass(frozen=True, slots=True)
class Line:
    """One person of a list."""

    crew_id: str
    user_id: str
    was: str  # the user id at the baseline, where it is another one
    name: str
    department: str  # code and name
    kind: Kind
    why: str
    wrong: bool  # 誤り
    noted: bool  # 注意


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: how many there are, and the lines from `start` on."""

    total: int
    start: int
    lines: tuple[Line, ...]

    @property
    def next(self) -> int | None:
        """Where the next page starts; None on the last one."""
        after = self.start + len(self.lines)
        return after if after < self.total else None


@dataclass(frozen=True, slots=True)
class PeopleIndex:
    """The columns; all of one length."""

    run: str
    at: str  # ISO 8601: when the run began
    keys: pa.ChunkedArray  # all that a person is found by, as `key` makes it of each, a line each
    crew_ids: pa.ChunkedArray
    user_ids: pa.ChunkedArray
    was: pa.ChunkedArray
    names: pa.ChunkedArray
    departments: pa.DictionaryArray
    kinds: Any  # NumPy: places in KINDS
    reasons: Any  # places in REASON_NAMES
    wrong: Any
    noted: Any

    def __len__(self) -> int:
        return len(self.crew_ids)

    @property
    def nbytes(self) -> int:
        texts = (self.keys, self.crew_ids, self.user_ids, self.was, self.names, self.departments)
        return sum(one.nbytes for one in (*texts, self.kinds, self.reasons, self.wrong, self.noted))

    def find(self, text: str = "", only: PeopleFilter | None = None, start: int = 0, most: int = PAGE) -> Page:
        """Those in whom `text` occurs: in a user id of theirs, 社員番号, crew id, mail address, 氏名 or its reading.

        Blanks, width and case make no difference. Without a text it is everybody.
        """
        where = np.ones(len(self), dtype=bool) if only is None else self._only(only)
        if wanted := plain(text):
            # A regular expression that is a plain text is found twice as fast as a substring.
            hits = pc.match_substring_regex(self.keys, re.escape(wanted))
            where = where & hits.to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(where)
        return Page(len(rows), start, tuple(self._line(int(row)) for row in rows[start : start + most]))

    def count(self) -> dict[PeopleFilter, int]:
        """How many a list narrowed to each would have."""
        return {only: int(self._only(only).sum()) for only in PeopleFilter}

    def _only(self, only: PeopleFilter) -> Any:
        if only is PeopleFilter.WRONG:
            return self.wrong
        return self.noted if only is PeopleFilter.NOTED else self.kinds == KINDS.index(Kind(only.value))

    def _line(self, row: int) -> Line:
        user_id, was = self.user_ids[row].as_py(), self.was[row].as_py()
        return Line(
            crew_id=self.crew_ids[row].as_py(),
            user_id=user_id,
            was="" if was == user_id else was,
            name=self.names[row].as_py(),
            department=self.departments[row].as_py(),
            kind=KINDS[self.kinds[row]],
            why=WHY[REASON_NAMES[self.reasons[row]]],
            wrong=bool(self.wrong[row]),
            noted=bool(self.noted[row]),
        )


def key(column: Any) -> Any:
    """An Arrow column as it is compared: NFKC, without blanks, in small letters."""
    content = joined(column)  # judged as a whole: most columns have nothing odd, and most names one kind of blank
    if content.isascii():
        odd = content.encode().translate(None, _VISIBLE)
        return pc.ascii_lower(_plain_where(column, _ODD) if odd else column)
    for blank in " \u3000":  # the only blanks of most names
        if blank in content:
            column = pc.replace_substring(column, blank, "")
    return pc.utf8_lower(_plain_where(column, _ODD))


def _plain_where(column: Any, odd: str) -> Any:
    """The column, those of its texts that have such a character in NFKC and without blanks."""
    where = pc.match_substring_regex(column, odd)
    others = pc.utf8_normalize(column.filter(where), "NFKC")
    return pc.replace_with_mask(column, where, pc.replace_substring_regex(others, _BLANKS, ""))


def plain(text: str) -> str:
    """A text as it is compared."""
    return str(key(pa.array([text], pa.large_string()))[0])
