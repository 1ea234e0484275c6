"""The 連携設定シート of Hot Profile → kintone as types, whatever form it was written in.

Nothing here reads files, asks a system or knows a clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

DATA_SETS = {
    "companies": "会社",
    "departments": "部署",
    "leads": "リード",
}  # K1: in this order, lookups need the parents
OVERWRITE, KEEP = "overwrite", "keep"  # 上書き, 残す
CUSTOM = "カスタム項目:"  # before the label of an item that the customer made in Hot Profile
INTERVALS = (5, 30, 60, 180, 360, 720, 1440)  # minutes, K14; text 5, Q4
DAILY_REQUESTS = 5_000  # of one app; text 5, APIリクエスト数の制限
AT_ONCE = 5  # requests to one kintone domain; text 5 allows 100 to all of its clients together


@dataclass(frozen=True, slots=True)
class Item:
    """One item of Hot Profile and the field that it goes to (K8).

    `field` is the field code of kintone. `table` is the code of the table in whose rows the field stands; empty for
    one beside all tables. `conversion` is a word of `conversion.py`; empty for what the field's type asks for.
    """

    item: str
    field: str
    skip_blank: bool = False  # 空なら書かない: a blank clears otherwise (K10)
    conversion: str = ""
    table: str = ""
    conflict: str = (
        ""  # OVERWRITE, KEEP: what becomes of a value that people changed in kintone; empty: not watched (K23)
    )


@dataclass(frozen=True, slots=True)
class DataSet:
    """会社, 部署 or リード: its app, its items, its 更新キー."""

    name: str  # of DATA_SETS
    app: str  # アプリID: digits
    enabled: bool
    key: str  # the `item` of one of `items`, which kintone is asked by (K7)
    items: tuple[Item, ...]
    old_key_item: str = ""  # 旧キー: what データクレンジング replaced (K22)

    @property
    def label(self) -> str:
        return DATA_SETS[self.name]

    @property
    def watched(self) -> tuple[Item, ...]:
        """The items with 競合検知 (K23)."""
        return tuple(item for item in self.items if item.conflict)

    @property
    def key_field(self) -> str:
        """The field code of the 更新キー."""
        return next(item.field for item in self.items if item.item == self.key)


@dataclass(frozen=True, slots=True)
class Mapping:
    """One tenant's link."""

    tenant: str
    company: str  # 会社名
    domain: str  # サブドメイン: https://example.cybozu.com, without a path
    user: str  # 連携ユーザー: leads are those that they may see (K4)
    interval_minutes: int
    data_sets: tuple[DataSet, ...]  # in the order of DATA_SETS; a data set that the sheet does not have is not here
    guest_space: str = ""
    daily_requests: int = DAILY_REQUESTS
    at_once: int = AT_ONCE
    result_addresses: tuple[str, ...] = ()
    link_start_on: dt.date | None = None  # 連携開始日
    users: tuple[tuple[str, str], ...] = ()  # 対応表: what Hot Profile calls a user, kintone's ログイン名

    def data_set(self, name: str) -> DataSet | None:
        return next((one for one in self.data_sets if one.name == name), None)

    @property
    def enabled(self) -> tuple[DataSet, ...]:
        return tuple(one for one in self.data_sets if one.enabled)
