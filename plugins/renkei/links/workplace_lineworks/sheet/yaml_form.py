"""The sheet as YAML: the same model as the workbook, with English keys; every scalar is a text."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS
from renkei.links.workplace_lineworks.sheet.parse import RawSheet, Row
from renkei.links.workplace_lineworks.sheet.settings import INFORMATION
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
_LISTS = {"titles": ("kind", "title"), "events": ("event", *CHANNELS)}
_OWN = tuple(key for key in INFORMATION.by_key if "." not in key)
_TOP = (*_OWN, "messengers", *_LISTS, "notifications")


def raw_from_yaml(content: bytes, name: str) -> RawSheet:
    """What the file says.

    Raises:
        MappingError: the file is no YAML that could be a sheet.
    """
    findings = Findings()
    keys = Node(compose_sheet(content, name, LIMITS), name, "", findings).mapping(_TOP)
    settings = [raw for key in _OWN if key in keys for raw in raw_of(key, keys[key])]
    messengers = keys["messengers"].mapping(tuple(CHANNELS)) if "messengers" in keys else {}
    settings += [raw for key, node in messengers.items() for raw in raw_of(f"messengers.{key}", node)]
    titles, marks = (
        tuple(_row(node, parts) for node in keys[key].items()) if key in keys else () for key, parts in _LISTS.items()
    )
    channels = channel_lines(node.plain(), node.where, findings) if (node := keys.get("notifications")) else ()
    return RawSheet(
        *(name, tuple(settings), titles, marks, tuple(channels)),
        *(tuple(findings.problems), tuple(findings.warnings)),
    )


def _row(node: Node, parts: tuple[str, ...]) -> Row:
    said = node.mapping(parts)
    return tuple(said[part].cell() if part in said else RawCell("", f"{node.where}.{part}") for part in parts)
