"""The sheet as YAML: the same model as the workbook, with English keys; every scalar is a text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from renkei.channel import Channel
from renkei.links.hotprofile_kintone.sheet.form import item_words, setting_values
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, DataSet, Item, Mapping
from renkei.links.hotprofile_kintone.sheet.raw import RawItem, RawSheet
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION
from renkei.notifications.form.lines import channel_lines
from renkei.notifications.form.written import channel_tree
from renkei.sheets.findings import Findings
from renkei.sheets.information import raw_of
from renkei.sheets.yaml_tree import Limits, Node, compose_sheet
from renkei.texts import MAX_CELL_TEXT, RawCell

LIMITS = Limits(
    events=50_000,
    scalar=MAX_CELL_TEXT,
    deep="見本の形に合わせて記入してください",
    several="1つのファイルに1社分だけ記入してください",
)
_OWN = tuple(key for key in INFORMATION.by_key if "." not in key)
_TOP = (*_OWN, *DATA_SETS, "users", "notifications")
_OF_DATA_SET = ("enabled", "app", "old_key", "items")
OF_ITEM = ("item", "field", "key", "when_blank", "convert", "table", "conflict")


def raw_from_yaml(content: bytes, name: str) -> RawSheet:
    """What the file says.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    findings = Findings()
    keys = Node(compose_sheet(content, name, LIMITS), name, "", findings).mapping(_TOP)
    settings = [setting for key in _OWN if key in keys for setting in raw_of(key, keys[key])]
    items: dict[str, tuple[RawItem, ...]] = {}
    for data_set in DATA_SETS:
        found = keys[data_set].mapping(_OF_DATA_SET) if data_set in keys else {}
        settings += [
            setting for key in _OF_DATA_SET[:-1] if key in found for setting in raw_of(f"{data_set}.{key}", found[key])
        ]
        items[data_set] = tuple(_item(child) for child in found["items"].items()) if "items" in found else ()
    users = [child.mapping(("hotprofile", "kintone")) for child in keys["users"].items()] if "users" in keys else []
    nothing = RawCell("", f"{name} users")
    channels = channel_lines(node.plain(), node.where, findings) if (node := keys.get("notifications")) else ()
    return RawSheet(
        name,
        tuple(settings),
        items,
        tuple(
            (
                user["hotprofile"].cell() if "hotprofile" in user else nothing,
                user["kintone"].cell() if "kintone" in user else nothing,
            )
            for user in users
        ),
        tuple(channels),
        tuple(findings.problems),
        tuple(findings.warnings),
    )


def _item_tree(data_set: DataSet, item: Item) -> dict[str, str]:
    words = item_words(data_set, item, item.conversion)
    return {key: text for key, text in zip(OF_ITEM, words.values(), strict=True) if text}


def _item(node: Node) -> RawItem:
    keys = node.mapping(OF_ITEM)
    cells = [keys[key].cell() if key in keys else RawCell("", f"{node.where}.{key}") for key in OF_ITEM]
    return RawItem(*cells)


def write_yaml(mapping: Mapping, channels: Sequence[Channel], path: Path) -> None:
    """Writes the sheet so that `raw_from_yaml` and `check_sheet` give it back exactly."""
    path.write_text(to_yaml(mapping, channels), encoding="utf-8")


def to_yaml(mapping: Mapping, channels: Sequence[Channel] = ()) -> str:
    tree: dict[str, Any] = {}
    for key, value in setting_values(mapping):
        name, _, last = key.rpartition(".")
        place = tree.setdefault(name, {}) if name else tree
        place[last] = (
            list(value) if isinstance(value, tuple) else value if isinstance(value, dt.date | int) else str(value)
        )
    for data_set in mapping.data_sets:
        of = tree.setdefault(data_set.name, {})
        of["items"] = [_item_tree(data_set, item) for item in data_set.items]
    if mapping.users:
        tree["users"] = [{"hotprofile": ours, "kintone": theirs} for ours, theirs in mapping.users]
    if channels:
        tree["notifications"] = [channel_tree(channel) for channel in channels]
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=100_000)
