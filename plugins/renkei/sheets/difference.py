"""What differs between two sheets of one link, line by line, by their validated models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from renkei.adapters import adapter_of
from renkei.sheets.information import OFF, ON, Information

INFORMATION = "連携情報"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One difference between two sheets, in the sheet's own words; "" where a sheet has no such line."""

    part: str  # 連携情報, 部署データ, ユーザデータ
    line: str
    column: str
    old: str
    new: str

    def __str__(self) -> str:
        column = f"({self.column})" if self.column else ""
        return f"{self.part} {self.line}{column}: {self.old or '(なし)'} → {self.new or '(なし)'}"


def differences(old: Any, new: Any, labels: Mapping[str, str]) -> tuple[SheetLine, ...]:
    """Every value of two mappings (dataclasses of one type) that is not the same in both, in the new one's order.

    A list's entries are known by their `name` or `item`, else by their place. `labels` has what a sheet calls a field.
    """
    before, after = _flat(old, labels), _flat(new, labels)
    changed = [place for place in {**after, **before} if before.get(place, "") != after.get(place, "")]
    return tuple(SheetLine(*place, before.get(place, ""), after.get(place, "")) for place in changed)


def labels_of(information: Information, **more: str) -> dict[str, str]:
    """What a link's sheets call the fields of its mapping; `more` are those that are no lines of 連携情報."""
    return {setting.key: setting.label for setting in information.settings} | more


def _flat(mapping: Any, labels: Mapping[str, str]) -> dict[tuple[str, str, str], str]:
    """Each single value by its part, line and column."""
    found: dict[tuple[str, str, str], str] = {}
    for key, value in adapter_of(mapping.__class__).dump_python(mapping).items():
        if isinstance(value, dict) or _has_dicts(value):
            for names, text in _leaves(value, (labels.get(key, key),), labels):
                found[names[0], names[1] if len(names) > 1 else "", " ".join(names[2:])] = text
        else:
            found[INFORMATION, labels.get(key, key), ""] = _text(value)
    return found


def _leaves(value: Any, names: tuple[str, ...], labels: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, (*names, labels.get(key, key)), labels)
    elif _has_dicts(value):
        for number, child in enumerate(value, 1):
            named = next((key for key in ("name", "item") if child.get(key)), "")
            name = str(child[named]) if named else str(number)
            rest = {key: text for key, text in child.items() if key != named}
            yield from _leaves(rest, (*names, labels.get(name, name)), labels)
    else:
        yield names, _text(value)


def _has_dicts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, dict) for one in value)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return ON if value else OFF
        case dt.time():
            return f"{value:%H:%M}"
        case list() | tuple():
            return "、".join(map(_text, value))
        case set() | frozenset():
            return "、".join(sorted(map(_text, value)))
        case _:
            return str(value)
