"""E18, E19: the words of the policy cells."""

from __future__ import annotations

import re

import pytest

from renkei.links.smarthr_emc.sheet.items import USER_ITEM, USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell, format_code, parse_cell, words
from renkei.texts import Fault

CREATE_PRESENT, CREATE_BLANK, UPDATE_PRESENT, UPDATE_BLANK = Place


@pytest.mark.parametrize(
    ("text", "item", "place", "expected"),
    [
        ("登録", "role_1", CREATE_PRESENT, Cell(Action.SET)),
        ("登録しない", "role_1", CREATE_BLANK, Cell(Action.SKIP)),
        (" 更 新 ", "role_1", UPDATE_BLANK, Cell(Action.SET)),
        ("更新しない", "role_1", UPDATE_PRESENT, Cell(Action.SKIP)),
        ("ｴﾗｰ", "role_1", UPDATE_BLANK, Cell(Action.REJECT)),
        ("デフォルト：X:Y", "role_1", CREATE_BLANK, Cell(Action.DEFAULT, "X:Y")),
        ("ﾃﾞﾌｫﾙﾄ: 本社 ", "role_1", CREATE_BLANK, Cell(Action.DEFAULT, "本社")),
        ("DEFAULT:T", "password_reset", CREATE_BLANK, Cell(Action.DEFAULT, "T")),
        ("SKIP", "role_1", UPDATE_BLANK, Cell(Action.SKIP)),
        ("自動", "operation", UPDATE_BLANK, Cell(Action.AUTO)),
        ("登録しない", "user_id", CREATE_BLANK, Cell(Action.SKIP)),
    ],
)
def test_e18_a_policy_word_is_read(text: str, item: str, place: Place, expected: Cell) -> None:
    """Japanese words and codes mean the same, and both are written so that they read back."""
    assert parse_cell(text, USER_ITEM[item], place) == expected
    for written in (format_cell(expected, place), format_code(expected)):
        assert parse_cell(written, USER_ITEM[item], place) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("full_name", "SET REJECT SET REJECT"),
        ("role_1", "SET SKIP SET SKIP"),
        ("user_id", "SET REJECT SKIP REJECT"),
        ("password", "SET REJECT SKIP SKIP"),
        ("password_reset", "SET DEFAULT:T SET SKIP"),
        ("operation", "AUTO AUTO AUTO AUTO"),
    ],
)
def test_e18_a_blank_cell_means_the_items_default(item: str, expected: str) -> None:
    """The four defaults of each kind of item, each of which is legal itself."""
    cells = [default_cell(USER_ITEM[item], place) for place in Place]
    assert " ".join(format_code(cell) for cell in cells) == expected
    for place, cell in zip(Place, cells, strict=True):
        assert parse_cell(format_cell(cell, place), USER_ITEM[item], place) == cell


@pytest.mark.parametrize(
    ("text", "item", "place", "message"),
    [
        ("更新", "role_1", CREATE_PRESENT, "使えない言葉"),
        ("登録", "role_1", UPDATE_BLANK, "使えない言葉"),
        ("エーラ", "role_1", CREATE_BLANK, "「エラー」と記入してください"),
        ("デフォルト:", "role_1", CREATE_BLANK, "デフォルト:値"),
        ("デフォルト", "role_1", CREATE_BLANK, "デフォルト:値"),
        ("エラー", "role_1", CREATE_PRESENT, "値がある場合"),
        ("デフォルト:X", "role_1", UPDATE_PRESENT, "値がある場合"),
        ("自動", "full_name", CREATE_PRESENT, "「自動」は氏名には"),
        ("登録", "operation", CREATE_PRESENT, "処理フラグ"),
        ("登録しない", "full_name", CREATE_PRESENT, "必須項目氏名"),
        ("登録しない", "full_name", CREATE_BLANK, "必須項目氏名"),
        ("登録しない", "user_id", CREATE_PRESENT, "必須項目ユーザID"),
        ("登録", "full_name", CREATE_BLANK, "空白で登録"),
        ("更新", "full_name", UPDATE_BLANK, "空白で更新"),
        ("デフォルト:X", "user_id", CREATE_BLANK, "ユーザIDにデフォルト"),
        ("更新", "password", UPDATE_PRESENT, "パスワードの更新処理"),
        ("デフォルト:X", "password", UPDATE_BLANK, "パスワードの更新処理"),
    ],
)
def test_e18_a_policy_that_is_not_legal_is_refused(text: str, item: str, place: Place, message: str) -> None:
    """E18, E19: unknown words, words of the other column, and what would lose a required value."""
    with pytest.raises(Fault, match=message):
        parse_cell(text, USER_ITEM[item], place)


@pytest.mark.parametrize(
    "text", ["とうろく", "SET", "登録しない", "更新しない", "エラー", "自動", "デフォルト:", "デフォルト:X"]
)
@pytest.mark.parametrize("item", USER_ITEMS, ids=lambda item: item.key)
def test_l8_a_remedy_offers_only_what_the_item_takes(item: Item, text: str) -> None:
    """L8: whatever is refused, each word offered instead is accepted in that cell."""
    for place in Place:
        try:
            parse_cell(text, item, place)
        except Fault as fault:
            remedy = fault.remedy
        else:
            continue
        offered = re.findall(
            "デフォルト:[^、」 ]+|登録しない|登録|更新しない|更新|エラー|自動", remedy.partition("。")[2] or remedy
        )
        assert offered, remedy
        for word in offered:
            parse_cell(word, item, place)


def test_l8_an_unknown_word_for_the_id_is_answered_with_the_ids_own_words() -> None:
    """L8: a user id is always set on adding, so 「登録しない」 is not offered for it."""
    with pytest.raises(Fault) as caught:
        parse_cell("とうろく", USER_ITEM["user_id"], CREATE_PRESENT)
    assert caught.value.remedy == "「登録」と記入してください"


@pytest.mark.parametrize(
    ("item", "place", "expected"),
    [
        ("role_1", CREATE_PRESENT, (("登録", "登録しない"), True)),
        ("role_1", UPDATE_BLANK, (("更新", "更新しない", "エラー"), False)),
        ("user_id", CREATE_PRESENT, (("登録",), True)),
        ("user_id", CREATE_BLANK, (("登録しない", "エラー"), True)),
        ("full_name", CREATE_BLANK, (("エラー",), False)),
        ("password", UPDATE_PRESENT, (("更新しない",), True)),
        ("password_reset", CREATE_BLANK, (("登録", "登録しない", "エラー", "デフォルト:T"), False)),
        ("operation", CREATE_BLANK, (("自動",), True)),
    ],
)
def test_e18_the_words_of_a_cell_are_those_that_it_takes(
    item: str, place: Place, expected: tuple[tuple[str, ...], bool]
) -> None:
    """E18: the words, the default's own among them, and whether no free default may stand there."""
    assert words(USER_ITEM[item], place) == expected
