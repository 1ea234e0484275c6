"""連携情報 and 保留の条件: one definition per setting."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict

from renkei.links.smarthr_emc.sheet import settings
from renkei.links.smarthr_emc.sheet.json_schema.patterns import (
    BLANK,
    COLON,
    DIGIT,
    LOWER_DIGITS,
    SCALAR,
    TRIMMED,
    TYPED,
    UNTYPED,
    Schema,
    character_class,
    choice,
    matches,
    one_line,
)
from renkei.links.smarthr_emc.sheet.mapping import Guards, LinkState, Loader
from renkei.links.smarthr_emc.sheet.settings import (
    DEPARTMENT_ID_LONGEST,
    ID_PREFIX_LONGEST,
    LABELS,
    RESULT_ADDRESSES_MOST,
    SETTINGS,
)


def setting_schema(key: str) -> Schema:
    """One setting of 連携情報, with the label and note of the sheet."""
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
            signs = character_class(c for c in TYPED if "!" <= _narrow(c) <= "~" and _narrow(c) not in ",\"'")
            return {"type": SCALAR, "pattern": matches(f"{signs}{{1,{ID_PREFIX_LONGEST}}}"), "examples": ["acm"]}
        case "emc_account":
            first, rest = (
                character_class(c for c in TYPED if _narrow(c) in signs)
                for signs in (LOWER_DIGITS, LOWER_DIGITS | set("_-"))
            )
            return {"type": SCALAR, "minimum": 0, "pattern": matches(f"{first}{rest}*")}
        case "state":
            return choice([state.value for state in LinkState], settings.STATES) | {"default": "ACTIVE"}
        case "loader":
            return choice([loader.value for loader in Loader], settings.LOADERS) | {"default": "HTTP"}
        case "requests_per_second":
            number = "[0０]{0,8}[1-9１-９]|[0０]{0,7}[1１][0０]"
            limits = {"minimum": 1, "maximum": 10, "default": 10}
            return {"type": ["integer", "string", "null"], **limits, "pattern": matches(number)}
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
    several = f"^{gap}*(?:{address}(?:{gap}+{address})*{gap}*)?$|{UNTYPED}"
    plain = {"type": "string", "pattern": "^[a-z0-9._+-]+@[a-z0-9.-]+$"}
    one = {"type": "string", "pattern": several, "examples": ["soumu@example.co.jp"]}
    some = {"type": ["string", "null"], "pattern": several}
    return {
        "anyOf": [
            {
                "type": "array",
                "items": some,
                "contains": {"type": "string", "pattern": f"[^{TRIMMED[1:-1]},;、，；]"},
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
    day = f"(?:[0０]?[1-9１-９]|[12１２]{DIGIT}|[3３][01０１])"
    text = f"{DIGIT}{{4}}[\\-/.年－／．]{month}[\\-/.月－／．]{day}日?|{DIGIT}{{8}}"
    pattern = f"^{BLANK}(?:{text}){BLANK}$|{UNTYPED}"
    limits = {"minimum": 10000101, "maximum": 99991231}  # 20260401
    return {"type": ["string", "integer"], **limits, "pattern": pattern, "examples": ["2026-04-01"]}


def _time() -> Schema:
    hour, minute = f"(?:[01０１]?{DIGIT}|[2２][0-3０-３])", f"[0-5０-５]{DIGIT}"
    text = (f"{hour}{COLON}{minute}(?:{COLON}[0０][0０])?", f"{hour}時(?:[0-5０-５]?{DIGIT}分)?")
    # YAML 1.1 takes 12:30 for the number 750, and 12:30:00 for 45000
    limits = {"minimum": 60, "maximum": 86340}
    types = ["string", "integer", "null"]
    return {"type": types, **limits, "pattern": matches(*text), "default": "04:30", "examples": ["04:30"]}


def root_department() -> Schema:
    keys = ("id", "name", "yomi")
    filled = {"anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": one_line()}]}
    short = {"anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": one_line(DEPARTMENT_ID_LONGEST)}]}
    nothing = {"type": ["string", "null"], "pattern": f"^{TRIMMED}*$"}
    return {
        "title": "最上位部署",
        "description": "SmartHRの第1階層の上に部署を1つ置く場合に、3つとも記入します。IDには頭にID付与コードが付きます",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {key: {"title": LABELS[f"root_department.{key}"], "type": SCALAR} for key in keys},
        "anyOf": [
            {"required": list(keys), "properties": {"id": short, "name": filled, "yomi": filled}},
            {"properties": dict.fromkeys(keys, nothing)},
        ],
    }


def guards() -> Schema:
    properties: Schema = {}
    for key, default in asdict(Guards()).items():
        percent = key.endswith("_percent")
        share = f"(?:[1１][0０][0０](?:[.．][0０]{{1,4}})?|[0０]?{DIGIT}{{1,2}}(?:[.．]{DIGIT}{{1,4}})?){BLANK}[%％]?"
        setting = next(setting for setting in SETTINGS if setting.key == f"guards.{key}")
        properties[key] = {
            "title": setting.label,
            "description": setting.note,
            "type": ["number" if percent else "integer", "string", "null"],
            "minimum": 0,
            "maximum": 100 if percent else 999_999_999,
            "pattern": matches(share if percent else f"{DIGIT}{{1,9}}"),
            "default": int(default),
        }
    return {
        "title": "保留の条件",
        "description": "この割合を超え、かつ最少以上のときに、登録せずに承認を待ちます",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }
