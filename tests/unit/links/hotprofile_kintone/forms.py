"""A kintone app and a data set that fits it, to be bent by each test."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.form import Field, Form

CELLS = (Field("tag", "SINGLE_LINE_TEXT", "タグ", longest=5), Field("count", "NUMBER", "数"))
FIELDS = (
    Field("code", "SINGLE_LINE_TEXT", "会社ID", required=True, unique=True),
    Field("number", "NUMBER", "番号", unique=True),
    Field("name", "SINGLE_LINE_TEXT", "会社名", longest=10, shortest=2),
    Field("note", "MULTI_LINE_TEXT", "備考"),
    Field("rich", "RICH_TEXT", "説明"),
    Field("price", "NUMBER", "金額", least=Decimal(0), most=Decimal("1000000.5")),
    Field("on", "DATE", "登録日"),
    Field("time", "TIME", "時刻"),
    Field("at", "DATETIME", "更新日時"),
    Field("kind", "DROP_DOWN", "区分", options=("見込み", "顧客")),
    Field("choice", "RADIO_BUTTON", "選択", required=True, has_default=True, options=("はい", "いいえ")),
    Field("site", "LINK", "URL"),
    Field("who", "USER_SELECT", "担当者"),
    Field("parent", "SINGLE_LINE_TEXT", "親会社", lookup_app="3", lookup_key="key", fills=("pref",)),
    Field("pref", "SINGLE_LINE_TEXT", "都道府県"),
    Field("sum", "CALC", "合計", is_calculated=True),
    Field("auto", "SINGLE_LINE_TEXT", "自動", is_calculated=True),
    Field("checks", "CHECK_BOX", "確認", options=("済",)),
    Field("tags", "SUBTABLE", "タグ一覧", cells=CELLS),
)


def form(*more: Field, **changes: dict[str, Any]) -> Form:
    """The app; `changes` are of its fields by their codes, `more` further ones."""
    fields = {one.code: dataclasses.replace(one, **changes.get(one.code, {})) for one in (*FIELDS, *more)}
    return Form("5", "1", fields)


def data_set(*items: Item, key: str = "会社ID") -> DataSet:
    """会社 with 会社ID as 更新キー and the given items."""
    return DataSet("companies", "5", True, key, (Item("会社ID", "code"), *items))
