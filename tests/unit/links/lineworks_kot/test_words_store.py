"""打刻メッセージ編集: versions, and what a list of words may not be."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.links.lineworks_kot.kinds import Kind, folded, switched_on
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import (
    FIRST,
    ChangedMeanwhileError,
    Word,
    Words,
    word_problems,
    word_warnings,
)
from renkei.storage.database.database import Database

NINE = dt.datetime(2026, 4, 1, 0, tzinfo=dt.UTC)
GOOD_MORNING = Word(Kind.CLOCK_IN, "おはようございます")


def test_p7_a_company_begins_with_a_word_for_each_kind(database: Database) -> None:
    assert Words(database, "acme").current() == FIRST
    assert [word.text for word in FIRST.words] == ["出勤", "退勤", "休憩開始", "休憩終了", "外出", "戻り"]
    assert word_problems(FIRST.words, list(Kind)) == []


def test_p7_what_is_saved_is_in_force_at_once_and_any_version_can_be_gone_back_to(database: Database) -> None:
    words = Words(database, "acme")
    first = words.save([*FIRST.words, GOOD_MORNING], 0, "総務", NINE, "あいさつでも打刻")
    assert (words.current(), words.current().of(Kind.CLOCK_IN)) == (first, ["出勤", "おはようございます"])
    words.save(FIRST.words, 1, "総務", NINE)
    found = words.version(1)
    assert found == first
    words.save(found.words, 2, "総務", NINE, "版1に戻す")
    assert [one.version for one in words.versions()] == [3, 2, 1]
    assert words.current().words == first.words
    assert Words(database, "other").current() == FIRST


def test_two_who_change_the_words_at_once_see_each_other(database: Database) -> None:
    words = Words(database, "acme")
    words.save([*FIRST.words, GOOD_MORNING], 0, "総務", NINE)
    with pytest.raises(ChangedMeanwhileError, match="ほかの人が先に"):
        words.save(FIRST.words, 0, "人事", NINE)
    assert words.current().by == "総務"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([Word(Kind.CLOCK_OUT, "退勤")], "初期状態で存在する打刻種別は削除できません"),
        ([Word(Kind.CLOCK_IN, "出勤"), Word(Kind.CLOCK_IN, " \u3000")], "空白です"),
        ([Word(Kind.CLOCK_IN, "出" * 101)], "101文字あります"),
        ([Word(Kind.CLOCK_IN, "出\n勤")], "改行"),
        ([Word(Kind.CLOCK_IN, "IN"), Word(Kind.CLOCK_IN, "ｉｎ")], "同じ文言が2回あります"),
        ([Word(Kind.CLOCK_IN, "出勤"), Word(Kind.CLOCK_OUT, "出 勤")], "出勤にも同じ文言があります"),
        ([Word(Kind.CLOCK_IN, f"出{n}") for n in range(31)], "文言が31個あります"),
    ],
)
def test_p7_what_cannot_be_in_force_is_named(words: list[Word], said: str) -> None:
    found = [str(problem) for problem in word_problems(words, [Kind.CLOCK_IN])]
    assert any(said in problem for problem in found), found


def test_p9_a_word_within_another_kinds_word_is_warned_of() -> None:
    words = [Word(Kind.CLOCK_IN, "出"), Word(Kind.GO_OUT, "外出"), Word(Kind.CLOCK_OUT, "退勤")]
    found = [str(problem) for problem in word_warnings(words)]
    assert any("外出開始の「外出」に含まれます" in one for one in found), found
    assert any("1文字なので" in one for one in found)
    assert word_warnings(FIRST.words) == []


def test_p9_width_case_and_blanks_make_no_other_word() -> None:
    assert {folded(text) for text in ("IN 出勤", "ｉｎ出勤", "In\u200b 出\u3000勤")} == {"in出勤"}


def test_p7_break_and_outing_only_where_they_are_switched_on() -> None:
    off = Mapping("acme", "アクメ", {"1": dt.time()})
    assert switched_on(off) == (Kind.CLOCK_IN, Kind.CLOCK_OUT)
    assert switched_on(Mapping("acme", "アクメ", {}, breaks=True, outings=True)) == tuple(Kind)
