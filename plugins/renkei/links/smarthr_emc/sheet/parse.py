"""From what a reader found to a `Mapping`, or to every problem at once (E15–E26)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from renkei.channel import Channel
from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.checks.information import sheet_warnings
from renkei.links.smarthr_emc.sheet.checks.user_warnings import user_warnings
from renkei.links.smarthr_emc.sheet.checks.users import length_problems, user_problems
from renkei.links.smarthr_emc.sheet.department_lines import read_departments
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import FieldRule, Mapping
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSheet
from renkei.links.smarthr_emc.sheet.settings import SETTINGS, SettingCells, read_settings
from renkei.links.smarthr_emc.sheet.user_lines import read_users
from renkei.notifications.form.lines import read_channels
from renkei.sheets.findings import Findings
from renkei.texts import RawCell, fold


@dataclass(frozen=True, slots=True)
class PartialSheet:
    """What could still be read from a broken sheet: its DAG has a time, its mail an address, its 通知 sound channels."""

    result_addresses: tuple[str, ...] = ()
    run_at: dt.time | None = None
    link_start_on: dt.date | None = None
    channels: tuple[Channel, ...] = ()
    company_name: str = ""


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """All that a sheet says and all that is wrong or doubtful about it, in reading order.

    `settings` are what is sound, whatever else is wrong; `rules` are the linked lines, with what is usual in place of
    a cell that cannot be read (a custom field without a name where nothing is), so that no fault hides another. `rows`
    has the lines by their items, linked or not, `cells` the filled-in cells of 連携情報 by their keys: a problem found
    later can name its cell. `channels` has where the lines of 通知 name their Connections, by the folded names of the
    channels.
    """

    mapping: Mapping | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    rules: Dict[str, FieldRule]
    settings: Dict[str, Any]
    rows: Dict[str, RawRow]
    cells: SettingCells
    channels: Dict[str, str]


def parse(raw: RawSheet, tenant: str, allowed_hosts: Collection[str] = ()) -> tuple[Mapping, tuple[Problem, ...]]:
    """The mapping, and warnings about it in reading order.

    `allowed_hosts` (`host` or `host:port`) may stand in SmartHR URL beside SmartHR's own hosts, also with http.

    Raises:
        MappingError: with every problem of the sheet.
    """
    checked = check_sheet(raw, tenant, allowed_hosts)
    if checked.mapping is None:
        raise MappingError(checked.problems)
    return checked.mapping, checked.warnings


def check_sheet(raw: RawSheet, tenant: str, allowed_hosts: Collection[str] = ()) -> CheckedSheet:
    """As `parse`, but with everything at once; there is a mapping exactly when there is no problem."""
    findings = Findings(raw.problems, raw.warnings)
    settings, cells = _settings(raw, allowed_hosts, findings)
    departments = None
    if raw.departments is not None:
        departments = read_departments(raw.departments, f"{raw.name} 部署データ", findings)
    rules, rows = read_users(raw.users or (), tenant, findings)
    if raw.users is not None:
        findings.add_elsewhere(user_problems(rules, rows, f"{raw.name} ユーザデータ", tenant))
        findings.warnings += user_warnings(rules, rows, settings, tenant)
    findings.warnings += sheet_warnings(rules, settings, cells)
    findings.add_elsewhere(length_problems(rules, rows, settings))
    channels = read_channels(raw.channels, findings, tenant=tenant)
    refused = {problem.where for problem in raw.problems}  # such a cell only reads as blank
    later = (problem for problem in findings.problems[len(raw.problems) :] if problem.where not in refused)
    order = {cell.where: number for number, cell in enumerate(_cells(raw))}
    problems = _in_order([*raw.problems, *later], order)
    faulty = {problem.where for problem in problems} & set(order)  # what is doubtful there too can wait
    warnings = tuple(one for one in _in_order(findings.warnings, order) if one.where not in faulty)
    mapping = None
    if not problems and departments is not None:
        users = tuple(rules[item.key] for item in USER_ITEMS if item.key in rules)
        said = {setting.key: tenant for setting in SETTINGS if setting.is_tenant} | settings
        mapping = Mapping(tenant=tenant, departments=departments, users=users, channels=channels, **said)
    places = {fold(line.name.text): line.connection.where for line in raw.channels}
    return CheckedSheet(mapping, problems, warnings, rules, settings, rows, cells, places)


def _cells(raw: RawSheet) -> Iterator[RawCell]:
    """Every cell in reading order."""
    for setting in raw.settings or ():
        yield from (setting.label, setting.value)
    for row in (*(raw.departments or ()), *(raw.users or ())):
        yield from (row.item, *((row.linked,) if row.linked else ()), row.source, *row.policies, row.convert)
    for line in raw.channels:
        yield from line.cells


def _in_order(problems: Sequence[Problem], order: Dict[str, int]) -> tuple[Problem, ...]:
    """In the order of the sheet's cells, each once; what is said of no cell comes first."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: order.get(problem.where, -1)))


def partial_sheet(raw: RawSheet, tenant: str = "") -> PartialSheet:
    """The few settings and the channels that are sound, whatever else is wrong."""
    settings, _ = _settings(raw, (), Findings())
    settings["channels"] = read_channels(raw.channels, Findings(raw.problems), tenant=tenant)
    known = {field.name: settings[field.name] for field in dataclasses.fields(PartialSheet) if field.name in settings}
    return PartialSheet(**known)


def _settings(raw: RawSheet, allowed_hosts: Collection[str], findings: Findings) -> tuple[dict[str, Any], SettingCells]:
    if raw.settings is None:
        return {}, {}
    return read_settings(raw.settings, f"{raw.name} 連携情報", allowed_hosts, findings)
