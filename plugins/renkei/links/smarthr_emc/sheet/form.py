"""From a `Mapping` back to the words of a sheet, for both writers (E15)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from renkei.links.smarthr_emc.sheet.expression import format_constant, format_source
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import FieldRule, LinkState, Loader, Mapping, Reconcile
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet, placeless, row_of
from renkei.links.smarthr_emc.sheet.setting_kinds import LOADER_WORDS, RECONCILE_WORDS, STATE_WORDS
from renkei.links.smarthr_emc.sheet.settings import SETTINGS, Setting
from renkei.notifications.form.written import channel_line
from renkei.values.conversion import format_conversions


def to_raw(mapping: Mapping) -> RawSheet:
    """The sheet that `parse` reads as `mapping`: all lines of 連携情報, and one line per rule."""
    settings = tuple(
        RawSetting(placeless(setting.label), placeless(value_text(value))) for setting, value in setting_values(mapping)
    )
    departments = tuple(
        row_of(DEPARTMENT_ITEM[key].name, "○", source)
        for key, source in (
            ("department_id", "部署コード"),
            ("name", format_source(mapping.departments.name)),
            ("name_yomi", format_constant(mapping.departments.yomi)),
            ("parent_id", "親部署コード"),
        )
    )
    users = tuple(_user_row(rule) for rule in mapping.users)
    channels = tuple(channel_line(channel) for channel in mapping.channels)
    return RawSheet(mapping.tenant, settings, departments, users, channels=channels)


def setting_values(mapping: Mapping) -> Iterator[tuple[Setting, Any]]:
    """Every line of 連携情報 with what it says; None where it is left blank."""
    addresses = iter(mapping.result_addresses)
    for setting in SETTINGS:
        value: Any = mapping
        for name in setting.key.split("."):
            value = getattr(value, name, None)
        if setting.key == "result_addresses":
            value = next(addresses, None)
        elif setting.is_tenant and value == mapping.tenant:
            value = None  # which stands for it: a copy for another company must not carry this one's name
        yield setting, value


def value_text(value: Any) -> str:
    """What a cell of 連携情報 says."""
    match value:
        case None:
            return ""
        case LinkState():
            return STATE_WORDS[value]
        case Loader():
            return LOADER_WORDS[value]
        case Reconcile():
            return RECONCILE_WORDS[value]
        case dt.time():
            return f"{value:%H:%M}"
        case float():
            return repr(value).removesuffix(".0")
        case _:
            return str(value)


def item_name(rule: FieldRule) -> str:
    """The item as the sheet names it, with the label of a search word."""
    name = USER_ITEM[rule.item].name
    return f"{name}:{rule.label}" if rule.label else name


def _user_row(rule: FieldRule) -> RawRow:
    words = [format_cell(cell, place) for cell, place in zip(rule.cells, Place, strict=True)]
    source = "-" if rule.item == "operation" else format_source(rule.source)
    return row_of(item_name(rule), "○", source, words, format_conversions(rule.conversions))
