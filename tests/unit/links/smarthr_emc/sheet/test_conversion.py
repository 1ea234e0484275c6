"""E22: the words of the 変換 column."""

from __future__ import annotations

import pytest

from renkei.links.smarthr_emc.sheet.conversion import UNCONVERTED, conversions_of
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.texts import Fault
from renkei.values.conversion import WORDS, Conversion, Convert, format_codes, format_conversions

NAME = USER_ITEM["full_name"]


@pytest.mark.parametrize("convert", Convert)
def test_e22_every_conversion_has_a_word_and_a_code(convert: Convert) -> None:
    """E22: both read to the conversion, and what is written reads back."""
    found = (Conversion(convert, "YYYY/MM/DD" if convert is Convert.DATE else ""),)
    form = ":YYYY/MM/DD" if convert is Convert.DATE else ""
    for text in (WORDS[convert] + form, convert.value + form, convert.value.lower() + form):
        assert conversions_of(text, NAME) == found
    assert conversions_of(format_conversions(found), NAME) == found
    assert conversions_of("、".join(format_codes(found)), NAME) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" 　\u200b", ()),
        ("、 ,\n", ()),
        ("カナ", (Conversion(Convert.KATAKANA),)),
        ("ｶﾀｶﾅ", (Conversion(Convert.KATAKANA),)),
        ("全角カタカナ", (Conversion(Convert.KATAKANA),)),
        ("メール", (Conversion(Convert.MAIL),)),
        ("全 角", (Conversion(Convert.FULL_WIDTH),)),
        ("日付書式：YYYY年M月D日", (Conversion(Convert.DATE, "YYYY年M月D日"),)),
        ("日付: MM-DD ", (Conversion(Convert.DATE, "MM-DD"),)),
        ("半角:", (Conversion(Convert.HALF_WIDTH),)),
    ],
)
def test_e22_habits_of_writing_are_understood(text: str, expected: tuple[Conversion, ...]) -> None:
    """E22: width, blanks and other names of a word do not matter; a blank cell asks for nothing."""
    assert conversions_of(text, NAME) == expected


@pytest.mark.parametrize("mark", [",", "、", "，", ";", "；", "+", "＋", "\n", " 、 ", ",,"])
def test_e22_words_keep_their_order_whatever_stands_between_them(mark: str) -> None:
    """E22: conversions are applied one after the other, so the order is the customer's."""
    found = conversions_of(mark.join(["小文字", "半角", "日付:YYYY.MM.DD"]), NAME)
    assert [c.convert for c in found] == [Convert.LOWER, Convert.HALF_WIDTH, Convert.DATE]
    assert format_conversions(found) == "小文字、半角、日付:YYYY.MM.DD"
    assert format_codes(found) == ["LOWER", "HALF_WIDTH", "DATE:YYYY.MM.DD"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("全角カン", "「全角カナ」と記入してください"),
        ("なんとなく変える", "という変換はありません"),
        ("半角 小文字", "という変換はありません"),
        ("半角、半角", "2回記入"),
        ("半角、HALF_WIDTH", "2回記入"),
        ("小文字:x", "「小文字」と記入"),
        ("日付", "日付:YYYY/MM/DD"),
        ("日付:", "日付:YYYY/MM/DD"),
        ("日付:/", "日付:YYYY/MM/DD"),
        ("日付:yyyy/mm/dd", "日付:YYYY/MM/DD"),
        ("日付:YYY", "日付:YYYY/MM/DD"),
        ("日付:YYYYY", "日付:YYYY/MM/DD"),
        ("日付:「YYYY」", "日付:YYYY/MM/DD"),
        ("日付:YYYY\tMM", "日付:YYYY/MM/DD"),
    ],
)
def test_l8_a_word_that_is_none_is_refused_with_a_remedy(text: str, message: str) -> None:
    """L8: what is wrong with the word, and what to write instead."""
    with pytest.raises(Fault, match=message):
        conversions_of(text, NAME)


@pytest.mark.parametrize("text", ["かな", "全角かな", "ひらがな", "全角 ひらがな", "平仮名", "ヒラガナ"])
def test_l8_hiragana_is_answered_with_katakana(text: str) -> None:
    """L8: nothing makes hiragana; 「全角」, the word most like it, would do another thing."""
    with pytest.raises(Fault) as caught:
        conversions_of(text, NAME)
    assert caught.value.found == f"「{text}」という変換はありません"
    assert caught.value.remedy == "ひらがなにする変換は無く、カタカナにする「全角カナ」だけがあります"


@pytest.mark.parametrize("key", UNCONVERTED)
def test_e22_codes_and_passwords_are_never_changed(key: str) -> None:
    """E22: an id of a department, a flag or a password would be another one; a blank cell is right there."""
    assert conversions_of(" ", USER_ITEM[key]) == ()
    with pytest.raises(Fault, match="変換を指定できません"):
        conversions_of("半角", USER_ITEM[key])
