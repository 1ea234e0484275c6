"""The YAML form as JSON Schema (draft 2020-12), so that an editor completes and checks it (E15).

Made from the tables that the reader itself uses. It refuses only what `parse` refuses as well. Names are
matched as the reader does, whatever their width, blanks and brackets, as far as a pattern can say so: a text
with a sign outside `PLAIN` (half-width kana, compatibility letters, zero-width characters …) is left to the
reader. So is what needs two cells or more, except for required lines, pairs and lines that stand twice.

Every scalar is text to the reader, but a number, a truth value or nothing to other tools: each of these is
accepted where the text that gives it could be.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from renkei.links.smarthr_emc.sheet import catalogue, conversion, expression, names, policy, settings
from renkei.links.smarthr_emc.sheet.catalogue import NAMES
from renkei.links.smarthr_emc.sheet.conversion import WORDS, parse_conversions
from renkei.links.smarthr_emc.sheet.expression import LONGEST, NO_SOURCE
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM, USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Convert, Guards, LinkState, Loader
from renkei.links.smarthr_emc.sheet.names import fold
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell, format_code, parse_cell
from renkei.links.smarthr_emc.sheet.raw import Fault
from renkei.links.smarthr_emc.sheet.settings import (
    DEPARTMENT_ID_LONGEST,
    ID_PREFIX_LONGEST,
    LABELS,
    RESULT_ADDRESSES_MOST,
    SETTINGS,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def _span(first: str, last: str) -> frozenset[str]:
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))


_LOWER_DIGITS = _span("a", "z") | _span("0", "9")
# The signs that names are made of, which the reader folds one by one, whatever stands beside them. A text with any
# other may be a name all the same (half-width kana, a dash for a long vowel, marks beside the name …).
PLAIN = (
    _LOWER_DIGITS
    | _span("A", "Z")
    | _span("ぁ", "ゖ")
    | (_span("ァ", "ヺ") | {"ー"})
    | _span("一", "龥")
    | frozenset("々_/:： \u3000()（）・&＆")
)
# The same for 連携情報, where the reader only brings texts to normal width.
_TYPED = PLAIN | _span(" ", "~") | _span("！", "～")
_WIDE_BRACKETS = str.maketrans("()", "（）")
_SCALAR = ["string", "number", "boolean", "null"]
_PROBES = ("X", "T", "1", "メールアドレス")  # a default is legal in a cell that takes one of these


def schema_text() -> str:
    """The schema as the file in `include/contracts/` has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def schema() -> Schema:
    """The schema of a whole mapping file."""
    top = {key.partition(".")[0]: key for key in LABELS}
    properties: Schema = {}
    for setting in SETTINGS:
        if setting.key in top.values() and "." not in setting.key:
            properties.setdefault(setting.key, _setting(setting.key))
    required = ["smarthr_url", "result_addresses", "link_start_on", "departments", "users"]
    return {
        "$schema": DIALECT,
        "title": "連携設定シート(SmartHR → エマージェンシーコール)",
        "description": "1社に1つのファイルです。ファイル名が会社の名前(テナント名)になります。",
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties
        | {"root_department": _root(), "guards": _guards(), "departments": _departments(), "users": _users()},
        "$defs": {
            "item": _item(),
            "source": _source(),
            "convert": _convert(),
            "no_convert": _no_convert(),
            **_cell_defs(),
            "unusual_line": _unusual_line(),
            "lines": {item.key: _line(enum=_usual_names(item)) for item in USER_ITEMS},
        },
    }


# --- texts as patterns -------------------------------------------------------------------------------------------


def _class(characters: Iterable[str], *, negated: bool = False) -> str:
    """A character class that both ECMAScript and Python read."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, set(characters))):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])

    def sign(code: int) -> str:
        character = chr(code)
        if not (character.isprintable() or character == "\u3000"):
            return f"\\u{code:04x}"
        return "\\" + character if character in "\\]^-[" else character

    parts = (sign(a) if a == b else sign(a) + ("-" if b > a + 1 else "") + sign(b) for a, b in runs)
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _variants() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for character in PLAIN:
        found.setdefault(fold(character), set()).add(character)
    return found


_VARIANTS = _variants()
_SKIP = _class(_VARIANTS[""]) + "*"
_BLANK = "[ 　]*"
_UNUSUAL = f"{_class(PLAIN, negated=True)}|必須|任意"  # left to the reader
_UNTYPED = _class(_TYPED, negated=True)
_DIGIT = "[0-9０-９]"
_COLON = "[:：]"
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_TRIMMED = _class(names._BLANKS)
_SEEN = f"[^{_TRIMMED[1:-1]}{_CONTROLS}]"


def _one_line(longest: int | None = None) -> str:
    """A pattern of texts that say something, on one line once the blanks around are gone."""
    more = "*" if longest is None else f"{{0,{longest - 2}}}"
    return f"^{_TRIMMED}*{_SEEN}(?:[^{_CONTROLS}]{more}{_SEEN})?{_TRIMMED}*$"


def _spelled(words: Iterable[str]) -> str:
    """A pattern of every spelling in PLAIN that folds to one of the words; shared beginnings stand once."""
    trie: dict[str, Any] = {}
    for word in sorted({fold(word) for word in words}):
        if all(character in _VARIANTS for character in word):
            node = trie
            for character in word:
                node = node.setdefault(character, {})
            node[""] = {}
    return _SKIP + _branches(trie)


def _branches(node: dict[str, Any]) -> str:
    by_rest: dict[str, set[str]] = {}
    for character, below in node.items():
        if character:
            by_rest.setdefault(_branches(below), set()).update(_VARIANTS[character])
    found = [(_class(signs) if len(signs) > 1 else min(signs)) + _SKIP + rest for rest, signs in by_rest.items()]
    if not found:
        return ""
    text = found[0] if len(found) == 1 and "" not in node else f"(?:{'|'.join(found)})"
    return text + "?" if "" in node else text


def _folded(words: Iterable[str], *more: str, may_be_blank: bool = True) -> Schema:
    """A text that folds to one of the words, or matches one of `more`."""
    choices = "|".join((_spelled(words), *more, *([_BLANK] if may_be_blank else [])))
    types = ["string", "null"] if may_be_blank else "string"
    return {"type": types, "pattern": f"^(?:{choices})$|{_UNUSUAL}"}


def _choice(shown: Sequence[str], words: Iterable[str], *more: str, may_be_blank: bool = True) -> Schema:
    """As `_folded`, with the spellings that an editor offers."""
    return {"anyOf": [{"enum": list(shown)}, _folded(words, *more, may_be_blank=may_be_blank)]}


def _matches(*patterns: str) -> str:
    """A text that the reader only brings to normal width (連携情報)."""
    return f"^{_BLANK}(?:{'|'.join(patterns)})?{_BLANK}$|{_UNTYPED}"


# --- 連携情報 ----------------------------------------------------------------------------------------------------


def _setting(key: str) -> Schema:
    note = next(setting.note for setting in SETTINGS if setting.key == key)
    title = LABELS[key].removesuffix("1") if key == "result_addresses" else LABELS[key]
    return {"title": title} | ({"description": note} if note else {}) | _value(key)


def _value(key: str) -> Schema:
    match key:
        case "smarthr_url":
            return _url()
        case "result_addresses":
            return _addresses()
        case "link_start_on":
            return _date()
        case "run_at":
            return _time()
        case "id_prefix":
            signs = _class(c for c in _TYPED if "!" <= _narrow(c) <= "~" and _narrow(c) not in ",\"'")
            return {"type": _SCALAR, "pattern": _matches(f"{signs}{{1,{ID_PREFIX_LONGEST}}}"), "examples": ["acm"]}
        case "emc_account":
            first, rest = (
                _class(c for c in _TYPED if _narrow(c) in signs) for signs in (_LOWER_DIGITS, _LOWER_DIGITS | set("_-"))
            )
            return {"type": _SCALAR, "minimum": 0, "pattern": _matches(f"{first}{rest}*")}
        case "state":
            return _choice([state.value for state in LinkState], settings._STATES) | {"default": "ACTIVE"}
        case "loader":
            return _choice([loader.value for loader in Loader], settings._LOADERS) | {"default": "HTTP"}
        case "requests_per_second":
            number = "[0０]{0,8}[1-9１-９]|[0０]{0,7}[1１][0０]"
            limits = {"minimum": 1, "maximum": 10, "default": 10}
            return {"type": ["integer", "string", "null"], **limits, "pattern": _matches(number)}
    raise KeyError(key)


def _narrow(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def _url() -> Schema:
    """SmartHR's own hosts; a stand-in of the operator's is a host with a port, an address or a single label."""
    letter, label = "[A-Za-z0-9-]", "[A-Za-z0-9_-]+"
    own = f"[Hh][Tt][Tt][Pp][Ss]://{letter}+\\.(?:{_any_case('smarthr.jp')}|{_any_case('daruma.space')})(?::443|:)?"
    other = (
        f"[Hh][Tt][Tt][Pp][Ss]?://(?:{label}|[0-9.]+|\\[[0-9A-Fa-f:.]+\\]|(?:{label}\\.)+{label}:[0-9]+)(?::[0-9]*)?"
    )
    # full-width letters are left to the reader here, as every sign that an address does not have
    pattern = f"^ *(?:{own}|{other})/?\\??#? *$|[^ -~]"
    return {"type": "string", "pattern": pattern, "examples": ["https://example.smarthr.jp"]}


def _any_case(text: str) -> str:
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else f"\\{c}" for c in text)


def _addresses() -> Schema:
    gap, part = "[ ,;、，；　]", "[^ ,;、，；　@＠]+"
    address = f"{part}[@＠]{part}[.．]{part}"
    several = f"^{gap}*(?:{address}(?:{gap}+{address})*{gap}*)?$|{_UNTYPED}"
    plain = {"type": "string", "pattern": "^[a-z0-9._+-]+@[a-z0-9.-]+$"}
    one = {"type": "string", "pattern": several, "examples": ["soumu@example.co.jp"]}
    some = {"type": ["string", "null"], "pattern": several}
    return {
        "anyOf": [
            {
                "type": "array",
                "items": some,
                "contains": {"type": "string", "pattern": f"[^{_TRIMMED[1:-1]},;、，；]"},
                # the same address twice counts once, and a blank line does not count
                "if": {"items": plain, "uniqueItems": True},
                "then": {"maxItems": RESULT_ADDRESSES_MOST},
            },
            one | {"minLength": 1},
        ],
        "examples": [["soumu@example.co.jp"]],
    }


def _date() -> Schema:
    month = "(?:[0０]?[1-9１-９]|[1１][0-2０-２])"
    day = f"(?:[0０]?[1-9１-９]|[12１２]{_DIGIT}|[3３][01０１])"
    text = f"{_DIGIT}{{4}}[\\-/.年－／．]{month}[\\-/.月－／．]{day}日?|{_DIGIT}{{8}}"
    pattern = f"^{_BLANK}(?:{text}){_BLANK}$|{_UNTYPED}"
    limits = {"minimum": 10000101, "maximum": 99991231}  # 20260401
    return {"type": ["string", "integer"], **limits, "pattern": pattern, "examples": ["2026-04-01"]}


def _time() -> Schema:
    hour, minute = f"(?:[01０１]?{_DIGIT}|[2２][0-3０-３])", f"[0-5０-５]{_DIGIT}"
    text = (f"{hour}{_COLON}{minute}(?:{_COLON}[0０][0０])?", f"{hour}時(?:[0-5０-５]?{_DIGIT}分)?")
    # YAML 1.1 takes 12:30 for the number 750, and 12:30:00 for 45000
    limits = {"minimum": 60, "maximum": 86340}
    types = ["string", "integer", "null"]
    return {"type": types, **limits, "pattern": _matches(*text), "default": "04:30", "examples": ["04:30"]}


def _root() -> Schema:
    keys = ("id", "name", "yomi")
    filled = {"anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": _one_line()}]}
    short = {
        "anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": _one_line(DEPARTMENT_ID_LONGEST)}]
    }
    nothing = {"type": ["string", "null"], "pattern": f"^{_TRIMMED}*$"}
    return {
        "title": "最上位部署",
        "description": "SmartHRの第1階層の上に部署を1つ置く場合に、3つとも記入します。IDには頭にID付与コードが付きます",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: {"title": LABELS[f"root_department.{key}"], "type": _SCALAR} for key in keys},
        "anyOf": [
            {"required": list(keys), "properties": {"id": short, "name": filled, "yomi": filled}},
            {"properties": dict.fromkeys(keys, nothing)},
        ],
    }


def _guards() -> Schema:
    properties: Schema = {}
    for key, default in asdict(Guards()).items():
        percent = key.endswith("_percent")
        share = (
            f"(?:[1１][0０][0０](?:[.．][0０]{{1,4}})?|[0０]?{_DIGIT}{{1,2}}(?:[.．]{_DIGIT}{{1,4}})?){_BLANK}[%％]?"
        )
        setting = next(setting for setting in SETTINGS if setting.key == f"guards.{key}")
        properties[key] = {
            "title": setting.label,
            "description": setting.note,
            "type": ["number" if percent else "integer", "string", "null"],
            "minimum": 0,
            "maximum": 100 if percent else 999_999_999,
            "pattern": _matches(share if percent else f"{_DIGIT}{{1,9}}"),
            "default": int(default),
        }
    return {
        "title": "保留の条件",
        "description": "この割合を超え、かつ最少以上のときに、登録せずに承認を待ちます",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }


# --- 部署データ, ユーザデータ --------------------------------------------------------------------------------------


def _departments() -> Schema:
    shown = ["部署名", "部署名(階層)"]
    secret = f"{_BLANK}秘密{_BLANK}{_COLON}"
    yomi = {"type": "string", "maxLength": LONGEST, "pattern": _one_line(), "not": {"pattern": f"^{secret}"}}
    return {
        "title": "部署データ",
        "type": "object",
        "required": ["yomi"],
        "additionalProperties": False,
        "properties": {
            "name": {"title": "部署名", **_choice(shown, shown, may_be_blank=False), "default": "部署名"},
            "yomi": {
                "title": "部署名(ヨミ)",
                "description": "必須。SmartHRの部署にはヨミが無いため、会社で1つの値を使います",
                "anyOf": [yomi, {"type": ["number", "boolean"]}],
                "examples": ["ブショ"],
            },
        },
    }


def _users() -> Schema:
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


def _line(**item: Any) -> Schema:
    return {"required": ["item"], "properties": {"item": item}}


def _usual_line(item: Item) -> Schema:
    """A line that surely is this item's."""
    return _ref(f"lines/{item.key}")


def _any_line(item: Item) -> Schema:
    """A line that may be this item's: one of it, or one whose item is spelled in no usual way."""
    return {"anyOf": [_usual_line(item), _ref("unusual_line")]}


def _unusual_line() -> Schema:
    usual = dict.fromkeys(name for item in USER_ITEMS for name in _usual_names(item))
    return _line(**{"not": {"anyOf": [{"enum": list(usual)}, {"pattern": f"^{_labelled(USER_ITEMS)}$"}]}})


def _usual_names(item: Item) -> list[str]:
    folded = [name for name, found in names._USER.items() if found is item and name.isalnum()]
    spaced = [re.sub(r"(\d)(?=[^\d])", r"\1 ", name) for name in folded]
    return list(dict.fromkeys((item.name, item.key, item.name.translate(_WIDE_BRACKETS), *folded, *spaced)))


def _item_names(*items: Item) -> str:
    keys = {item.key for item in items}
    found = [name for name, item in names._USER.items() if item.key in keys]
    labels = _labelled(items)
    return f"^(?:{_spelled(found)}{f'|{labels}' if labels else ''})$"


def _labelled(items: Iterable[Item]) -> str:
    """検索ワードn with the tenant's own word for it."""
    keys = {item.key for item in items if item.key.startswith("search_word_")}
    found = [name for name, item in names._USER.items() if item.key in keys]
    return f"{_spelled(found)}[:： 　(（].*" if found else ""


def _item() -> Schema:
    shown = [item.name for item in USER_ITEMS] + [item.key for item in USER_ITEMS]
    return {
        "title": "エマージェンシーコール項目",
        "description": "検索ワードには「検索ワード1:勤務地」のように名前を付けられます",
        **_choice(shown, names._USER, _labelled(USER_ITEMS), may_be_blank=False),
        "examples": ["検索ワード1:勤務地"],
    }


def _rule() -> Schema:
    groups: dict[tuple[Any, ...], list[Item]] = {}
    for item in USER_ITEMS:
        alone = item.key if item.key in ("operation", "password") else ""
        traits = (alone, _converts(item), *(_legal(item, place) for place in Place))
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
                "type": _SCALAR,
            },
            "on_create": _cells("新規登録処理"),
            "on_update": _cells("更新処理"),
            "convert": {
                "title": "変換",
                "description": "値をこの順に変えてから登録します: " + "、".join(WORDS.values()),
                "type": ["string", "array", "null"],
            },
        },
        "allOf": [
            # 処理フラグ alone may stand without a source, and says nothing then
            {
                "if": _line(pattern=f"{_item_names(USER_ITEM['operation'])}|{_UNUSUAL}"),
                "else": {"required": ["source"], "properties": {"source": _ref("source")}},
            },
            *(_group(items) for items in groups.values()),
        ],
    }


def _cells(title: str) -> Schema:
    cases = {"when_present": "値がある場合", "when_blank": "値が無い場合"}
    return {
        "title": title,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: {"title": f"{title}: {case}", "type": _SCALAR} for key, case in cases.items()},
    }


def _group(items: list[Item]) -> Schema:
    """What lines of these items may say, all of which may say the same."""
    when = _line(pattern=_item_names(*items))
    one, two, three, four = (_ref(_cell_name(_legal(items[0], place), place)) for place in Place)
    then: Schema = {
        "on_create": {"properties": {"when_present": one, "when_blank": two}},
        "on_update": {"properties": {"when_present": three, "when_blank": four}},
        "convert": _ref("convert" if _converts(items[0]) else "no_convert"),
    }
    if items[0].key == "operation":
        linked = {"type": "string", "pattern": "[!-~ぁ-んァ-ヶ一-龠]"}
        when = {"required": ["item", "source"], "properties": when["properties"] | {"source": linked}}
    elif items[0].key != "password":
        opening = _class([":", "：", *expression._QUOTES])
        secret = f"^{_spelled(['秘密'])}{opening}"
        then["source"] = {"not": {"type": "string", "pattern": secret}}
    return {"title": "、".join(item.name for item in items), "if": when, "then": {"properties": then}}


def _converts(item: Item) -> bool:
    try:
        return bool(parse_conversions(WORDS[Convert.VISIBLE], item))
    except Fault:
        return False


def _legal(item: Item, place: Place) -> tuple[Action, ...]:
    """The policies that the reader takes in this cell."""

    def takes(text: str) -> bool:
        try:
            parse_cell(text, item, place)
        except Fault:
            return False
        return True

    plain = tuple(a for a in Action if a is not Action.DEFAULT and takes(format_code(Cell(a))))
    default = any(takes(format_code(Cell(Action.DEFAULT, probe))) for probe in _PROBES)
    return plain + ((Action.DEFAULT,) if default else ())


def _cell_name(actions: tuple[Action, ...], place: Place) -> str:
    return "_".join((place.name, *actions))


def _cell_defs() -> Schema:
    kinds = {(_legal(item, place), place): item for place in Place for item in USER_ITEMS}
    return {_cell_name(actions, place): _cell(actions, place) for actions, place in kinds}


def _cell(actions: tuple[Action, ...], place: Place) -> Schema:
    plain = [Cell(action) for action in actions if action is not Action.DEFAULT]
    words = [format_cell(cell, place) for cell in plain]
    codes = [format_code(cell) for cell in plain]
    heads = f"{_spelled(policy._DEFAULT_HEADS)}{_COLON}{_BLANK}[^ 　].*"
    has_default = Action.DEFAULT in actions
    told = [f"{word}({code})" for word, code in zip(words, codes, strict=True)] + ["デフォルト:値"] * has_default
    return {
        "title": place.value,
        "description": "、".join(told),
        **_choice(codes + words, codes + words, *([heads] if has_default else [])),
    } | ({"examples": ["DEFAULT:T"]} if has_default else {})


def _source() -> Schema:
    """The grammar of `expression.py`; after an unquoted 固定値: or カスタム項目: anything may follow."""
    quoted = "|".join(f"{a}(?:[^{b}]|{b}{b})*{b}" for a, b in expression._QUOTES.items())
    head = _spelled(expression._HEADS)
    term = f"(?:{_spelled(catalogue._BY_FOLD)}|(?:{head}[:： 　()（）・]*|{_BLANK})(?:{quoted}){_BLANK})"
    marks = "(?:[&＆]|[oOｏＯ][rRｒＲ]|または|又は)"
    unusual = _class([*PLAIN, *expression._QUOTES, *expression._QUOTES.values()], negated=True)
    nothing = _spelled(expression._NOTHING)
    pattern = f"^(?:{nothing}|(?:{term}(?:{marks}(?!$)|$)|{head}{_COLON}.*$)+)$|{unusual}"
    return {
        "title": "SmartHR項目",
        "anyOf": [
            {"enum": [*NAMES, NO_SOURCE]},
            {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": pattern},
        ],
        "examples": ["社員番号 or メールアドレス", '姓&"　"&名', "固定値「本社」", "カスタム項目:勤務形態"],
    }


def _convert() -> Schema:
    part, between = "(?:YYYY|[MD])", "[^A-Za-z「」,、，;；+＋\\n]"
    form = f"{between}*{part}(?:{between}|{part})*"
    date = [word for word, convert in conversion._BY_FOLD.items() if convert is Convert.DATE]
    other = [word for word, convert in conversion._BY_FOLD.items() if convert is not Convert.DATE]
    word = f"(?:{_spelled(other)}(?:{_COLON}{_BLANK})?|{_spelled(date)}{_COLON}{form}|{_BLANK})"
    text = {"type": ["string", "null"], "pattern": f"^(?:{word}(?:[,、，;；+＋]|$))*$|{_UNUSUAL}"}
    codes = [convert.value for convert in Convert if convert is not Convert.DATE]
    shown = {"anyOf": [{"enum": [*codes, *(WORDS[Convert(code)] for code in codes)]}, text]}
    several = {"type": "array", "items": shown, "if": {"items": {"enum": codes}}, "then": {"uniqueItems": True}}
    return {"title": "変換", "anyOf": [shown, several], "examples": ["KATAKANA", "DATE:YYYY/MM/DD"]}


def _no_convert() -> Schema:
    nothing = {"type": ["string", "null"], "pattern": f"^[ 　,、，;；+＋]*$|{_UNUSUAL}"}
    return {
        "title": "変換",
        "description": "この項目には指定できません",
        "anyOf": [nothing, {"type": "array", "items": nothing}],
    }
