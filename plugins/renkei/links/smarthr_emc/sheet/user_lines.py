"""ユーザデータ: its lines as `FieldRule`s, each by itself (E16–E19)."""

from __future__ import annotations

from functools import partial

from renkei.links.smarthr_emc.sheet import advice
from renkei.links.smarthr_emc.sheet.checks.lines import Lines, Rules
from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.expression import UnknownItemFault, parse_source
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.line_words import (
    DITTO,
    UNLINKED,
    asks_for_nothing,
    is_constant,
    is_linked,
    twice,
    unknown_line,
)
from renkei.links.smarthr_emc.sheet.mapping import (
    Cell,
    Cells,
    Constant,
    CustomField,
    FieldRule,
    Source,
    SourceField,
    Term,
)
from renkei.links.smarthr_emc.sheet.names import ItemName, is_item_range, user_item
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, parse_cell
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.sheets.findings import Findings
from renkei.texts import Fault, control_fault, fold, has_control, is_ditto, trim

# in place of a fault that would quote the password (L7)
_UNREADABLE_PASSWORD = "パスワードの連携元を読み取れません"
_PASSWORD_REMEDY = (
    "「{}」と記入してください(パスワードの文字は、運用担当者がその名前でAirflowの接続に登録します)。"
    "人ごとのパスワードをSmartHRに入れている場合は「カスタム項目:項目名」です"
)
_UNKNOWN = Source(((CustomField(""),),))  # stands for a source that could not be read


def read_users(rows: tuple[RawRow, ...], tenant: str, findings: Findings) -> tuple[Rules, Lines]:
    """The rules of the linked lines by item, and all lines of items by item."""
    rules: dict[str, FieldRule] = {}
    named = [(row, user_item(row.item.text)) for row in rows]
    lines: dict[str, RawRow] = {}
    for row, name in named:
        if name is not None:
            lines.setdefault(name.item.key, row)
    for row, name in named:
        if name is None:
            key = _unknown_item(row, lines, findings)
            if not key:
                continue
            name, lines[key] = ItemName(USER_ITEM[key]), row
        key = name.item.key
        first = lines[key]
        if row is not first:
            twice(row.item, name.item.name, first.item.where, findings)
        rule = _rule(row, advice.Line(key, _medium(key, lines), tenant), name.label, findings)
        if rule is not None and row is first:
            rules[key] = rule
    return rules, lines


def _medium(key: str, lines: Lines) -> str:
    """The medium beside an address, as far as it can be told; empty for every other item."""
    beside = lines.get(key.replace("_address", "_medium")) if key.endswith("_address") else None
    return advice.medium(trim(beside.source.text).removeprefix("固定値").strip(":：「」")) if beside else ""


def _rule(row: RawRow, line: advice.Line, label: str, findings: Findings) -> FieldRule | None:
    """The line's rule, None for one that is not linked; what cannot be read is taken for what is usual there."""
    key, item = line.item, USER_ITEM[line.item]
    quoted = key != "password"  # what was meant as a default, or stands in the wrong cell, may be the password (L7)
    if not is_linked(row, findings, quoted=quoted):
        if row.linked is not None and trim(row.source.text) and fold(row.source.text) not in UNLINKED:
            found = f"{item.name}にSmartHR項目がありますが、連携有無が○ではないので連携しません"
            findings.warning(row.source.where, found, "連携する場合は連携有無に○を記入してください")
        return None
    findings.warnings += row.remarks
    if unreadable := control_fault(label, "検索ワードの名前"):
        findings.problems.append(unreadable.at(row.item.where))
    source = _source(row, line, findings)

    def told(fault: Fault) -> Fault:
        return fault if quoted else Fault("パスワードの登録・更新の指定が正しくありません", fault.remedy)

    def policy(text: str, place: Place) -> Cell:
        try:
            return parse_cell(text, item, place)
        except Fault as fault:
            raise told(fault) from None

    one, two, three, four = (
        findings.read(partial(policy, place=place), cell, quoted=quoted, ditto=told(DITTO)) or default_cell(item, place)
        for place, cell in zip(Place, row.policies, strict=True)
    )
    conversions = findings.read(partial(conversions_of, item=item), row.convert, ditto=DITTO) or ()
    return FieldRule(key, source, Cells(one, two), Cells(three, four), label, conversions)


def _source(row: RawRow, line: advice.Line, findings: Findings) -> Source:
    key, text = line.item, trim(row.source.text)
    if key == "operation":
        return Source()
    try:
        if is_ditto(text):
            raise DITTO
        source = parse_source(row.source.text, line)
    except Fault as fault:
        if is_constant(row) and text and not has_control(text) and not any(mark in text for mark in "「」『』&＆:："):
            return Source(((Constant(text),),))
        if key == "password" and text:
            findings.problem(row.source.where, _UNREADABLE_PASSWORD, _PASSWORD_REMEDY.format(advice.usual(line)))
            return _UNKNOWN
        findings.problems.append(fault.at(row.source.where, text))
        return _meant(fault, key)
    return _department_codes(source) if key in DEPARTMENT_REFERENCES else source


def _meant(fault: Fault, key: str) -> Source:
    """The source that the remedy of `fault` leads to, so that what is wrong with that is told at once."""
    if not isinstance(fault, UnknownItemFault) or not fault.instead:
        return _UNKNOWN
    source = parse_source(fault.instead)
    return _department_codes(source) if key in DEPARTMENT_REFERENCES else source


def _department_codes(source: Source) -> Source:
    """部署n, as the source of a reference to a department, means that department's code (E17)."""

    def code(term: Term) -> Term:
        if isinstance(term, SourceField) and term.name.startswith("部署") and term.name[2:].isdecimal():
            return SourceField(f"{term.name}(コード)")
        return term

    return Source(tuple(tuple(code(term) for term in terms) for terms in source.alternatives))


def _unknown_item(row: RawRow, lines: Lines, findings: Findings) -> str:
    """Tells of a line that names no item, but for a summary line that asks for nothing.

    Gives the item that the line is to be renamed to, "" for none: the rest of it is checked as that one's.
    """
    if not is_item_range(row.item.text):
        key, remedy = advice.other_item(row.item.text, lines)
        unknown_line(row, "ユーザデータ", remedy, findings)
        return "" if asks_for_nothing(row) or is_ditto(row.item.text) else key
    if is_linked(row, findings):
        found = f"「{trim(row.item.text)}」は複数の項目をまとめた行です"
        findings.problem(row.item.where, found, "連携する項目ごとに1行ずつ、番号を付けて記入してください")
    return ""
