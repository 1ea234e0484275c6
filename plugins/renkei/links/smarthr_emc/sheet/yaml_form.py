"""The 連携設定シート as YAML: the same model as the workbook, with English keys (E15).

Every scalar is read as text (so `04:30` and `0012` stay what they are), and what YAML offers beyond
plain lists and mappings (anchors, aliases, merge keys, tags) is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.conversion import format_codes
from renkei.links.smarthr_emc.sheet.expression import format_constant
from renkei.links.smarthr_emc.sheet.form import item_name, to_raw
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import Cells, FieldRule, Mapping
from renkei.links.smarthr_emc.sheet.names import fold, is_item_range, nearest, trim, user_item
from renkei.links.smarthr_emc.sheet.policy import format_code
from renkei.links.smarthr_emc.sheet.raw import ChannelLine, RawCell, RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import LABELS, SETTINGS, setting_key
from renkei.notifications.channel import Channel
from renkei.notifications.event import EVERY_EVENT, Event
from renkei.notifications.form.lines import channel_lines

BYTES_MOST = 1_000_000
DEPTH_MOST = 12
EVENTS_MOST = 20_000  # ten times what a sheet of every item needs
_GROUPS = {"root_department", "guards"}
_SETTING_KEYS = tuple(dict.fromkeys(setting.key for setting in SETTINGS))
_TOP_KEYS = (*dict.fromkeys(key.partition(".")[0] for key in _SETTING_KEYS), "departments", "users", "notifications")
_RULE_KEYS = ("item", "source", "on_create", "on_update", "convert")
_CELL_KEYS = ("when_present", "when_blank")
_NULLS = {"", "~", "null", "Null", "NULL"}
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_yaml(path: Path) -> RawSheet:
    """What the file says.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    return raw_from_yaml(path.read_bytes(), path.name)


def raw_from_yaml(content: bytes, name: str) -> RawSheet:
    """As `read_yaml`, for bytes already read."""
    problems: list[Problem] = []
    top = _Node(_compose(content, name), name, "", problems)
    keys = top.mapping(_TOP_KEYS)
    settings = [setting for key in _TOP_KEYS[:-3] if key in keys for setting in _settings(key, keys[key])]
    departments = _departments(keys["departments"]) if "departments" in keys else None
    users = _users(keys["users"]) if "users" in keys else None
    for key, rows in (("departments", departments), ("users", users)):
        if rows is None:
            problems.append(Problem(name, f"{key} がありません", f"{key} を記入してください"))
    channels = _channels(keys["notifications"], problems) if "notifications" in keys else ()
    return RawSheet(name, tuple(settings), departments, users, tuple(problems), channels=channels)


def _compose(content: bytes, name: str) -> yaml.Node:
    def bad(found: str, remedy: str) -> MappingError:
        return MappingError([Problem(name, found, remedy)])

    if len(content) > BYTES_MOST:
        raise bad(f"ファイルが大きすぎます({len(content):,}バイト)", f"{BYTES_MOST:,}バイト以下にしてください")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad("文字コードがUTF-8ではありません", "UTF-8で保存し直してください") from error
    try:
        depth = documents = 0
        for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            if count > EVENTS_MOST:
                raise bad("記入が多すぎます", "見本の形に合わせて、必要な項目だけを記入してください")
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise bad(
                    f"{line}行目に参照(&、*)があります",
                    "文字として記入する場合は引用符で囲んでください",
                )
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if depth > DEPTH_MOST:
                raise bad("入れ子が深すぎます", "見本の形に合わせて記入してください")
        if documents > 1:
            raise bad("文書が2つ以上あります(---)", "1つのファイルに1社分だけ記入してください")
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{mark.line + 1}行目が" if mark else ""
        raise bad(f"{place}YAMLとして読み取れません", "字下げ、「:」の後の空白、引用符を確認してください") from error
    if node is None:
        raise bad("ファイルが空です", "連携設定シートの内容を記入してください")
    return node


class _Node:
    """A YAML node with its path; whatever has the wrong shape becomes a problem and reads as nothing."""

    def __init__(self, node: yaml.Node | None, name: str, path: str, problems: list[Problem]) -> None:
        self.node, self.name, self.path, self.problems = node, name, path, problems

    @property
    def where(self) -> str:
        return f"{self.name} {self.path}".rstrip()

    def child(self, node: yaml.Node | None, path: str) -> _Node:
        return _Node(node, self.name, path, self.problems)

    def fault(self, found: str, remedy: str) -> None:
        self.problems.append(Problem(self.where, found, remedy))

    def mapping(self, known: tuple[str, ...]) -> dict[str, _Node]:
        """The children by key; unknown and repeated keys are problems."""
        if self._is_null():
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("「キー: 値」の並びではありません", "、".join(known) + " を記入してください")
            return {}
        found: dict[str, _Node] = {}
        for key_node, value in self.node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            child = self.child(value, f"{self.path}.{key}".lstrip("."))
            if key not in known:
                child.fault(
                    f"「{key}」というキーはありません", nearest(key, known) or "、".join(known) + " のいずれかです"
                )
            elif key in found:
                child.fault(f"キー「{key}」が2回記入されています", "どちらか1つを削除してください")
            else:
                found[key] = child
        return found

    def items(self) -> Iterator[_Node]:
        if self._is_null():
            return
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault("一覧ではありません", "「- 」で始まる一覧にしてください")
            return
        for n, node in enumerate(self.node.value):
            yield self.child(node, f"{self.path}[{n}]")

    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def cell(self) -> RawCell:
        if self._is_null():
            return RawCell("", self.where)
        if not isinstance(self.node, yaml.ScalarNode):
            self.fault("文字ではありません", "1つの値を記入してください")
            return RawCell("", self.where)
        return RawCell(self.node.value, self.where)

    def plain(self) -> Any:
        """The node as lists, dicts and texts, and None where it says nothing."""
        if isinstance(self.node, yaml.MappingNode):
            keys = [key.value if isinstance(key, yaml.ScalarNode) else "?" for key, _ in self.node.value]
            if len(keys) > len(set(keys)):
                self.fault("同じキーが2回記入されています", "どちらか1つを削除してください")
            return {
                key: self.child(value, self.path).plain() for key, (_, value) in zip(keys, self.node.value, strict=True)
            }
        if isinstance(self.node, yaml.SequenceNode):
            return [self.child(node, f"{self.path}[{n}]").plain() for n, node in enumerate(self.node.value)]
        return None if self._is_null() or self.node is None else self.node.value

    def _is_null(self) -> bool:
        return self.node is None or (
            isinstance(self.node, yaml.ScalarNode) and not self.node.style and self.node.value in _NULLS
        )


def _settings(key: str, node: _Node) -> Iterator[RawSetting]:
    if key in _GROUPS:
        known = tuple(k.partition(".")[2] for k in _SETTING_KEYS if k.startswith(key + "."))
        for name, child in node.mapping(known).items():
            yield _setting(f"{key}.{name}", child)
    elif key == "result_addresses" and node.is_list():
        for child in node.items():
            yield _setting(key, child)
    else:
        yield _setting(key, node)


def _setting(key: str, node: _Node) -> RawSetting:
    return RawSetting(RawCell(LABELS[key], node.where), node.cell())


def _departments(node: _Node) -> tuple[RawRow, ...]:
    rows = []
    for key, child in node.mapping(("name", "yomi")).items():
        cell = child.cell()
        if key == "yomi" and trim(cell.text) and not fold(cell.text).startswith("固定値"):
            cell = RawCell(format_constant(cell.text), cell.where)
        rows.append(_row(RawCell({"name": "部署名", "yomi": "部署名(ヨミ)"}[key], child.where), cell, node))
    return tuple(rows)


def _users(node: _Node) -> tuple[RawRow, ...]:
    rows = []
    for child in node.items():
        keys = child.mapping(_RULE_KEYS)
        if "item" not in keys:
            child.fault("item がありません", "エマージェンシーコールの項目名を item に記入してください")
            continue
        item = keys["item"].cell()
        if trim(item.text) and user_item(item.text) is None and not is_item_range(item.text):
            # in a workbook such a line may be a heading between the others
            remedy = (
                nearest(item.text, [known.name for known in USER_ITEMS]) or "項目名を確認するか、行を削除してください"
            )
            keys["item"].fault(f"「{trim(item.text)}」というユーザデータの項目はありません", remedy)
        source = keys["source"].cell() if "source" in keys else RawCell("", f"{child.where}.source")
        if not trim(source.text) and fold(item.text) not in (fold("処理フラグ"), "operation"):
            # a line without a source would read as a line that is not linked
            child.fault("source がありません", "source を記入してください。連携しない項目は行を削除してください")
        row = _row(item, source, child, keys.get("on_create"), keys.get("on_update"))
        rows.append(dataclasses.replace(row, convert=_convert(keys["convert"])) if "convert" in keys else row)
    return tuple(rows)


def _convert(node: _Node) -> RawCell:
    if not node.is_list():
        return node.cell()
    return RawCell("、".join(child.cell().text for child in node.items()), node.where)


def _row(
    item: RawCell, source: RawCell, node: _Node, on_create: _Node | None = None, on_update: _Node | None = None
) -> RawRow:
    create, update = (
        {key: child.cell() for key, child in side.mapping(_CELL_KEYS).items()} if side else {}
        for side in (on_create, on_update)
    )
    blank = RawCell("", node.where)
    return RawRow(item, None, source, *(side.get(key, blank) for side in (create, update) for key in _CELL_KEYS))


def _channels(node: _Node, problems: list[Problem]) -> tuple[ChannelLine, ...]:
    return channel_lines(node.plain(), node.where, problems)


def write_yaml(mapping: Mapping, path: Path) -> None:
    """Writes the mapping so that `read_yaml` and `parse` give it back exactly."""
    path.write_text(to_yaml(mapping), encoding="utf-8")


def to_yaml(mapping: Mapping, schema: str = "") -> str:
    """The text of the YAML form.

    `schema` is the path or address of `mapping.schema.json` as seen from where the file will lie; a first line
    then names it to editors. It is left out by default: a path is right in one folder only.
    """
    raw = to_raw(mapping)
    tree: dict[str, Any] = {}
    for setting in raw.settings or ():
        text, key = setting.value.text, setting_key(setting.label.text)
        if not text or key is None:
            continue
        group, _, name = key.partition(".")
        if key == "result_addresses":
            tree.setdefault(key, []).append(text)
        elif name:
            tree.setdefault(group, {})[name] = _setting_value(mapping, key, text)
        else:
            tree[key] = _setting_value(mapping, key, text)
    sources = {row.item.text: row.source.text for row in raw.departments or ()}
    tree["departments"] = {"name": sources["部署名"], "yomi": mapping.departments.yomi}
    if fold(mapping.departments.yomi).startswith("固定値"):
        tree["departments"]["yomi"] = sources["部署名(ヨミ)"]
    sources = {row.item.text: row.source.text for row in raw.users or ()}
    tree["users"] = [_rule(rule, sources[item_name(rule)]) for rule in mapping.users]
    if mapping.channels:
        tree["notifications"] = [_channel(channel) for channel in mapping.channels]
    first = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return first + yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=100_000)


def _setting_value(mapping: Mapping, key: str, text: str) -> Any:
    match key:
        case "link_start_on":
            return mapping.link_start_on
        case "state" | "loader":
            return getattr(mapping, key).value
        case "requests_per_second":
            return mapping.requests_per_second
    group, _, name = key.partition(".")
    return getattr(mapping.guards, name) if group == "guards" else text


def _rule(rule: FieldRule, source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"item": item_name(rule), "source": source}
    found |= {"on_create": _cells(rule.on_create), "on_update": _cells(rule.on_update)}
    return found | ({"convert": format_codes(rule.conversions)} if rule.conversions else {})


def _channel(channel: Channel) -> dict[str, Any]:
    """A line with what it needs: `events` where not all of them are asked for."""
    found: dict[str, Any] = {"name": channel.name, "service": channel.service.value}
    found |= {key: text for key, text in (("connection", channel.connection), ("to", channel.to)) if text}
    if channel.muted:
        found["muted"] = True
    if channel.events != EVERY_EVENT:
        found["events"] = [event.value for event in Event if event in channel.events]
    return found


def _cells(cells: Cells) -> dict[str, str]:
    return {"when_present": format_code(cells.when_present), "when_blank": format_code(cells.when_blank)}
