"""The 変換 column: each word's conversion, what stays as it is, and where it is applied."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pandas as pd
import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.expression import parse_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.values.conversion import WORDS, Conversion, Convert
from renkei.values.convert import converted, date_pattern, mail, phone
from renkei.values.variants import in_jis_x_0208, standard_forms
from tests.builders import mapping


def texts(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def by(words: str, text: str) -> str:
    """One value converted as a cell of the 変換 column asks."""
    return converted(texts(text), conversions_of(words, USER_ITEM["search_word_1"]))[0]


CASES = [
    ("全角カナ", "ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ"),
    ("全角カナ", "ﾊﾟﾋﾟﾌﾟ", "パピプ"),
    ("全角カナ", "ｳﾞｨｰﾅｽ", "ヴィーナス"),
    ("全角カナ", "やまだ　たろう", "ヤマダ　タロウ"),
    ("全角カナ", "さとーゝ", "サトーヽ"),
    ("全角カナ", "か\u3099き\u3099ホ\u309a", "ガギポ"),
    ("全角カナ", "ﾜﾞ", "ワ゛"),
    ("全角カナ", "｢ｱ･ｲ｣｡", "「ア・イ」。"),
    ("全角カナ", "ヤマダ　タロウ", "ヤマダ　タロウ"),
    ("全角カナ", "山田 Smith ＡＢ", "山田 Smith ＡＢ"),
    ("全角", "ABC-1 ﾔﾏﾀﾞ", "ＡＢＣ－１　ヤマダ"),
    ("全角", "山田 太郎", "山田　太郎"),
    ("全角", "~\\\"'", "～＼＂＇"),
    ("全角", "ヤマダ", "ヤマダ"),
    ("半角", "ＡＢＣ－１　ﾔﾏﾀﾞ", "ABC-1 ﾔﾏﾀﾞ"),
    ("半角", "サーバー１ー２", "サーバー1-2"),
    ("半角", "０３−１２３４‐５６７８", "03-1234-5678"),
    ("半角", "03―1234–5678", "03-1234-5678"),
    ("半角", "ヤマダ―タロウ", "ヤマダ―タロウ"),
    ("半角", "①㈱㎝", "①㈱㎝"),
    ("大文字", "emp001ａ", "EMP001Ａ"),
    ("小文字", "EMP001Ａ", "emp001ａ"),
    ("電話番号", "０９０（１２３４）５６７８", "090-1234-5678"),
    ("電話番号", "09012345678", "090-1234-5678"),
    ("電話番号", "+81 90-1234-5678", "090-1234-5678"),
    ("電話番号", "+81 (0)90 1234 5678", "090-1234-5678"),
    ("電話番号", "090ー1234ー5678", "090-1234-5678"),
    ("電話番号", "090.1234.5678", "090-1234-5678"),
    ("電話番号", "090\u200b12345678", "090-1234-5678"),
    ("電話番号", "0312345678", "03-1234-5678"),
    ("電話番号", "0462-123456", "046-212-3456"),
    ("電話番号", "0120444444", "0120-444-444"),
    ("電話番号", "05012345678", "050-1234-5678"),
    ("電話番号", "+1 (650) 253-0000", "+1-650-253-0000"),
    ("電話番号", "090-1234-5678", "090-1234-5678"),
    # No valid number: as it is, so that the check names it.
    ("電話番号", "090-1234-567", "090-1234-567"),
    ("電話番号", "09001234567", "09001234567"),
    ("電話番号", "０９０１２３４", "０９０１２３４"),
    ("電話番号", "090-1234-5678 (自宅)", "090-1234-5678 (自宅)"),
    ("電話番号", "090-1234-5678/03-1234-5678", "090-1234-5678/03-1234-5678"),
    ("電話番号", "なし", "なし"),
    ("電話番号", "", ""),
    ("メールアドレス", "ｔａｒｏ＠Ｅｘａｍｐｌｅ．ＪＰ", "taro@example.jp"),
    ("メールアドレス", "Taro@Example.JP", "Taro@example.jp"),
    ("メールアドレス", "taro @ example.jp\u200b", "taro@example.jp"),
    ("メールアドレス", "taro..y.@DOCOMO.ne.jp", "taro..y.@docomo.ne.jp"),
    ("メールアドレス", "taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
    ("メールアドレス", "taro@xn--wgv71a119e.jp", "taro@xn--wgv71a119e.jp"),
    ("メールアドレス", "taro@example.jp", "taro@example.jp"),
    ("メールアドレス", "ｔａｒｏ", "ｔａｒｏ"),
    ("メールアドレス", "たろう@Example.jp", "たろう@Example.jp"),
    ("メールアドレス", "taro@Example", "taro@Example"),
    ("メールアドレス", "a@B.jp,c@D.jp", "a@B.jp,c@D.jp"),
    ("メールアドレス", "", ""),
    ("日付:YYYY/MM/DD", "2024-04-01", "2024/04/01"),
    ("日付:YYYY/MM/DD", "2024/4/1", "2024/04/01"),
    ("日付:YYYY年M月D日", "2024-04-01", "2024年4月1日"),
    ("日付:YYYYMMDD", "２０２４年１２月３１日", "20241231"),
    ("日付:M/D", "2024-04-01", "4/1"),
    ("日付:YYYY/MM/DD", "2024-02-29", "2024/02/29"),
    ("日付:YYYY/MM/DD", "2023-02-29", "2023-02-29"),
    ("日付:YYYY/MM/DD", "2024-04", "2024-04"),
    ("日付:YYYY/MM/DD", "未定", "未定"),
    ("空白除去", "山田 　\u00a0太郎", "山田太郎"),
    ("空白除去", "山\u200b田", "山田"),
    ("不可視文字除去", "山\u200b田\u00ad\ufeff\u202e太\ufe00郎\U000e0100", "山田太郎"),
    ("不可視文字除去", "山田　太郎 ー", "山田　太郎 ー"),
    ("標準字体", "髙橋 﨑山 𠮷田 濵瀨 德", "高橋 崎山 吉田 浜瀬 徳"),
    ("標準字体", "渡邉 渡邊", "渡辺 渡辺"),
    ("標準字体", "神\ufa19 都\ufa26", "神神 都都"),
    ("標準字体", "渡邉\U000e0104 葛\U000e0100城", "渡辺 葛城"),
    ("標準字体", "龍澤 國 廣 草彅", "龍澤 國 廣 草彅"),
    ("半角、小文字", "ＥＭＰ００１", "emp001"),
    ("小文字、半角", "ＥＭＰ００１", "emp001"),
    ("半角、全角", "ａ1", "ａ１"),
    ("全角、半角", "ａ1", "a1"),
    ("空白除去、電話番号", "090 1234 5678", "090-1234-5678"),
]


@pytest.mark.parametrize(("words", "text", "expected"), CASES)
def test_e22_each_word_converts_what_it_says_and_nothing_else(words: str, text: str, expected: str) -> None:
    """E22: altered only where the sheet asks for it, in the order of its words."""
    assert by(words, text) == expected


def test_e22_every_word_is_tried() -> None:
    """E22: no conversion is without a case above."""
    assert {c.convert for words, _, _ in CASES for c in conversions_of(words, USER_ITEM["search_word_1"])} == {*WORDS}


def test_e22_a_column_keeps_its_rows() -> None:
    """E22: labels, repetitions, blanks and missing cells stay where they are; without a word nothing is touched."""
    column = pd.Series(["ｱ", None, "", "ｱ", "亜"], index=[9, 4, 7, 1, 2], dtype="str")
    result = converted(column, (Conversion(Convert.KATAKANA),))
    assert result.fillna("?").to_dict() == {9: "ア", 4: "?", 7: "", 1: "ア", 2: "亜"}
    assert result.dtype == "str"
    assert converted(column, ()) is column


@pytest.mark.parametrize("convert", Convert)
def test_e22_nobody_is_no_special_case(convert: Convert) -> None:
    """E22: an empty column, one of blanks, and one in several pieces."""
    asked = (Conversion(convert, "YYYY"),)
    assert converted(texts(), asked).tolist() == []
    assert converted(texts("", None), asked).fillna("?").tolist() == ["", "?"]
    assert converted(pd.concat([texts("山"), texts("田")]), asked).tolist() == ["山", "田"]


@given(st.text(st.sampled_from("ｱｶﾞあがアー髙\u200b０9-－@. 　a.J"), max_size=12))
def test_e22_converting_twice_changes_nothing_more(text: str) -> None:
    """E22: a value that EMC already has in its form is the same value on the next day."""
    for convert in Convert:
        asked = (Conversion(convert, "YYYY/MM/DD"),)
        once = converted(texts(text), asked)
        assert converted(once, asked).tolist() == once.tolist(), convert


def test_e22_ordinary_mobile_numbers_are_written_as_the_library_writes_them() -> None:
    """E22: the short way for a million of them gives nothing else than phonenumbers."""
    made = random.Random(7)
    numbers = [f"0{made.choice('56789')}0{made.randrange(10**8):08}" for _ in range(2000)]
    result = converted(texts(*numbers), (Conversion(Convert.PHONE),))
    for number, found in zip(numbers, result, strict=True):
        parsed = phonenumbers.parse(number, "JP")
        valid = phonenumbers.is_valid_number(parsed)
        national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert found == (national if valid else number) == phone(number)


def test_e22_numbers_with_japans_own_zero_are_written_as_the_library_writes_them() -> None:
    """E22: without its own reading of a number it comes to the same, whatever the number."""
    made = random.Random(8)
    for _ in range(2000):
        number = f"0{made.randrange(1, 10)}{made.randrange(10**9):09}"[: made.choice((9, 10, 11))]
        try:
            parsed = phonenumbers.parse(number, "JP")
        except phonenumbers.NumberParseException:  # 010 goes abroad
            assert phone(number) == number
            continue
        form = phonenumbers.PhoneNumberFormat
        shown = phonenumbers.format_number(parsed, form.NATIONAL if parsed.country_code == 81 else form.INTERNATIONAL)
        assert phone(number) == (shown.replace(" ", "-") if phonenumbers.is_valid_number(parsed) else number)


@pytest.mark.parametrize("address", ["Taro@Example.JP", "a.b+c@SUB.example.co.jp", "１@１．jp", "o'brien@Example.com"])
def test_e22_addresses_are_what_the_library_makes_of_them(address: str) -> None:
    """E22: email-validator's normalised form."""
    assert mail(address) == validate_email(re.sub("＠", "@", mail(address)), check_deliverability=False).normalized


def test_e22_a_domain_that_is_none_is_not_touched() -> None:
    """E22: what the library refuses stays, capitals and all."""
    with pytest.raises(EmailNotValidError):
        validate_email("A@B..JP", check_deliverability=False)
    assert mail("A@B..JP") == "A@B..JP"


@pytest.mark.parametrize("form", ["YYYY/MM/DD", "YYYY年M月D日", "YYYYMMDD", "M.D"])
def test_e22_a_date_is_recognised_by_its_form(form: str) -> None:
    """E22: what the conversion writes has the form; what it left alone has not."""
    pattern = date_pattern(form)
    assert re.match(pattern, by(f"日付:{form}", "2024-04-01"))
    assert not re.match(pattern, "未定")
    assert not re.match(pattern, "2024-04-01")


def test_e22_standard_forms_are_carried_by_every_reader() -> None:
    """E22: one character of JIS X 0208 for one, never on to another; variants are those that it lacks, and 邉邊."""
    forms = standard_forms()
    assert {len(form) for form in forms.values()} == {1}
    assert [form for form in forms.values() if not in_jis_x_0208(form)] == []
    assert set(forms.values()) & set(forms) == set()
    assert {variant for variant in forms if in_jis_x_0208(variant)} == {"邉", "邊"}
    assert not any(unencodable(form) for variant, form in forms.items() if not unencodable(variant))


def unencodable(character: str) -> bool:
    return character.encode("cp932", "replace") == b"?"


def converting(sheet: Mapping, **words: str) -> Mapping:
    """The sheet with words in the 変換 column of some items."""
    return replace(
        sheet,
        users=tuple(
            replace(rule, conversions=conversions_of(words.get(rule.item, ""), USER_ITEM[rule.item]))
            for rule in sheet.users
        ),
    )


def test_e22_a_rule_s_value_is_its_source_converted() -> None:
    """E22: joined first, converted then, trimmed last; nothing left is blank."""
    rule = converting(mapping({"検索ワード1": '姓&"　"&名'}), search_word_1="空白除去、全角カナ").rule("search_word_1")
    assert rule is not None
    people = pd.DataFrame({"姓": ["ﾔﾏﾀﾞ", "", "\u200b"], "名": ["ﾀﾛｳ", "ﾊﾅ", ""]}, dtype="str")
    assert value_of(rule, people).tolist() == ["ヤマダタロウ", "ハナ", ""]
    plain = replace(rule, source=parse_source("姓"), conversions=())
    assert value_of(plain, people).tolist() == ["ﾔﾏﾀﾞ", "", ""]
