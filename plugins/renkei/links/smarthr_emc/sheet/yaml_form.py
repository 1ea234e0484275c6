"""The 連携設定シート as YAML: the same model as the workbook, with English keys (E15).

Every scalar is read as text (so `04:30` and `0012` stay what they are), and what YAML offers beyond
plain lists and mappings (anchors, aliases, merge keys, tags) is refused.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from renkei.links.smarthr_emc.sheet.advice import other_item
from renkei.links.smarthr_emc.sheet.expression import format_constant
from renkei.links.smarthr_emc.sheet.form import item_name, setting_values, to_raw, value_text
from renkei.links.smarthr_emc.sheet.mapping import Cells, FieldRule, Mapping
from renkei.links.smarthr_emc.sheet.names import is_item_range, user_item
from renkei.links.smarthr_emc.sheet.policy import format_code
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import KEYS, SETTING
from renkei.notifications.form.lines import ChannelLine, channel_lines
from renkei.notifications.form.written import channel_tree
from renkei.sheets.findings import Findings
from renkei.sheets.yaml_tree import Limits, Node, compose_sheet
from renkei.texts import MAX_CELL_TEXT, RawCell, fold, trim
from renkei.values.conversion import format_codes

LIMITS = Limits(
    events=20_000,  # ten times what a sheet of every item needs
    scalar=MAX_CELL_TEXT,
    deep="見本の形に合わせて記入してください",
    several="1つのファイルに1社分だけ記入してください",
)
_GROUPS = {"root_department", "guards"}
_TOP_KEYS = (*dict.fromkeys(key.partition(".")[0] for key in KEYS), "departments", "users", "notifications")
_RULE_KEYS = ("item", "source", "on_create", "on_update", "convert")
_CELL_KEYS = ("when_present", "when_blank")


def raw_from_yaml(content: bytes, name: str) -> RawSheet:
    """What the file says.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    findings = Findings()
    top = Node(compose_sheet(content, name, LIMITS), name, "", findings)
    keys = top.mapping(_TOP_KEYS)
    settings = [setting for key in _TOP_KEYS[:-3] if key in keys for setting in _settings(key, keys[key])]
    departments = _departments(keys["departments"]) if "departments" in keys else None
    users = _users(keys["users"]) if "users" in keys else None
    for key, rows in (("departments", departments), ("users", users)):
        if rows is None:
            findings.problem(name, f"{key} がありません", f"{key} を記入してください")
    channels: tuple[ChannelLine, ...] = ()
    if node := keys.get("notifications"):
        channels = channel_lines(node.plain(), node.where, findings)
    return RawSheet(name, tuple(settings), departments, users, tuple(findings.problems), channels=channels)


def _settings(key: str, node: Node) -> Iterator[RawSetting]:
    if key in _GROUPS:
        known = tuple(k.partition(".")[2] for k in KEYS if k.startswith(key + "."))
        for name, child in node.mapping(known).items():
            yield _setting(f"{key}.{name}", child)
    elif key == "result_addresses" and node.is_list():
        for child in node.items():
            yield _setting(key, child)
    else:
        yield _setting(key, node)


def _setting(key: str, node: Node) -> RawSetting:
    return RawSetting(RawCell(SETTING[key].label, node.where), node.cell())


def _departments(node: Node) -> tuple[RawRow, ...]:
    rows = []
    for key, child in node.mapping(("name", "yomi")).items():
        cell = child.cell()
        if key == "yomi" and trim(cell.text) and not fold(cell.text).startswith("固定値"):
            cell = RawCell(format_constant(cell.text), cell.where)
        rows.append(_row(RawCell({"name": "部署名", "yomi": "部署名(ヨミ)"}[key], child.where), cell, node))
    return tuple(rows)


def _users(node: Node) -> tuple[RawRow, ...]:
    rows = []
    entries = [(child, child.mapping(_RULE_KEYS)) for child in node.items()]
    texts = [keys["item"].cell().text for _, keys in entries if "item" in keys]
    named = {found.item.key for text in texts if (found := user_item(text))}
    for child, keys in entries:
        if "item" not in keys:
            child.fault("item がありません", "エマージェンシーコールの項目名を item に記入してください")
            continue
        item = keys["item"].cell()
        if trim(item.text) and user_item(item.text) is None and not is_item_range(item.text):
            # in a workbook such a line may be a heading between the others
            _, remedy = other_item(item.text, named)
            keys["item"].fault(f"「{trim(item.text)}」というユーザデータの項目はありません", remedy)
        source = keys["source"].cell() if "source" in keys else RawCell("", f"{child.where}.source")
        if not trim(source.text) and fold(item.text) not in (fold("処理フラグ"), "operation"):
            # a line without a source would read as a line that is not linked
            child.fault("source がありません", "source を記入してください。連携しない項目は行を削除してください")
        row = _row(item, source, child, keys.get("on_create"), keys.get("on_update"))
        rows.append(dataclasses.replace(row, convert=_convert(keys["convert"])) if "convert" in keys else row)
    return tuple(rows)


def _convert(node: Node) -> RawCell:
    if not node.is_list():
        return node.cell()
    return RawCell("、".join(child.cell().text for child in node.items()), node.where)


def _row(
    item: RawCell, source: RawCell, node: Node, on_create: Node | None = None, on_update: Node | None = None
) -> RawRow:
    create, update = (
        {key: child.cell() for key, child in side.mapping(_CELL_KEYS).items()} if side else {}
        for side in (on_create, on_update)
    )
    blank = RawCell("", node.where)
    return RawRow(item, None, source, *(side.get(key, blank) for side in (create, update) for key in _CELL_KEYS))


def write_yaml(mapping: Mapping, path: Path) -> None:
    """Writes the mapping so that `raw_from_yaml` and `parse` give it back exactly."""
    path.write_text(to_yaml(mapping), encoding="utf-8")


def to_yaml(mapping: Mapping, schema: str = "") -> str:
    """The text of the YAML form.

    `schema` is the path or address of `mapping.schema.json` as seen from where the file will lie; a first line
    then names it to editors. It is left out by default: a path is right in one folder only.
    """
    raw = to_raw(mapping)
    tree: dict[str, Any] = {}
    for setting, value in setting_values(mapping):
        if value in (None, ""):
            continue
        group, _, name = setting.key.partition(".")
        if setting.key == "result_addresses":
            tree.setdefault(group, []).append(value)
        elif name:
            tree.setdefault(group, {})[name] = _plain(value)
        else:
            tree[group] = _plain(value)
    sources = {row.item.text: row.source.text for row in raw.departments or ()}
    tree["departments"] = {"name": sources["部署名"], "yomi": mapping.departments.yomi}
    if fold(mapping.departments.yomi).startswith("固定値"):
        tree["departments"]["yomi"] = sources["部署名(ヨミ)"]
    sources = {row.item.text: row.source.text for row in raw.users or ()}
    tree["users"] = [_rule(rule, sources[item_name(rule)]) for rule in mapping.users]
    if mapping.channels:
        tree["notifications"] = [channel_tree(channel) for channel in mapping.channels]
    first = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return first + yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=100_000)


def _plain(value: Any) -> Any:
    """A setting as YAML has it: codes, and numbers and dates that need no quotes."""
    if isinstance(value, StrEnum):
        return value.value
    return value if isinstance(value, dt.date | int | float) else value_text(value)


def _rule(rule: FieldRule, source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"item": item_name(rule), "source": source}
    found |= {"on_create": _cells(rule.on_create), "on_update": _cells(rule.on_update)}
    return found | ({"convert": format_codes(rule.conversions)} if rule.conversions else {})


def _cells(cells: Cells) -> dict[str, str]:
    return {"when_present": format_code(cells.when_present), "when_blank": format_code(cells.when_blank)}
