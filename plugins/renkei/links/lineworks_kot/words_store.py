"""打刻メッセージ編集: the words of each 打刻種別, in versions, of which the newest is in force at once (P7, decision 19)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError

from renkei.errors import Problem, RenkeiError
from renkei.links.lineworks_kot.kinds import Kind, folded
from renkei.links.lineworks_kot.tables import WORDS
from renkei.storage.database.database import Database
from renkei.texts import control_fault, trim

MAX_WORD = 100  # characters
MAX_WORDS = 30  # of one kind
LISTED = 50  # versions
DEFAULTS = {
    Kind.CLOCK_IN: "出勤",
    Kind.CLOCK_OUT: "退勤",
    Kind.BREAK_BEGIN: "休憩開始",
    Kind.BREAK_END: "休憩終了",
    Kind.GO_OUT: "外出",
    Kind.COME_BACK: "戻り",
}


class ChangedMeanwhileError(RenkeiError):
    """Somebody else has changed the words since the page was opened."""


@dataclass(frozen=True, slots=True)
class Word:
    """文言設定: a message that contains `text` punches `kind`."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class WordList:
    """A version. Number 0 is what every company begins with."""

    version: int
    words: tuple[Word, ...]
    at: dt.datetime | None = None
    by: str = ""
    why: str = ""

    def of(self, kind: Kind) -> list[str]:
        return [word.text for word in self.words if word.kind is kind]


FIRST = WordList(0, tuple(Word(kind, text) for kind, text in DEFAULTS.items()))


class Words:
    """The words of one tenant."""

    def __init__(self, database: Database, tenant: str) -> None:
        self._database, self._tenant = database, tenant

    def current(self) -> WordList:
        """What is in force now."""
        return next(iter(self.versions(1)), FIRST)

    def version(self, number: int) -> WordList | None:
        if number == 0:
            return FIRST
        wanted = select(WORDS).where(WORDS.c.tenant == self._tenant, WORDS.c.version == number)
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        return _version(row) if row else None

    def versions(self, most: int = LISTED) -> list[WordList]:
        """The newest first."""
        wanted = select(WORDS).where(WORDS.c.tenant == self._tenant).order_by(WORDS.c.version.desc()).limit(most)
        with self._database.reading() as connection:
            return [_version(row) for row in connection.execute(wanted)]

    def save(self, words: Sequence[Word], drawn_from: int, by: str, now: dt.datetime, why: str = "") -> WordList:
        """The next version after `drawn_from`; what `word_problems` refuses is the caller's to refuse.

        Raises:
            ChangedMeanwhileError: that one is not the newest any more.
        """
        made = WordList(drawn_from + 1, tuple(words), now, by, why)
        content = json.dumps([[word.kind.value, word.text] for word in words], ensure_ascii=False)
        with self._database.writing() as connection:
            newest = select(WORDS.c.version).where(WORDS.c.tenant == self._tenant)
            found = connection.scalar(newest.order_by(WORDS.c.version.desc()).limit(1)) or 0
            if found != drawn_from:
                raise ChangedMeanwhileError("ほかの人が先に打刻メッセージを変更しました。画面を開き直してください。")
            row = {"version": made.version, "at": now, "by": by, "why": why, "content": content}
            try:
                connection.execute(insert(WORDS), {"tenant": self._tenant, **row})
            except IntegrityError:  # on PostgreSQL two can have read the same newest
                raise ChangedMeanwhileError(
                    "ほかの人が先に打刻メッセージを変更しました。画面を開き直してください。"
                ) from None
        return made


def _version(row: Row[tuple[object, ...]]) -> WordList:
    words = tuple(Word(Kind(kind), text) for kind, text in json.loads(row.content))
    return WordList(row.version, words, row.at, row.by, row.why)


def word_problems(words: Sequence[Word], kinds: Collection[Kind]) -> list[Problem]:
    """Why these words cannot be in force; `kinds` are those that the company punches."""
    return [*_of_each(words), *_of_kinds(words, kinds), *_twice(words)]


def _of_each(words: Sequence[Word]) -> Iterator[Problem]:
    for word in words:
        where = f"{word.kind.label}の「{trim(word.text)[:20]}」"
        if not folded(word.text):
            remedy = "文言を入力するか、追加した行を空欄のまま残さず削除してください"
            yield Problem(f"{word.kind.label}の文言設定", "空白です", remedy)
        elif len(word.text) > MAX_WORD:
            yield Problem(where, f"{len(word.text)}文字あります", f"{MAX_WORD}文字以内にしてください")
        elif fault := control_fault(word.text, "文言"):
            yield fault.at(where)


def _of_kinds(words: Sequence[Word], kinds: Collection[Kind]) -> Iterator[Problem]:
    for kind in kinds:
        count = sum(word.kind is kind for word in words)
        if not count:
            remedy = "文言を1つ以上入力してください"
            yield Problem(
                f"{kind.label}の文言設定", "文言がありません。初期状態で存在する打刻種別は削除できません", remedy
            )
        elif count > MAX_WORDS:
            yield Problem(f"{kind.label}の文言設定", f"文言が{count}個あります", f"{MAX_WORDS}個以内にしてください")


def _twice(words: Sequence[Word]) -> Iterator[Problem]:
    first: dict[str, Word] = {}
    for word in words:
        same = first.setdefault(folded(word.text), word)
        if same is word or not folded(word.text):
            continue
        where = f"{word.kind.label}の「{trim(word.text)[:20]}」"
        if same.kind is word.kind:
            yield Problem(where, "同じ文言が2回あります", "どちらかを削除してください")
        else:
            found = f"{same.kind.label}にも同じ文言があります。どちらの打刻か決められません"
            yield Problem(where, found, "どちらかの文言を変えてください")


def word_warnings(words: Sequence[Word]) -> list[Problem]:
    """What may surprise people once these words are in force (P9)."""
    found = []
    for word in words:
        text, where = folded(word.text), f"{word.kind.label}の「{trim(word.text)}」"
        if len(text) == 1:
            remedy = "2文字以上の文言をお勧めします"
            found.append(Problem(where, "1文字なので、ふつうの会話でも打刻されます", remedy))
        for other in words:
            if other.kind is not word.kind and text and text != folded(other.text) and text in folded(other.text):
                what = f"{other.kind.label}の「{trim(other.text)}」に含まれます。「{trim(other.text)}」と書くと{other.kind.label}になります"
                found.append(Problem(where, what, "意図どおりでなければ、どちらかの文言を変えてください"))
    return found
