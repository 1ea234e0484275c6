"""What a record of Hot Profile would become in kintone, item by item; it names people (L6)."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from renkei.links.hotprofile_kintone.conversion import convert_all
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.systems.kintone.form import Form


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One item."""

    item: str
    value: Any  # as Hot Profile has it
    field: str
    kintone: Any  # what kintone would get; None: nothing
    fault: str = ""  # why it cannot


def as_text(value: Any) -> str:
    """A value of either system as people read it; empty for a blank."""
    if isinstance(value, list):
        return "、".join(filter(None, map(as_text, value)))
    if isinstance(value, dict) and "value" in value:  # a table's row or cell
        inside = value["value"]
        return as_text(list(inside.values()) if isinstance(inside, dict) else inside)
    if isinstance(value, dict):  # a person, a tag
        return as_text(next((value[name] for name in ("name", "label", "code") if value.get(name)), ""))
    return "" if value is None else str(value)


def preview(mapping: Mapping, data_set: DataSet, form: Form | None, values: Dict[str, Any]) -> list[PreviewItem]:
    """By the mapping as it stands; without a form that fits it, what Hot Profile has alone."""
    if form is None or form_problems(data_set, form):
        return [PreviewItem(item.item, values.get(item.item), item.field, None) for item in data_set.items]
    (made,) = convert_all([values], data_set, form, dict(mapping.users))
    faults = {one.field: f"{one.detail} → {one.remedy}" for one in made.refusals}
    return [
        PreviewItem(
            item.item,
            values.get(item.item),
            item.field,
            None if item.table else made.record.get(item.field, {}).get("value"),
            faults.get(item.field, ""),
        )
        for item in data_set.items
    ]
