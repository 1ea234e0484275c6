"""From a `Mapping` back to the words of a sheet (E15)."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS, Mapping
from renkei.links.workplace_lineworks.sheet.parse import TABLE, TITLES
from renkei.links.workplace_lineworks.sheet.settings import INFORMATION
from renkei.notifications.form.filled import Filled, Table, setting_words

MARK = "○"
TABLES = (
    Table(TITLES, "titles", {"kind": "不在の種類", "title": "予定名"}),
    Table(
        *(TABLE, "events", {"event": "通知項目", **CHANNELS}, dict.fromkeys(CHANNELS, ("", MARK))),
        given=tuple(EVENTS.values()),
        spare=0,
    ),
)


def filled(mapping: Mapping) -> Filled:
    """What the sheet says; 通知管理 has every 通知項目."""
    marks = [
        (label, *(MARK if channel in mapping.table.get(event, ()) else "" for channel in CHANNELS))
        for event, label in EVENTS.items()
    ]
    return Filled(setting_words(INFORMATION, mapping), {TITLES: list(mapping.titles.items()), TABLE: marks})
