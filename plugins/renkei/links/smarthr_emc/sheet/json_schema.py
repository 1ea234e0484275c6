"""The YAML form as JSON Schema (draft 2020-12), so that an editor completes and checks it (E15).

Made from the tables that the reader itself uses. Names and words are taken as these tables write them; other spellings
that the reader takes as well (another width, blanks, more names of an item) are left to `renkei check`. So is what
needs two cells or more, except for required lines, pairs and lines that stand twice.

Every scalar is text to the reader, but a number, a truth value or nothing to other tools: each of these is accepted
where the text that gives it could be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from renkei.channel import LABELS
from renkei.links.smarthr_emc.sheet.catalogue import ALIASES, NAMES
from renkei.links.smarthr_emc.sheet.conversion import UNCONVERTED
from renkei.links.smarthr_emc.sheet.expression import HEADS, MAX_EXPRESSION, NO_SOURCE
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM, USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell, format_code, offered
from renkei.links.smarthr_emc.sheet.setting_kinds import SCALAR
from renkei.links.smarthr_emc.sheet.settings import KEYS, SETTING
from renkei.notifications.form.cells import MAX_CONNECTION, MAX_NAME
from renkei.notifications.form.words import EVENT_WORDS, MUTED_WORDS, UNMUTED_WORDS
from renkei.notifications.services import SPECS
from renkei.values.conversion import WORDS, Convert

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_GROUPS = {
    "root_department": (
        "最上位部署",
        "SmartHRの第1階層の上に部署を1つ置く場合に、3つとも記入します。IDには頭にID付与コードが付きます",
    ),
    "guards": ("保留の条件", "この割合を超え、かつ最少以上のときに、登録せずに承認を待ちます"),
}
_NO_URL = {"not": {"type": "string", "pattern": "[Hh][Tt][Tt][Pp][Ss]?://"}}


def schema_text() -> str:
    """The schema as the file in `include/contracts/` has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def schema() -> Schema:
    """The schema of a whole mapping file."""
    top = _object(
        "連携設定シート(SmartHR → エマージェンシーコール)",
        "1社に1つのファイルです。ファイル名が会社の名前(テナント名)になります。",
        [*(key for key in KEYS if SETTING[key].needed), "departments", "users"],
        **_information(),
        departments=_departments(),
        users=_users(),
        notifications=_notifications(),
    )
    shared = {"source": _source(), "convert": _convert(), "lines": {item.key: _line(item) for item in USER_ITEMS}}
    return {"$schema": DIALECT, **top, "$defs": shared}


def _object(title: str, description: str = "", required: Iterable[str] = (), **properties: Schema) -> Schema:
    kind = "object" if required else ["object", "null"]
    found = {"title": title, "description": description, "type": kind, "required": [*required]}
    return {key: value for key, value in found.items() if value} | {
        "additionalProperties": False,
        "properties": properties,
    }


def _words(title: str, words: Iterable[Any], *patterns: str, **more: Any) -> Schema:
    """A text that is one of the words, which an editor offers, or matches one of the patterns."""
    others = [{"type": "string", "pattern": f"^(?:{pattern})$"} for pattern in patterns]
    return {"title": title, **more, "anyOf": [{"enum": [*dict.fromkeys(words)]}, *others]}


def _any_of(words: Iterable[str]) -> str:
    escaped = (re.sub(r"([()])", r"\\\1", word) for word in dict.fromkeys(words))  # all that is special in our words
    return f"(?:{'|'.join(escaped)})"


# -- 連携情報 -----------------------------------------------------------------------------------------------------------


def _information() -> Schema:
    found: Schema = {}
    for key in KEYS:
        setting, (group, _, name) = SETTING[key], key.partition(".")
        title = setting.label.removesuffix("1")
        one = {"title": title, **({"description": setting.note} if setting.note else {}), **setting.kind.schema}
        if name:
            found.setdefault(group, _object(*_GROUPS[group]))["properties"][name] = one
        else:
            found[key] = one
    root = found["root_department"]
    root["dependentRequired"] = {name: [*root["properties"]] for name in root["properties"]}
    return found


# -- 部署データ, ユーザデータ -------------------------------------------------------------------------------------------


def _departments() -> Schema:
    yomi = {"type": "string", "maxLength": MAX_EXPRESSION, "minLength": 1, "not": {"pattern": "^ *秘密 *[:：]"}}
    return _object(
        "部署データ",
        required=["yomi"],
        name=_words("部署名", ["部署名", "部署名(階層)"]),
        yomi={
            "title": "部署名(ヨミ)",
            "description": "必須。SmartHRの部署にはヨミが無いため、会社で1つの値を使います",
            "anyOf": [yomi, {"type": ["number", "boolean"]}],
            "examples": ["ブショ"],
        },
    )


def _users() -> Schema:
    needed = [item for item in USER_ITEMS if item.required and item.key != "operation"]
    has = {item.key: {"contains": {"$ref": f"#/$defs/lines/{item.key}"}} for item in USER_ITEMS}
    count = [{**has[item.key], "minContains": int(item in needed), "maxContains": 1} for item in USER_ITEMS]
    pairs = [
        {"if": has[f"contact_{n}_{one}"], "then": has[f"contact_{n}_{other}"]}
        for n in range(1, CONTACTS + 1)
        for one, other in (("medium", "address"), ("address", "medium"))
    ]
    names = "、".join(item.name for item in needed)
    return {
        "title": "ユーザデータ",
        "description": f"連携する項目ごとに1つ。必須: {names}。緊急連絡の媒体とアドレスは組で記入します",
        "type": "array",
        "items": _rule(),
        "allOf": [*count, *pairs],
    }


def _line(*items: Item) -> Schema:
    """A line of one of the items."""
    return {"required": ["item"], "properties": {"item": {"enum": _names(items)}}}


def _names(items: Iterable[Item]) -> list[str]:
    return [name for item in items for name in (item.name, item.key)]


def _rule() -> Schema:
    searched = _any_of(_names(item for item in USER_ITEMS if item.key.startswith("search_word_")))
    groups: dict[str, list[Item]] = {}
    for item in USER_ITEMS:
        groups.setdefault(json.dumps(_cells(item)), []).append(item)
    rule = _object(
        "連携する項目",
        required=["item"],
        item=_words(
            "エマージェンシーコール項目",
            _names(USER_ITEMS),
            f"{searched}[:：].+",
            description="検索ワードには「検索ワード1:勤務地」のように名前を付けられます",
        ),
        source={
            "title": "SmartHR項目",
            "description": "項目名、固定値「…」、カスタム項目:項目名、無し(空白)。「&」でつなぎ、「or」で値がある最初のものを使います",
            "type": SCALAR,
        },
        on_create=_object("新規登録処理", when_present={}, when_blank={}),
        on_update=_object("更新処理", when_present={}, when_blank={}),
        convert={
            "title": "変換",
            "description": "値をこの順に変えてから登録します: " + "、".join(WORDS.values()),
        },
    )
    return rule | {
        "allOf": [{"if": _line(*items), "then": json.loads(cells)} for cells, items in groups.items()]
        + [
            {
                "if": {"properties": {"item": {"pattern": f"^{searched}[:：]"}}},
                "then": _cells(USER_ITEM["search_word_1"]),
            }
        ]
    }


def _cells(item: Item) -> Schema:
    """What the other cells of an item's line may say."""
    one, two, three, four = (_policy(item, place) for place in Place)
    properties: Schema = {
        "on_create": {"properties": {"when_present": one, "when_blank": two}},
        "on_update": {"properties": {"when_present": three, "when_blank": four}},
        "convert": {"maxLength": 0, "maxItems": 0} if item.key in UNCONVERTED else {"$ref": "#/$defs/convert"},
    }
    if item.key == "operation":  # which alone may stand without a source, and says nothing then
        return {"properties": properties}
    no_secret = {} if item.key == "password" else {"not": {"type": "string", "pattern": "^ *秘密"}}
    return {"required": ["source"], "properties": {"source": {"$ref": "#/$defs/source", **no_secret}, **properties}}


def _source() -> Schema:
    """The grammar of `expression.py`; after an unquoted 固定値: or カスタム項目: anything may follow."""
    heads = _any_of(HEADS)
    quoted = "|".join(f"{a}(?:[^{b}]|{b}{b})*{b}" for a, b in ("「」", "『』", '""'))
    term = f"(?:{_any_of((*NAMES, *ALIASES))}|{heads}?(?:{quoted}))"
    pattern = f"(?:{term}(?: *[&＆] *(?!$)| +or +(?!$)|$)|{heads}[:：].+$)+"
    examples = ["社員番号 or メールアドレス", '姓&"　"&名', "固定値「本社」", "カスタム項目:勤務形態"]
    return _words("SmartHR項目", [*NAMES, NO_SOURCE, "無し", "-"], pattern, examples=examples)


def _policy(item: Item, place: Place) -> Schema:
    cells, strict = offered(item, place)
    words = [word for cell in cells for word in (format_cell(cell, place), format_code(cell))]
    default = () if strict else (r"(?:デフォルト|DEFAULT|default)[:：] *[^ ].*",)
    return _words(place.value, [*words, "", None], *default)


def _convert() -> Schema:
    words = [word for convert in Convert if convert is not Convert.DATE for word in (convert.value, WORDS[convert])]
    date = f"(?:{WORDS[Convert.DATE]}|{Convert.DATE.value})[:：].*[YMD].*"
    one = _words("変換", [*words, "", None], date)
    several = f"(?:{_any_of(words)}|{date})(?:[,、，;；+＋] *(?:{_any_of(words)}|{date}))+"
    text = _words("変換", [*words, "", None], f"{date}|{several}", examples=["KATAKANA", "DATE:YYYY/MM/DD"])
    return {"title": "変換", "anyOf": [text, {"type": "array", "items": one, "uniqueItems": True}]}


# -- 通知 ---------------------------------------------------------------------------------------------------------------


def _notifications() -> Schema:
    services = [name for spec in SPECS for name in (spec.label, spec.service.value, *spec.aliases)]
    addressed = [name for spec in SPECS if spec.destination for name in (spec.label, spec.service.value, *spec.aliases)]
    notes = (f"{spec.label}: {spec.destination.label}({spec.destination.note})" for spec in SPECS if spec.destination)
    event = _words("知らせる内容", [*LABELS.values(), *EVENT_WORDS, *LABELS])
    line = _object(
        "通知先",
        required=["name", "service"],
        name={
            "title": "名前",
            "description": "通知先の名前。ほかの通知先と異なるもの",
            "type": ["string", "number", "boolean"],
            "minLength": 1,
            "maxLength": MAX_NAME,
            **_NO_URL,
        },
        service=_words("サービス", services),
        connection={
            "title": "接続",
            "description": "Airflowの接続の名前。書かなければ「接続の種類__会社名」",
            "type": SCALAR,
            "pattern": f"^[A-Za-z0-9_.-]{{0,{MAX_CONNECTION}}}$",
            "examples": ["slack_webhook__acme"],
        },
        to={
            "title": "送信先",
            "description": "。".join(
                (*notes, "社員:ID と書くと、その社員本人に届きます。ほかのサービスでは書きません")
            ),
            "type": SCALAR,
            **_NO_URL,
        },
        muted=_words("通知を行わない", [True, False, None, *MUTED_WORDS, *UNMUTED_WORDS, ""]),
        events={
            "title": "知らせる内容",
            "description": "通知管理: 知らせる内容。書かなければすべて",
            "type": ["array", "string", "null"],
            "items": event,
        },
    )
    line |= {"if": {"properties": {"service": {"enum": addressed}}}, "then": {"required": ["to"]}}
    return {
        "title": "通知",
        "description": "結果を知らせるチャットなど。1つの通知先に1つずつ。URLやトークンは書かず、Airflowの接続に登録します",
        "anyOf": [{"type": ["array", "null"]}, {"const": ""}],
        "items": line,
    }
