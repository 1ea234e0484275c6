"""EMC's items that a sheet can fill (E16): keys used in code, names used in the sheet and the file."""

from __future__ import annotations

from dataclasses import dataclass

CONTACTS = 10  # 緊急連絡1–10 (連絡先1～10)
SECONDARY_DEPARTMENTS = 10  # 兼務管理部署1～10
SEARCH_WORDS = 5  # 検索ワード1～5
PASSWORD = r"[\x21-\x7e]+"  # what EMC takes as one: an assumption (docs/assumptions.md)
ROLES = 5  # 保有権限1–n; the text shows only 1, the import contract has 5


@dataclass(frozen=True, slots=True)
class Item:
    """One EMC item: `key` in code and plan columns, `name` in the sheet and in EMC's file header."""

    key: str
    name: str
    required: bool = False


USER_ITEMS: tuple[Item, ...] = (
    Item("operation", "処理フラグ", required=True),
    Item("user_id", "ユーザID", required=True),
    Item("password_reset", "パスワード強制変更"),
    Item("password", "パスワード", required=True),
    Item("full_name", "氏名", required=True),
    Item("full_name_yomi", "氏名(ヨミ)", required=True),
    Item("primary_department_id", "所属部署コード"),
    *(Item(f"secondary_department_{n}", f"兼務管理部署{n}") for n in range(1, SECONDARY_DEPARTMENTS + 1)),
    *(Item(f"role_{n}", f"保有権限{n}") for n in range(1, ROLES + 1)),
    *(
        item
        for n in range(1, CONTACTS + 1)
        for item in (
            Item(f"contact_{n}_medium", f"緊急連絡{n} 媒体"),
            Item(f"contact_{n}_address", f"緊急連絡{n} アドレス"),
        )
    ),
    *(Item(f"search_word_{n}", f"検索ワード{n}") for n in range(1, SEARCH_WORDS + 1)),
)

DEPARTMENT_ITEMS: tuple[Item, ...] = (
    Item("operation", "処理フラグ", required=True),
    Item("department_id", "部署ID", required=True),
    Item("name", "部署名", required=True),
    Item("name_yomi", "部署名(ヨミ)", required=True),
    Item("parent_id", "親部署ID"),
)

USER_ITEM: dict[str, Item] = {item.key: item for item in USER_ITEMS}
DEPARTMENT_ITEM: dict[str, Item] = {item.key: item for item in DEPARTMENT_ITEMS}
DEPARTMENT_REFERENCES: tuple[str, ...] = (
    "primary_department_id",
    *(f"secondary_department_{n}" for n in range(1, SECONDARY_DEPARTMENTS + 1)),
)
