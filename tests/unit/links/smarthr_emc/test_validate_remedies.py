"""What is wrong with a value is told with the place where somebody can mend it."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import CONVERSIONS, PROBLEMS, REMEDIES
from tests.builders import EMC_FORMAT, crew, departments, mapping, plan_day
from tests.unit.values.test_convert import converting


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
