"""From what a reader found to a `Mapping`, or to every problem at once (P7, P8, P10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renkei.errors import Problem
from renkei.links.lineworks_kot.sheet.mapping import RUNS_AT, Mapping
from renkei.links.lineworks_kot.sheet.settings import INFORMATION, code, may_break
from renkei.notifications.form.lines import ChannelLine, read_channels
from renkei.sheets.checked import CheckedSheet
from renkei.sheets.findings import Findings
from renkei.sheets.information import RawSetting, clock_time
from renkei.texts import RawCell, trim

DIVISIONS, TYPES = "所属", "雇用区分"
Pair = tuple[RawCell, RawCell]  # a code, and what is said of it


@dataclass(frozen=True, slots=True)
class RawSheet:
    """The parts of a sheet, word for word: `yaml_form` and `workbook` make it."""

    name: str  # the file's name
    settings: tuple[RawSetting, ...]
    divisions: tuple[Pair, ...] = ()  # 所属コード, 日付変更時間
    types: tuple[Pair, ...] = ()  # 雇用区分コード, 休憩打刻
    channels: tuple[ChannelLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check_sheet(raw: RawSheet, tenant: str) -> CheckedSheet[Mapping]:
    """Everything at once; there is a mapping exactly when there is no problem."""
    findings = Findings(raw.problems, raw.warnings)
    settings, _ = INFORMATION.read(raw.settings, raw.name, findings)
    settings["run_at"] = RUNS_AT[0]  # by when the watch expects a day's first result
    boundaries = _boundaries(raw, findings)
    no_breaks = _no_break_types(raw.types, findings)
    if no_breaks and settings.get("breaks") is False:
        found = "休憩打刻を「表示しない」にしているので、雇用区分の「許可しない」は何も変えません"
        findings.warning(raw.types[0][0].where, found, "休憩打刻を使う場合は、連携情報の「休憩打刻」を直してください")
    channels = read_channels(raw.channels, findings, tenant=tenant)
    problems = tuple(dict.fromkeys(findings.problems))
    mapping = None
    if not problems:
        own = {name: value for name, value in settings.items() if name not in ("company_name", "run_at")}
        company = settings.get("company_name") or tenant
        mapping = Mapping(tenant, company, boundaries, no_break_types=no_breaks, **own)
    return CheckedSheet(mapping, problems, tuple(dict.fromkeys(findings.warnings)), settings, channels)


def _boundaries(raw: RawSheet, findings: Findings) -> dict[str, dt.time]:
    """日付変更時間 by 所属 (P10): without a default, for a punch of the wrong day is found by nobody."""
    found: dict[str, dt.time] = {}
    rows = list(_filled(raw.divisions))
    for name, said in rows:
        division = findings.read(code, name)
        if not trim(said.text):
            remedy = (
                "KING OF TIMEの 設定 > 組織 > 所属設定 > 日付変更時間 と同じ時刻を記入してください（0:00も記入します）"
            )
            findings.problem(said.where, "日付変更時間が記入されていません", remedy)
            continue
        at = findings.read(clock_time, _exact(said))
        if division is None or at is None:
            continue
        if division in found:
            findings.problem(name.where, f"所属コード「{division}」が2回あります", "どちらか1つを削除してください")
        found[division] = at
    if not rows:
        remedy = "所属コードと日付変更時間を記入してください。ここに無い所属の従業員は打刻できません"
        findings.problem(f"{raw.name} {DIVISIONS}", "所属が1つも記入されていません", remedy)
    return found


def _no_break_types(rows: Sequence[Pair], findings: Findings) -> frozenset[str]:
    seen: dict[str, bool] = {}
    for name, said in _filled(rows):
        kind, allowed = findings.read(code, name), findings.read(may_break, said)
        if kind is None or allowed is None:
            continue
        if kind in seen:
            findings.problem(name.where, f"雇用区分コード「{kind}」が2回あります", "どちらか1つを削除してください")
        seen[kind] = allowed
    return frozenset(kind for kind, allowed in seen.items() if not allowed)


def _exact(cell: RawCell) -> RawCell:
    """A time of Excel's own, in whatever form the cell shows it."""
    return RawCell(cell.exact, cell.where) if cell.exact else cell


def _filled(rows: Sequence[Pair]) -> list[Pair]:
    return [row for row in rows if any(trim(cell.text) for cell in row)]
