"""From a `Mapping` back to the words of a sheet, for both writers (E15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from renkei.links.hotprofile_kintone.sheet.mapping import (
    AT_ONCE,
    DAILY_REQUESTS,
    KEEP,
    OVERWRITE,
    DataSet,
    Item,
    Mapping,
)
from renkei.links.hotprofile_kintone.sheet.parse import KEEP_WORD, OVERWRITE_WORD, SKIP_BLANK
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION, INTERVAL_WORDS
from renkei.sheets.information import OFF, ON

CONFLICT_WORDS = {"": "", OVERWRITE: OVERWRITE_WORD, KEEP: KEEP_WORD}
MARK = "○"  # of the 更新キー
_USUAL = {"daily_requests": DAILY_REQUESTS, "at_once": AT_ONCE}


def setting_values(mapping: Mapping) -> Iterator[tuple[str, Any]]:
    """The lines of 連携情報 that are not blank, by their keys, in the sheet's order; what is usual is left blank.

    A number, a day, a switch is what it is; mail addresses are a tuple.
    """
    for setting in INFORMATION.settings:
        name, _, key = setting.key.rpartition(".")
        owner = mapping.data_set(name) if name else mapping
        if setting.key == "company_name":
            value: Any = mapping.company if mapping.company != mapping.tenant else ""
        elif key == "old_key":
            value = owner.old_key_item if isinstance(owner, DataSet) else ""
        else:
            value = getattr(owner, key, "")
        if value not in ("", None, ()) and value != _USUAL.get(setting.key):
            yield setting.key, value


def setting_word(key: str, value: Any) -> Any:
    """What the cell of a workbook says."""
    if isinstance(value, bool):
        return ON if value else OFF
    if key == "interval_minutes":
        return INTERVAL_WORDS[value]
    return "、".join(value) if isinstance(value, tuple) else value


def item_words(data_set: DataSet, item: Item, conversion: str) -> dict[str, str]:
    """A line of the items by `workbook.COLUMNS`; `conversion` in the words of the form."""
    return {
        "item": item.item,
        "field": item.field,
        "key": MARK if item.item == data_set.key else "",
        "blank": SKIP_BLANK if item.skip_blank else "",
        "conversion": conversion,
        "table": item.table,
        "conflict": CONFLICT_WORDS[item.conflict],
    }
