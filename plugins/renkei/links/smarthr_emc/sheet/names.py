"""The names in a sheet, matched as people type them: width, spaces and brackets do not matter (E16)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEMS, USER_ITEM, USER_ITEMS, Item
from renkei.texts import BLANKS, MAX_NAME, fold, trim

_RANGE = re.compile(
    r"(兼務管理部署|兼務部署|保有権限|緊急連絡先?|連絡先|検索ワード)\d+[~〜\-]\d+(媒体|アドレス|媒体/アドレス)?"
)
_COLON = re.compile("[:：]")
_LABEL = re.compile(r"[(（「【\[［ \u3000\xa0]")  # what stands between 検索ワードn and its label, if no colon does
_CLOSING = ")）」】]］"
_MARKS = "*＊※★☆●■◆▼"  # what customers put beside a name that must be filled in
_NOTE = re.compile(r"[(（【\[［](?:初期値)?\s*(?:必須|任意)(?:項目)?[)）】\]］]")


@dataclass(frozen=True, slots=True)
class ItemName:
    """A user item as a sheet names it, with the label of a search word."""

    item: Item
    label: str = ""


def _user_aliases() -> dict[str, Item]:
    names = {fold(item.name): item for item in USER_ITEMS} | {fold(item.key): item for item in USER_ITEMS}
    more = {
        "user_id": ("ユーザーID", "ユーザID(ログインID)"),
        "password": ("初期パスワード", "パスワード(初期値)"),
        "password_reset": ("パスワード強制変更フラグ",),
        "full_name_yomi": ("氏名ヨミガナ", "氏名フリガナ", "氏名カナ"),
        "primary_department_id": ("所属部署", "所属部署ID"),
        "role_1": ("保有権限",),
    }
    for n in range(1, 11):
        more[f"secondary_department_{n}"] = (f"兼務管理部署コード{n}", f"兼務管理部署{n}コード", f"兼務部署{n}")
        for part, word in (("medium", "媒体"), ("address", "アドレス")):
            more[f"contact_{n}_{part}"] = tuple(
                text
                for name in ("緊急連絡", "緊急連絡先", "連絡先")
                for text in (*(f"{name}{n}{mark}{word}" for mark in ("", "-", "_", "/", ":", "の")), f"{name}{word}{n}")
            )
    for key, aliases in more.items():
        names |= {fold(alias): USER_ITEM[key] for alias in aliases}
    return names


USER_ALIASES = _user_aliases()
_DEPARTMENT = {fold(name): item for item in DEPARTMENT_ITEMS for name in (item.name, item.key)} | {
    fold(alias): next(item for item in DEPARTMENT_ITEMS if item.key == key)
    for alias, key in (("部署コード", "department_id"), ("部署名ヨミガナ", "name_yomi"), ("親部署コード", "parent_id"))
}


def user_item(text: str) -> ItemName | None:
    """The user item that `text` names, or None."""
    if item := USER_ALIASES.get(fold(text)):
        return ItemName(item)
    if (colon := _COLON.search(text)) and (item := _search_word(text[: colon.start()])):
        return ItemName(item, trim(text[colon.end() :]))
    if len(text) > MAX_NAME:
        return None
    plain = _unmarked(text)
    if item := USER_ALIASES.get(fold(plain)):
        return ItemName(item)
    for mark in _LABEL.finditer(plain):
        if item := _search_word(plain[: mark.start()]):
            label = plain[mark.end() :]
            return ItemName(item, trim(label if mark[0].isspace() else label.rstrip(_CLOSING)))
    return None


def _search_word(text: str) -> Item | None:
    item = USER_ALIASES.get(fold(text)) or USER_ALIASES.get(fold(_unmarked(text)))
    return item if item and item.key.startswith("search_word_") else None


def _unmarked(text: str) -> str:
    """`text` without the marks and notes (必須, 任意) that customers put beside a name."""
    return trim(_NOTE.sub("", text).strip(_MARKS + BLANKS))


def is_item_range(text: str) -> bool:
    """True for the sheet's summary lines (`兼務管理部署1～10`, `連絡先1～10`), which stand for several items."""
    return _RANGE.fullmatch(fold(text)) is not None


def department_item(text: str) -> Item | None:
    """The department item that `text` names, or None."""
    item = _DEPARTMENT.get(fold(text))
    return item if item or len(text) > MAX_NAME else _DEPARTMENT.get(fold(_unmarked(text)))
