"""Whoever writes what a finding says, word for word, has a sound cell that holds what was meant (L8)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.expression import parse_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.links.smarthr_emc.sheet.parse import CheckedSheet, check_sheet
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSheet
from tests.unit.links.smarthr_emc.sheet.test_parse import USERS, sheet

MAIL, PHONE = "固定値「メールアドレス」", "固定値「電話番号」"
CELLS = {"s": "source", "a": "create_present", "b": "create_blank", "c": "update_present", "d": "update_blank"}
CELLS |= {"l": "linked", "": "item"}

# what people write in SmartHR項目, by the EMC item: what they mean
MEANT: dict[str, dict[str, str]] = {
    "ユーザID": {
        **dict.fromkeys(
            ("社番", "職員番号", "社員No", "従業員コード", "ID", "ログインID", "社員番合", "部署1", "氏名"), "社員番号"
        ),
        **dict.fromkeys(("主部署", "所属組織", "部署コード&部署名", "部署1、部署2", "固定値メール"), "社員番号"),
        **dict.fromkeys(("姓　名", "姓(カナ)&名(カナ)", "雇用形態&役職", "社員番号/生年月日"), "社員番号"),
        "社員番号+生年月日": "社員番号&生年月日",
        "社員番号/メールアドレス": "社員番号 or メールアドレス",
        "社員番号、メールアドレス": "社員番号 or メールアドレス",
        "社員番号 メールアドレス": "社員番号 or メールアドレス",
        "社員番号 or メルアド": "社員番号 or メールアドレス",
        "「社員番号」": "社員番号",
    },
    "氏名": {
        **dict.fromkeys(
            ("名前", "お名前", "フルネーム", "漢字氏名", "姓名", "姓 名", "姓・名", "氏名(漢字)", "「氏名」"), "氏名"
        ),
        **dict.fromkeys(
            ("姓+名", "姓＋名", "姓と名", "姓,名", "姓/名", "苗字&名前", "名字＋下の名前", "「姓&名」", "社員の名"),
            "姓&名",
        ),
        **dict.fromkeys(("姓", "名", "苗字", "固定値「山田」", "電話番号", "緊急連絡先(氏名)", "フリガナ"), "姓&名"),
        "ビジネスネーム": "氏名(ビジネスネーム優先)",
    },
    "氏名(ヨミ)": {
        **dict.fromkeys(
            (
                "フリガナ",
                "ふりがな",
                "カナ",
                "ヨミ",
                "よみがな",
                "読み仮名",
                "氏名カナ",
                "カナ氏名",
                "氏名",
                "姓&名",
                "姓(ヨミガナ)",
                "セイ",
            ),
            "氏名(ヨミガナ)",
        ),
        **dict.fromkeys(("姓カナ&名カナ", "セイ&メイ", "姓ヨミ＋名ヨミ", "姓＋名"), "姓(ヨミガナ)&名(ヨミガナ)"),
    },
    "所属部署コード": {
        **dict.fromkeys(
            (
                "所属部署",
                "部署",
                "部署名",
                "部署コード",
                "部署ID",
                "所属",
                "部門",
                "主務部署",
                "部署コード&部署名",
                "部署1と部署コード",
                "固定値 本社",
                "本務部署コード",
                "所属部署1",
                "部署1の部署コード",
            ),
            "部署1",
        ),
        **dict.fromkeys(("役職", "役職1", "事業所", "部署11", "部署1(階層)", "固定値「本社」"), "部署1"),
        "所属部署2": "部署2",
        "兼務部署1": "部署2",
    },
    "兼務管理部署1": dict.fromkeys(
        ("部署", "兼務", "兼務部署", "兼務部署1", "部署1", "所属部署2", "兼務先コード"), "部署2"
    ),
    "兼務管理部署10": dict.fromkeys(("部署", "兼務部署"), "部署10"),
    "緊急連絡1 媒体": {
        **dict.fromkeys(
            (
                "メール",
                "メールアドレス",
                "E-mail",
                "mail",
                "固定値「メール」",
                "固定値「E-mail」",
                "固定値メール",
                "固定値(メール)",
                "固定値:メルアド",
                "住所",
                "無し(空白)",
            ),
            MAIL,
        ),
        "固定値 アプリ": "固定値「アプリ」",
    },
    "緊急連絡1 アドレス": dict.fromkeys(
        (
            "メルアド",
            "社用メール",
            "個人メール",
            "mail",
            "緊急連絡先",
            "住所",
            "固定値「メールアドレス」",
            "固定値「総務部」",
            "「メールアドレス」",
        ),
        "メールアドレス",
    ),
    "検索ワード1:x": {
        "役職": "役職1",
        "部署": "部署1",
        "部署コード": "部署1(コード)",
        "事業所名": "事業所",
        "雇用区分": "雇用形態",
        "グレード": "等級",
        "自宅住所": "住所",
        "勤務地": "カスタム項目:勤務地",
        "所属長": "カスタム項目:所属長",
        "契約区分": "カスタム項目:契約区分",
        "カスタム:資格": "カスタム項目:資格",
        "カスタム項目(資格)": "カスタム項目:資格",
        "独自項目「資格」": "カスタム項目:資格",
        "固定値 本社": "固定値「本社」",
        "固定値(本社)": "固定値「本社」",
        "メールアドレズ": "メールアドレス",
    },
    "パスワード": dict.fromkeys(
        (
            "秘密",
            "秘密:パスワード",
            "Password1",
            "固定値「Abc」",
            "社員番号",
            "生年月日",
            "電話番号",
            "カスタム項目:誕生日",
            "無し(空白)",
        ),
        "秘密:first_password__acme",
    ),
}
PHONES = {
    "緊急連絡1 媒体": {
        word: PHONE for word in ("電話", "携帯電話", "固定値「携帯」", "固定値「TEL」", "無し(空白)", "住所", MAIL)
    },
    "緊急連絡1 アドレス": dict.fromkeys(
        ("携帯番号", "携帯電話番号", "TEL", "緊急連絡先", "連絡先", "住所", "緊急連絡先(電話番号)"), "電話番号"
    ),
}


def row_of(raw: RawSheet, where: str) -> RawRow:
    return next(row for row in raw.users or () if where.split(".")[0] == row.item.where)


def written(raw: RawSheet, where: str, text: str) -> RawSheet:
    """The sheet with another text in the cell at `where`."""
    name = CELLS[where.partition(".")[2]]
    changed = row_of(raw, where)
    cell = replace(getattr(changed, name), text=text)
    return replace(raw, users=tuple(replace(r, **{name: cell}) if r is changed else r for r in raw.users or ()))


def said(remedy: str) -> str:
    """What a remedy says to write: the first text that it sets off, the first word where it offers several."""
    if offered := re.search(r"^(?:設定は新規登録時だけです。)?([^「」]+?)から選んでください", remedy):
        return offered[1].split("、")[0].strip()
    if bare := re.search(r"引用符を付けずに (.+) と記入", remedy):
        return bare[1]
    found = re.search("『(.+?)』", remedy) if "『" in remedy.partition("」")[0] else None
    found = found or re.search("「(.+?)」(?!の行)", remedy)
    assert found, remedy
    return found[1]


def findings(checked: CheckedSheet, where: str) -> list[Problem]:
    return [problem for problem in (*checked.problems, *checked.warnings) if problem.where == where]


def followed(raw: RawSheet, where: str) -> tuple[CheckedSheet, CheckedSheet]:
    """The sheet as it is checked, and as it is once what is said of the cell at `where` has been done."""
    before = check_sheet(raw, "acme")
    assert findings(before, where), (where, before.problems, before.warnings)
    return before, check_sheet(written(raw, where, said(findings(before, where)[0].remedy)), "acme")


def cases(table: dict[str, dict[str, str]]) -> list[Any]:
    return [
        pytest.param(item, text, meant, id=f"{item} {text}")
        for item, words in table.items()
        for text, meant in words.items()
    ]


def check(item: str, text: str, meant: str, others: dict[str, str]) -> None:
    raw = sheet(users={"所属部署コード": "部署1", **others, item: text})
    found = user_item(item)
    assert found is not None
    where = next(r.source.where for r in raw.users or () if user_item(r.item.text) == found)
    before, after = followed(raw, where)

    assert findings(after, where) == [], findings(before, where)
    assert after.mapping is not None, after.problems
    expected = sheet(users={"所属部署コード": "部署1", **others, item: meant})
    assert after.rules[found.item.key] == check_sheet(expected, "acme").rules[found.item.key]
    known = {problem.where for problem in before.problems + before.warnings}
    assert [p for p in after.problems + after.warnings if p.where not in known] == []


@pytest.mark.parametrize(("item", "text", "meant"), cases(MEANT))
def test_l8_what_is_advised_for_a_source_is_what_was_meant(item: str, text: str, meant: str) -> None:
    """The finding is gone, none has come in its place, and nothing was found that could have been told before."""
    check(item, text, meant, {})


@pytest.mark.parametrize(("item", "text", "meant"), cases(PHONES))
def test_l8_what_is_advised_for_an_address_goes_with_its_medium(item: str, text: str, meant: str) -> None:
    """Beside a telephone number or its medium, it is not the mail address."""
    check(item, text, meant, {"緊急連絡1 媒体": PHONE, "緊急連絡1 アドレス": "電話番号"})


@pytest.mark.parametrize("item", [name for name in USER_ITEM if name != "operation"])
@pytest.mark.parametrize(
    "text", ["ｘｙｚ", "", "固定値", "部署99", "社員コート", "名&xyz", "「xyz", "x" * 120, "x\u200by&名", "姓\n名"]
)
def test_l8_every_item_is_told_something_that_can_be_written(item: str, text: str) -> None:
    """Whatever stands in the cell: what the remedy sets off, if it sets anything off, is a source or a part of one."""
    raw = sheet(users={USER_ITEM[item].name: (text or "社員番号", "", "", "", "")}, linked={USER_ITEM[item].name: "○"})
    where = next(r.source.where for r in raw.users or () if r.item.text == USER_ITEM[item].name)
    raw = written(raw, where, text)
    problem = findings(check_sheet(raw, "acme"), where)[0]

    assert problem.remedy
    for offered in re.findall("「((?:カスタム項目|固定値|秘密)[^「」…]*|無し[^「」]*)」", problem.remedy):
        if offered != "固定値":
            parse_source(offered)


# item, cell, what stands there, what is meant
POLICIES = [
    *(("氏名", "a", word, "登録") for word in ("登録する", "登録します", "追加", "更新", "連携")),
    *(
        ("検索ワード1:x", "b", word, "登録しない")
        for word in ("登録せず", "登録不可", "登録なし", "更新しない", "何もしない", "スキップ")
    ),
    *(("検索ワード1:x", "c", word, "更新") for word in ("更新する", "上書き", "登録", "反映")),
    *(
        ("検索ワード1:x", "d", word, "更新しない")
        for word in ("更新せず", "更新不要", "そのまま", "変更しない", "登録しない", "更新なし")
    ),
    *(
        ("検索ワード1:x", "b", word, "デフォルト:本社")
        for word in ("デフォルト「本社」", "既定値:本社", "初期値 本社", "固定値:本社")
    ),
    *(("氏名", "b", word, "エラー") for word in ("エラーにする", "error", "NG", "エーラ")),
    ("検索ワード1:x", "d", "更新します", "更新"),
]


@pytest.mark.parametrize(("item", "cell", "text", "meant"), POLICIES)
def test_l8_what_is_advised_for_a_policy_never_means_the_opposite(item: str, cell: str, text: str, meant: str) -> None:
    """E18: 「登録せず」 is nearer to 登録 by its letters alone."""
    lines = {item: "社員番号"} if item.startswith("検索") else {}
    raw = sheet(users=lines)
    found = user_item(item)
    assert found is not None
    row = next(r for r in raw.users or () if user_item(r.item.text) == found)
    where = getattr(row, CELLS[cell]).where
    _, after = followed(written(raw, where, text), where)

    assert findings(after, where) == []
    place = list(Place)["abcd".index(cell)]
    rule = after.rules[found.item.key]
    cells = (
        rule.on_create.when_present,
        rule.on_create.when_blank,
        rule.on_update.when_present,
        rule.on_update.when_blank,
    )
    assert format_cell(cells["abcd".index(cell)], place) == meant


@pytest.mark.parametrize(
    ("item", "remedy"),
    [
        ("名前", "「氏名」の行に記入し、この行を削除してください"),
        ("ログインID", "「ユーザID」の行に記入し、この行を削除してください"),
        ("部署", "項目名を「所属部署コード」にしてください"),
        ("権限", "項目名を「保有権限1」にしてください"),
        ("役職", "項目名を「検索ワード1:役職」にしてください"),
        ("緊急連絡11 媒体", "項目名を確認するか、行を削除してください"),
        ("検索ワード6", "項目名を確認するか、行を削除してください"),
    ],
)
def test_l8_a_line_of_no_item_is_sent_to_the_line_that_is_meant(item: str, remedy: str) -> None:
    """E16: to the line that there is, else to a new name; never to a second line of one item."""
    found = [
        problem for problem in check_sheet(sheet(users={item: "社員番号"}), "acme").problems if problem.where == "U7"
    ]
    assert [problem.remedy for problem in found] == [remedy]


@pytest.mark.parametrize("item", ["ユーザID", "パスワード", "氏名", "氏名(ヨミ)", "緊急連絡1 媒体"])
@pytest.mark.parametrize("text", ["固定値「」", "固定値「　」", "固定値:", ""])
def test_l8_a_needed_item_is_not_told_that_it_may_be_blank(item: str, text: str) -> None:
    """L8: 無し(空白) in such a line would be the next mistake; and what is named is sound."""
    raw = written(sheet(linked={item: "○"}), f"U{list(USERS).index(item) + 1}.s", text)
    where = f"U{list(USERS).index(item) + 1}.s"
    _, after = followed(raw, where)
    assert after.mapping is not None, after.problems


def test_l8_one_round_tells_everything() -> None:
    """A word that cannot be read in one cell hides nothing of the same line, of a pair, or of the table."""
    raw = sheet(
        {"処理時刻": "朝", "結果通知先メールアドレス1": ""},
        {"部署名": "名称"},
        {
            "ユーザID": ("部署1", "する", "する", "する", "する"),
            "氏名": ("名前", "登録しない"),
            "氏名(ヨミ)": "固定値「ヤマダ」",
            "パスワード強制変更": ("無し", "登録", "デフォルト:はい", "○"),
            "緊急連絡1 媒体": ("メール", "する"),
            "緊急連絡2 媒体": (MAIL, "する"),
            "検索ワード1:x": ("電話番号", "する"),
            "所属部署": (f"固定値「{'a' * 31}」", "する"),
            "部署": "部署1",
        },
        linked={"部署名": "必須", "氏名": "済", "緊急連絡2 媒体": "済"},
        convert={"検索ワード1:x": "大文字小文字"},
    )
    checked = check_sheet(raw, "acme")

    assert [p.where for p in checked.problems if p.where.startswith(("I", "D"))] == ["I2.v", "I4.v", "D2.l", "D2.s"]
    assert {p.where for p in checked.problems if p.where.startswith("U")} == {
        *("U1.s", "U1.a", "U1.b", "U1.c", "U1.d"),
        *("U3.l", "U3.s", "U3.a"),
        *("U5.s", "U5.a"),
        *("U7.b", "U7.c"),
        *("U8", "U8.l", "U8.a"),
        *("U9.a", "U9.c"),
        *("U10.s", "U10.a"),
        "U11",
    }
    assert "U4.s" in {p.where for p in checked.warnings}


@pytest.mark.parametrize(
    ("parts", "where", "told"),
    [
        ({"settings": {"ID付与コード": "sk\u200br"}}, "I4.v", "3文字目にゼロ幅スペース(U+200B)"),
        ({"settings": {"ID付与コード": "аcme-"}}, "I4.v", "1文字目に英字ではない「а」(U+0430)"),
        ({"settings": {"SmartHR URL": "https://ac\u00adme.smarthr.jp"}}, "I1.v", "11文字目にソフトハイフン(U+00AD)"),
        ({"settings": {"結果通知先メールアドレス1": "so\u200bumu@"}}, "I2.v", "3文字目にゼロ幅スペース(U+200B)"),
        ({"settings": {"EMCアカウント": "gr\u2066oup"}}, "I4.v", "3文字目に見えない文字(U+2066)"),
        ({"settings": {"処理時刻": "4:\u200e30"}}, "I4.v", "3文字目に見えない文字(U+200E)"),
        ({"users": {"氏名": "姓\n名"}}, "U3.s", "2文字目に改行(U+000A)"),
        ({"users": {"氏名": ("氏名", "登\u202e録")}}, "U3.a", "2文字目に見えない文字(U+202E)"),
        ({"users": {"検索ワード1:勤\t務地": "事業所"}}, "U7", "2文字目にタブ(U+0009)"),
        ({"convert": {"氏名": "全角\u2060か\u2060な"}}, "U3.c", "3文字目に見えない文字(U+2060)"),
        ({"users": {"パスワード強制変更": ("無し", "", "デフォルト:Т")}}, "U7.b", "英字ではない「Т」(U+0422)"),
    ],
)
def test_l8_what_nobody_sees_is_named_with_its_place(parts: dict[str, Any], where: str, told: str) -> None:
    """L8: a cell that looks right is told by code point and position, and how to get rid of it."""
    found = [problem for problem in check_sheet(sheet(**parts), "acme").problems if problem.where == where]
    assert [told in problem.found for problem in found] == [True], found
    assert "入力し直" in found[0].remedy or "T(変更させる)" in found[0].remedy
