"""The sheet as YAML: the same model as the workbook, with English keys; every scalar is a text."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.parse import Pair, RawSheet
from renkei.links.lineworks_kot.sheet.settings import INFORMATION
from renkei.notifications.form.lines import channel_lines
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
_LISTS = {"divisions": ("code", "day_border"), "types": ("code", "breaks")}
_TOP = (*INFORMATION.by_key, *_LISTS, "notifications")


def raw_from_yaml(content: bytes, name: str) -> RawSheet:
    """What the file says.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    findings = Findings()
    keys = Node(compose_sheet(content, name, LIMITS), name, "", findings).mapping(_TOP)
    settings = [raw for key in INFORMATION.by_key if key in keys for raw in raw_of(key, keys[key])]
    divisions, types = (
        tuple(_pair(node, parts) for node in keys[key].items()) if key in keys else () for key, parts in _LISTS.items()
    )
    channels = channel_lines(node.plain(), node.where, findings) if (node := keys.get("notifications")) else ()
    return RawSheet(
        *(name, tuple(settings), divisions, types, tuple(channels)),
        *(tuple(findings.problems), tuple(findings.warnings)),
    )


def _pair(node: Node, parts: tuple[str, str]) -> Pair:
    said = node.mapping(parts)
    first, second = (said[part].cell() if part in said else RawCell("", f"{node.where}.{part}") for part in parts)
    return first, second
