"""Which 打刻種別 a message asks for."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.matching import match
from renkei.links.lineworks_kot.words_store import FIRST, Word
from renkei.links.lineworks_kot.working_day import working_day

IN, OUT, BREAK, BACK, AWAY = Kind.CLOCK_IN, Kind.CLOCK_OUT, Kind.BREAK_BEGIN, Kind.COME_BACK, Kind.GO_OUT


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("出勤", [IN]),
        ("おはようございます。出勤します", [IN]),
        (" 出\u3000勤\u200b ", [IN]),
        ("出勤して退勤", [IN, OUT]),
        ("退勤、出勤", [OUT, IN]),
        ("出勤出勤", [IN]),
        ("休憩開始", [BREAK]),
        ("休憩", []),
        ("しゅっきん", []),
        ("", []),
    ],
)
def test_p9_a_message_that_contains_a_word_punches(text: str, kinds: list[Kind]) -> None:
    assert list(match(text, FIRST.words).kinds) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("直行出勤", [AWAY]),
        ("直行出勤です。出勤", [AWAY, IN]),  # the second one stands by itself
        ("ｃｌｏｃｋ　ＩＮ", [IN]),
        ("Clock in now", [OUT]),
        ("ｶｴﾘ", [BACK]),
        ("出勤退勤簿", [IN, OUT]),  # neither is within the other
    ],
)
def test_p9_the_longest_word_wins_where_one_is_within_another(text: str, kinds: list[Kind]) -> None:
    words = [
        Word(IN, "出勤"),
        Word(OUT, "勤退勤"),
        Word(AWAY, "直行出勤"),
        Word(IN, "clock in"),
        Word(OUT, "CLOCK IN NOW"),
        Word(BACK, "カエリ"),
        Word(IN, "　"),
    ]
    assert list(match(text, words).kinds) == kinds


def test_p9_where_it_is_to_be_exact_a_message_is_a_word_and_nothing_else() -> None:
    assert match("出勤します", FIRST.words, exact=True).kinds == ()
    assert match("　出勤 ", FIRST.words, exact=True).words == (Word(IN, "出勤"),)


@pytest.mark.parametrize(
    ("at", "boundary", "day"),
    [
        ("2026-12-01T00:30:00", "05:00", "2026-11-30"),
        ("2026-12-01T04:59:59", "05:00", "2026-11-30"),
        ("2026-12-01T05:00:00", "05:00", "2026-12-01"),
        ("2026-12-01T00:00:00", "00:00", "2026-12-01"),
        ("2026-12-01T09:00:00", "05:00", "2026-12-01"),
        ("2027-01-01T03:00:00", "05:00", "2026-12-31"),
    ],
)
def test_p10_the_working_day_is_the_one_whose_boundary_was_last(at: str, boundary: str, day: str) -> None:
    moment = dt.datetime.fromisoformat(f"{at}+09:00")
    for same in (moment, moment.astimezone(dt.UTC)):
        assert working_day(same, dt.time.fromisoformat(boundary)).isoformat() == day
