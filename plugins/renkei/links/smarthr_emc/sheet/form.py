"""From a `Mapping` back to the words of a sheet, for both writers (E15)."""

from __future__ import annotations

import dataclasses

from renkei.links.smarthr_emc.sheet.conversion import format_conversions
from renkei.links.smarthr_emc.sheet.expression import format_constant, format_source
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import FieldRule, LinkState, Loader, Mapping
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell
from renkei.links.smarthr_emc.sheet.raw import ChannelLine, RawCell, RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.notifications.channel import Channel
from renkei.notifications.event import LABELS, Event
from renkei.notifications.form.words import event_marks
from renkei.notifications.services import SPEC

STATE_WORDS = {LinkState.ACTIVE: "連携中", LinkState.FROZEN: "連携解除"}
LOADER_WORDS = {Loader.HTTP: "API", Loader.FILE_DROP: "ファイル"}


def to_raw(mapping: Mapping) -> RawSheet:
    """The sheet that `parse` reads as `mapping`: all lines of 連携情報, and one line per rule."""
    addresses = iter(mapping.result_addresses)
    settings = tuple(
        RawSetting(
            _cell(setting.label),
            _cell(next(addresses, "") if setting.key == "result_addresses" else setting_text(mapping, setting.key)),
        )
        for setting in SETTINGS
    )
    departments = tuple(
        _row(DEPARTMENT_ITEM[key].name, source)
        for key, source in (
            ("department_id", "部署コード"),
            ("name", format_source(mapping.departments.name)),
            ("name_yomi", format_constant(mapping.departments.yomi)),
            ("parent_id", "親部署コード"),
        )
    )
    users = tuple(_user_row(rule) for rule in mapping.users)
    channels = tuple(_channel_line(channel) for channel in mapping.channels)
    return RawSheet(mapping.tenant, settings, departments, users, channels=channels)


def setting_text(mapping: Mapping, key: str) -> str:
    """What 連携情報 says for one key of `SETTINGS`."""
    group, _, name = key.partition(".")
    if group == "guards":
        limit = getattr(mapping.guards, name)
        return str(int(limit)) if limit == int(limit) else repr(limit)
    if group == "root_department":
        return str(getattr(mapping.root_department, name)) if mapping.root_department else ""
    match key:
        case "link_start_on":
            return mapping.link_start_on.isoformat()
        case "run_at":
            return f"{mapping.run_at:%H:%M}"
        case "state":
            return STATE_WORDS[mapping.state]
        case "loader":
            return LOADER_WORDS[mapping.loader]
        case _:
            return str(getattr(mapping, key))


def item_name(rule: FieldRule) -> str:
    """The item as the sheet names it, with the label of a search word."""
    name = USER_ITEM[rule.item].name
    return f"{name}:{rule.label}" if rule.label else name


def _user_row(rule: FieldRule) -> RawRow:
    cells = (
        rule.on_create.when_present,
        rule.on_create.when_blank,
        rule.on_update.when_present,
        rule.on_update.when_blank,
    )
    words = (format_cell(cell, place) for cell, place in zip(cells, Place, strict=True))
    row = _row(item_name(rule), "-" if rule.item == "operation" else format_source(rule.source), *words)
    return dataclasses.replace(row, convert=_cell(format_conversions(rule.conversions)))


def _row(item: str, source: str, *words: str) -> RawRow:
    cells = [_cell(word) for word in words or ("",) * 4]
    return RawRow(_cell(item), _cell("○"), _cell(source), cells[0], cells[1], cells[2], cells[3])


def _channel_line(channel: Channel) -> ChannelLine:
    service, muted = SPEC[channel.service].label, "○" if channel.muted else ""
    texts = (channel.name, service, channel.connection, channel.to, muted)
    name, service_cell, connection, to, muted_cell = map(_cell, texts)
    marks = tuple((_cell(LABELS[e]), _cell(mark)) for e, mark in zip(Event, event_marks(channel), strict=True))
    return ChannelLine(name, service_cell, connection, to, muted_cell, marks)


def _cell(text: str) -> RawCell:
    return RawCell(text, "")
