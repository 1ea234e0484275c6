"""部署データ and ユーザデータ: which lines there are, and what each may say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from renkei.links.smarthr_emc.sheet import expression, names
from renkei.links.smarthr_emc.sheet.conversion import WORDS
from renkei.links.smarthr_emc.sheet.expression import LONGEST
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM, USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.json_schema.cells import legal_actions, may_convert, policy_name, policy_pair
from renkei.links.smarthr_emc.sheet.json_schema.patterns import (
    BLANK,
    COLON,
    SCALAR,
    UNUSUAL,
    Schema,
    character_class,
    choice,
    one_line,
    spelled,
)
from renkei.links.smarthr_emc.sheet.policy import Place

_WIDE_BRACKETS = str.maketrans("()", "（）")


def departments() -> Schema:
    shown = ["部署名", "部署名(階層)"]
    secret = f"{BLANK}秘密{BLANK}{COLON}"
    yomi = {"type": "string", "maxLength": LONGEST, "pattern": one_line(), "not": {"pattern": f"^{secret}"}}
    return {
        "title": "部署データ",
        "type": "object",
        "required": ["yomi"],
        "additionalProperties": False,
        "properties": {
            "name": {"title": "部署名", **choice(shown, shown, may_be_blank=False), "default": "部署名"},
            "yomi": {
                "title": "部署名(ヨミ)",
                "description": "必須。SmartHRの部署にはヨミが無いため、会社で1つの値を使います",
                "anyOf": [yomi, {"type": ["number", "boolean"]}],
                "examples": ["ブショ"],
            },
        },
    }


def users() -> Schema:
    needed = [item for item in USER_ITEMS if item.required and item.key != "operation"]
    required = [{"title": f"必須項目 {item.name}", "contains": _any_line(item)} for item in needed]
    pairs = []
    for n in range(1, CONTACTS + 1):
        medium, address = (USER_ITEM[f"contact_{n}_{half}"] for half in ("medium", "address"))
        for one, other in ((medium, address), (address, medium)):
            pairs.append({"if": {"contains": _usual_line(one)}, "then": {"contains": _any_line(other)}})
    once = [
        {"if": {"contains": _usual_line(item)}, "then": {"contains": _usual_line(item), "maxContains": 1}}
        for item in USER_ITEMS
    ]
    return {
        "title": "ユーザデータ",
        "description": "連携する項目ごとに1つ。必須: "
        + "、".join(item.name for item in needed)
        + "。緊急連絡の媒体とアドレスは組で記入します",
        "type": "array",
        "items": _rule(),
        "allOf": [*required, *pairs, *once],
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _usual_line(item: Item) -> Schema:
    """A line that surely is this item's."""
    return _ref(f"lines/{item.key}")


def _any_line(item: Item) -> Schema:
    """A line that may be this item's: one of it, or one whose item is spelled in no usual way."""
    return {"anyOf": [_usual_line(item), _ref("unusual_line")]}


def unusual_line() -> Schema:
    """A line whose item is spelled in no usual way, so that it may be any."""
    usual = dict.fromkeys(name for item in USER_ITEMS for name in usual_names(item))
    return line(**{"not": {"anyOf": [{"enum": list(usual)}, {"pattern": f"^{_labelled(USER_ITEMS)}$"}]}})


def usual_names(item: Item) -> list[str]:
    """The spellings of an item that are surely taken for it."""
    folded = [name for name, found in names.USER_ALIASES.items() if found is item and name.isalnum()]
    spaced = [re.sub(r"(\d)(?=[^\d])", r"\1 ", name) for name in folded]
    return list(dict.fromkeys((item.name, item.key, item.name.translate(_WIDE_BRACKETS), *folded, *spaced)))


def line(**item: Any) -> Schema:
    """A line whose item is as said."""
    return {"required": ["item"], "properties": {"item": item}}


def item_schema() -> Schema:
    shown = [item.name for item in USER_ITEMS] + [item.key for item in USER_ITEMS]
    return {
        "title": "エマージェンシーコール項目",
        "description": "検索ワードには「検索ワード1:勤務地」のように名前を付けられます",
        **choice(shown, names.USER_ALIASES, _labelled(USER_ITEMS), may_be_blank=False),
        "examples": ["検索ワード1:勤務地"],
    }


def _item_names(*items: Item) -> str:
    keys = {item.key for item in items}
    found = [name for name, item in names.USER_ALIASES.items() if item.key in keys]
    labels = _labelled(items)
    return f"^(?:{spelled(found)}{f'|{labels}' if labels else ''})$"


def _labelled(items: Iterable[Item]) -> str:
    """検索ワードn with the tenant's own word for it."""
    keys = {item.key for item in items if item.key.startswith("search_word_")}
    found = [name for name, item in names.USER_ALIASES.items() if item.key in keys]
    return f"{spelled(found)}[:： 　(（].*" if found else ""


def _rule() -> Schema:
    groups: dict[tuple[Any, ...], list[Item]] = {}
    for item in USER_ITEMS:
        alone = item.key if item.key in ("operation", "password") else ""
        traits = (alone, may_convert(item), *(legal_actions(item, place) for place in Place))
        groups.setdefault(traits, []).append(item)
    return {
        "type": "object",
        "required": ["item"],
        "additionalProperties": False,
        "properties": {
            "item": _ref("item"),
            "source": {
                "title": "SmartHR項目",
                "description": "項目名、固定値「…」、カスタム項目:項目名、無し(空白)。「&」でつなぎ、「or」で値がある最初のものを使います",
                "type": SCALAR,
            },
            "on_create": policy_pair("新規登録処理"),
            "on_update": policy_pair("更新処理"),
            "convert": {
                "title": "変換",
                "description": "値をこの順に変えてから登録します: " + "、".join(WORDS.values()),
                "type": ["string", "array", "null"],
            },
        },
        "allOf": [
            # 処理フラグ alone may stand without a source, and says nothing then
            {
                "if": line(pattern=f"{_item_names(USER_ITEM['operation'])}|{UNUSUAL}"),
                "else": {"required": ["source"], "properties": {"source": _ref("source")}},
            },
            *(_group(items) for items in groups.values()),
        ],
    }


def _group(items: list[Item]) -> Schema:
    """What lines of these items may say, all of which may say the same."""
    when = line(pattern=_item_names(*items))
    one, two, three, four = (_ref(policy_name(legal_actions(items[0], place), place)) for place in Place)
    then: Schema = {
        "on_create": {"properties": {"when_present": one, "when_blank": two}},
        "on_update": {"properties": {"when_present": three, "when_blank": four}},
        "convert": _ref("convert" if may_convert(items[0]) else "no_convert"),
    }
    if items[0].key == "operation":
        linked = {"type": "string", "pattern": "[!-~ぁ-んァ-ヶ一-龠]"}
        when = {"required": ["item", "source"], "properties": when["properties"] | {"source": linked}}
    elif items[0].key != "password":
        opening = character_class([":", "：", *expression.QUOTES])
        secret = f"^{spelled(['秘密'])}{opening}"
        then["source"] = {"not": {"type": "string", "pattern": secret}}
    return {"title": "、".join(item.name for item in items), "if": when, "then": {"properties": then}}
