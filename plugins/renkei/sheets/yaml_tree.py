"""YAML as people fill it in: every scalar a text, and nothing beyond plain lists and mappings.

So `04:30` and `0012` stay what they are; anchors, aliases, merge keys and tags are refused, and so is whatever is
larger or deeper than the form that is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from renkei.errors import MappingError
from renkei.sheets.findings import Findings
from renkei.sheets.workbook.kind import told_of_text
from renkei.texts import Fault, RawCell, nearest

MAX_BYTES = 1_000_000  # of a sheet
MAX_DEPTH = 12  # C's reader does not notice where its stack ends, and with it every tenant's Dag (L5)
_NULLS = {"", "~", "null", "Null", "NULL"}
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a form may hold, and what to do about one that is too deep, or that is several."""

    deep: str
    several: str
    events: float = math.inf
    scalar: float = math.inf  # characters


def compose(text: str, limits: Limits) -> yaml.Node | None:
    """The one document's node; None where there is none.

    Raises:
        Fault: it cannot be a form of ours.
        yaml.YAMLError, RecursionError: it is no YAML.
    """
    _refuse(text, limits)
    return yaml.compose(text, Loader=_LOADER)


def compose_sheet(content: bytes, name: str, limits: Limits) -> yaml.Node:
    """The one document's node of a 連携設定シート.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    try:
        if len(content) > MAX_BYTES:
            raise Fault(f"ファイルが大きすぎます({len(content):,}バイト)", f"{MAX_BYTES:,}バイト以下にしてください")
        if what := told_of_text(content):
            raise Fault(f"名前はYAMLですが、中身は{what}", "拡張子を元に戻すか、YAMLのファイルを置いてください")
        try:
            node = compose(content.decode("utf-8-sig"), limits)
        except UnicodeDecodeError as error:
            raise Fault("文字コードがUTF-8ではありません", "UTF-8で保存し直してください") from error
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{mark.line + 1}行目が" if mark else ""
            remedy = "字下げ、「:」の後の空白、引用符を確認してください"
            raise Fault(f"{place}YAMLとして読み取れません", remedy) from error
        if node is None:
            raise Fault("ファイルが空です", "連携設定シートの内容を記入してください")
        return node
    except Fault as fault:
        raise MappingError([fault.at(name)]) from fault


def _refuse(text: str, limits: Limits) -> None:
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if count > limits.events:
            raise Fault("記入が多すぎます", "見本の形に合わせて、必要な項目だけを記入してください")
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Fault(f"{line}行目に参照(&、*)があります", "文字として記入する場合は引用符で囲んでください")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > limits.scalar:
            found = f"{line}行目の文字が多すぎます({len(event.value):,}文字)"
            raise Fault(found, f"1つの値は{limits.scalar:,}文字以内で記入してください")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise Fault("入れ子が深すぎます", limits.deep)
    if documents > 1:
        raise Fault("文書が2つ以上あります(---)", limits.several)


class Node:
    """A YAML node with its path; whatever has the wrong shape becomes a problem and reads as nothing."""

    def __init__(self, node: yaml.Node | None, name: str, path: str, findings: Findings) -> None:
        self.node, self.name, self.path, self.findings = node, name, path, findings

    @property
    def where(self) -> str:
        return f"{self.name} {self.path}".rstrip()

    def child(self, node: yaml.Node | None, path: str) -> Node:
        return Node(node, self.name, path, self.findings)

    def fault(self, found: str, remedy: str) -> None:
        self.findings.problem(self.where, found, remedy)

    def mapping(self, known: tuple[str, ...]) -> dict[str, Node]:
        """The children by key; unknown and repeated keys are problems."""
        if self._is_null():
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("「キー: 値」の並びではありません", "、".join(known) + " を記入してください")
            return {}
        found: dict[str, Node] = {}
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

    def items(self) -> Iterator[Node]:
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
