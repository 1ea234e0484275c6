"""From what a reader found to a `Mapping`, or to every problem at once (E15–E26)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.checks.information import sheet_warnings
from renkei.links.smarthr_emc.sheet.checks.user_warnings import user_warnings
from renkei.links.smarthr_emc.sheet.checks.users import length_problems, user_problems
from renkei.links.smarthr_emc.sheet.conversion import parse_conversions
from renkei.links.smarthr_emc.sheet.expression import parse_source
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import (
    Cell,
    Cells,
    Constant,
    Conversion,
    DepartmentRules,
    FieldRule,
    Mapping,
    Source,
    SourceField,
    Term,
)
from renkei.links.smarthr_emc.sheet.names import (
    department_item,
    fold,
    has_control,
    is_ditto,
    is_item_range,
    nearest,
    trim,
    user_item,
)
from renkei.links.smarthr_emc.sheet.policy import Place, parse_cell
from renkei.links.smarthr_emc.sheet.raw import Fault, RawCell, RawRow, RawSheet
from renkei.links.smarthr_emc.sheet.settings import read_settings
from renkei.notifications.channel import Channel
from renkei.notifications.form.lines import read_channels
from renkei.texts import CHECKS, CIRCLES, CROSSES

_LINKED = {
    fold(word) for word in (*CIRCLES, *CHECKS, "有", "有り", "あり", "する", "連携", "連携する", "はい", "true", "yes")
}
_CONSTANT = {fold(word) for word in ("固定値", "連携しない(固定値)")}
_UNLINKED = {
    fold(word)
    for word in (
        "",
        *CROSSES,
        "-",
        "ー",
        "無",
        "無し",
        "なし",
        "しない",
        "連携無し",
        "連携しない",
        "いいえ",
        "false",
        "no",
    )
}
_DITTO = Fault(
    "「同上」「〃」などは使えません", "行を移すと意味が変わります。上の行と同じ内容をそのまま記入してください"
)
_DEPARTMENT_SOURCES = {
    "department_id": ("部署コード",),
    "name": ("部署名", "部署名(階層)"),
    "parent_id": ("親部署コード",),
}
# in place of a fault that would quote the password (L7)
_UNREADABLE_PASSWORD = Fault(
    "パスワードの連携元を読み取れません", "固定値「…」、秘密:名前、またはSmartHRの項目名を記入してください"
)


@dataclass(frozen=True, slots=True)
class Salvage:
    """What could still be read from a broken sheet: its DAG has a time, its mail an address, its 通知 sound channels."""

    result_addresses: tuple[str, ...] = ()
    run_at: dt.time | None = None
    link_start_on: dt.date | None = None
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """All that a sheet says and all that is wrong or doubtful about it, in reading order.

    `rules` and `settings` are what is sound, whatever else is wrong; `rows` has the lines by their items, linked or
    not, `cells` the filled-in cells of 連携情報 by their keys: a problem found later can name its cell.
    """

    mapping: Mapping | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    rules: Dict[str, FieldRule]
    settings: Dict[str, Any]
    rows: Dict[str, RawRow]
    cells: Dict[str, list[RawCell]]


def parse(raw: RawSheet, tenant: str, allowed_hosts: Collection[str] = ()) -> tuple[Mapping, tuple[Problem, ...]]:
    """The mapping, and warnings about it in reading order.

    `allowed_hosts` (`host` or `host:port`) may stand in SmartHR URL beside SmartHR's own hosts, also with http.

    Raises:
        MappingError: with every problem of the sheet.
    """
    judged = judge(raw, tenant, allowed_hosts)
    if judged.mapping is None:
        raise MappingError(judged.problems)
    return judged.mapping, judged.warnings


def judge(raw: RawSheet, tenant: str, allowed_hosts: Collection[str] = ()) -> Judged:
    """As `parse`, but with everything at once; there is a mapping exactly when there is no problem."""
    problems: list[Problem] = []
    warnings: list[Problem] = [*raw.warnings]
    cells: dict[str, list[RawCell]] = {}
    settings = _settings(raw, allowed_hosts, problems, cells, warnings)
    departments = _departments(raw.departments, f"{raw.name} 部署データ", problems, warnings)
    rules, rows = _users(raw.users, f"{raw.name} ユーザデータ", settings, problems, warnings)
    warnings += sheet_warnings(rules, settings, cells)
    problems += length_problems(rules, rows, settings)
    channels = _channels(raw, tenant, problems, warnings)
    refused = {problem.where for problem in raw.problems}  # a cell that the reader refused only reads as blank
    problems = [*raw.problems, *(problem for problem in problems if problem.where not in refused)]
    order = {cell.where: number for number, cell in enumerate(_cells(raw))}
    found = _in_order(problems, order)
    faulty = {problem.where for problem in found} & set(order)  # what is doubtful there too can wait
    doubts = tuple(doubt for doubt in _in_order(warnings, order) if doubt.where not in faulty)
    mapping = None
    if not found and departments is not None:
        users = tuple(rules[item.key] for item in USER_ITEMS if item.key in rules)
        said = {"emc_account": tenant} | settings
        mapping = Mapping(tenant=tenant, departments=departments, users=users, channels=channels, **said)
    return Judged(mapping, found, doubts, rules, settings, rows, cells)


def _cells(raw: RawSheet) -> Iterator[RawCell]:
    """Every cell in reading order."""
    for setting in raw.settings or ():
        yield from (setting.label, setting.value)
    for row in (*(raw.departments or ()), *(raw.users or ())):
        yield from (row.item, *((row.linked,) if row.linked else ()), row.source, *_policy_cells(row), row.convert)
    for line in raw.channels:
        yield from line.cells


def _in_order(problems: Sequence[Problem], order: Dict[str, int]) -> tuple[Problem, ...]:
    """In the order of the sheet's cells, each once; what is said of no cell comes first."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: order.get(problem.where, -1)))


def salvage(raw: RawSheet, tenant: str = "") -> Salvage:
    """The few settings and the channels that are sound, whatever else is wrong."""
    settings = _settings(raw, (), [], {}, []) | {"channels": _channels(raw, tenant, [], [])}
    known = {field.name: settings[field.name] for field in dataclasses.fields(Salvage) if field.name in settings}
    return Salvage(**known)


def _channels(raw: RawSheet, tenant: str, problems: list[Problem], warnings: list[Problem]) -> tuple[Channel, ...]:
    """The channels of the lines that neither the reader nor `read_channels` found fault with."""
    known = list(raw.problems)
    channels = read_channels(raw.channels, known, warnings, tenant=tenant)
    problems += known[len(raw.problems) :]
    return channels


def _settings(
    raw: RawSheet,
    allowed_hosts: Collection[str],
    problems: list[Problem],
    cells: dict[str, list[RawCell]],
    warnings: list[Problem],
) -> dict[str, Any]:
    if raw.settings is None:
        return {}
    return read_settings(raw.settings, raw.name, allowed_hosts, problems, cells, warnings)


def _is_linked(row: RawRow, *, quoted: bool = True) -> bool:
    """Whether 連携有無 asks for this line; without that column, whether it has a source.

    Raises:
        Fault: the cell says something else; not `quoted` where that may be a password in the wrong column (L7).
    """
    if row.linked is None:
        return bool(trim(row.source.text))
    word = fold(row.linked.text)
    if word in _LINKED or word in _CONSTANT:
        return True
    if word in _UNLINKED:
        return False
    if is_ditto(row.linked.text):
        raise _DITTO
    what = f"の「{trim(row.linked.text)}」" if quoted else ""
    raise Fault(f"連携有無{what}は使えない言葉です", "連携する場合は○、しない場合は空白にしてください")


def _link_place(row: RawRow) -> str:
    return row.linked.where if row.linked else row.item.where


def _asks_for_nothing(row: RawRow) -> bool:
    """True for a heading between the lines: no 連携有無, no source."""
    linked = row.linked is not None and fold(row.linked.text) not in _UNLINKED
    return not linked and fold(row.source.text) in _UNLINKED


def _departments(
    rows: tuple[RawRow, ...] | None, part: str, problems: list[Problem], warnings: list[Problem]
) -> DepartmentRules | None:
    if rows is None:
        return None
    name, yomi = Source(((SourceField("部署名"),),)), ""
    seen: dict[str, str] = {}
    places: dict[str, str] = {}
    yomi_is_sound = True
    for row in rows:
        item = department_item(row.item.text)
        if item is None:
            known = [each.name for each in DEPARTMENT_ITEM.values()]
            _unknown(row, "部署データ", known, problems, warnings)
            continue
        if item.key == "operation":
            continue
        if item.key in seen:
            problems.append(_twice(row.item, item.name, seen[item.key]))
            continue
        seen[item.key] = row.item.where
        places[item.key] = row.source.where
        warnings += row.remarks
        try:
            linked = _is_linked(row)
        except Fault as fault:
            problems.append(fault.at(_link_place(row)))
            yomi_is_sound = yomi_is_sound and item.key != "name_yomi"
            continue
        try:
            if is_ditto(row.source.text):
                raise _DITTO
            if item.key == "name_yomi":
                yomi = _department_yomi(row, linked)
            elif not linked:
                place = _link_place(row) if row.linked else row.source.where
                found = f"必須項目{item.name}が連携されていません"
                problems.append(Problem(place, found, "連携有無に○を記入してください"))
            else:
                source = _department_source(row.source.text, item.key)
                name = source if item.key == "name" else name
        except Fault as fault:
            problems.append(fault.at(row.source.where))
            yomi_is_sound = yomi_is_sound and item.key != "name_yomi"
    if not yomi and yomi_is_sound:
        problems.append(
            Problem(
                places.get("name_yomi", part),
                "部署名(ヨミ)の固定値が記入されていません",
                "SmartHR項目に固定値「…」の形で記入してください",
            )
        )
    return DepartmentRules(name, yomi)


def _department_yomi(row: RawRow, linked: bool) -> str:
    """The constant; the bare text counts as one where 連携有無 says 固定値 (text 1's own form)."""
    text = trim(row.source.text)
    constant = row.linked is not None and fold(row.linked.text) in _CONSTANT
    if not linked or not text:
        return ""
    if constant and not fold(text).startswith("固定値"):
        if has_control(text):
            raise Fault("部署名(ヨミ)に改行が含まれています", "1行の文字だけで記入してください")
        return text
    source = parse_source(text)
    match source.alternatives:
        case ((Constant(found),),):
            return trim(found)
    raise Fault(
        "部署名(ヨミ)は固定値だけを指定できます", "SmartHRの部署にはヨミがありません。固定値「…」の形で記入してください"
    )


def _department_source(text: str, key: str) -> Source:
    for name in _DEPARTMENT_SOURCES[key]:
        if fold(text) == fold(name):
            return Source(((SourceField(name),),))
    choice = " または ".join(_DEPARTMENT_SOURCES[key])
    name = DEPARTMENT_ITEM[key].name
    raise Fault(f"{name}に「{trim(text)}」は指定できません", f"{choice} と記入してください")


def _users(
    rows: tuple[RawRow, ...] | None,
    part: str,
    settings: Dict[str, Any],
    problems: list[Problem],
    warnings: list[Problem],
) -> tuple[dict[str, FieldRule], dict[str, RawRow]]:
    """The rules by item, and all lines of items by item."""
    rules: dict[str, FieldRule] = {}
    lines: dict[str, RawRow] = {}
    broken: set[str] = set()  # lines with a fault of their own, of which nothing more is said
    for row in rows or ():
        named = user_item(row.item.text)
        if named is None:
            _unknown_user_item(row, problems, warnings)
            continue
        key = named.item.key
        if key in lines:
            problems.append(_twice(row.item, named.item.name, lines[key].item.where))
            continue
        lines[key] = row
        found: list[Problem] = []
        rule = _user_rule(row, key, named.label, found, warnings)
        problems += found
        broken |= {key} if found else set()
        if rule is not None:
            rules[key] = rule
    if rows is not None:
        problems += user_problems(rules, lines, part, broken)
        warnings += user_warnings(rules, lines, settings)
    return rules, lines


def _user_rule(row: RawRow, key: str, label: str, problems: list[Problem], warnings: list[Problem]) -> FieldRule | None:
    item = USER_ITEM[key]
    try:
        if not _is_linked(row, quoted=item.key != "password"):
            if row.linked is not None and trim(row.source.text) and fold(row.source.text) not in _UNLINKED:
                found = f"{item.name}にSmartHR項目がありますが、連携有無が○ではないので連携しません"
                warnings.append(Problem(row.source.where, found, "連携する場合は連携有無に○を記入してください"))
            return None
    except Fault as fault:
        problems.append(fault.at(_link_place(row)))
        return None
    warnings += row.remarks
    if has_control(label):
        problems.append(
            Problem(row.item.where, "検索ワードの名前に改行が含まれています", "1行の文字だけで記入してください")
        )
    source = _user_source(row, key, problems)
    cells: list[Cell] = []
    for place, cell in zip(Place, _policy_cells(row), strict=True):
        try:
            if is_ditto(cell.text):
                raise _DITTO
            cells.append(parse_cell(cell.text, item, place))
        except Fault as fault:
            if key == "password":  # what was meant as a default, or stands in the wrong cell, may be the password (L7)
                fault = Fault("パスワードの登録・更新の指定が正しくありません", fault.remedy)
            problems.append(fault.at(cell.where))
    conversions: tuple[Conversion, ...] = ()
    try:
        if is_ditto(row.convert.text):
            raise _DITTO
        conversions = parse_conversions(row.convert.text, item)
    except Fault as fault:
        problems.append(fault.at(row.convert.where))
    if problems or source is None:
        return None
    return FieldRule(key, source, Cells(cells[0], cells[1]), Cells(cells[2], cells[3]), label, conversions)


def _policy_cells(row: RawRow) -> tuple[RawCell, ...]:
    return row.create_present, row.create_blank, row.update_present, row.update_blank


def _user_source(row: RawRow, key: str, problems: list[Problem]) -> Source | None:
    if key == "operation":
        return Source()
    if is_ditto(row.source.text):
        problems.append(_DITTO.at(row.source.where))
        return None
    try:
        source = parse_source(row.source.text)
    except Fault as fault:
        constant = row.linked is not None and fold(row.linked.text) in _CONSTANT
        text = trim(row.source.text)
        if constant and text and not has_control(text) and not any(mark in text for mark in "「」『』&＆:："):
            return Source(((Constant(text),),))
        problems.append((_UNREADABLE_PASSWORD if key == "password" and text else fault).at(row.source.where))
        return None
    return _department_codes(source) if key in DEPARTMENT_REFERENCES else source


def _department_codes(source: Source) -> Source:
    """部署n, as the source of a reference to a department, means that department's code (E17)."""

    def code(term: Term) -> Term:
        if isinstance(term, SourceField) and term.name.startswith("部署") and term.name[2:].isdecimal():
            return SourceField(f"{term.name}(コード)")
        return term

    return Source(tuple(tuple(code(term) for term in terms) for terms in source.alternatives))


def _unknown_user_item(row: RawRow, problems: list[Problem], warnings: list[Problem]) -> None:
    """Says that a line names no item; nothing of a summary line that asks for nothing."""
    if not is_item_range(row.item.text):
        _unknown(row, "ユーザデータ", [item.name for item in USER_ITEMS], problems, warnings)
        return
    try:
        if not _is_linked(row):
            return
    except Fault as fault:
        problems.append(fault.at(_link_place(row)))
        return
    found = f"「{trim(row.item.text)}」は複数の項目をまとめた行です"
    problems.append(Problem(row.item.where, found, "連携する項目ごとに1行ずつ、番号を付けて記入してください"))


def _unknown(row: RawRow, part: str, known: list[str], problems: list[Problem], warnings: list[Problem]) -> None:
    """A line of an item that there is not; only doubtful where it asks for nothing, as a heading does."""
    text = trim(row.item.text)
    if is_ditto(text):
        problems.append(_DITTO.at(row.item.where))
    elif _asks_for_nothing(row):
        found = f"「{text}」という{part}の項目はないので、この行は読みません"
        warnings.append(Problem(row.item.where, found, "見出しや説明の行であれば、このままで構いません"))
    else:
        remedy = nearest(text, known) or "項目名を確認するか、行を削除してください"
        problems.append(Problem(row.item.where, f"「{text}」という{part}の項目はありません", remedy))


def _twice(cell: RawCell, name: str, first: str) -> Problem:
    return Problem(cell.where, f"{name}が2回記入されています(1回目は{first})", "どちらか1行を削除してください")
