"""通知 as it is filled in, line by line, and the channels that it asks for (N1, N4, L7).

The same lines stand in a tenant's sheet and in the operator's own file; nothing here knows either of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from renkei.channel import EVERY_EVENT, Channel, Event, Service
from renkei.errors import Problem
from renkei.notifications.form import cells
from renkei.notifications.form.secrecy import SECRET_FAULT, has_address, is_secret
from renkei.notifications.form.words import OFF_WORDS, ON_WORDS, default_connection, service_of
from renkei.notifications.services import SPEC, connection_needed, member_of
from renkei.sheets.findings import Findings
from renkei.texts import RawCell, fold, narrow, nearest, trim

_T = TypeVar("_T")

KEYS = ("name", "service", "connection", "to", "muted", "events")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,;、，；\s]+")


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One line as it was read.

    `marks` are 通知管理: the name of an event and its ○ or ×; None where the form has none of it. `others` are cells
    that mean nothing here, and hold no secret all the same.
    """

    name: RawCell
    service: RawCell
    connection: RawCell
    to: RawCell
    muted: RawCell
    marks: tuple[tuple[RawCell, RawCell], ...] | None = None
    others: tuple[RawCell, ...] = ()
    remarks: tuple[Problem, ...] = ()  # what is doubtful about how it is written

    @property
    def cells(self) -> tuple[RawCell, ...]:
        """Every cell in reading order."""
        marks = (cell for pair in self.marks or () for cell in pair)
        return (self.name, self.service, self.connection, self.to, self.muted, *marks, *self.others)


# -- from YAML ----------------------------------------------------------------------------------------------------------


def channel_lines(value: object, where: str, findings: Findings) -> tuple[ChannelLine, ...]:
    """The lines of a YAML list as it was loaded; what has another shape is a problem and left out.

    `where` is the list as its reader finds it (`acme.yaml notifications`). Scalars are best loaded as texts
    (`yaml.BaseLoader`), or 0012 would be 10.
    """
    if value is None or value == "":
        return ()
    if not isinstance(value, list):
        findings.problem(where, "一覧ではありません", "「- 」で始まる一覧にしてください")
        return ()
    return tuple(line for n, item in enumerate(value) for line in _line(item, f"{where}[{n}]", findings))


def _line(item: object, where: str, findings: Findings) -> Iterator[ChannelLine]:
    if not isinstance(item, dict):
        remedy = "、".join(KEYS) + " を記入してください"
        findings.problem(where, "「キー: 値」の並びではありません", remedy)
        return
    others = []
    for key in map(str, item):
        if key not in KEYS:
            others.append(RawCell("", f"{where}.{key}" if _is_plain(key) else where))
            found = f"「{key}」というキーはありません" if _is_plain(key) else "使えないキーがあります"
            remedy = nearest(key, KEYS) or "、".join(KEYS) + " のいずれかです"
            findings.problem(others[-1].where, found, remedy)
    name, service, connection, to, muted = (_cell(item.get(key), f"{where}.{key}", findings) for key in KEYS[:-1])
    marks = _marks(item.get("events"), f"{where}.events", findings)
    yield ChannelLine(name, service, connection, to, muted, marks, tuple(others))


def _is_plain(key: str) -> bool:
    return cells.quotable(key) and not is_secret(key)


def _cell(value: object, where: str, findings: Findings) -> RawCell:
    if isinstance(value, bool):
        return RawCell(str(value).lower(), where)
    if isinstance(value, list | dict):
        findings.problem(where, "文字ではありません", "1つの値を記入してください")
    return RawCell("" if value is None or isinstance(value, list | dict) else str(value), where)


def _marks(value: object, where: str, findings: Findings) -> tuple[tuple[RawCell, RawCell], ...] | None:
    if value is None or value == "":
        return None
    if isinstance(value, list):
        words = [_cell(word, f"{where}[{n}]", findings) for n, word in enumerate(value)]
    else:
        cell = _cell(value, where, findings)
        words = [RawCell(word, where) for word in _SEPARATOR.split(cell.text) if word]
    return tuple((word, RawCell("○", word.where)) for word in words)


# -- what the lines say -------------------------------------------------------------------------------------------------


def read_channels(lines: Sequence[ChannelLine], findings: Findings, *, tenant: str = "operator") -> tuple[Channel, ...]:
    """The channels of the sound lines, in their order; a line of which `findings` knows already is not sound.

    `tenant` ends the name of a Connection that is left out. No message quotes what may be a secret.
    """
    unread = {problem.where for problem in findings.problems}
    names: dict[str, str] = {}
    found: list[tuple[ChannelLine, Channel]] = []
    for line in lines:
        before = len(findings.problems)
        findings.warnings += line.remarks
        channel = _channel(line, tenant, names, findings)
        sound = len(findings.problems) == before and not any(cell.where in unread for cell in line.cells)
        if channel is not None and sound:
            found.append((line, channel))
    findings.warnings += _alike(found)
    return tuple(channel for _, channel in found)


def _channel(line: ChannelLine, tenant: str, names: dict[str, str], findings: Findings) -> Channel | None:
    refused = dict.fromkeys(cell.where for cell in line.cells if _is_refused(cell, line))
    findings.problems += [SECRET_FAULT.at(where) for where in refused]
    name = _read(cells.read_name, line.name, refused, findings)
    service = _read(cells.read_service, line.service, refused, findings)
    muted = _read(cells.read_muted, line.muted, refused, findings)
    events = _events(line, refused, findings)
    connection = _read(lambda text: cells.read_connection(text, tenant), line.connection, refused, findings)
    if name is not None and (first := names.setdefault(fold(name) or name, line.name.where)) != line.name.where:
        remedy = "通知先ごとに異なる名前を付けてください"
        findings.problem(line.name.where, f"同じ名前がほかにもあります(1つ目は{first})", remedy)
    if service is None:
        return None
    spec = SPEC[service]
    to = _read(lambda text: cells.read_destination(text, spec), line.to, refused, findings)
    if name is None or muted is None or events is None or connection is None or to is None:
        return None
    if trim(line.to.text) and not to:
        found = f"{spec.label}の送信先はWebhookのURLで決まるので、この記入は使いません"
        findings.warning(line.to.where, found, "送信先を空白にしてください")
    needed = connection_needed(service, to)
    if connection and not needed:
        found = f"{spec.label}のこの送信先では接続を使いません"
        findings.warning(line.connection.where, found, "接続を空白にしてください")
    if not events:
        where = line.marks[0][1].where if line.marks else line.name.where
        remedy = "受け取る通知に○を付けてください。しばらく止める場合は「通知を行わない」を使います"
        findings.warning(where, "受け取る通知が1つもありません", remedy)
    used = (connection or default_connection(service, tenant)) if needed else ""
    return Channel(name, service, used, to, muted, events)


def _is_refused(cell: RawCell, line: ChannelLine) -> bool:
    """Whether the cell may hold a secret; a destination of the service's own form is none, however odd it looks."""
    if cell is not line.to:
        return is_secret(cell.text)
    text, service = narrow(cell.text), service_of(line.service.text)
    if has_address(text):
        return True
    if "@" in text or member_of(text) is not None or _UUID.fullmatch(text):
        return False
    destination = SPEC[service].destination if service else None
    own = destination is not None and destination.pattern.fullmatch(text) is not None
    if service is Service.LINEWORKS:  # whose user ids may look like anything
        own = text.startswith("channel:")
    return not own and is_secret(text)


def _read(reader: Callable[[str], _T], cell: RawCell, refused: Collection[str], findings: Findings) -> _T | None:
    """What a cell says; None where that is a problem."""
    return None if cell.where in refused else findings.read(reader, cell, quoted=False)


def _events(line: ChannelLine, refused: Collection[str], findings: Findings) -> frozenset[Event] | None:
    """The events with a ○; where there is no ○ at all, those without a ×, so that blank cells mean all of them."""
    if line.marks is None:
        return EVERY_EVENT
    if not line.marks:
        return frozenset()
    marks: dict[Event, bool | None] = {}
    sound = True
    for word, mark in line.marks:
        before = len(findings.problems)
        event = _read(cells.read_event, word, refused, findings)
        on = _read(lambda text: cells.read_switch(text, ON_WORDS, OFF_WORDS), mark, refused, findings)
        sound = sound and len(findings.problems) == before and not {word.where, mark.where} & set(refused)
        if event is not None:
            marks[event] = on
    if not sound:
        return None
    chosen = frozenset(event for event, on in marks.items() if on)
    return chosen or EVERY_EVENT - {event for event, on in marks.items() if on is False}


def _alike(found: Sequence[tuple[ChannelLine, Channel]]) -> Iterator[Problem]:
    """Lines that send the same to the same place, or rely on the same Connection without naming it."""
    defaults: dict[Service, str] = {}
    places: dict[tuple[Service, str, str], str] = {}
    for line, channel in found:
        label = SPEC[channel.service].label
        place = (channel.service, channel.connection, fold(channel.to))
        first, other = defaults.get(channel.service), places.setdefault(place, channel.name)
        silent = bool(channel.connection) and not trim(line.connection.text)
        if silent and first is not None:
            what = f"{label}の接続が空白の行がほかにもあります(「{first}」)"
            remedy = f"どちらも接続「{channel.connection}」を使います。別の接続を使う場合は、その名前を記入してください"
            yield Problem(line.connection.where, what, remedy)
        elif other != channel.name:
            what = f"サービス、接続、送信先が「{other}」の行と同じです"
            yield Problem(line.name.where, what, "同じ通知が2回届きます。どちらか1行を削除してください")
        if silent:
            defaults.setdefault(channel.service, channel.name)
