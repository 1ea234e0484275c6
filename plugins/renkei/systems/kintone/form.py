"""The form of a kintone app: its fields by their codes, as fields.json describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any

KEY_TYPES = ("SINGLE_LINE_TEXT", "NUMBER")  # what kintone takes for an updateKey
_DIGITS = Context(prec=100)  # kintone's numbers have 30 at most


@dataclass(frozen=True, slots=True)
class Field:
    """One field. A limit that kintone does not set is None."""

    code: str
    type: str
    label: str
    required: bool = False
    unique: bool = False
    has_default: bool = False
    is_calculated: bool = False
    shortest: int | None = None
    longest: int | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    options: tuple[str, ...] = ()
    lookup_app: str = ""  # the app that a lookup copies from
    lookup_key: str = ""  # the field there that has its value
    fills: tuple[str, ...] = ()  # codes of the fields that this lookup fills
    cells: tuple[Field, ...] = ()  # the columns of a table

    @property
    def is_lookup(self) -> bool:
        return bool(self.lookup_app)

    def cell(self, code: str) -> Field | None:
        return next((cell for cell in self.cells if cell.code == code), None)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of an app, by code, at one revision of its settings."""

    app: str
    revision: str
    fields: dict[str, Field]

    def names(self) -> dict[str, str]:
        """Each field's code by its code and by its label, those of tables too."""
        every = [*self.fields.values(), *(cell for field in self.fields.values() for cell in field.cells)]
        return {one.label: one.code for one in every} | {one.code: one.code for one in every}

    def filled_by(self) -> dict[str, str]:
        """Of each field that a lookup fills, the lookup's code."""
        every = [*self.fields.values(), *(cell for field in self.fields.values() for cell in field.cells)]
        return {filled: one.code for one in every for filled in one.fills}


def read_form(app: str, body: Mapping[str, Any]) -> Form:
    """Raises: KeyError, TypeError, AttributeError, ValueError: it is not what fields.json gives."""
    fields = {code: _field(code, one) for code, one in body["properties"].items()}
    return Form(app, str(body["revision"]), fields)


def _field(code: str, one: Mapping[str, Any]) -> Field:
    lookup = one.get("lookup") or {}
    default = one.get("defaultValue")
    return Field(
        code=code,
        type=str(one["type"]),
        label=str(one.get("label") or code),
        required=one.get("required") is True,
        unique=one.get("unique") is True,
        has_default=bool(default) or one.get("defaultNowValue") is True,
        is_calculated=bool(one.get("expression")) or one["type"] == "CALC",
        shortest=_whole(one.get("minLength")),
        longest=_whole(one.get("maxLength")),
        least=_number(one.get("minValue")),
        most=_number(one.get("maxValue")),
        options=tuple(one.get("options") or ()),
        lookup_app=str(lookup["relatedApp"]["app"]) if lookup else "",
        lookup_key=str(lookup["relatedKeyField"]) if lookup else "",
        fills=tuple(str(mapping["field"]) for mapping in lookup.get("fieldMappings") or ()),
        cells=tuple(_field(inner, cell) for inner, cell in (one.get("fields") or {}).items())
        if one["type"] == "SUBTABLE"
        else (),
    )


def _whole(text: Any) -> int | None:
    return int(text) if text not in (None, "") else None


def _number(text: Any) -> Decimal | None:
    return Decimal(str(text)) if text not in (None, "") else None


def same_number(text: str) -> str:
    """The form under which two spellings of a number are the same one (K7): 01.50 is 1.5. No number: the text."""
    try:
        number = _DIGITS.create_decimal(text.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS.prec:  # 1e999999 has no place in memory
        return text
    return f"{number.normalize(_DIGITS):f}" if number else "0"
