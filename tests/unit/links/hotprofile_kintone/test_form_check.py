"""A mapping against the app's form: what would go wrong is told before the first write, with what to do (K7 to K13)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.errors import Problem
from renkei.links.hotprofile_kintone.form_check import TYPES, app_id_fault, form_problems
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.form import Field
from tests.unit.links.hotprofile_kintone.forms import FIELDS, data_set, form


def only(*items: Item, of: DataSet | None = None, **changes: dict[str, Any]) -> Problem:
    (problem,) = form_problems(of or data_set(*items), form(**changes))
    return problem


def test_k9_every_type_of_text_5_may_be_written() -> None:
    fields = [one for one in FIELDS if one.type in TYPES and not one.is_calculated and one.code != "pref"]
    items = [Item(f"項目{one.code}", one.code) for one in fields if one.code != "code"]
    assert form_problems(data_set(*items, Item("タグ", "tag", table="tags")), form()) == []


@pytest.mark.parametrize(
    ("item", "found", "remedy"),
    [
        (Item("項目", "nme"), "フィールドコード「nme」がありません", "「name」と記入"),
        (Item("項目", "会社名"), "フィールドコード「会社名」がありません", "「name」と記入"),
        (Item("項目", "zzz"), "フィールドコード「zzz」がありません", "もう一度読み込みを行ってください"),
        (Item("項目", "tag"), "テーブルの中にあります", "「tags」と記入"),
        (Item("項目", "tag", table="tgs"), "テーブル「tgs」がありません", "「tags」と記入"),
        (Item("項目", "tag", table="name"), "テーブル「name」がありません", "もう一度読み込み"),
        (Item("項目", "tg", table="tags"), "テーブル「tags」の中にフィールドコード「tg」がありません", "「tag」と記入"),
        (Item("項目", "count", table="tags"), "テーブルの中の数値「count」", "文字列(1行)だけ"),
        (Item("項目", "tags"), "「tags」はテーブルです", "テーブルの列に入れ"),
        (Item("項目", "checks"), "チェックボックスのフィールド「checks」には連携できません", "ドロップダウン"),
        (Item("項目", "sum"), "計算のフィールド「sum」には連携できません", "文字列(1行)"),
        (Item("項目", "auto"), "自動計算が設定されている", "自動計算を外す"),
        (Item("項目", "pref"), "ルックアップ「parent」がコピーする先", "この項目を外し"),
    ],
)
def test_k8_k9_k10_an_item_that_cannot_be_written_is_named(item: Item, found: str, remedy: str) -> None:
    problem = only(item)
    assert problem.where == "会社 項目"
    assert found in problem.found
    assert remedy in problem.remedy


def test_k8_two_items_with_one_field_are_both_named() -> None:
    problems = form_problems(data_set(Item("a", "name"), Item("b", "name")), form())
    assert [problem.where for problem in problems] == ["会社 a", "会社 b"]
    assert all("1対1" in problem.remedy for problem in problems)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ({"unique": False}, "「値の重複を禁止する」が設定されていません"),
        ({"type": "DATE"}, "日付のフィールド「code」は、kintoneのAPIが更新キーとして受け付けません"),
        ({"type": "LINK"}, "リンクのフィールド「code」は、kintoneのAPIが更新キーとして受け付けません"),
        ({"lookup_app": "3", "unique": False}, "ルックアップ「code」は更新キーにできません"),
    ],
)
def test_k7_a_field_that_kintone_takes_for_no_key_is_refused(field: dict[str, Any], found: str) -> None:
    assert found in only(code=field).found


def test_k7_a_key_in_a_table_or_one_that_may_be_blank_is_refused() -> None:
    table = DataSet("companies", "5", True, "会社ID", (Item("会社ID", "tag", table="tags"), Item("名", "code")))
    assert "テーブルの中のフィールドは更新キーにできません" in only(of=table).found
    blank = DataSet("companies", "5", True, "会社ID", (Item("会社ID", "code", skip_blank=True),))
    assert "空なら書かない" in only(of=blank).found


def test_k11_a_required_field_without_an_item_or_a_default_is_named() -> None:
    """Not one that has a default, that a lookup fills, or that is mapped."""
    assert "必須フィールド「note」" in only(note={"required": True}).found
    assert form_problems(data_set(), form(note={"required": True, "has_default": True})) == []
    assert form_problems(data_set(), form(pref={"required": True})) == []
    assert form_problems(data_set(Item("備考", "note")), form(note={"required": True})) == []


def test_l8_a_problem_stands_where_its_reader_sees_it() -> None:
    more = Field("must", "SINGLE_LINE_TEXT", "必須", required=True)
    places = {"項目": "acme.xlsx 会社!C7", "": "acme.xlsx 会社"}
    problems = form_problems(data_set(Item("項目", "zzz")), form(more), places.__getitem__)
    assert [problem.where for problem in problems] == ["acme.xlsx 会社!C7", "acme.xlsx 会社"]


@pytest.mark.parametrize("text", ["123", " １２３ ", "1"])
def test_k13_an_app_id_is_its_digits(text: str) -> None:
    assert app_id_fault(text) is None


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("https://xxx.cybozu.com/k/123/", "「123」だけを記入"),
        ("https://xxx.cybozu.com/k/123/?view=5#x", "「123」だけを記入"),
        ("xxx.cybozu.com/k/guest/9/123", "「123」だけを記入"),
        ("https://xxx.cybozu.com/k/", "「123」と記入してください"),
        ("0", "「123」と記入してください"),
        ("12a", "「123」と記入してください"),
        ("", "「123」と記入してください"),
    ],
)
def test_k13_a_url_is_refused_with_the_digits_to_enter(text: str, remedy: str) -> None:
    fault = app_id_fault(text)
    assert fault is not None
    assert remedy in fault.remedy
