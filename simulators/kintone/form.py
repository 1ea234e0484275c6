"""An app's form: its fields as `app/form/fields.json` tells them, with what writing a record needs of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

TEXT = {"defaultValue": "", "unique": False, "minLength": "", "maxLength": ""}
OPTIONS: dict[str, Any] = {"options": {}}
ENTITIES: dict[str, Any] = {"defaultValue": [], "entities": []}

# What a property of each type has besides type, code, label, noLabel and required, and what stands there unless said.
PROPERTIES: dict[str, dict[str, Any]] = {
    "SINGLE_LINE_TEXT": TEXT | {"expression": "", "hideExpression": False},
    "MULTI_LINE_TEXT": {"defaultValue": ""},
    "RICH_TEXT": {"defaultValue": ""},
    "LINK": TEXT | {"protocol": "WEB"},
    "NUMBER": {
        **{"defaultValue": "", "unique": False, "minValue": "", "maxValue": "", "digit": False},
        **{"displayScale": "", "unit": "", "unitPosition": "BEFORE"},
    },
    "CALC": {"expression": "", "format": "NUMBER", "hideExpression": False, "displayScale": ""},
    "DATE": {"defaultValue": "", "unique": False, "defaultNowValue": False},
    "DATETIME": {"defaultValue": "", "unique": False, "defaultNowValue": False},
    "TIME": {"defaultValue": "", "defaultNowValue": False},
    "DROP_DOWN": OPTIONS | {"defaultValue": ""},
    "RADIO_BUTTON": OPTIONS | {"defaultValue": "", "align": "HORIZONTAL"},
    "CHECK_BOX": OPTIONS | {"defaultValue": [], "align": "HORIZONTAL"},
    "MULTI_SELECT": OPTIONS | {"defaultValue": []},
    "USER_SELECT": ENTITIES,
    "ORGANIZATION_SELECT": ENTITIES,
    "GROUP_SELECT": ENTITIES,
    "FILE": {"thumbnailSize": "150"},
    "SUBTABLE": {},
    "REFERENCE_TABLE": {},
    "GROUP": {"openGroup": False},
    "RECORD_NUMBER": {},
    "CREATOR": {},
    "CREATED_TIME": {},
    "MODIFIER": {},
    "UPDATED_TIME": {},
    "STATUS": {"enabled": False},
    "STATUS_ASSIGNEE": {"enabled": False},
    "CATEGORY": {"enabled": False},
}
LISTS = frozenset(
    {"CHECK_BOX", "MULTI_SELECT", "USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT", "FILE", "SUBTABLE"}
)
NULLS = frozenset({"DROP_DOWN", "RADIO_BUTTON", "DATE", "TIME", "DATETIME"})
SYSTEM = frozenset({"RECORD_NUMBER", "CREATOR", "CREATED_TIME", "MODIFIER", "UPDATED_TIME"})
WITHOUT_VALUE = frozenset({"GROUP", "REFERENCE_TABLE", "STATUS", "STATUS_ASSIGNEE", "CATEGORY"})
NOT_WRITTEN = SYSTEM | WITHOUT_VALUE | {"CALC"}
UNIQUE = frozenset({"SINGLE_LINE_TEXT", "NUMBER", "LINK", "DATE", "DATETIME"})
LOOKUPS = frozenset({"SINGLE_LINE_TEXT", "NUMBER", "LINK"})
NEVER_REQUIRED = NOT_WRITTEN | {"SUBTABLE", "RADIO_BUTTON"}
SYSTEM_FIELDS = {
    "レコード番号": "RECORD_NUMBER",
    "作成者": "CREATOR",
    "作成日時": "CREATED_TIME",
    "更新者": "MODIFIER",
    "更新日時": "UPDATED_TIME",
}
# From memory of kintone's help (guess): a field without duplicates takes no more.
UNIQUE_LENGTH_MAX = 64


@dataclass(frozen=True)
class Lookup:
    """Where a lookup takes its value, and what it copies: own field to field there."""

    app: int
    key: str
    copies: dict[str, str]


@dataclass(frozen=True)
class Field:
    """One field; `definition` is what the API tells."""

    code: str
    type: str
    definition: dict[str, Any]
    table: dict[str, Field] = field(default_factory=dict)
    lookup: Lookup | None = None

    @cached_property
    def required(self) -> bool:
        return bool(self.definition.get("required")) and self.type not in NEVER_REQUIRED

    @cached_property
    def unique(self) -> bool:
        return bool(self.definition.get("unique"))

    @cached_property
    def written(self) -> bool:
        """Whether a client's value is taken; an automatically computed text ignores it."""
        return self.type not in NOT_WRITTEN and not self.definition.get("expression")

    @cached_property
    def lengths(self) -> tuple[int, int]:
        """Fewest and most characters; 0: no limit."""
        least, most = (int(self.definition.get(name) or 0) for name in ("minLength", "maxLength"))
        return least, min(
            most or UNIQUE_LENGTH_MAX, UNIQUE_LENGTH_MAX
        ) if self.unique and self.type != "NUMBER" else most

    @cached_property
    def options(self) -> frozenset[str]:
        return frozenset(self.definition.get("options", ()))

    @property
    def empty(self) -> Any:
        if self.type in LISTS:
            return []
        return None if self.type in NULLS else ""


def unique_key(one: Field, value: Any) -> str:
    """What must not be there twice: 1.0 and 1 are one number; empty for a blank, which may be there as often as it likes."""
    text = str(value or "")
    return text.rstrip("0").rstrip(".") if one.type == "NUMBER" and "." in text else text


def field_of(code: str, raw: dict[str, Any], *, in_table: bool = False) -> Field:
    """The field that a property describes; what is not said stands as kintone has it.

    Raises:
        ValueError: kintone has no such field.
    """
    kind = raw.get("type", "")
    if kind not in PROPERTIES:
        raise ValueError(f"{code}: no type {kind}")
    known = {"type": kind, "code": code, "label": code, "noLabel": False, "required": False} | PROPERTIES[kind]
    given = {name: value for name, value in raw.items() if name not in ("fields", "lookup")} | {"code": code}
    if unknown := sorted(given.keys() - known.keys()):
        raise ValueError(f"{code}: {kind} has no {', '.join(unknown)}")
    made = known | given
    if "options" in made:
        named = made["options"]
        if isinstance(named, list):
            named = {name: {} for name in named}
        made["options"] = {
            name: {"label": name, "index": str(index)} | option for index, (name, option) in enumerate(named.items())
        }
    lookup = None
    if raw.get("lookup"):
        if kind not in LOOKUPS or made.get("unique"):
            raise ValueError(f"{code}: no lookup on {kind}, and none that prohibits duplicates")
        for name in ("unique", "defaultValue"):
            made.pop(name)
        made["lookup"] = {"fieldMappings": [], "lookupPickerFields": [], "filterCond": "", "sort": ""} | raw["lookup"]
        made["lookup"]["relatedApp"] = {"app": str(raw["lookup"]["relatedApp"]["app"]), "code": ""}
        lookup = Lookup(
            int(raw["lookup"]["relatedApp"]["app"]),
            raw["lookup"]["relatedKeyField"],
            {mapping["field"]: mapping["relatedField"] for mapping in made["lookup"]["fieldMappings"]},
        )
    elif made.get("unique") and (kind not in UNIQUE or in_table):
        raise ValueError(f"{code}: duplicates of {kind} cannot be prohibited here")
    table = {}
    if kind == "SUBTABLE":
        del made["required"]  # a table has none
        if in_table:
            raise ValueError(f"{code}: no table in a table")
        table = {name: field_of(name, cell, in_table=True) for name, cell in raw.get("fields", {}).items()}
        made["fields"] = {name: cell.definition for name, cell in table.items()}
    return Field(code, kind, made, table, lookup)
