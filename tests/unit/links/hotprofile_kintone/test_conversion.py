"""Values of Hot Profile as kintone's fields take them; a value that cannot be taken is its record's refusal alone (K9, K10)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.hotprofile_kintone.conversion import Converted, convert_all, has_tables, with_row_ids
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.form import Form
from tests.unit.links.hotprofile_kintone.forms import data_set, form

USERS = {"佐藤": "sato", "鈴木": "suzuki@example.com"}


def convert(values: dict[str, Any], *items: Item, app: Form | None = None, of: DataSet | None = None) -> Converted:
    (found,) = convert_all([{"会社ID": "1", **values}], of or data_set(*items), app or form(), USERS)
    return found


def value(field: str, given: Any, **more: Any) -> Any:
    """What is written to a field for a value; the remedies' causes where it is refused."""
    found = convert({"項目": given}, Item("項目", field, **more))
    return found.record[field]["value"] if not found.refusals else found.refusals[0]


@pytest.mark.parametrize(
    ("field", "given", "written"),
    [
        ("name", " 株式会社A\u3000", "株式会社A"),
        ("name", "二行\r\nです", "二行 です"),
        ("name", "タブ\tです", "タブ です"),
        ("name", "😀𠮷野家", "😀𠮷野家"),
        ("name", 12345, "12345"),
        ("name", 35.68, "35.68"),
        ("note", True, "1"),
        ("note", False, "0"),
        ("name", ["甲", None, "乙"], "甲、乙"),
        ("name", [{"id": 1, "name": "営業部"}, {"id": 2, "name": "一課"}], "営業部、一課"),
        ("note", "一行\r\n二行\r三行\n", "一行\n二行\n三行"),
        ("note", ["甲", "乙"], "甲\n乙"),
        ("rich", '<script>alert("x")</script> & \n次', '&lt;script&gt;alert("x")&lt;/script&gt; &amp; <br />次'),
        ("price", "１,２３４", "1234"),
        ("price", "001.50", "1.5"),
        ("price", 1e3, "1000"),
        ("price", "-0", "0"),
        ("on", "2026-04-01", "2026-04-01"),
        ("on", "2026/4/1", "2026-04-01"),
        ("on", "２０２６年４月１日", "2026-04-01"),
        ("on", "2026-04-01 23:59:59", "2026-04-01"),
        ("on", "2026-04-01T20:00:00Z", "2026-04-02"),
        ("time", "9:05:30", "09:05"),
        ("time", "2026-04-01 09:05:30", "09:05"),
        ("time", "9時5分", "09:05"),
        ("at", "2026-04-01 09:05:30", "2026-04-01T09:05:00+09:00"),
        ("at", "2026/04/01", "2026-04-01T00:00:00+09:00"),
        ("at", "2026-04-01T00:05:30.123Z", "2026-04-01T09:05:00+09:00"),
        ("at", "2026-04-01T00:05:30+0000", "2026-04-01T09:05:00+09:00"),
        ("kind", " 顧客 ", "顧客"),
        ("choice", "はい", "はい"),
        ("site", "https://example.com/?a=1&b=2", "https://example.com/?a=1&b=2"),
        ("who", "佐藤", [{"code": "sato"}]),
        ("who", ["佐藤", "鈴木", "佐藤", ""], [{"code": "sato"}, {"code": "suzuki@example.com"}]),
        ("parent", " C001 ", "C001"),
    ],
)
def test_k9_a_value_is_written_as_its_field_takes_it(field: str, given: Any, written: Any) -> None:
    assert value(field, given) == written


@pytest.mark.parametrize(
    ("field", "given", "cause"),
    [
        ("name", "あ" * 11, "11文字あり、kintoneのフィールドの最大文字数10"),
        ("name", "あ", "最小文字数2に足りません"),
        ("name", "\ud83d", "半分だけ"),
        ("name", "a\x00b", "制御文字"),
        ("name", {"id": 1}, "連携できない形"),
        ("price", "約百", "数値ではありません"),
        ("price", "1.2.3", "数値ではありません"),
        ("price", "NaN", "桁が多すぎます"),
        ("price", "1e99999", "桁が多すぎます"),
        ("price", "-1", "範囲（0～1000000.5）の外"),
        ("price", "1000000.6", "範囲（0～1000000.5）の外"),
        ("on", "0000-00-00", "暦に無い日"),
        ("on", "0000-00-00 00:00:00", "暦に無い日"),
        ("on", "2026-02-30", "暦に無い日"),
        ("on", "きのう", "暦に無い日"),
        ("on", "10:00", "日付がありません"),
        ("time", "2026-04-01", "時刻がありません"),
        ("time", "25:00", "暦に無い日"),
        ("at", "0000-00-00 00:00:00", "暦に無い日"),
        ("at", "9999-12-31T23:59:59-12:00", "暦に無い日"),
        ("kind", "見込", "選択肢がありません（近い選択肢は「見込み」です）"),
        ("kind", "失注", "選択肢がありません"),
        ("who", "田中", "ユーザーの対応表にありません"),
        ("who", ["佐藤", "田中"], "2人目がユーザーの対応表にありません"),
    ],
)
def test_k9_a_value_that_cannot_be_taken_is_named_with_item_and_remedy(field: str, given: Any, cause: str) -> None:
    refusal = value(field, given)
    assert cause in refusal.detail
    assert refusal.detail.startswith("項目: ")
    assert (refusal.field, refusal.index, bool(refusal.remedy)) == (field, None, True)
    assert "田中" not in str(refusal)


def test_k9_where_kintone_may_count_otherwise_it_decides() -> None:
    """Ten emoji are ten characters to one who counts them, twenty to one who counts UTF-16."""
    assert value("name", "😀" * 10) == "😀" * 10
    assert value("name", "😀") == "😀"


@pytest.mark.parametrize("blank", [None, "", " \u3000\u200b", [], [None, ""]])
def test_k10_a_blank_clears_unless_the_item_says_otherwise(blank: Any) -> None:
    assert [value(field, blank) for field in ("name", "price", "on", "kind", "choice", "who")] == [
        "",
        "",
        "",
        "",
        "",
        [],
    ]
    kept = convert({"項目": blank}, Item("項目", "name", skip_blank=True))
    assert (kept.record, kept.refusals) == ({"code": {"value": "1"}}, ())


def test_k10_a_required_field_left_blank_fails_its_record_alone() -> None:
    rows = [{"会社ID": "1", "名": ""}, {"会社ID": "2", "名": "二社"}]
    found = convert_all(rows, data_set(Item("名", "name")), form(name={"required": True}), USERS)
    assert [len(one.refusals) for one in found] == [1, 0]
    assert "必須" in found[0].refusals[0].detail
    assert found[1].record["name"] == {"value": "二社"}


def test_k9_every_fault_of_a_record_is_named() -> None:
    found = convert({"a": "x", "b": "0000-00-00"}, Item("a", "price"), Item("b", "on"))
    assert [one.field for one in found.refusals] == ["price", "on"]


@pytest.mark.parametrize("blank", [None, "", "\u3000"])
def test_k7_a_record_without_its_key_is_refused(blank: Any) -> None:
    found = convert({"会社ID": blank}, app=form(code={"required": False}))
    assert [(one.code, one.field) for one in found.refusals] == [("EMPTY_KEY", "code")]


def test_k7_a_numeric_key_is_the_number() -> None:
    of = DataSet("companies", "5", True, "会社ID", (Item("会社ID", "number"),))
    assert [convert({"会社ID": text}, of=of).key for text in ("7", "007", "7.0", "７")] == ["7"] * 4
    assert convert({"会社ID": 7}, of=of).key == "7"
    assert convert({"会社ID": "007"}).key == "007"


def test_k9_a_table_is_replaced_as_a_whole() -> None:
    """The first value of each item is the first row; rows that are blank at the end are none."""
    found = convert({"タグ": ["甲", "", "丙", ""], "色": "赤"}, Item("タグ", "tag", table="tags"))
    assert found.record["tags"] == {"value": [{"value": {"tag": {"value": text}}} for text in ("甲", "", "丙")]}
    assert convert({"タグ": None}, Item("タグ", "tag", table="tags")).record["tags"] == {"value": []}
    kept = Item("タグ", "tag", table="tags", skip_blank=True)
    assert "tags" not in convert({"タグ": []}, kept).record
    assert convert({"タグ": ["あ" * 6]}, kept).refusals[0].field == "tag"
    assert has_tables(data_set(kept))
    assert not has_tables(data_set())


def test_k9_rows_keep_their_ids_by_their_places() -> None:
    """What is more in kintone goes, what is more here is new, a row of kintone's without id too."""
    record = convert({"タグ": ["甲", "乙", "丙"]}, Item("タグ", "tag", table="tags")).record
    current = {
        "tags": {"type": "SUBTABLE", "value": [{"id": "11", "value": {}}, {"value": {}}, {"id": "13", "value": {}}]}
    }
    rows = with_row_ids(record, current)["tags"]["value"]
    assert [row.get("id") for row in rows] == ["11", "13", None]
    assert [row["value"]["tag"]["value"] for row in rows] == ["甲", "乙", "丙"]
    assert with_row_ids(record, {}) == record
    people = convert({"担当": "佐藤"}, Item("担当", "who")).record
    assert with_row_ids(people, {"who": {"value": [{"code": "a", "id": "1"}]}}) == people


def test_k9_a_value_is_converted_as_the_item_asks() -> None:
    """By the words of the 変換 column; in lists too; what is no text stays."""
    rows = [{"会社ID": "1", "名": "ﾔﾏﾀﾞ", "タグ": ["ａ", None, "ｂ"]}, {"会社ID": "2", "名": None, "タグ": "ｃ"}]
    items = Item("名", "name", conversion="全角カナ"), Item("タグ", "tag", conversion="半角、大文字", table="tags")
    first, second = convert_all(rows, data_set(*items), form(), USERS)
    assert first.record["name"] == {"value": "ヤマダ"}
    assert [row["value"]["tag"]["value"] for row in first.record["tags"]["value"]] == ["A", "", "B"]
    assert second.record["name"] == {"value": ""}
    broken = convert({"名": "ﾔ\ud83d"}, items[0])  # half a character is its record's fault, not the conversion's
    assert "半分だけ" in broken.refusals[0].detail
    assert [row["value"]["tag"]["value"] for row in second.record["tags"]["value"]] == ["C"]
