"""A 連携設定シート as a page fills it in: what the cells say now, and the file that says what was filled in (S2).

Nothing is judged here: the file is checked like any other, so that a mistake is told at its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Dict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from renkei.links.smarthr_emc.sheet.codec import without_password
from renkei.links.smarthr_emc.sheet.difference import HIDDEN
from renkei.links.smarthr_emc.sheet.excel.template import draw
from renkei.links.smarthr_emc.sheet.form import to_raw
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet, placeless, row_of
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.notifications.form.written import channel_tree

LINKED = "○"
CELLS = ("linked", "source", "create_present", "create_blank", "update_present", "update_blank", "convert")
_DEPARTMENTS = {"部署名": "name", "部署名(ヨミ)": "yomi"}  # what a tenant chooses of 部署データ


def cells_of(mapping: Mapping) -> dict[str, str]:
    """What each cell says, by its name: `setting.<n>`, `department.<name>`, `user.<item>.<cell>`; no literal password (L7)."""
    return _cells(to_raw(without_password(mapping, HIDDEN)))


def edited(mapping: Mapping, given: Dict[str, str], suffix: str) -> bytes:
    """The sheet with the cells that were given in place of its own, in the form of `suffix` (.yaml, .xlsx)."""
    own, shown = _cells(to_raw(mapping)), cells_of(mapping)
    said = {name: text if given.get(name, shown[name]) == shown[name] else given[name] for name, text in own.items()}
    return _as_yaml(said, mapping) if suffix == ".yaml" else _as_workbook(said, mapping)


def _cells(raw: RawSheet) -> dict[str, str]:
    found = {f"setting.{number}": setting.value.text for number, setting in enumerate(raw.settings or ())}
    for row in raw.departments or ():
        if row.item.text in _DEPARTMENTS:
            found[f"department.{_DEPARTMENTS[row.item.text]}"] = row.source.text
    lines = {named.item.key: row for row in raw.users or () if (named := user_item(row.item.text))}
    for item in USER_ITEMS:
        line = lines.get(item.key)
        words = [format_cell(default_cell(item, place), place) for place in Place]
        row = line or row_of(item.name, "", "-" if item.key == "operation" else "", words)
        texts = (
            row.linked.text if row.linked else "",
            row.source.text,
            *(c.text for c in row.policies),
            row.convert.text,
        )
        found |= {f"user.{item.key}.{cell}": text for cell, text in zip(CELLS, texts, strict=True)}
    return found


def _rows(said: Dict[str, str], mapping: Mapping) -> list[RawRow]:
    """The lines of ユーザデータ under the names that they had."""
    names = {
        named.item.key: row.item.text for row in to_raw(mapping).users or () if (named := user_item(row.item.text))
    }
    rows = []
    for item in USER_ITEMS:
        linked, source, *words, convert = (said[f"user.{item.key}.{cell}"] for cell in CELLS)
        rows.append(row_of(names.get(item.key, item.name), linked, source, words, convert))
    return rows


def _as_yaml(said: Dict[str, str], mapping: Mapping) -> bytes:
    tree: dict[str, Any] = {}
    for number, setting in enumerate(SETTINGS):
        text = said[f"setting.{number}"]
        group, _, name = setting.key.partition(".")
        if not text:
            continue
        if setting.key == "result_addresses":
            tree.setdefault(group, []).append(text)
        elif name:
            tree.setdefault(group, {})[name] = text
        else:
            tree[group] = text
    tree["departments"] = {key: said[f"department.{key}"] for key in _DEPARTMENTS.values()}
    tree["users"] = [_plain(row) for row in _rows(said, mapping) if row.linked and row.linked.text == LINKED]
    if mapping.channels:
        tree["notifications"] = [channel_tree(channel) for channel in mapping.channels]
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=100_000).encode()


def _plain(row: RawRow) -> dict[str, Any]:
    one, two, three, four = (cell.text for cell in row.policies)
    found: dict[str, Any] = {"item": row.item.text, "source": row.source.text}
    found["on_create"] = {"when_present": one, "when_blank": two}
    found["on_update"] = {"when_present": three, "when_blank": four}
    return found | ({"convert": row.convert.text} if row.convert.text else {})


def _as_workbook(said: Dict[str, str], mapping: Mapping) -> bytes:
    raw = to_raw(mapping)
    settings = tuple(
        RawSetting(setting.label, placeless(said[f"setting.{number}"]))
        for number, setting in enumerate(raw.settings or ())
    )
    departments = tuple(
        dataclasses.replace(row, source=placeless(said[f"department.{_DEPARTMENTS[row.item.text]}"]))
        if row.item.text in _DEPARTMENTS
        else row
        for row in raw.departments or ()
    )
    filled = dataclasses.replace(raw, settings=settings, departments=departments, users=tuple(_rows(said, mapping)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        draw(path, filled)
        return path.read_bytes()
