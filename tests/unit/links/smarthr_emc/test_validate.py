"""Every error of every row, told with its line, its id and its crew."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.links.smarthr_emc.validate import (
    PROBLEM_COLUMNS,
    check_departments,
    no_problems,
    other_tenants_ids,
    remedy_of,
)
from renkei.links.smarthr_emc.wording import CONVERSIONS, PROBLEMS, REMEDIES
from tests.builders import CONTACT, EMC_FORMAT, Day, crew, departments, found, freeze, mapping, plan_day
from tests.unit.values.test_convert import converting

PLAIN = mapping()
MAIL = mapping(CONTACT)
PHONE = mapping({"緊急連絡1 媒体": "固定値「電話番号」", "緊急連絡1 アドレス": "電話番号"})
MEMBER = mapping({"所属部署コード": "部署1", "兼務管理部署2": "部署2"})


def kinds(sheet: Mapping, *people: dict[str, str], **more: Any) -> list[tuple[str, str, str]]:
    return plan_day(sheet, people, **more).problems()


def tree(*rows: Any, sheet: Mapping = PLAIN) -> list[tuple[str, str, str]]:
    return found(check_departments(freeze(sheet, [], departments(*rows)).departments, EMC_FORMAT))


def test_e29_sound_records_have_no_problems() -> None:
    """The table of problems is empty, and keeps its columns."""
    first = plan_day(MEMBER, [crew("c1", "1", **{"部署1(コード)": "A"})], tree=departments(("A", None)))
    assert first.problems() == []
    assert list(first.users.problems.columns) == list(PROBLEM_COLUMNS)
    assert list(first.departments.problems.columns) == list(PROBLEM_COLUMNS)


def test_e29_every_error_of_every_row_is_found() -> None:
    """Three rows, one without any error, four errors, in the order of the lines."""
    day = plan_day(
        MAIL,
        [
            crew("c1", "1", 姓="", メールアドレス="bad"),
            crew("c2", "2", メールアドレス="good@example.jp"),
            crew("c3", "x" * 41, **{"姓(ヨミガナ)": ""}),
        ],
    )
    assert day.users.problems["line"].tolist() == [1, 1, 3, 3]
    assert sorted(day.problems()) == [
        ("1", "contact_1_address", "mail"),
        ("1", "full_name", "required"),
        ("x" * 41, "full_name_yomi", "required"),
        ("x" * 41, "user_id", "too_long"),
    ]


def test_e29_line_is_the_row_of_the_received_data() -> None:
    """Crews that are left out of the plan are still counted as lines."""
    sheet = mapping({"ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー")})
    day = plan_day(sheet, [crew("c1", "1", "retired"), crew("c2", ""), crew("c3", "3", 姓="")])
    assert day.users.problems[["line", "crew_id"]].to_numpy().tolist() == [[3, "c3"]]


def test_e29_every_kind_has_a_name_and_a_remedy() -> None:
    """The mail can tell what is wrong and what to do."""
    assert set(PROBLEMS) == set(REMEDIES)
    assert all(REMEDIES.values())


ORIGINS = {
    "a column of SmartHR": ({"氏名": "姓&名"}, {"姓": "𠮷田", "名": "花"}, "full_name", "SmartHRの「姓」「名」"),
    "what the sheet joins to it": (
        {"氏名": '姓&"𠮷　"&名'},
        {"姓": "田", "名": "花"},
        "full_name",
        "SmartHRの「姓」「名」(連携設定シートの「𠮷　」とつながります)",
    ),
    "a blank": ({"氏名": "姓"}, {"姓": ""}, "full_name", "SmartHRの「姓」"),
    "a blank id": ({}, {}, "user_id", "SmartHRの「社員番号」"),
    "a default": (
        {"検索ワード1": ("役職1", "登録", "デフォルト:𠮷", "更新", "更新")},
        {"役職1": ""},
        "search_word_1",
        "連携設定シートの検索ワード1のデフォルト",
    ),
    "a constant": ({"検索ワード1": "固定値「𠮷」"}, {}, "search_word_1", "連携設定シートの検索ワード1の固定値"),
    "a constant in place of a blank": (
        {"検索ワード1": "役職1 or 固定値「𠮷」"},
        {"役職1": ""},
        "search_word_1",
        "連携設定シートの検索ワード1の固定値",
    ),
    "what no screen has": (
        {"検索ワード1": "姓(ビジネスネーム優先)"},
        {"姓(ビジネスネーム優先)": "𠮷"},
        "search_word_1",
        "SmartHRの「ビジネスネーム(姓)」「姓」",
    ),
    "what nobody types": (
        {"ユーザID": "SmartHRアカウントID"},
        {"SmartHRアカウントID": ""},
        "user_id",
        "SmartHRの「SmartHRアカウントID」(SmartHRに招待すると付きます。招待しない人がいる場合は、連携設定シートの連携元を別の項目にしてください)",
    ),
    "a title": ({"検索ワード1": "役職1"}, {"役職1": "𠮷"}, "search_word_1", "SmartHRの「役職1」(役職マスター)"),
    "a custom field": (
        {"検索ワード1": "カスタム項目:拠点"},
        {"カスタム項目:拠点": "𠮷"},
        "search_word_1",
        "SmartHRのカスタム項目「拠点」(選択肢の項目なら選択肢の名前)",
    ),
    "a department": (
        {"所属部署": "部署1"},
        {"部署1(コード)": "x" * 31},
        "primary_department_id",
        "SmartHRの「部署1」(部署マスター)",
    ),
    "a medium": (
        {"緊急連絡1 媒体": "固定値「FAX」", "緊急連絡1 アドレス": "メールアドレス"},
        {"メールアドレス": "a@b.jp"},
        "contact_1_medium",
        "連携設定シートの緊急連絡1 媒体の固定値",
    ),
}


@pytest.mark.parametrize(("lines", "values", "item", "origin"), ORIGINS.values(), ids=ORIGINS)
def test_l8_a_remedy_names_what_made_the_value(
    lines: dict[str, Any], values: dict[str, str], item: str, origin: str
) -> None:
    """L8: the sheet's cell for what the sheet made, the master list for a shared name, else SmartHR's own item."""
    day = plan_day(mapping(lines), [crew("c1", "" if item == "user_id" else "1", **values)])
    found = day.users.problems[day.users.problems["item"] == item]
    assert set(found["source"]) == {origin}
    for kind, source in found[["kind", "source"]].itertuples(index=False, name=None):
        assert origin in remedy_of(kind, "項目", source)
        assert ("変換に" in remedy_of(kind, "項目", source)) is (
            kind in CONVERSIONS and not source.startswith("連携設定")
        )


@pytest.mark.parametrize("kind", REMEDIES)
@pytest.mark.parametrize("source", ["", "SmartHRの「姓」", "連携設定シートの氏名の固定値"])
def test_l8_every_remedy_names_a_place_and_somebody_who_can(kind: str, source: str) -> None:
    """L8: SmartHR by its own item, a cell of the sheet, or the operator; a 変換 only where there is one."""
    said = remedy_of(kind, "氏名", source)
    assert any(place in said for place in ("SmartHRの", "SmartHRで", "連携設定シートの", "運用担当者"))
    assert said.count("（") == said.count("）")
    assert "変換に" not in said or source != "連携設定シートの氏名の固定値"


def test_l8_a_converted_value_is_told_as_one() -> None:
    """L8: 41 characters after 変換 are not to be seen in SmartHR."""
    sheet = converting(mapping({"検索ワード1": "業務内容"}), search_word_1="全角カナ")
    limit = EMC_FORMAT.length_of("search_word_1")
    assert limit is not None
    day = plan_day(sheet, [crew("c1", "1", 業務内容="ガ" * (limit + 1)), crew("c2", "2", 業務内容="ｱ" * (limit + 1))])
    assert [text.endswith("(連携設定シートの変換の後の値です)") for text in day.users.problems["source"]] == [
        False,
        True,
    ]


def test_l8_a_department_of_the_sheet_is_mended_there() -> None:
    """E26, L8: 最上位部署 and 部署名(ヨミ) stand in no list of SmartHR's; a department without code is known by name."""
    sheet = mapping({}, {"最上位部署ID": "A", "最上位部署名": "全社𠮷", "最上位部署名(ヨミ)": "ゼンシャ"})
    day = plan_day(sheet, [crew("c1", "1")], tree=departments(("A", None, "本社"), ("", None, "倉庫")))
    found = day.departments.problems[["item", "kind", "detail", "source"]].to_numpy().tolist()
    assert ["name", "encoding", "「𠮷」(U+20BB7)", "連携設定シートの最上位部署名"] in found
    assert {row[3] for row in found if row[1] == "duplicate_id"} == {
        "連携設定シートの最上位部署ID",
        "SmartHRの部署マスターの部署コード",
    }
    assert [row[2] for row in found if row[1] == "no_code"] == ["部署名「倉庫」"]


@pytest.mark.parametrize(
    ("line", "value", "detail"),
    [
        ("メールアドレス", "taro＠example.jp", "使えない文字 「＠」(U+FF20)"),
        ("メールアドレス", "taro@exa\u200bmple.jp", "使えない文字 9文字目のゼロ幅スペース(U+200B)"),
        ("メールアドレス", "ta ro@example.jp", "使えない文字 3文字目の空白(U+0020)"),
        ("メールアドレス", "taro@example.jp;", "使えない文字 「;」(U+003B)"),
        ("メールアドレス", "tаro@example.jp", "使えない文字 「а」(U+0430)"),
        ("メールアドレス", "taro", "「@」がありません"),
        ("メールアドレス", "a@b@example.jp", "「@」が2つ以上あります"),
        ("電話番号", "090ー1234ー5678", "使えない文字 「ー」(U+30FC)"),
        ("電話番号", "090\u00a01234-5678", "使えない文字 4文字目の改行しない空白(U+00A0)"),
        ("電話番号", "1234", "4桁です"),
        ("電話番号", "090--1234-5678", "ハイフンの位置が正しくありません"),
    ],
)
def test_l8_what_is_wrong_with_an_address_is_named_without_it(line: str, value: str, detail: str) -> None:
    """L6, L8: a look-alike or a character that nobody sees by code point and place; nothing else of the address."""
    sheet = mapping({"緊急連絡1 媒体": f"固定値「{line}」", "緊急連絡1 アドレス": line})
    found = plan_day(sheet, [crew("c1", "1", **{line: value})]).users.problems
    assert detail in found["detail"].tolist()


@pytest.mark.parametrize(("control", "name"), [("\n", "改行(U+000A)"), ("\t", "タブ(U+0009)"), ("\x1b", "U+001B")])
def test_l8_a_control_character_is_named_with_its_place(control: str, name: str) -> None:
    """L8: nobody finds it by looking."""
    day = plan_day(mapping({"検索ワード1": "業務内容"}), [crew("c1", "1", 業務内容=f"受付{control}電話")])
    found = day.users.problems[day.users.problems["kind"] == "control"]
    assert found["detail"].tolist() == [f"3文字目の{name}"]


@pytest.mark.parametrize("blank", ["", "　", "\u200b"])
@pytest.mark.parametrize("status", ["new", "known"])
def test_e29_required_items_need_a_value(blank: str, status: str) -> None:
    """氏名 and 氏名(ヨミ) are needed by new and known people."""
    yesterday = plan_day(PLAIN, [crew("c1", "1")]) if status == "known" else None
    people = [crew("c1", "1", **{"姓": blank, "姓(ヨミガナ)": blank})]
    assert plan_day(PLAIN, people, yesterday).problems() == [
        ("1", "full_name", "required"),
        ("1", "full_name_yomi", "required"),
    ]


def test_e29_a_required_item_with_a_default_is_no_error() -> None:
    """デフォルト:X is a value."""
    sheet = mapping({"氏名": ("姓", "登録", "デフォルト:氏名未登録", "更新", "デフォルト:氏名未登録")})
    day = plan_day(sheet, [crew("c1", "1", 姓="")])
    assert day.problems() == []
    assert day.row("1")["full_name"] == "氏名未登録"


def test_e18_error_cells_of_optional_items_are_problems_of_their_rows() -> None:
    """エラー for a value that is not there, on add and on update."""
    sheet = mapping({"検索ワード2": ("役職1", "登録", "エラー", "更新", "エラー")})
    first = plan_day(sheet, [crew("c1", "1"), crew("c2", "2", 役職1="課長")])
    assert first.problems() == [("1", "search_word_2", "required")]
    second = plan_day(sheet, [crew("c1", "1", 役職1="課長"), crew("c2", "2")], first)
    assert second.problems() == [("2", "search_word_2", "required")]


def test_e19_new_person_without_a_password_is_an_error() -> None:
    """パスワード×値が無い = エラー; people who are known need none."""
    sheet = mapping({"パスワード": "電話番号"})
    first = plan_day(sheet, [crew("c1", "1"), crew("c2", "2", 電話番号="090-0000-0000")])
    assert first.problems() == [("1", "password", "required")]
    assert plan_day(sheet, [crew("c2", "2")], first).problems() == []


@pytest.mark.parametrize("password", ["ﾊﾟｽﾜｰﾄﾞ", "Ｐass", "pass word", "パスワード①", "¥yen", "a\u00a0b", "髙"])
@pytest.mark.parametrize("source", ["役職1", "固定値「a」&役職1", "役職2 or 役職1"])
def test_e29_a_password_of_characters_that_emc_refuses_is_an_error_without_them(password: str, source: str) -> None:
    """Who, what and a remedy, and nothing of the password itself (L6, L7); nobody but new people gets one.

    One that the sheet itself spells is an error of the sheet.
    """
    sheet = mapping({"パスワード": (source, "登録", "エラー")})
    day = plan_day(sheet, [crew("c1", "1", 役職1=password)])
    assert day.problems() == [("1", "password", "password")]
    assert day.users.problems["detail"].tolist() == [""]
    assert "半角の英数字と記号" in REMEDIES["password"]
    sound = plan_day(mapping({"パスワード": ("役職1", "登録", "エラー")}), [crew("c1", "1", 役職1="Passw0rd!")])
    assert plan_day(sheet, [crew("c1", "1", 役職1=password)], sound).problems() == []


def test_e23_password_has_a_limit_too() -> None:
    """The format object limits パスワード; what would be too long is found before anything is sent."""
    sheet = mapping({"パスワード": "メールアドレス"})
    limit = EMC_FORMAT.lengths["password"]
    for length, expected in ((limit, []), (limit + 1, [("1", "password", "too_long")])):
        assert kinds(sheet, crew("c1", "1", メールアドレス="a" * length)) == expected


@pytest.mark.parametrize("prefix", ["", "abc"])
@pytest.mark.parametrize(("over", "expected"), [(0, 0), (1, 1)], ids=["at the limit", "past it"])
def test_e23_user_id_has_forty_characters_with_prefix(prefix: str, over: int, expected: int) -> None:
    """ユーザID ≤ 40 including ID付与コード; characters are counted, not bytes."""
    sheet = mapping(settings={"ID付与コード": prefix})
    number = "番" * (40 - len(prefix) + over)
    assert kinds(sheet, crew("c1", number)) == [(prefix + number, "user_id", "too_long")] * expected


@pytest.mark.parametrize("prefix", ["", "abc"])
@pytest.mark.parametrize(("over", "expected"), [(0, []), (1, ["department_id"])], ids=["at the limit", "past it"])
def test_e23_department_id_has_thirty_characters_with_prefix(prefix: str, over: int, expected: list[str]) -> None:
    """部署ID ≤ 30 including ID付与コード."""
    sheet = mapping(settings={"ID付与コード": prefix})
    code = "D" * (30 - len(prefix) + over)
    assert [item for _, item, kind in tree((code, None), sheet=sheet) if kind == "too_long"] == expected


@pytest.mark.parametrize(
    ("line", "column", "item"),
    [
        ({}, "姓", "full_name"),
        ({}, "姓(ヨミガナ)", "full_name_yomi"),
        ({"検索ワード3": "役職1"}, "役職1", "search_word_3"),
        ({"保有権限2": "役職1"}, "役職1", "role_2"),
    ],
)
def test_e23_other_limits_are_the_format_objects(line: Any, column: str, item: str) -> None:
    """At the limit is fine, one more is not, and the detail tells both figures."""
    limit = EMC_FORMAT.length_of(item)
    assert limit is not None
    assert kinds(mapping(line), crew("c1", "1", **{column: "あ" * limit})) == []
    day = plan_day(mapping(line), [crew("c1", "1", **{column: "あ" * (limit + 1)})])
    assert day.problems() == [("1", item, "too_long")]
    assert str(limit) in day.users.problems["detail"][0]
    assert str(limit + 1) in day.users.problems["detail"][0]


def test_e23_department_names_have_a_limit() -> None:
    """部署名 by the format object."""
    limit = EMC_FORMAT.lengths["name"]
    assert tree(("A", None, "部" * limit)) == []
    assert tree(("A", None, "部" * (limit + 1))) == [("A", "name", "too_long")]


UNCARRIED = [
    ("𠮷田", "encoding_variant", "「𠮷」(U+20BB7)"),
    ("德每\ufa45", "encoding_variant", "「每」(U+6BCF)、「\ufa45」(U+FA45)"),
    ("山\u200b田\u200b様", "encoding_invisible", "2文字目のゼロ幅スペース(U+200B)"),
    ("渡邉\U000e0104様", "encoding_invisible", "3文字目のU+E0104"),
    ("山田😀", "encoding", "「😀」(U+1F600)"),
    ("Zoë", "encoding", "「ë」(U+00EB)"),
    ("ﾔﾏﾀﾞ\u3099", "encoding", "5文字目のU+3099"),
    ("한국", "encoding", "「한」(U+D55C)、「국」(U+AD6D)"),
    ("山𠀋田", "encoding", "「𠀋」(U+2000B)"),
]


@pytest.mark.parametrize(("text", "kind", "detail"), UNCARRIED)
def test_e29_characters_that_the_encoding_lacks_are_errors(text: str, kind: str, detail: str) -> None:
    """E29: beyond CP932 nothing is replaced silently; the character is named with its code point."""
    day = plan_day(PLAIN, [crew("c1", "1", 姓="髙橋"), crew("c2", "2", 姓=text)])
    assert day.problems() == [("2", "full_name", kind)]
    assert day.users.problems["detail"].tolist() == [detail]


def test_e29_each_row_names_its_own_characters() -> None:
    """E29: what others of the column have is not said of this person; one problem for each remedy."""
    day = plan_day(PLAIN, [crew("c1", "1", 姓="𠮷田"), crew("c2", "2", 姓="😀𣘺"), crew("c3", "3", 姓="髙")])
    found = day.users.problems[["id", "kind", "detail"]].to_numpy().tolist()
    assert found == [
        ["1", "encoding_variant", "「𠮷」(U+20BB7)"],
        ["2", "encoding", "「😀」(U+1F600)"],
        ["2", "encoding_variant", "「𣘺」(U+2363A)"],
    ]


@pytest.mark.parametrize(("text", "words"), [("𠮷田", "標準字体"), ("山\u200b田", "不可視文字除去")])
def test_e29_the_conversion_that_a_remedy_names_mends_it(text: str, words: str) -> None:
    """E29: the remedy's word in the 変換 column, and the row is fine."""
    problems = plan_day(PLAIN, [crew("c1", "1", 姓=text)]).users.problems
    assert f"変換に「{words}」" in remedy_of(problems["kind"][0], "氏名", problems["source"][0])
    assert kinds(converting(PLAIN, full_name=words), crew("c1", "1", 姓=text)) == []


def test_e29_what_has_no_conversion_is_not_told_to_use_one() -> None:
    """E29: departments have no 変換 column, nor has a password; an id must come back as the very same text."""
    assert tree(("A", None, "山\u200b田"))[0][2] == "unseen"
    sheet = mapping({"パスワード": "役職1"})
    assert kinds(sheet, crew("c1", "1", 役職1="𠮷")) == [("1", "password", "password")]
    assert kinds(PLAIN, crew("c1", "〜1")) == [("〜1", "user_id", "encoding")]


@pytest.mark.parametrize(
    "text", ["髙橋", "山﨑", "①②", "〜", "㈱", "ｶﾅ", "～－∥", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"]
)
def test_e29_characters_of_cp932_are_fine(text: str) -> None:
    """The variants that companies use, signs and half-width kana."""
    assert kinds(PLAIN, crew("c1", "1", 姓=text)) == []


def test_e29_characters_count_in_ids_and_departments_too() -> None:
    """Every text that would be written is looked at."""
    assert kinds(PLAIN, crew("c1", "𠮷1")) == [("𠮷1", "user_id", "encoding_variant")]
    assert tree(("A", None, "𠮷野支店")) == [("A", "name", "encoding")]


@pytest.mark.parametrize("control", ["\n", "\r\n", "\t", "\x00", "\x1b", "\x7f", "\u2028"])
def test_e29_control_characters_are_errors(control: str) -> None:
    """A line break inside a value would break the file."""
    sheet = mapping({"検索ワード1": "業務内容"})
    assert ("1", "search_word_1", "control") in kinds(sheet, crew("c1", "1", 業務内容=f"受付{control}電話"))
    assert ("A", "name", "control") in tree(("A", None, f"本{control}社"))


GOOD_MAILS = [
    "taro@example.jp",
    "taro.yamada+emc@sub.example.co.jp",
    "a@b.co",
    "x_y-z@example-mail.jp",
    "taro..y.@docomo.ne.jp",  # carriers gave such addresses out
    "1@1.jp",
]
BAD_MAILS = [
    "taro",
    "@example.jp",
    "taro@",
    "taro@example",
    "taro@@example.jp",
    "taro@example..jp",
    "taro@example.jp.",
    "taro@.example.jp",
    "taro@-example.jp",
    "taro@example-.jp",
    "ta ro@example.jp",
    "taro@exam ple.jp",
    "taro@example.jp,jiro@example.jp",
    "taro@example.jp;",
    "<taro@example.jp>",
    "taro＠example.jp",
    "ｔａｒｏ@example.jp",
    "たろう@example.jp",
    "090-1234-5678",
]


@pytest.mark.parametrize("address", GOOD_MAILS)
def test_e29_mail_addresses_that_are_fine(address: str) -> None:
    """What carriers and companies use."""
    assert kinds(MAIL, crew("c1", "1", メールアドレス=address)) == []


@pytest.mark.parametrize("address", BAD_MAILS)
def test_e29_mail_addresses_that_are_malformed(address: str) -> None:
    """A mail that cannot arrive on the day it matters."""
    assert kinds(MAIL, crew("c1", "1", メールアドレス=address)) == [("1", "contact_1_address", "mail")]


@pytest.mark.parametrize("number", ["09012345678", "090-1234-5678", "03-1234-5678", "+81-90-1234-5678", "0120-444-444"])
def test_e29_phone_numbers_that_are_fine(number: str) -> None:
    """Digits with or without hyphens, and the international form."""
    assert kinds(PHONE, crew("c1", "1", 電話番号=number)) == []


@pytest.mark.parametrize(
    "number",
    [
        "０９０１２３４５６７８",
        "０９０-1234-5678",
        "090－1234－5678",
        "090ー1234ー5678",
        "090--1234-5678",
        "-09012345678",
        "09012345678-",
        "090 1234 5678",
        "090.1234.5678",
        "1234",
        "090-1234-5678 (自宅)",
        "9" * 16,
        "٠٩٠١٢٣٤٥٦٧٨"[:11],
        "taro@example.jp",
    ],
)
def test_e29_phone_numbers_that_are_malformed(number: str) -> None:
    """Full-width digits, letters, other separators, too few or too many digits."""
    assert ("1", "contact_1_address", "phone") in kinds(PHONE, crew("c1", "1", 電話番号=number))


@pytest.mark.parametrize("slot", range(1, 11))
def test_e29_e20_each_of_ten_contacts_is_looked_at_and_kept_with_its_medium(slot: int) -> None:
    """A malformed address is named in its slot; without one, its medium is not written."""
    sheet = mapping({f"緊急連絡{slot} 媒体": "固定値「メールアドレス」", f"緊急連絡{slot} アドレス": "メールアドレス"})
    day = plan_day(sheet, [crew("c1", "1", メールアドレス="taro@"), crew("c2", "2")])
    assert day.problems() == [("1", f"contact_{slot}_address", "mail")]
    assert day.row("2")[f"contact_{slot}_medium"] is None


def test_e29_a_kept_medium_decides_how_a_new_address_is_read() -> None:
    """更新しない for the medium: the new address must fit the medium that EMC has."""
    sheet = mapping(
        {
            "緊急連絡1 媒体": ("固定値「メールアドレス」", "登録", "登録しない", "更新しない", "更新しない"),
            "緊急連絡1 アドレス": "メールアドレス",
        }
    )
    first = plan_day(sheet, [crew("c1", "1", メールアドレス="a@example.jp")])
    assert plan_day(sheet, [crew("c1", "1", メールアドレス="bad")], first).problems() == [
        ("1", "contact_1_address", "mail")
    ]


def test_e29_media_come_from_a_fixed_list() -> None:
    """A medium taken from SmartHR may be anything; without an address it is not written, nor an error."""
    sheet = mapping({"緊急連絡1 媒体": "カスタム項目:媒体", "緊急連絡1 アドレス": "メールアドレス"})
    day = plan_day(
        sheet,
        [
            crew("c1", "1", メールアドレス="a@example.jp", **{"カスタム項目:媒体": "メールアドレス"}),
            crew("c2", "2", メールアドレス="b@example.jp", **{"カスタム項目:媒体": "伝書鳩"}),
            crew("c3", "3", **{"カスタム項目:媒体": "伝書鳩"}),
        ],
    )
    assert day.problems() == [("2", "contact_1_medium", "medium")]


@pytest.mark.parametrize("known", [False, True])
def test_e20_an_address_without_medium_is_an_error(known: bool) -> None:
    """EMC would not know what to do with it, on add or when an update clears the medium."""
    sheet = mapping(
        {
            "緊急連絡1 媒体": ("カスタム項目:媒体", "登録", "登録しない", "更新", "更新"),
            "緊急連絡1 アドレス": "メールアドレス",
        }
    )
    whole = crew("c1", "1", メールアドレス="a@example.jp", **{"カスタム項目:媒体": "メールアドレス"})
    first = plan_day(sheet, [whole]) if known else None
    today = plan_day(sheet, [{**whole, "カスタム項目:媒体": ""}], first)
    assert today.problems() == [("1", "contact_1_medium", "no_medium")]


@pytest.mark.parametrize(("word", "fine"), [("T", True), ("F", True), ("Y", False), ("t", False)])
def test_e19_forced_change_is_t_or_f(word: str, fine: bool) -> None:
    """EMC's flag knows two values."""
    sheet = mapping({"パスワード強制変更": "役職1"})
    assert kinds(sheet, crew("c1", "1", 役職1=word)) == ([] if fine else [("1", "password_reset", "flag")])


def test_e29_unknown_department_codes_are_errors() -> None:
    """Of the primary and of the concurrent departments; the code is in the detail."""
    day = plan_day(
        MEMBER,
        [
            crew("c1", "1", **{"部署1(コード)": "A", "部署2(コード)": "B"}),
            crew("c2", "2", **{"部署1(コード)": "X", "部署2(コード)": "a"}),
            crew("c3", "3"),
        ],
        tree=departments(("A", None), ("B", "A")),
    )
    assert day.problems() == [
        ("2", "primary_department_id", "unknown_department"),
        ("2", "secondary_department_2", "unknown_department"),
    ]
    assert "X" in day.users.problems["detail"][0]


def test_e24_department_codes_are_looked_up_with_prefix() -> None:
    """Users and departments carry the same ID付与コード."""
    sheet = mapping({"所属部署コード": "部署1"}, {"ID付与コード": "abc"})
    assert kinds(sheet, crew("c1", "1", **{"部署1(コード)": "A"}), tree=departments(("A", None))) == []


def test_e29_a_company_without_departments_knows_no_code() -> None:
    """No departments at all: every code is unknown, a blank one is fine."""
    assert kinds(MEMBER, crew("c1", "1"), crew("c2", "2", **{"部署1(コード)": "A"})) == [
        ("2", "primary_department_id", "unknown_department")
    ]


KEEPING = ("部署1", "登録", "登録しない", "更新しない", "更新しない")


def leaving(sheet: Mapping, after: Mapping | None = None) -> Day:
    """A person moves from B to A while B is deleted."""
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"})], tree=departments(("A", None), ("B", None)))
    moved = crew("c1", "1", **{"部署1(コード)": "A"})
    return plan_day(after or sheet, [moved], first, tree=departments(("A", None)))


def test_e13_department_that_everybody_left_can_be_deleted() -> None:
    """The update moves the person away first."""
    assert leaving(mapping({"所属部署コード": "部署1"})).problems() == []


def test_e13_deleted_department_that_a_kept_user_has_by_smarthr_is_an_error() -> None:
    """SmartHR itself still says so: an unknown code."""
    sheet = mapping({"所属部署コード": "部署1"})
    people = [crew("c1", "1", **{"部署1(コード)": "B"})]
    first = plan_day(sheet, people, tree=departments(("A", None), ("B", None)))
    assert plan_day(sheet, people, first, tree=departments(("A", None))).problems() == [
        ("1", "primary_department_id", "unknown_department")
    ]


def test_e13_deleted_department_that_emc_keeps_by_policy_is_an_error() -> None:
    """更新しない: EMC still has the old department, although SmartHR moved the person."""
    assert leaving(mapping({"所属部署コード": KEEPING})).problems() == [
        ("1", "primary_department_id", "department_in_use")
    ]


def test_e13_deleted_department_that_a_blank_leaves_in_emc_is_an_error() -> None:
    """更新×値が無い = 更新しない keeps the old one, too."""
    sheet = mapping({"兼務管理部署1": ("部署2", "登録", "登録しない", "更新", "更新しない")})
    first = plan_day(sheet, [crew("c1", "1", **{"部署2(コード)": "B"})], tree=departments(("A", None), ("B", None)))
    assert plan_day(sheet, [crew("c1", "1")], first, tree=departments(("A", None))).problems() == [
        ("1", "secondary_department_1", "department_in_use")
    ]


def test_e13_deleted_department_of_an_item_that_the_sheet_no_longer_links_is_an_error() -> None:
    """The line is gone from the sheet, so nothing is written, and EMC keeps the old department."""
    assert leaving(mapping({"所属部署コード": "部署1"}), after=mapping()).problems() == [
        ("1", "primary_department_id", "department_in_use")
    ]


def test_e13_deleted_department_stays_remembered_over_quiet_days() -> None:
    """What EMC has is carried from plan to plan, not guessed from yesterday's read."""
    sheet, both = mapping({"所属部署コード": KEEPING}), departments(("A", None), ("B", None))
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"})], tree=both)
    second = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "A"})], first, tree=both)
    assert second.problems() == []
    third = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "A"})], second, tree=departments(("A", None)))
    assert third.problems() == [("1", "primary_department_id", "department_in_use")]


def test_e13_user_that_is_deleted_with_its_department_is_no_error() -> None:
    """Only those who stay use a department."""
    sheet = mapping({"所属部署コード": KEEPING})
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"}), crew("c2", "2")], tree=departments(("B", None)))
    assert plan_day(sheet, [crew("c2", "2")], first).problems() == []


def test_e13_trees_in_any_order_are_fine() -> None:
    """A child may be listed before its parent."""
    assert tree(("C", "B"), ("A", None), ("B", "A")) == []


def test_e13_unknown_parents_are_errors() -> None:
    """Only the department itself is told, not everything below it."""
    assert tree(("A", None), ("B", "X"), ("C", "B")) == [("B", "parent_id", "unknown_parent")]


@pytest.mark.parametrize(
    ("rows", "in_loop"),
    [
        ((("A", "A"),), {"A"}),
        ((("A", "B"), ("B", "A")), {"A", "B"}),
        ((("A", None), ("B", "D"), ("C", "B"), ("D", "C")), {"B", "C", "D"}),
    ],
)
def test_e13_loops_are_errors(rows: Any, in_loop: set[str]) -> None:
    """Every member of the loop is told."""
    assert set(tree(*rows)) == {(i, "parent_id", "loop") for i in in_loop}


def test_e13_departments_without_code_are_errors_with_their_source() -> None:
    """SmartHR's own id of the department stands in for the missing one."""
    problems = check_departments(
        freeze(PLAIN, [], departments(("", None, "営業部"), ("B", ""))).departments, EMC_FORMAT
    )
    assert sorted(found(problems)) == [("", "department_id", "no_code"), ("B", "parent_id", "orphan")]
    assert problems.set_index("kind").loc["no_code", "crew_id"] == "d1"


def test_e13_two_departments_without_code_are_no_duplicates() -> None:
    """They are told once each, for what they lack."""
    assert tree(("", None), ("", None)) == [("", "department_id", "no_code")] * 2


def test_e10_duplicate_department_ids_name_both() -> None:
    """Each tells the other's source."""
    problems = check_departments(freeze(PLAIN, [], departments(("A", None), ("A", None))).departments, EMC_FORMAT)
    assert found(problems) == [("A", "department_id", "duplicate_id")] * 2
    assert all("d1" in detail and "d2" in detail for detail in problems["detail"])


def test_e10_a_code_that_stands_twice_is_told_before_any_loop_that_it_makes() -> None:
    """Which of the two is meant as the parent is not known yet."""
    assert tree(("A", "A"), ("A", "A")) == [("A", "department_id", "duplicate_id")] * 2


def test_e26_root_department_that_a_real_one_has_the_id_of_is_an_error() -> None:
    """Ids are unique with the one the sheet adds."""
    sheet = mapping(settings={"最上位部署ID": "A", "最上位部署名": "本社", "最上位部署名(ヨミ)": "ホンシャ"})
    assert ("A", "department_id", "duplicate_id") in tree(("A", None), sheet=sheet)


def test_e29_department_needs_a_name() -> None:
    """部署名 is required."""
    assert tree(("A", None, "　")) == [("A", "name", "required")]


def test_e13_no_departments_have_no_problems() -> None:
    """An empty table is fine."""
    assert tree() == []


def test_e27_ids_of_another_tenant_are_errors() -> None:
    """New and kept ids are compared; a delete of the own id is not."""
    table = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "crew_id": ["c1", "c2", "c3"],
            "line": [1, 2, 0],
            "operation": ["CREATE", "UPDATE", "DELETE"],
        }
    )
    problems = other_tenants_ids(table, {"other": frozenset({"2", "3"}), "third": frozenset()}, RecordSet.USERS)
    assert found(problems) == [("2", "user_id", "other_tenant")]
    assert "other" in problems["detail"][0]
    assert len(other_tenants_ids(table, {}, RecordSet.USERS)) == 0


def test_e29_empty_problem_tables_can_be_joined_to_full_ones() -> None:
    """Types do not change when one side has no rows."""
    full = plan_day(PLAIN, [crew("c1", "1", 姓="")]).users.problems
    joined = pd.concat([no_problems(), full, no_problems()], ignore_index=True)
    assert joined["line"].dtype == "int64"
    assert found(joined) == [("1", "full_name", "required")]


FORMULAS = ["=1+1", "=HYPERLINK(A1)", "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3+A1", "+81-90-0000-0000+1", "-", "--"]
HARMLESS = ["+81-90-1234-5678", "-81 (90) 1234.5678", "本部=東", "a@example.jp", "1+1", "A-1", "＝", "'=1"]


@pytest.mark.parametrize("text", FORMULAS[:-2])
def test_e38_a_cell_that_a_spreadsheet_would_run_is_an_error_of_its_row(text: str) -> None:
    """Files for upload are opened by people; ids, names, passwords, constants alike, and nothing is changed (E22)."""
    sheet = mapping({"検索ワード1": "役職1", "パスワード": "電話番号"}, {"取込方式": "ファイル"})
    people = [crew("c1", text, 姓=text, 役職1=text, 電話番号=text), crew("c2", "2", 電話番号="x")]
    found_kinds = {item for user_id, item, kind in kinds(sheet, *people) if kind == "formula"}
    assert found_kinds == {"user_id", "password", "full_name", "search_word_1"}
    assert {user_id for user_id, _, _ in kinds(sheet, *people)} == {text}


@pytest.mark.parametrize("text", [*HARMLESS, *FORMULAS[-2:]])
def test_e38_a_cell_that_is_no_formula_is_written_as_it_is(text: str) -> None:
    """Telephone numbers with + and -, and signs elsewhere than in front."""
    sheet = mapping({"検索ワード1": "役職1"}, {"取込方式": "ファイル"})
    day = plan_day(sheet, [crew("c1", "1", 役職1=text)])
    assert day.problems() == []
    assert day.row("1")["search_word_1"] == text


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_e38_a_control_character_in_front_of_a_formula_is_an_error(start: str) -> None:
    """Some spreadsheets pass over it; no cell may have one, by whatever way it is loaded."""
    sheet = mapping({"検索ワード1": ('役職1&"x"', "登録", "登録しない", "更新", "更新")}, {"取込方式": "ファイル"})
    people = [crew("c1", "1", 役職1=f"a{start}=1+1")]
    assert kinds(sheet, *people) == [("1", "search_word_1", "control")]


def test_e38_formulas_matter_in_files_alone() -> None:
    """EMC's import interface takes a name as a name."""
    assert kinds(PLAIN, crew("c1", "1", 姓="=1+1")) == []


def test_e38_a_department_named_like_a_formula_is_an_error_in_files_alone() -> None:
    """部署名 reaches the departments file."""
    rows = freeze(PLAIN, [], departments(("A", None, "=1+1"), ("B", None, "+1"))).departments
    assert found(check_departments(rows, EMC_FORMAT)) == []
    assert found(check_departments(rows, EMC_FORMAT, Loader.FILE_DROP)) == [("A", "name", "formula")]
