"""The cells of a line of ユーザデータ: its source, its policies, its conversions."""

from __future__ import annotations

from renkei.links.smarthr_emc.sheet import catalogue, conversion, expression, policy
from renkei.links.smarthr_emc.sheet.catalogue import NAMES
from renkei.links.smarthr_emc.sheet.conversion import WORDS, parse_conversions
from renkei.links.smarthr_emc.sheet.expression import LONGEST, NO_SOURCE
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.json_schema.patterns import (
    BLANK,
    COLON,
    PLAIN,
    SCALAR,
    UNUSUAL,
    Schema,
    character_class,
    choice,
    spelled,
)
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Convert
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell, format_code, parse_cell
from renkei.links.smarthr_emc.sheet.raw import Fault

_PROBES = ("X", "T", "1", "メールアドレス")  # a default is legal in a cell that takes one of these


def source_cell() -> Schema:
    """The grammar of `expression.py`; after an unquoted 固定値: or カスタム項目: anything may follow."""
    quoted = "|".join(f"{a}(?:[^{b}]|{b}{b})*{b}" for a, b in expression.QUOTES.items())
    head = spelled(expression.HEADS)
    term = f"(?:{spelled(catalogue.BY_FOLD)}|(?:{head}[:： 　()（）・]*|{BLANK})(?:{quoted}){BLANK})"
    marks = "(?:[&＆]|[oOｏＯ][rRｒＲ]|または|又は)"
    unusual = character_class([*PLAIN, *expression.QUOTES, *expression.QUOTES.values()], negated=True)
    nothing = spelled(expression.NOTHING)
    pattern = f"^(?:{nothing}|(?:{term}(?:{marks}(?!$)|$)|{head}{COLON}.*$)+)$|{unusual}"
    return {
        "title": "SmartHR項目",
        "anyOf": [
            {"enum": [*NAMES, NO_SOURCE]},
            {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": pattern},
        ],
        "examples": ["社員番号 or メールアドレス", '姓&"　"&名', "固定値「本社」", "カスタム項目:勤務形態"],
    }


def legal_actions(item: Item, place: Place) -> tuple[Action, ...]:
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


def policy_name(actions: tuple[Action, ...], place: Place) -> str:
    """The definition's name; cells that take the same share one."""
    return "_".join((place.name, *actions))


def policy_cells() -> Schema:
    """One definition for each set of policies that the reader takes, by `policy_name`."""
    kinds = {(legal_actions(item, place), place): item for place in Place for item in USER_ITEMS}
    return {policy_name(actions, place): _policy_cell(actions, place) for actions, place in kinds}


def _policy_cell(actions: tuple[Action, ...], place: Place) -> Schema:
    plain = [Cell(action) for action in actions if action is not Action.DEFAULT]
    words = [format_cell(cell, place) for cell in plain]
    codes = [format_code(cell) for cell in plain]
    heads = f"{spelled(policy.DEFAULT_HEADS)}{COLON}{BLANK}[^ 　].*"
    has_default = Action.DEFAULT in actions
    told = [f"{word}({code})" for word, code in zip(words, codes, strict=True)] + ["デフォルト:値"] * has_default
    return {
        "title": place.value,
        "description": "、".join(told),
        **choice(codes + words, codes + words, *([heads] if has_default else [])),
    } | ({"examples": ["DEFAULT:T"]} if has_default else {})


def policy_pair(title: str) -> Schema:
    """新規登録処理 or 更新処理 as every line has it; what an item takes there is said by its group."""
    cases = {"when_present": "値がある場合", "when_blank": "値が無い場合"}
    return {
        "title": title,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: {"title": f"{title}: {case}", "type": SCALAR} for key, case in cases.items()},
    }


def may_convert(item: Item) -> bool:
    """Whether 変換 may say anything for this item."""
    try:
        return bool(parse_conversions(WORDS[Convert.VISIBLE], item))
    except Fault:
        return False


def convert_cell() -> Schema:
    part, between = "(?:YYYY|[MD])", "[^A-Za-z「」,、，;；+＋\\n]"
    form = f"{between}*{part}(?:{between}|{part})*"
    date = [word for word, convert in conversion.BY_FOLD.items() if convert is Convert.DATE]
    other = [word for word, convert in conversion.BY_FOLD.items() if convert is not Convert.DATE]
    word = f"(?:{spelled(other)}(?:{COLON}{BLANK})?|{spelled(date)}{COLON}{form}|{BLANK})"
    text = {"type": ["string", "null"], "pattern": f"^(?:{word}(?:[,、，;；+＋]|$))*$|{UNUSUAL}"}
    codes = [convert.value for convert in Convert if convert is not Convert.DATE]
    shown = {"anyOf": [{"enum": [*codes, *(WORDS[Convert(code)] for code in codes)]}, text]}
    several = {"type": "array", "items": shown, "if": {"items": {"enum": codes}}, "then": {"uniqueItems": True}}
    return {"title": "変換", "anyOf": [shown, several], "examples": ["KATAKANA", "DATE:YYYY/MM/DD"]}


def no_convert_cell() -> Schema:
    nothing = {"type": ["string", "null"], "pattern": f"^[ 　,、，;；+＋]*$|{UNUSUAL}"}
    return {
        "title": "変換",
        "description": "この項目には指定できません",
        "anyOf": [nothing, {"type": "array", "items": nothing}],
    }
