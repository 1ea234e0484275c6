"""Doubtful values: every kind found where it is, and nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc.records import ValueWarnings
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.value_warnings import HYGIENE_COLUMNS, doubtful, substituted, summary
from renkei.links.smarthr_emc.wording import SHARED_BY, VALUE_WARNINGS
from tests.builders import CONTACT, EMC_FORMAT, crew, departments, freeze, mapping, plan_day
from tests.unit.values.test_convert import converting

UTF8 = EMC_FORMAT.model_copy(update={"encoding": "utf-8"})
PHONE = {"緊急連絡2 媒体": "固定値「電話番号」", "緊急連絡2 アドレス": "電話番号"}
SHEET = mapping({**CONTACT, **PHONE, "検索ワード1": "役職1"})


def doubts(*people: dict[str, str], sheet: Mapping = SHEET, emc_format: Any = UTF8) -> pd.DataFrame:
    """What is doubtful on a first day of these people."""
    plan = plan_day(sheet, people).users
    return doubtful(plan.rows, plan.target, sheet, emc_format)


def kinds(sheet: Mapping = SHEET, emc_format: Any = UTF8, **values: str) -> list[tuple[str, str, str]]:
    """(item, kind, detail) of one person."""
    found = doubts(crew("c1", "1", **values), sheet=sheet, emc_format=emc_format)
    return list(found[["item", "kind", "detail"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("sign", "code"), [("〜", 0x301C), ("−", 0x2212), ("‖", 0x2016), ("￢", 0), ("¬", 0xAC), ("①", 0)]
)
@pytest.mark.parametrize("column", ["姓", "役職1"])
def test_e22_a_sign_that_the_encoding_replaces_is_told(sign: str, code: int, column: str) -> None:
    """CP932 has ～ for 〜 (the like by decode of what was encoded): written, and said of whom; none of it in UTF-8."""
    found = [doubt for doubt in kinds(emc_format=EMC_FORMAT, **{column: f"A{sign}B"}) if doubt[1] == "substituted"]
    item = {"姓": "full_name", "役職1": "search_word_1"}[column]
    assert found == ([(item, "substituted", f"「{sign}」(U+{code:04X})")] if code else [])
    assert "substituted" not in {kind for _, kind, _ in kinds(**{column: f"A{sign}B"})}


def test_e22_a_department_of_whose_name_emc_gets_another_sign_is_told() -> None:
    """By its id and the characters; an id with such a sign is an error (validate)."""
    tree = freeze(SHEET, [], departments(("A", None, "営業〜部"), ("B", "A", "総務部"))).departments
    assert substituted(tree, EMC_FORMAT) == [("A", "「〜」(U+301C)")]
    assert substituted(tree, UTF8) == []


NAME, KANA, WORD = "姓", "姓(ヨミガナ)", "役職1"
FOUND = [
    (NAME, "山\u200b田", ("full_name", "invisible", "ゼロ幅スペース(U+200B)")),
    (NAME, "山\u00ad田", ("full_name", "invisible", "ソフトハイフン(U+00AD)")),
    (NAME, "渡邉\U000e0104様", ("full_name", "invisible", "U+E0104")),
    (WORD, "課\ufeff長", ("search_word_1", "invisible", "BOM(U+FEFF)")),
    (NAME, "髙橋", ("full_name", "variant", "「髙」(U+9AD9)")),
    (NAME, "髙﨑", ("full_name", "variant", "「髙」(U+9AD9)「﨑」(U+FA11)")),
    (NAME, "𠮷田", ("full_name", "variant", "「𠮷」(U+20BB7)")),
    (NAME, "\ufa19田", ("full_name", "variant", "「\ufa19」(U+FA19)")),
    (WORD, "①課㈱", ("search_word_1", "machine", "「①」(U+2460)「㈱」(U+3231)")),
    (WORD, "第Ⅲ課", ("search_word_1", "machine", "「Ⅲ」(U+2162)")),
    (WORD, "\ue000課", ("search_word_1", "machine", "U+E000")),
    (KANA, "ﾔﾏﾀﾞ", ("full_name_yomi", "kana_half", "「ﾔ」(U+FF94)「ﾏ」(U+FF8F)「ﾀ」(U+FF80)")),
    (KANA, "やマダ", ("full_name_yomi", "kana_hiragana", "「や」(U+3084)")),
    (KANA, "山ダ", ("full_name_yomi", "kana_kanji", "「山」(U+5C71)")),
    (KANA, "SMITH", ("full_name_yomi", "kana_letters", "「S」(U+0053)「M」(U+004D)「I」(U+0049)")),
    (KANA, "ヤマダ2", ("full_name_yomi", "kana_letters", "「2」(U+0032)")),
    (KANA, "Ｓｍ", ("full_name_yomi", "kana_lower", "「ｍ」(U+FF4D)")),
    (NAME, "山田  太郎", ("full_name", "double_blank", "")),
    (NAME, "山田　 太郎", ("full_name", "double_blank", "")),
    (KANA, "ヤマダ　　タロウ", ("full_name_yomi", "double_blank", "")),
    ("電話番号", "090-0123-4567", ("contact_2_address", "unused_phone", "")),
    ("電話番号", "0312345678901", ("contact_2_address", "unused_phone", "")),
    ("電話番号", "0901234567", ("contact_2_address", "unused_phone", "")),
    ("電話番号", "+81-3-1234-567", ("contact_2_address", "unused_phone", "")),
    ("メールアドレス", "taro..y@docomo.ne.jp", ("contact_1_address", "odd_mail", "")),
    ("メールアドレス", "taro.@example.jp", ("contact_1_address", "odd_mail", "")),
    ("メールアドレス", "a@" + "b" * 60 + ".cc" * 66, ("contact_1_address", "odd_mail", "")),
    ("メールアドレス", "taro@pc.local", ("contact_1_address", "odd_mail", "")),
    ("メールアドレス", "taro@" + "a" * 64 + ".jp", ("contact_1_address", "odd_mail", "")),
]
SOUND = [
    (NAME, "山田 太郎"),
    (NAME, "山田　太郎"),
    (NAME, "龍澤 々〆ヶ ～－∥￠￡￢ ｶﾅ Smith"),
    (NAME, "O'Brien"),
    (KANA, "ヤマダ　タロウ"),
    (KANA, "ヴァーヽヾ・ー ＳＭＩＴＨ１"),
    (WORD, "課長 ｶﾅ abc ＡＢＣ ひらがな（株）"),
    (WORD, "東京  大阪"),
    ("電話番号", "090-1234-5678"),
    ("電話番号", "09012345678"),
    ("電話番号", "03-1234-5678"),
    ("電話番号", "0120-444-444"),
    ("電話番号", "0570-012-345"),
    ("電話番号", "+81-90-1234-5678"),
    ("電話番号", "+1-650-253-0000"),
    ("メールアドレス", "taro.yamada+emc@sub.example.co.jp"),
    ("メールアドレス", "a@" + "b" * 60 + ".cc" * 64),
    ("メールアドレス", "taro@xn--wgv71a119e.jp"),
    ("メールアドレス", ""),
]


def test_e22_a_doubtful_value_is_named_with_its_characters() -> None:
    """E22: the item, the kind, and of the value no more than what is doubtful."""
    people = [crew(f"c{n}", str(n), **{column: value}) for n, (column, value, _) in enumerate(FOUND)]
    found = doubts(*people)[["id", "item", "kind", "detail"]].to_numpy().tolist()
    assert sorted(found) == sorted([str(n), *expected] for n, (_, _, expected) in enumerate(FOUND))


def test_e22_a_small_letter_of_half_width_in_a_reading_is_told_as_both() -> None:
    """E22: made full-width alone, it would be told again."""
    assert kinds(**{KANA: "Ｓm"}) == [
        ("full_name_yomi", kind, "「m」(U+006D)") for kind in ("kana_letters", "kana_lower")
    ]


def test_e22_a_sound_value_is_not_named() -> None:
    """E22: what everybody writes is no doubt."""
    people = [crew(f"c{n}", str(n), **{column: value}) for n, (column, value) in enumerate(SOUND)]
    assert doubts(*people).to_numpy().tolist() == []


def test_e22_every_kind_is_tried() -> None:
    """E22: those that need more than one person's value have tests of their own."""
    assert {kind for _, _, (_, kind, _) in FOUND} | {
        "full_width",
        "shared_contact",
        "no_date",
        "id_blank",
        "id_alike",
        "substituted",
    } == set(VALUE_WARNINGS)
    assert all(doubt.title and doubt.remedy for doubt in VALUE_WARNINGS.values())


def test_e22_no_doubt_is_an_empty_table() -> None:
    """E22: with its columns, and a summary of nothing."""
    found = doubts(crew("c1", "1"))
    assert (list(found.columns), len(found)) == (list(HYGIENE_COLUMNS), 0)
    assert doubts().empty
    assert summary(found, 20) == ValueWarnings()


def test_e29_what_the_encoding_lacks_is_not_told_twice() -> None:
    """E29: an error of the row; what CP932 carries alone is a doubt."""
    assert kinds(emc_format=EMC_FORMAT, 姓="𠮷田\u200b様") == []
    assert kinds(emc_format=EMC_FORMAT, 姓="髙田①") == [
        ("full_name", "variant", "「髙」(U+9AD9)"),
        ("full_name", "machine", "「①」(U+2460)"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("ＥＭＰ００１", ["full_width"]), ("EMP001", []), ("社員００１", ["full_width"]), ("社員－1", [])],
)
def test_e22_full_width_letters_in_an_id(value: str, expected: list[str]) -> None:
    """E22: people type their id in half width; signs are no letters."""
    assert [kind for kind in doubts(crew("c1", value))["kind"]] == expected


@pytest.mark.parametrize("blank", [" ", "\u3000", "\xa0", "\t"])
def test_e10_a_blank_within_an_id_is_named(blank: str) -> None:
    """E10: it is part of the id, which its owner has to type."""
    assert "id_blank" in list(doubts(crew("c1", f"emp{blank}001"))["kind"])


@pytest.mark.parametrize(("one", "other"), [("abc1", "ABC1"), ("abc1", "Abc1"), ("A1", "Ａ1"), ("é1", "É1")])
def test_e10_ids_that_differ_only_in_capitals_or_width_are_named(one: str, other: str) -> None:
    """E10: they are two people, and perhaps one was meant; each is told with the other."""
    found = doubts(crew("c1", one), crew("c2", "x"), crew("c3", other))
    alike = found[found["kind"] == "id_alike"]
    assert alike[["id", "detail"]].to_numpy().tolist() == [[one, f"「{other}」"], [other, f"「{one}」"]]


def test_e12_an_id_that_comes_back_in_other_capitals_is_named() -> None:
    """E12: the old one is deleted in the same load."""
    first = plan_day(mapping(), [crew("c1", "abc1"), crew("c2", "2")])
    second = plan_day(mapping(), [crew("c1", "ABC1"), crew("c2", "2")], first).users
    found = doubtful(second.rows, second.target, mapping(), UTF8)
    assert found[["id", "kind", "detail"]].to_numpy().tolist() == [["ABC1", "id_alike", "「abc1」"]]


def test_e22_a_contact_without_medium_is_looked_at_by_what_it_is() -> None:
    """E22: the sheet leaves 媒体 to EMC's screen and nobody knows what is there, so the checks of a medium are silent."""
    first = plan_day(mapping(), [crew("c1", "1")])
    sheet = mapping(
        {**CONTACT, "緊急連絡1 媒体": ("固定値「電話番号」", "登録", "登録しない", "更新しない", "更新しない")}
    )
    for value, expected in [
        ("taro＠example.jp", []),
        ("ｔａｒｏ@example.jp", ["full_width", "odd_mail"]),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", ["full_width"]),
        ("taro..y@example.jp", ["odd_mail"]),
        ("090-0123-4567", ["unused_phone"]),
        ("taro@example.jp", []),
        ("LINE:taro", []),
    ]:
        users = plan_day(sheet, [crew("c1", "1", メールアドレス=value)], first).users
        assert users.problems.empty
        assert doubtful(users.rows, users.target, sheet, UTF8)["kind"].tolist() == expected, value


def test_e22_other_items_are_numbers_and_addresses_if_the_sheet_converts_them_so() -> None:
    """E22: what 電話番号 or メールアドレス could not read is named, as it stays as it is."""
    plain = mapping({"検索ワード1": "役職1", "検索ワード2": "役職2"})
    sheet = converting(plain, search_word_1="電話番号", search_word_2="メールアドレス")
    assert kinds(sheet, 役職1="内線12", 役職2="taro") == [
        ("search_word_2", "odd_mail", ""),
        ("search_word_1", "unused_phone", ""),
    ]
    assert kinds(sheet, 役職1="０９０１２３４５６７８", 役職2="taro＠Example.jp") == []
    assert kinds(plain, 役職1="内線12", 役職2="taro") == []


def test_e22_a_date_that_could_not_be_read() -> None:
    """E22: left as it was and named; blanks and デフォルト:X are not."""
    line = ("入社年月日", "登録", "デフォルト:未登録", "更新", "更新")
    for words in ("日付:YYYY/MM/DD", "空白除去、日付:YYYY/MM/DD"):
        sheet = converting(mapping({"検索ワード1": line}), search_word_1=words)
        for value, expected in [
            ("2024-04-01", []),
            ("", []),
            ("令和6年4月1日", ["no_date"]),
            ("2024-13-01", ["no_date"]),
        ]:
            assert [kind for _, kind, _ in kinds(sheet, 入社年月日=value)] == expected, value


def sharing(count: int, **values: str) -> list[dict[str, str]]:
    return [crew(f"c{n}", f"{n}", **values) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("column", "values", "item"),
    [
        ("メールアドレス", ["info@example.jp", "Info@Example.jp"], "contact_1_address"),
        ("電話番号", ["03-1234-5678", "0312345678"], "contact_2_address"),
    ],
)
def test_e22_a_contact_of_many_people_is_named(column: str, values: list[str], item: str) -> None:
    """E22: five people with one mail or telephone, however it is written; four may be a family."""
    people = sharing(SHARED_BY - 1, **{column: values[0]})
    assert doubts(*people).empty
    found = doubts(*people, crew("c9", "9", **{column: values[1]}), crew("c10", "10", **{column: ""}))
    assert found[["id", "item", "kind", "detail"]].to_numpy().tolist() == [
        [user_id, item, "shared_contact", "5名で共有"] for user_id in ("1", "2", "3", "4", "9")
    ]


def test_e22_one_person_may_have_a_contact_twice() -> None:
    """E22: people are counted, not slots; the same contact in other slots of other people counts."""
    twice = {"緊急連絡2 媒体": "固定値「メールアドレス」", "緊急連絡2 アドレス": "役職1"}
    sheet = mapping({**CONTACT, **twice})
    same = sharing(3, メールアドレス="a@example.jp", 役職1="a@example.jp")
    assert doubts(*same, sheet=sheet).empty
    more = [crew(f"d{n}", f"9{n}", メールアドレス=f"{n}@example.jp", 役職1="a@example.jp") for n in range(2)]
    found = doubts(*same, *more, sheet=sheet)
    assert found["id"].value_counts().to_dict() == {"1": 2, "2": 2, "3": 2, "90": 1, "91": 1}
    assert set(found["detail"]) == {"5名で共有"}


def test_e22_only_what_is_written_is_looked_at() -> None:
    """E22: an item that the sheet leaves alone keeps EMC's value; codes of departments and media are no texts."""
    sheet = mapping({"検索ワード1": ("役職1", "登録しない", "登録しない", "更新", "更新"), "所属部署コード": "部署1"})
    assert kinds(sheet, 役職1="①", **{"部署1(コード)": "①"}) == []
    first = plan_day(sheet, [crew("c1", "1", 役職1="①")])
    second = plan_day(sheet, [crew("c1", "1", 役職1="①"), crew("c2", "2", 役職1="①")], first).users
    assert doubtful(second.rows, second.target, sheet, UTF8)["id"].tolist() == ["1"]


def test_e22_rows_are_by_line_and_people_are_counted_once() -> None:
    """E22: one row per person, item and kind; the summary tells the first people of a kind with all their items."""
    people = [crew("c1", "1", 姓="髙田", 役職1="髙"), crew("c2", "2"), crew("c3", "3", 姓="﨑山", 役職1="①")]
    found = doubts(*people)
    assert found[["line", "id", "crew_id", "item", "kind"]].to_numpy().tolist() == [
        [1, "1", "c1", "full_name", "variant"],
        [1, "1", "c1", "search_word_1", "variant"],
        [3, "3", "c3", "full_name", "variant"],
        [3, "3", "c3", "search_word_1", "machine"],
    ]
    assert summary(found, 1) == ValueWarnings(
        {"variant": 2, "machine": 1},
        [
            ("variant", "1", "c1", "氏名: 「髙」(U+9AD9)、検索ワード1: 「髙」(U+9AD9)"),
            ("machine", "3", "c3", "検索ワード1: 「①」(U+2460)"),
        ],
    )


def test_l6_no_value_is_quoted() -> None:
    """L6: the table has characters, ids and item names, never a contact or a name."""
    people = sharing(SHARED_BY, 姓="髙橋太郎", メールアドレス="secret..x@example.jp", 電話番号="090-0123-4567")
    texts = doubts(*people).to_csv()
    assert not any(part in texts for part in ("高橋", "橋", "太郎", "secret", "0123"))
    assert set(doubts(*people)["kind"]) == {"variant", "odd_mail", "unused_phone", "shared_contact"}
