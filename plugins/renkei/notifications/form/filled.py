"""What a sheet says, word for word, of a link whose sheet is 連携情報 and a few short tables: for writers and for pages (S2, E15)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from renkei.channel import Channel
from renkei.notifications.form.written import channel_tree
from renkei.sheets.information import Information, Setting

Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Filled:
    """`settings` are the lines of 連携情報 by key, without blank ones; `tables` their rows by title."""

    settings: Mapping[str, str]
    tables: Mapping[str, Rows] = field(default_factory=dict)


NOTHING = Filled({})


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a sheet. `given` are lines that are always there under these names, and say nothing by their name alone."""

    title: str
    path: str  # in YAML: `divisions`, `companies.items`
    columns: Mapping[str, str]  # the key in YAML, and the words above the column
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)  # all that a column may say
    offers: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what a column usually says
    dated: Mapping[str, str] = field(default_factory=dict)  # date, time: what a browser offers
    given: Sequence[str] = ()
    spare: int = 5  # lines for more; none where there are only the given ones

    def says(self, row: Sequence[str]) -> bool:
        """Whether a row is more than a blank or a given line."""
        return any(row[1:]) or (row[0] != "" and row[0] not in self.given)


def setting_words(information: Information, mapping: Any) -> Mapping[str, str]:
    """The lines of 連携情報 that read as this mapping does; what is usual is left blank.

    `a.b` is the item `b` of the mapping's dictionary `a`.
    """
    return {key: text for setting in information.settings for key, text in _word(setting, mapping)}


def _word(setting: Setting, mapping: Any) -> Iterator[tuple[str, str]]:
    owner, _, key = setting.key.rpartition(".")
    usual = {one.name: one.default for one in dataclasses.fields(mapping)}
    if owner:
        value = getattr(mapping, owner).get(key)
    elif key == "company_name":
        value = "" if mapping.company == mapping.tenant else mapping.company
    else:
        value = getattr(mapping, key)
    if value in ("", None, ()) or (not owner and value == usual.get(key, "")):
        return
    word = next((word for word in setting.words if setting.read(word) == value), None)
    yield setting.key, word or text_of(value)


def text_of(value: Any) -> str:
    """`09:00`, `09:00-13:00`, `a@example.jp、b@example.jp`, `2026-04-01`, `30`."""
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    if isinstance(value, tuple):
        return ("-" if isinstance(value[0], dt.time) else "、").join(map(text_of, value))
    return str(value)


def as_yaml(filled: Filled, tables: Sequence[Table], channels: Sequence[Channel]) -> bytes:
    """The sheet as YAML; every scalar is a text."""
    tree: dict[str, Any] = {}
    for key, text in filled.settings.items():
        _put(tree, key, text)
    for table in tables:
        rows = filled.tables.get(table.title, ())
        lines = [{key: text for key, text in zip(table.columns, row, strict=True) if text} for row in rows]
        if lines:
            _put(tree, table.path, lines)
    if channels:
        tree["notifications"] = [channel_tree(channel) for channel in channels]
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=100_000).encode()


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    owner, _, key = path.rpartition(".")
    (tree.setdefault(owner, {}) if owner else tree)[key] = value
