"""Which 打刻種別 a message asks for: by the words that it contains (P9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from renkei.links.lineworks_kot.kinds import Kind, folded
from renkei.links.lineworks_kot.words_store import Word


@dataclass(frozen=True, slots=True)
class Match:
    """A word of each kind that the message asks for, in the order in which they stand there; none, one or several."""

    words: tuple[Word, ...] = ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(word.kind for word in self.words)


def match(text: str, words: Sequence[Word], *, exact: bool = False) -> Match:
    """Folded, a word within a longer one is not meant: 「直行出勤」 is not 「出勤」 too. `exact`: the message is a word."""
    said = folded(text)
    found: list[tuple[int, int, Word]] = []
    for word in sorted(words, key=lambda one: -len(folded(one.text))):
        sought = folded(word.text)
        if exact:
            found += [(0, len(said), word)] if sought and sought == said else []
            continue
        for begin in _places(said, sought):
            end = begin + len(sought)
            if not any(first <= begin and end <= last and last - first > len(sought) for first, last, _ in found):
                found.append((begin, end, word))
    by_kind: dict[Kind, Word] = {}
    for _, _, word in sorted(found, key=lambda one: one[:2]):
        by_kind.setdefault(word.kind, word)
    return Match(tuple(by_kind.values()))


def _places(text: str, word: str) -> Iterator[int]:
    begin = text.find(word) if word else -1
    while begin >= 0:
        yield begin
        begin = text.find(word, begin + 1)
