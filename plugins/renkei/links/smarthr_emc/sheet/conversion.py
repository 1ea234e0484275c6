"""Which items the 変換 column may change (E22)."""

from __future__ import annotations

from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, Item
from renkei.texts import Fault
from renkei.values.conversion import Conversion, parse_conversions

UNCONVERTED = ("operation", "password", "password_reset", *DEPARTMENT_REFERENCES)


def conversions_of(text: str, item: Item) -> tuple[Conversion, ...]:
    """The conversions of an item, as `parse_conversions` reads them.

    Raises:
        Fault: they cannot be read, or the item's values may not be changed.
    """
    found = parse_conversions(text)
    if found and item.key in UNCONVERTED:
        raise Fault(f"{item.name}には変換を指定できません", "変換を空白にしてください")
    return found
