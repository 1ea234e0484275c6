"""Records of Hot Profile as a kintone app takes them (K9, K10): `field_values` for each item, rows for its tables.

A value that its field cannot take is a named refusal of its record; the others go on. A blank clears its field,
unless the item says 空なら書かない.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from renkei.links.hotprofile_kintone.field_values import TYPES, column_of, is_blank, is_text, value_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.errors import Refusal
from renkei.systems.kintone.form import Field, Form
from renkei.systems.kintone.payloads import Record
from renkei.texts import Fault, trim
from renkei.values.conversion import Conversion, parse_conversions
from renkei.values.convert import converted


@dataclass(frozen=True, slots=True)
class Converted:
    """A record as kintone takes it. With `refusals` it must not be sent.

    `key` is the value of the 更新キー, in the form under which kintone compares it.
    """

    key: str
    record: Record
    refusals: tuple[Refusal, ...] = ()


def convert_all(
    rows: Sequence[Mapping[str, Any]], data_set: DataSet, form: Form, users: Mapping[str, str]
) -> list[Converted]:
    """Each of `rows` (Hot Profile's value by the name of its item: `items.values_of`) for the app with `form`.

    The mapping is one that `form_check` found nothing against. `users` has kintone's ログイン名 by what Hot Profile
    calls a user.
    """
    columns = {item.item: _conversions(item.conversion) for item in data_set.items if item.conversion}
    changed = {name: _converted([row.get(name) for row in rows], asked) for name, asked in columns.items()}
    return [
        _convert({**row, **{name: column[number] for name, column in changed.items()}}, data_set, form, users)
        for number, row in enumerate(rows)
    ]


def key_texts(values: Sequence[Any], conversion: str, *, is_number: bool) -> list[str]:
    """The 更新キー as `convert_all` makes it of each of Hot Profile's values, for a field of text or of a number.

    A 変換 costs the same for one value as for hundreds: give it many at once.
    """
    changed = _converted(values, _conversions(conversion)) if conversion else values
    field = Field("", "NUMBER" if is_number else "SINGLE_LINE_TEXT", "")
    return [_key_text(value, now, field) for value, now in zip(values, changed, strict=True)]


def _key_text(value: Any, changed: Any, field: Field) -> str:
    try:
        return "" if is_blank(changed) else TYPES[field.type](changed, field)
    except Fault:  # it is never sent
        return trim(str(value))


def with_row_ids(record: Record, current: Record) -> Record:
    """The record whose tables' rows have the ids of the rows that kintone has in their places: they are changed, not
    made anew. What is more in kintone goes, what is more here is added."""
    return {
        code: {"value": _rows_with_ids(cell["value"], current.get(code, {}).get("value"))} if _is_table(cell) else cell
        for code, cell in record.items()
    }


def has_tables(data_set: DataSet) -> bool:
    """Whether `with_row_ids` needs what kintone has."""
    return any(item.table for item in data_set.items)


def _convert(values: Mapping[str, Any], data_set: DataSet, form: Form, users: Mapping[str, str]) -> Converted:
    record: Record = {}
    refusals: list[Refusal] = []
    tables: dict[str, list[tuple[Item, list[str]]]] = {}
    for item in data_set.items:
        value = values.get(item.item)
        try:
            if item.table:
                field = form.fields[item.table].cell(item.field)
                assert field is not None
                tables.setdefault(item.table, []).append((item, column_of(value, field)))
            elif not (item.skip_blank and is_blank(value)):
                record[item.field] = {"value": value_of(value, form.fields[item.field], users)}
        except Fault as fault:
            refusals.append(Refusal(None, item.field, "VALUE", f"{item.item}: {fault.found}", fault.remedy))
    for code, columns in tables.items():
        rows = _rows(columns)
        if rows or not all(item.skip_blank for item, _ in columns):
            record[code] = {"value": rows}
    key_field = data_set.key_field
    key = str(record.get(key_field, {}).get("value") or "")
    if not key and not any(one.field == key_field for one in refusals):
        remedy = f"Hot Profileで「{data_set.key}」に値を入力してください"
        refusals.append(Refusal(None, key_field, "EMPTY_KEY", f"更新キー「{data_set.key}」が空です", remedy))
    return Converted(key, record, tuple(refusals))


def _rows(columns: Iterable[tuple[Item, list[str]]]) -> list[dict[str, Any]]:
    columns = list(columns)
    count = max((len(cells) for _, cells in columns), default=0)
    rows = [
        [(item, cells[number] if number < len(cells) else "") for item, cells in columns] for number in range(count)
    ]
    while rows and not any(text for _, text in rows[-1]):
        rows.pop()
    return [
        {"value": {item.field: {"value": text} for item, text in row if text or not item.skip_blank}} for row in rows
    ]


def _is_table(cell: Mapping[str, Any]) -> bool:
    value = cell["value"]
    return isinstance(value, list) and any("value" in row for row in value)


def _rows_with_ids(rows: Sequence[Mapping[str, Any]], current: Any) -> list[dict[str, Any]]:
    ids = [row["id"] for row in current if isinstance(row, dict) and "id" in row] if isinstance(current, list) else []
    return [{**({"id": ids[number]} if number < len(ids) else {}), **row} for number, row in enumerate(rows)]


@functools.lru_cache(maxsize=1_000)
def _conversions(text: str) -> tuple[Conversion, ...]:
    return parse_conversions(text)


def _converted(values: Sequence[Any], asked: tuple[Conversion, ...]) -> list[Any]:
    """The values with every text in them converted, those in lists too."""
    texts = [one for value in values for one in (value if isinstance(value, list) else [value]) if is_text(one)]
    left = iter(converted(pd.Series(texts, dtype="str"), asked))

    def change(one: Any) -> Any:
        return next(left) if is_text(one) else one

    return [list(map(change, value)) if isinstance(value, list) else change(value) for value in values]
