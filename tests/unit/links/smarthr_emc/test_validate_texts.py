"""Lengths, characters that EMC cannot take, and cells that a spreadsheet would run."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.smarthr_emc.sheet.mapping import Loader
from renkei.links.smarthr_emc.validate import check_departments, remedy_of
from renkei.links.smarthr_emc.wording import REMEDIES
from tests.builders import EMC_FORMAT, crew, departments, found, freeze, mapping, plan_day
from tests.unit.links.smarthr_emc.problems import PLAIN, each, kinds, tree
from tests.unit.values.test_convert import converting


@pytest.mark.parametrize("source", ["役職1", "固定値「a」&役職1", "役職2 or 役職1"])
def test_e29_a_password_of_characters_that_emc_refuses_is_an_error_without_them(source: str) -> None:
    """Who, what and a remedy, and nothing of the password itself (L6, L7); nobody but new people gets one.

    One that the sheet itself spells is an error of the sheet.
    """
    passwords = ["ﾊﾟｽﾜｰﾄﾞ", "Ｐass", "pass word", "パスワード①", "¥yen", "a\u00a0b", "髙"]
    people = [crew(f"c{n}", str(n), 役職1=password) for n, password in enumerate(passwords)]
    sheet = mapping({"パスワード": (source, "登録", "エラー")})
    day = plan_day(sheet, people)
    assert day.problems() == [(person["社員番号"], "password", "password") for person in people]
    assert set(day.users.problems["detail"]) == {""}
    assert "半角の英数字と記号" in REMEDIES["password"]
    sound = [{**person, "役職1": "Passw0rd!"} for person in people]
    first = plan_day(mapping({"パスワード": ("役職1", "登録", "エラー")}), sound)
    assert plan_day(sheet, people, first).problems() == []


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


def test_e29_characters_that_the_encoding_lacks_are_errors() -> None:
    """E29: beyond CP932 nothing is replaced silently; the character is named with its code point."""
    names = [text for text, _, _ in UNCARRIED]
    day = plan_day(PLAIN, [crew(f"c{n}", str(n), 姓=text) for n, text in enumerate(["髙橋", *names])])
    told = day.users.problems[["id", "item", "kind", "detail"]].to_numpy().tolist()
    assert told == [[str(n), "full_name", kind, detail] for n, (_, kind, detail) in enumerate(UNCARRIED, start=1)]


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


def test_e29_characters_of_cp932_are_fine() -> None:
    """The variants that companies use, signs and half-width kana."""
    names = ["髙橋", "山﨑", "①②", "〜", "㈱", "ｶﾅ", "～－∥", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"]
    assert each(PLAIN, "姓", names) == {}


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


FORMULAS = ["=1+1", "=HYPERLINK(A1)", "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3+A1", "+81-90-0000-0000+1", "-", "--"]

HARMLESS = ["+81-90-1234-5678", "-81 (90) 1234.5678", "本部=東", "a@example.jp", "1+1", "A-1", "＝", "'=1"]


def test_e38_a_cell_that_a_spreadsheet_would_run_is_an_error_of_its_row() -> None:
    """Files for upload are opened by people; ids, names, passwords, constants alike, and nothing is changed (E22)."""
    sheet = mapping({"検索ワード1": "役職1", "パスワード": "電話番号"}, {"取込方式": "ファイル"})
    formulas = FORMULAS[:-2]
    people = [crew(text, text, 姓=text, 役職1=text, 電話番号=text) for text in formulas]
    told = kinds(sheet, *people, crew("sound", "2", 電話番号="x"))
    assert {user_id for user_id, _, _ in told} == set(formulas)
    for text in formulas:
        items = {item for user_id, item, kind in told if (user_id, kind) == (text, "formula")}
        assert items == {"user_id", "password", "full_name", "search_word_1"}, text


def test_e38_a_cell_that_is_no_formula_is_written_as_it_is() -> None:
    """Telephone numbers with + and -, and signs elsewhere than in front."""
    texts = [*HARMLESS, *FORMULAS[-2:]]
    sheet = mapping({"検索ワード1": "役職1"}, {"取込方式": "ファイル"})
    day = plan_day(sheet, [crew(f"c{n}", str(n), 役職1=text) for n, text in enumerate(texts)])
    assert day.problems() == []
    assert [day.row(str(n))["search_word_1"] for n in range(len(texts))] == texts


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
