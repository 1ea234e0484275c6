"""From what a reader found to a `Mapping`, or to every problem at once (K7, K8, K13, K14)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from renkei.links.hotprofile_kintone.items import ITEMS, has_item
from renkei.links.hotprofile_kintone.sheet.mapping import CUSTOM, DATA_SETS, KEEP, OVERWRITE, DataSet, Item, Mapping
from renkei.links.hotprofile_kintone.sheet.raw import RawItem, RawSheet
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION, domain
from renkei.notifications.form.lines import read_channels
from renkei.sheets.checked import CheckedSheet
from renkei.sheets.findings import Findings
from renkei.texts import Fault, RawCell, control_fault, fold, nearest, trim
from renkei.values.conversion import format_codes, parse_conversions

MAX_FIELD_CODE = 128  # characters; kintone's help
WRITE_BLANK, SKIP_BLANK = "クリア", "空なら書かない"
_BLANKS = {
    "": False,
    **dict.fromkeys(map(fold, (WRITE_BLANK, "空にする", "書く", "clear")), False),
    **dict.fromkeys(map(fold, (SKIP_BLANK, "書かない", "残す", "skip")), True),
}
OVERWRITE_WORD, KEEP_WORD = "上書き", "残す"
_CONFLICTS = {
    "": "",
    **dict.fromkeys(map(fold, (OVERWRITE_WORD, "上書きする", OVERWRITE)), OVERWRITE),
    **dict.fromkeys(map(fold, (KEEP_WORD, "残す(上書きしない)", "上書きしない", KEEP)), KEEP),
}
_MARKS = {"": False, "○": True, "〇": True, "◯": True, "true": True, "×": False, "false": False, "-": False}


def check_sheet(raw: RawSheet, tenant: str, allowed_hosts: Collection[str] = ()) -> CheckedSheet[Mapping]:
    """Everything at once; there is a mapping exactly when there is no problem."""
    findings = Findings(raw.problems, raw.warnings)
    readers = {"domain": partial(domain, allowed_hosts=allowed_hosts)}
    settings, places = INFORMATION.read(raw.settings, raw.name, findings, readers)
    data_sets = []
    for name in DATA_SETS:
        if found := _data_set(name, raw, settings, places, findings):
            data_sets.append(found)
    for number, one in enumerate(data_sets):  # K1: they would take each other's records for their own
        if first := next((other for other in data_sets[:number] if other.app == one.app), None):
            same = f"{one.label}のアプリIDが{first.label}と同じです"
            findings.problem(places[f"{one.name}.app"], same, "会社、部署、リードには別々のアプリを用意してください")
    if not findings.problems and not data_sets:
        remedy = "会社、部署、リードの少なくとも1つにアプリIDと項目を記入してください"
        findings.problem(raw.name, "連携するデータがありません", remedy)
    channels = read_channels(raw.channels, findings, tenant=tenant)
    users = _users(raw, findings)
    problems = tuple(dict.fromkeys(findings.problems))
    mapping = None
    if not problems:
        own = {name: value for name, value in settings.items() if "." not in name and name != "company_name"}
        company = settings.get("company_name") or tenant
        mapping = Mapping(tenant=tenant, company=company, data_sets=tuple(data_sets), users=users, **own)
    return CheckedSheet(mapping, problems, tuple(dict.fromkeys(findings.warnings)), settings, channels)


def _data_set(
    name: str, raw: RawSheet, settings: dict[str, Any], places: dict[str, str], findings: Findings
) -> DataSet | None:
    """The data set, as far as the sheet has one."""
    label, rows, app = DATA_SETS[name], raw.items.get(name, ()), settings.get(f"{name}.app")
    enabled = settings.get(f"{name}.enabled", False)
    where = f"{raw.name} {label}"
    if not rows and not app and not enabled:
        return None
    items = [(row, item) for row in rows if (item := _item(name, row, findings)) is not None]
    marked = [row for row in rows if findings.read(_mark, row.key)]
    keys = [row.item for row in marked]
    for row in marked:
        if trim(row.conflict.text):  # a changed 更新キー is another record
            findings.problem(
                row.conflict.where, "更新キーでは、競合を検知できません", "この行の競合を空白にしてください"
            )
    if not app:
        place = places.get(f"{name}.app", f"{raw.name} 連携情報")
        if place not in {problem.where for problem in findings.problems}:
            findings.problem(place, f"{label}のアプリIDが記入されていません", "kintoneのアプリIDを記入してください")
    if not rows:
        findings.problem(
            where, f"{label}に連携する項目がありません", "項目とkintoneのフィールドコードを記入してください"
        )
    elif len(keys) != 1:  # K7
        found = "更新キーの項目がありません" if not keys else "更新キーの項目が2つ以上あります"
        place = keys[1].where if keys else where
        findings.problem(place, found, "更新キーにする項目の1つだけに○を付けてください")
    _refuse_twice(items, findings)
    if len(keys) != 1 or not app:
        return None
    old_key = settings.get(f"{name}.old_key", "")
    return DataSet(name, app, enabled, trim(keys[0].text), tuple(item for _, item in items), old_key)


def _item(data_set: str, row: RawItem, findings: Findings) -> Item | None:
    findings.warnings += row.remarks
    name = findings.read(partial(_name, data_set), row.item)
    code = findings.read(partial(_code, "kintoneのフィールドコード"), row.field)
    if code == "":
        remedy = "フィールドコードを記入するか、行を削除してください"
        findings.problem(row.field.where, "kintoneのフィールドコードが空白です", remedy)
    table = findings.read(partial(_code, "テーブルのフィールドコード"), row.table)
    blank = findings.read(_blank, row.blank)
    conversion = findings.read(_conversion, row.conversion)
    conflict = findings.read(_conflict, row.conflict)
    if conflict and table:
        remedy = "この行の競合を空白にしてください"
        findings.problem(row.conflict.where, "テーブルの中のフィールドでは、競合を検知できません", remedy)
    if name is None or not code or table is None or blank is None or conversion is None or conflict is None:
        return None
    return Item(name, code, blank, conversion, table, conflict)


def _conversion(text: str) -> str:
    return "、".join(format_codes(parse_conversions(text))) if trim(text) else ""


def _name(data_set: str, text: str) -> str:
    name = trim(text)
    if has_item(data_set, name):
        return name
    remedy = nearest(name, ITEMS[data_set]) or f"お客様が作った項目は「{CUSTOM}項目名」と記入してください"
    raise Fault(f"「{name}」という項目はHot Profileの{DATA_SETS[data_set]}にありません", remedy)


def _code(what: str, text: str) -> str:
    if fault := control_fault(text, what):
        raise fault
    if len(trim(text)) > MAX_FIELD_CODE:
        raise Fault(f"{what}が長すぎます", f"{MAX_FIELD_CODE}文字以内で記入してください")
    return trim(text)


def _blank(text: str) -> bool:
    if fold(text) not in _BLANKS:
        raise Fault(f"「{trim(text)}」は使えない言葉です", f"{WRITE_BLANK} または {SKIP_BLANK} と記入してください")
    return _BLANKS[fold(text)]


def _conflict(text: str) -> str:
    if fold(text) not in _CONFLICTS:
        found = f"「{trim(text)}」は使えない言葉です"
        raise Fault(
            found, f"{OVERWRITE_WORD} または {KEEP_WORD} と記入してください。競合を検知しない項目は空白にします"
        )
    return _CONFLICTS[fold(text)]


def _mark(text: str) -> bool:
    if fold(text) not in _MARKS:
        raise Fault(f"「{trim(text)}」は使えない記入です", "更新キーにする項目に○を付け、ほかは空白にしてください")
    return _MARKS[fold(text)]


def _refuse_twice(items: list[tuple[RawItem, Item]], findings: Findings) -> None:
    """K8: one item, one field code, once each."""
    names = [("項目", row.item, (item.item,)) for row, item in items]
    codes = [("フィールドコード", row.field, (item.table, item.field)) for row, item in items]
    seen = set[tuple[str, ...]]()
    for what, cell, key in (*names, *codes):
        if (what, *key) in seen:
            found = f"{what}「{trim(cell.text)}」が2回記入されています"
            remedy = "1つの項目は1つのフィールドにだけ連携できます。どちらかを削除してください"
            findings.problem(cell.where, found, remedy)
        seen.add((what, *key))


def _users(raw: RawSheet, findings: Findings) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for ours, theirs in _filled(raw.users):
        name, login = trim(ours.text), trim(theirs.text)
        if not name or not login:
            findings.problem(
                (theirs if name else ours).where, "対応表の片方が空白です", "両方を記入するか、行を削除してください"
            )
        elif name in found:
            findings.problem(ours.where, f"「{name}」が対応表に2回あります", "どちらか1つを削除してください")
        found[name] = login
    return tuple(found.items())


def _filled(rows: tuple[tuple[RawCell, RawCell], ...]) -> Iterator[tuple[RawCell, RawCell]]:
    return (row for row in rows if any(trim(cell.text) for cell in row))
