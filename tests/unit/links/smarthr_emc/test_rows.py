"""The sheet's policy cell by cell: what is written for a new and for a known person."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc.plan import password_column
from renkei.links.smarthr_emc.rows import after, restored_rows, user_rows
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from tests.builders import CONTACT, crew, freeze, mapping
from tests.unit.values.test_convert import converting

# Text 1, 連携設定シート イメージ: item → SmartHR項目, 新規 (値がある, 値が無い), 更新 (値がある, 値が無い).
SAMPLE: dict[str, Any] = {
    "処理フラグ": ("-", "自動", "自動", "自動", "自動"),
    "ユーザID": ("メールアドレス", "登録", "エラー", "更新しない", "エラー"),
    "パスワード強制変更": ("無し(空白)", "登録", "デフォルト:T", "更新", "更新しない"),
    "パスワード": ("固定値「XXXXXX」", "登録", "エラー", "更新しない", "更新しない"),
    "氏名": ("氏名", "登録", "エラー", "更新", "エラー"),
    "氏名(ヨミ)": ("氏名(ヨミガナ)", "登録", "エラー", "更新", "エラー"),
    "所属部署コード": ("部署1", "登録", "登録しない", "更新", "更新しない"),
    "保有権限1": ("無し(空白)", "登録", "登録しない", "更新しない", "更新しない"),
    "緊急連絡10 媒体": ("固定値「メールアドレス」", "登録", "登録しない", "更新", "更新"),
    "緊急連絡10 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新"),
    "検索ワード1:勤務地": ("事業所", "登録", "登録しない", "更新", "更新しない"),
    "検索ワード2:居住地": ("住所(都道府県)", "登録", "登録しない", "更新", "更新しない"),
    "検索ワード3:役職": ("役職1", "登録", "登録しない", "更新", "更新"),
}
FULL = {
    "メールアドレス": "taro@example.jp",
    "姓": "山田",
    "名": "太郎",
    "姓(ヨミガナ)": "ヤマダ",
    "名(ヨミガナ)": "タロウ",
    "部署1(コード)": "D01",
    "事業所": "本社",
    "住所(都道府県)": "東京都",
    "役職1": "課長",
}
LEAVE, CLEAR, ERROR = None, "", "エラー"
# item: new with values, new with blanks, known with values, known with blanks
EXPECTED: dict[str, tuple[str | None, str | None, str | None, str | None]] = {
    "password_reset": ("T", "T", LEAVE, LEAVE),  # its source is always blank
    "full_name": ("山田 太郎", ERROR, "山田 太郎", ERROR),
    "full_name_yomi": ("ヤマダ タロウ", ERROR, "ヤマダ タロウ", ERROR),
    "primary_department_id": ("D01", LEAVE, "D01", LEAVE),
    "role_1": (LEAVE, LEAVE, LEAVE, LEAVE),
    "contact_10_medium": ("メールアドレス", LEAVE, "メールアドレス", CLEAR),
    "contact_10_address": ("taro@example.jp", LEAVE, "taro@example.jp", CLEAR),
    "search_word_1": ("本社", LEAVE, "本社", LEAVE),
    "search_word_2": ("東京都", LEAVE, "東京都", LEAVE),
    "search_word_3": ("課長", LEAVE, "課長", CLEAR),
}


def written(sheet: Mapping, write_as: str, **values: str) -> dict[str, str | None]:
    """The cells of one person; ERROR where the policy rejects."""
    people = freeze(sheet, [crew("c1", "001", **values)]).users
    rows = user_rows(people, pd.Series([write_as], dtype="str"), sheet)
    cells = {item: None if rows.cells[item].isna()[0] else rows.cells[item][0] for item in rows.cells}
    return cells | {item: ERROR for item, where in rows.rejected.items() if where[0]}


@pytest.mark.parametrize("item", EXPECTED)
@pytest.mark.parametrize(
    ("column", "write_as", "present"),
    [(0, "CREATE", True), (1, "CREATE", False), (2, "UPDATE", True), (3, "UPDATE", False)],
    ids=["new present", "new blank", "known present", "known blank"],
)
def test_e18_sample_sheet_of_the_guide(item: str, column: int, write_as: str, present: bool) -> None:
    """Every cell of text 1's sample table."""
    values = FULL if present else dict.fromkeys(FULL, "")
    assert written(mapping(SAMPLE), write_as, **values)[item] == EXPECTED[item][column]


@pytest.mark.parametrize("blank", ["　", "\u200b", " \u3000\ufeff\n"])
def test_e22_invisible_values_are_blank_for_the_policy(blank: str) -> None:
    """The cell for 値が無い decides, as for an empty value."""
    sheet = mapping(SAMPLE)
    assert written(sheet, "UPDATE", **dict.fromkeys(FULL, blank)) == written(sheet, "UPDATE", **dict.fromkeys(FULL, ""))


def test_e19_flag_id_and_password_are_no_cells_of_the_policy() -> None:
    """処理フラグ is the system's, the id is the key, the password is made while loading."""
    for write_as in ("CREATE", "UPDATE"):
        assert not {"operation", "user_id", "password"} & set(written(mapping(SAMPLE), write_as, **FULL))


def test_e16_items_without_a_line_are_never_written() -> None:
    """What the sheet does not link has no cell; 強制変更 alone is ours on add."""
    assert set(written(mapping(), "CREATE")) == {"full_name", "full_name_yomi", "password_reset"}


ONE, ONE_KEY = "検索ワード1", "search_word_1"


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        ("登録", "x", "x"),
        ("登録しない", "x", LEAVE),
    ],
)
def test_e18_words_for_a_new_person_with_a_value(word: str, value: str, expected: str | None) -> None:
    """新規 × 値がある."""
    sheet = mapping({ONE: ("役職1", word, "", "", "")})
    assert written(sheet, "CREATE", 役職1=value)["search_word_1"] == expected


@pytest.mark.parametrize(
    ("word", "expected"), [("登録", LEAVE), ("登録しない", LEAVE), ("エラー", ERROR), ("デフォルト:一般", "一般")]
)
def test_e18_words_for_a_new_person_without_a_value(word: str, expected: str | None) -> None:
    """新規 × 値が無い; a new person has nothing to clear."""
    assert written(mapping({ONE: ("役職1", "", word, "", "")}), "CREATE")["search_word_1"] == expected


@pytest.mark.parametrize(("word", "expected"), [("更新", "x"), ("更新しない", LEAVE)])
def test_e18_words_for_a_known_person_with_a_value(word: str, expected: str | None) -> None:
    """更新 × 値がある."""
    assert written(mapping({ONE: ("役職1", "", "", word, "")}), "UPDATE", 役職1="x")["search_word_1"] == expected


@pytest.mark.parametrize(
    ("word", "expected"), [("更新", CLEAR), ("更新しない", LEAVE), ("エラー", ERROR), ("デフォルト:一般", "一般")]
)
def test_e18_words_for_a_known_person_without_a_value(word: str, expected: str | None) -> None:
    """更新 × 値が無い: 更新 clears what EMC has."""
    assert written(mapping({ONE: ("役職1", "", "", "", word)}), "UPDATE")["search_word_1"] == expected


def test_e18_each_row_follows_its_own_cell() -> None:
    """New and known people with and without values in one table, whatever its index."""
    sheet = mapping({ONE: ("役職1", "登録", "デフォルト:新", "更新", "更新")})
    people = freeze(sheet, [crew(f"c{n}", f"{n}", 役職1=v) for n, v in enumerate(["a", "", "b", ""])]).users
    people.index = pd.Index([9, 4, 7, 1])
    write_as = pd.Series(["CREATE", "CREATE", "UPDATE", "UPDATE"], index=people.index, dtype="str")
    assert user_rows(people, write_as, sheet).cells["search_word_1"].to_dict() == {9: "a", 4: "新", 7: "b", 1: ""}


def test_e17_constants_and_joinings_are_written() -> None:
    """固定値 is there for everybody; a joining without any value is blank."""
    sheet = mapping({"検索ワード1": "固定値「全社」", "検索ワード2": '役職1&"／"&役職2'})
    cells = written(sheet, "UPDATE", 役職1="部長")
    assert (cells["search_word_1"], cells["search_word_2"]) == ("全社", "部長／")
    assert written(sheet, "UPDATE")["search_word_2"] is LEAVE


def test_e22_written_values_are_trimmed_and_else_as_they_are() -> None:
    """No silent change of names."""
    assert written(mapping(), "CREATE", 姓="　髙 﨑\u200b")["full_name"] == "髙 﨑"


@pytest.mark.parametrize("write_as", ["CREATE", "UPDATE"])
def test_e22_values_are_converted_where_the_sheet_asks(write_as: str) -> None:
    """E22: item by item, in the order of the words; the same source in another item stays as it is."""
    sheet = mapping({"検索ワード1": "電話番号", "検索ワード2": "電話番号", "検索ワード3": '姓&" "&名'})
    sheet = converting(sheet, search_word_1="電話番号", search_word_3="空白除去、標準字体")
    cells = written(sheet, write_as, 電話番号="０９０１２３４５６７８", 姓="髙橋", 名="﨑")
    assert [cells[f"search_word_{n}"] for n in (1, 2, 3)] == ["090-1234-5678", "０９０１２３４５６７８", "高橋崎"]


@pytest.mark.parametrize("write_as", ["CREATE", "UPDATE"])
def test_e22_a_default_is_never_converted(write_as: str) -> None:
    """E22: デフォルト:X is the sheet's own text, also where nothing but the conversion leaves no value."""
    sheet = mapping({ONE: ("役職1", "登録", "デフォルト:Ａ社 ｶﾅ", "更新", "デフォルト:Ａ社 ｶﾅ")})
    sheet = converting(sheet, search_word_1="半角、全角カナ、空白除去")
    assert written(sheet, write_as, 役職1="")["search_word_1"] == "Ａ社 ｶﾅ"
    assert written(sheet, write_as, 役職1="ﾌﾞ 長")["search_word_1"] == "ブ長"


def test_e22_what_a_conversion_leaves_blank_is_blank_for_the_policy() -> None:
    """E22: 値が無い decides, as for an empty value."""
    sheet = converting(mapping({ONE: ("役職1", "登録", "エラー", "更新", "更新")}), search_word_1="不可視文字除去")
    assert written(sheet, "CREATE", 役職1="\u202e\ufe0f")[ONE_KEY] == ERROR
    assert written(sheet, "UPDATE", 役職1="\u202e\ufe0f")[ONE_KEY] == CLEAR
    assert written(sheet, "UPDATE", 役職1="\u202e 課長")[ONE_KEY] == "課長"


@pytest.mark.parametrize("item", ["所属部署コード", "兼務管理部署1", "兼務管理部署10"])
def test_e24_department_codes_are_prefixed(item: str) -> None:
    """部署n as the source of a department is its code with ID付与コード; blanks get none."""
    sheet = mapping({item: ("部署2", "", "", "更新", "更新")}, {"ID付与コード": "abc"})
    key = {"所属部署コード": "primary_department_id"}.get(item, f"secondary_department_{item[6:]}")
    assert written(sheet, "CREATE", **{"部署2(コード)": "D01"})[key] == "abcD01"
    assert written(sheet, "UPDATE", **{"部署2(コード)": ""})[key] == CLEAR


def test_e26_people_without_a_department_may_default_to_the_root() -> None:
    """デフォルト:X of a department is a code like any other: it gets ID付与コード in front."""
    sheet = mapping(
        {"所属部署コード": ("部署1", "登録", "デフォルト:TOP", "更新", "デフォルト:TOP")}, {"ID付与コード": "abc"}
    )
    for write_as in ("CREATE", "UPDATE"):
        assert written(sheet, write_as)["primary_department_id"] == "abcTOP"


def test_e24_other_items_are_not_prefixed() -> None:
    """The same item as a search word is its name, as it is."""
    sheet = mapping({ONE: "部署1"}, {"ID付与コード": "abc"})
    assert written(sheet, "CREATE", 部署1="営業部")["search_word_1"] == "営業部"


PAIR = "緊急連絡1 媒体", "緊急連絡1 アドレス"


def pair(medium: tuple[str, ...], address: tuple[str, ...], write_as: str, email: str) -> tuple[str | None, str | None]:
    sheet = mapping({PAIR[0]: ("固定値「メールアドレス」", *medium), PAIR[1]: ("メールアドレス", *address)})
    cells = written(sheet, write_as, メールアドレス=email)
    return cells["contact_1_medium"], cells["contact_1_address"]


@pytest.mark.parametrize("word", ["登録", "登録しない"])
def test_e20_new_person_without_address_gets_no_medium(word: str) -> None:
    """The constant medium alone is not written."""
    assert pair(("登録", "登録"), ("登録", word), "CREATE", "") == (LEAVE, LEAVE)


@pytest.mark.parametrize("medium_word", ["更新", "更新しない"])
def test_e20_the_address_policy_decides_for_both(medium_word: str) -> None:
    """Clear clears both, 更新しない leaves both, whatever the medium's own cells say."""
    medium = ("登録", "登録しない", "更新", medium_word)
    assert pair(medium, ("登録", "登録しない", "更新", "更新"), "UPDATE", "") == (CLEAR, CLEAR)
    assert pair(medium, ("登録", "登録しない", "更新", "更新しない"), "UPDATE", "") == (LEAVE, LEAVE)


def test_e20_an_address_that_is_not_updated_leaves_its_medium() -> None:
    """更新しない for a value that is there leaves both, too."""
    cells = ("登録", "登録しない", "更新しない", "更新しない")
    assert pair(("登録", "登録しない", "更新", "更新"), cells, "UPDATE", "a@example.jp") == (LEAVE, LEAVE)


def test_e20_pairs_do_not_touch_each_other() -> None:
    """A lost address in one slot leaves the other slots alone."""
    lines: dict[str, Any] = {
        "緊急連絡1 媒体": "固定値「メールアドレス」",
        "緊急連絡1 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新"),
        "緊急連絡2 媒体": "固定値「電話番号」",
        "緊急連絡2 アドレス": "電話番号",
    }
    cells = written(mapping(lines), "UPDATE", 電話番号="090-0000-0000")
    assert [cells[f"contact_{n}_{part}"] for n in (1, 2) for part in ("medium", "address")] == [
        CLEAR,
        CLEAR,
        "電話番号",
        "090-0000-0000",
    ]


def test_e19_password_change_is_forced_on_add_unless_the_sheet_says_otherwise() -> None:
    """T without a line, never on update; the sheet's own constant else."""
    assert written(mapping(), "CREATE")["password_reset"] == "T"
    assert written(mapping(), "UPDATE")["password_reset"] is LEAVE
    sheet = mapping({"パスワード強制変更": "固定値「F」"})
    assert written(sheet, "CREATE")["password_reset"] == "F"


PASSWORDS = [
    ("固定値「Pw#1」", "エラー", ["Pw#1", "Pw#1"]),
    ("社員番号", "デフォルト:emc2026", ["001", "emc2026"]),
    ("社員番号", "エラー", ["001", ""]),
    ("秘密:first", "エラー", ["<first>", "<first>"]),
    ("社員番号 or 秘密:first", "エラー", ["001", "<first>"]),
    ("秘密:first&社員番号", "エラー", ["<first>001", ""]),
    ("無し(空白)", "デフォルト:emc2026", ["emc2026", "emc2026"]),
]


@pytest.mark.parametrize(("source", "blank", "expected"), PASSWORDS)
def test_e19_first_password_of_each_new_person(source: str, blank: str, expected: list[str]) -> None:
    """A constant, an item, a secret looked up by name, or the default where there is no value."""
    sheet = mapping({"パスワード": (source, "登録", blank, "更新しない", "更新しない"), "ユーザID": "メールアドレス"})
    people = freeze(sheet, [crew("c1", "001"), crew("c2", "")]).users
    rule = sheet.rule("password")
    assert rule is not None
    assert password_column(people, rule, lambda name: f"<{name}>").tolist() == expected


def test_e18_after_is_what_emc_has_then() -> None:
    """Written values replace, "" clears, missing keeps what was there; items of either side stay."""
    before = pd.DataFrame({"a": ["1", "2", "3"], "gone": ["x", "y", None]}, dtype="str")
    cells = pd.DataFrame({"a": ["9", "", None], "new": ["n", None, ""]}, dtype="str")
    result = after(cells, before)
    assert result["a"].tolist() == ["9", "", "3"]
    assert result["gone"].fillna("?").tolist() == ["x", "y", "?"]
    assert result["new"].fillna("?").tolist() == ["n", "?", ""]


@pytest.mark.parametrize("write_as", ["CREATE", "UPDATE"])
def test_e18_nobody_to_write_gives_an_empty_table(write_as: str) -> None:
    """All columns are there, as text, without rows."""
    sheet = mapping({**SAMPLE, **CONTACT})
    people = freeze(sheet, []).users
    rows = user_rows(people, pd.Series([], dtype="str"), sheet)
    assert len(rows.cells) == 0
    assert {"full_name", "contact_10_medium", "password_reset"} <= set(rows.cells)
    assert (rows.cells.dtypes == "str").all()


def test_e18_a_restore_puts_back_only_what_the_sheet_updates() -> None:
    """What an update leaves alone is EMC's own by now; whoever was deleted gets everything back."""
    sheet = mapping(
        {"検索ワード1": ("役職1", "登録", "登録しない", "更新しない", "更新しない"), "検索ワード2": "役職2"}
    )
    users = freeze(sheet, [crew("c1", "001"), crew("c2", "002")]).users
    then = pd.DataFrame({"user_id": ["001", "002"], "search_word_1": ["課長"] * 2, "search_word_2": ["主任"] * 2})
    writes = pd.Series(["UPDATE", "CREATE"])
    cells = restored_rows(users, writes, sheet, then).cells
    assert cells["search_word_1"].isna().tolist() == [True, False]
    assert cells["search_word_2"].tolist() == ["主任", "主任"]
    assert cells["password_reset"].isna().tolist() == [True, False]
    blank = restored_rows(users, writes, sheet, then.assign(search_word_2="")).cells["search_word_2"]
    assert [LEAVE if pd.isna(cell) else cell for cell in blank] == [CLEAR, LEAVE]  # there is nothing to clear yet
