"""From what a reader found to a `Mapping`, or to every problem at once (C1, C6, W1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from renkei.errors import Problem
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS, MAX_KIND, MAX_TITLE, Mapping
from renkei.links.workplace_lineworks.sheet.settings import ABSENT, INFORMATION, OLD_NAMES
from renkei.notifications.form.lines import ChannelLine, read_channels
from renkei.sheets.checked import CheckedSheet
from renkei.sheets.findings import Findings
from renkei.sheets.information import RawSetting, line
from renkei.texts import CIRCLES, CROSSES, Fault, RawCell, fold, nearest, trim

TITLES, TABLE = "予定名", "通知管理"
Row = tuple[RawCell, ...]
_OLD = {fold(name): (name, now) for name, now in OLD_NAMES.items()}
_MARKS = {
    "": False,
    **dict.fromkeys((*map(fold, CIRCLES), "true", "on", "する"), True),
    **dict.fromkeys((*map(fold, CROSSES), "false", "off", "-", "しない"), False),
}
_EVENTS = {fold(word): key for key, label in EVENTS.items() for word in (key, label)}


@dataclass(frozen=True, slots=True)
class RawSheet:
    """The parts of a sheet, word for word: `yaml_form` and `workbook` make it."""

    name: str  # the file's name
    settings: tuple[RawSetting, ...]
    titles: tuple[Row, ...] = ()  # 不在の種類, 予定名
    table: tuple[Row, ...] = ()  # 通知項目, and a mark for each of CHANNELS
    channels: tuple[ChannelLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check_sheet(raw: RawSheet, tenant: str) -> CheckedSheet[Mapping]:
    """Everything at once; there is a mapping exactly when there is no problem."""
    findings = Findings(raw.problems, raw.warnings)
    rows = [row for row in raw.settings if not _is_old(row, findings)]
    settings, places = INFORMATION.read(rows, raw.name, findings)
    messengers = {key: settings[f"messengers.{key}"] for key in CHANNELS if f"messengers.{key}" in settings}
    titles, table = _titles(raw.titles, findings), _table(raw.table, findings)
    if titles and not settings.get("kinds_shown"):
        found = f"予定名が「{ABSENT}」なので、不在の種類ごとの予定名は使いません"
        findings.warning(raw.titles[0][0].where, found, "使う場合は、連携情報の「予定名」を直してください")
    _look_for_the_unused(raw, messengers, table, findings)
    if not settings.get("calendar") and not any(messengers.values()):
        found = "カレンダー登録もメッセンジャー通知も「使用しない」なので、何も連携しません"
        findings.warning(places.get("calendar", f"{raw.name} 連携情報"), found, "使う機能を「使用する」にしてください")
    channels = read_channels(raw.channels, findings, tenant=tenant)
    problems = tuple(dict.fromkeys(findings.problems))
    mapping = None
    if not problems:
        own = {name: value for name, value in settings.items() if "." not in name and name != "company_name"}
        company = settings.get("company_name") or tenant
        mapping = Mapping(tenant, company, titles=titles, messengers=messengers, table=table, **own)
    return CheckedSheet(mapping, problems, tuple(dict.fromkeys(findings.warnings)), settings, channels)


def _is_old(row: RawSetting, findings: Findings) -> bool:
    """Whether it is a line of text 3's older form, whose value belongs into an Airflow Connection, or nowhere (L7)."""
    name, now = _OLD.get(fold(row.name.text), ("", ""))
    if name and trim(row.value.text):
        remedy = f"{now}。この行を空白にして、認証情報はAirflowの接続 lineworks__（テナント名）に登録してください"
        findings.problem(row.value.where, f"「{name}」は連携設定シートに記入しません", remedy)
    return bool(name)


def _titles(rows: Sequence[Row], findings: Findings) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind_cell, title_cell in _filled(rows):
        kind, title = (
            findings.read(_text(what, most), cell)
            for what, most, cell in (("不在の種類", MAX_KIND, kind_cell), ("予定名", MAX_TITLE, title_cell))
        )
        if kind is None or title is None:
            continue
        if kind in found:
            findings.problem(kind_cell.where, f"不在の種類「{kind}」が2回あります", "どちらか1つを削除してください")
        found[kind] = title
    return found


def _text(what: str, most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        plain = line(text)
        if not plain or len(plain) > most:
            raise Fault(f"{what}が空白か、長すぎます", f"{most}文字以内で記入してください")
        return plain

    return read


def _table(rows: Sequence[Row], findings: Findings) -> dict[str, frozenset[str]]:
    """通知管理 (W1)."""
    found: dict[str, frozenset[str]] = {}
    for name, *marks in _filled(rows):
        kind = findings.read(_event, name)
        chosen = [channel for channel, cell in zip(CHANNELS, marks, strict=True) if findings.read(_mark, cell)]
        if kind is None:
            continue
        if kind in found:
            findings.problem(name.where, f"通知項目「{EVENTS[kind]}」が2回あります", "どちらか1つを削除してください")
        found[kind] = frozenset(chosen)
    return {kind: chosen for kind, chosen in found.items() if chosen}  # a line without a mark says nothing


def _event(text: str) -> str:
    if fold(text) in _EVENTS:
        return _EVENTS[fold(text)]
    known = [*EVENTS.values()]
    remedy = nearest(text, known) or f"{'、'.join(known)} のいずれかを記入してください"
    raise Fault(f"「{trim(text)}」という通知項目はありません", remedy)


def _mark(text: str) -> bool:
    if fold(text) not in _MARKS:
        raise Fault(f"「{trim(text)}」は使えない記入です", "受け取る通知に○を付け、ほかは空白にしてください")
    return _MARKS[fold(text)]


def _look_for_the_unused(
    raw: RawSheet, messengers: dict[str, bool], table: dict[str, frozenset[str]], findings: Findings
) -> None:
    """A messenger that is used without an event, and the other way round, is told: nobody would miss a notice."""
    marked = frozenset[str]().union(*table.values())
    for key, label in CHANNELS.items():
        if messengers.get(key) and key not in marked:
            found = f"{label}を「使用する」にしていますが、{TABLE}で○の付いた通知項目がありません"
            findings.warning(f"{raw.name} {TABLE}", found, f"{label}で受け取る通知項目に○を付けてください")
        elif key in marked and not messengers.get(key):
            found = f"{TABLE}で{label}に○がありますが、{label}は「使用しない」です"
            findings.warning(
                f"{raw.name} {TABLE}", found, f"使う場合は「{label}メッセンジャー」を使用するにしてください"
            )


def _filled(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if any(trim(cell.text) for cell in row)]
