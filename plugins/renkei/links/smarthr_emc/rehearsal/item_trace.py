"""How each item of one person comes about: value → alternative → conversions → policy cell → what is sent → EMC.

A password is never shown (L7).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pandas as pd

from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.rehearsal.figures import shown_source
from renkei.links.smarthr_emc.rehearsal.people import items_of
from renkei.links.smarthr_emc.rehearsal.run_rows import RunRows
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Constant,
    CustomField,
    FieldRule,
    Mapping,
    Secret,
    Source,
    SourceField,
    Term,
)
from renkei.links.smarthr_emc.sheet.policy import Place, format_cell
from renkei.links.smarthr_emc.sources import evaluate, value_of
from renkei.links.smarthr_emc.wording import VALUE_WARNINGS
from renkei.values.columns import is_in
from renkei.values.conversion import format_conversions
from renkei.values.convert import converted

HIDDEN = "(非表示)"
WRITING = (Action.SET, Action.DEFAULT)
FROZEN = "災害時凍結中のため、EMCの値を消しません。"


@dataclass(frozen=True, slots=True)
class TermValue:
    """One SmartHR item, quoted text or secret of a source, and what it holds for this person."""

    term: str
    value: str


@dataclass(frozen=True, slots=True)
class Converted:
    """One word of the 変換 column, and the value after it."""

    word: str
    value: str


@dataclass(frozen=True, slots=True)
class ItemTrace:
    """How one item comes about. `sent`: None = EMC keeps what it has, "" = cleared; `emc`: None = not known."""

    item: str
    key: str
    source: str
    terms: tuple[TermValue, ...]
    used: str  # the alternative that gave the value, "" = none
    value: str  # of the source, before conversions
    conversions: tuple[Converted, ...]
    cell: str  # which policy cell: 新規登録処理: 値がある場合 …
    word: str  # what stands in it
    sent: str | None
    emc: str | None
    note: str = ""
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def _value_warnings(run: RunRows, crew_id: str) -> dict[str, list[str]]:
    """What is doubtful in the values of one crew, by item."""
    found: dict[str, list[str]] = {}
    table = run.doubtful
    if table is None:
        return found
    rows = table.loc[table["crew_id"] == crew_id, ["item", "kind", "detail"]]
    for item, kind, detail in rows.itertuples(index=False, name=None):
        warning = VALUE_WARNINGS[kind]
        found.setdefault(item, []).append(warning.title + (f"({detail})" if detail else "") + f" → {warning.remedy}")
    return found


def item_traces(run: RunRows, user: pd.DataFrame, write_as: str, wrong: dict[str, list[str]]) -> list[ItemTrace]:
    """Every line of the sheet for one person; `user` is one row of users, `wrong` the problems in words by item."""
    creates = write_as == Operation.CREATE.value
    sent = {} if run.plan is None else _sent(run.plan, user.iloc[0]["crew_id"])
    if not run.changed:
        sent = dict.fromkeys(sent)
    frozen = run.disaster and not creates and run.changed
    emc = _in_emc(run, user.iloc[0]["user_id"])
    doubts = _value_warnings(run, user.iloc[0]["crew_id"])
    return [
        dataclasses.replace(
            _item(rule, user, creates, run.mapping, sent, emc, frozen),
            problems=tuple(wrong.get(rule.item, ())),
            doubts=tuple(doubts.get(rule.item, ())),
        )
        for rule in run.mapping.users
        if rule.item != "operation"
    ]


def _sent(rows: pd.DataFrame, crew_id: str) -> dict[str, str | None]:
    """What the plan's `rows` write of one crew; empty for a second one with the id of another."""
    mine = rows[is_in(rows["crew_id"], [crew_id]) & (rows["operation"] != Operation.DELETE.value)]
    return {str(item): _text(mine[item].iloc[0]) for item in mine.columns} if len(mine) else {}


def _in_emc(run: RunRows, user_id: str) -> dict[str, str | None]:
    """What EMC has of one id: its own word where it is asked, else what it confirmed last."""
    names = {USER_ITEM[item].name: item for item in ("user_id", *items_of(run.mapping))}
    found = run.target.find("users", [user_id], list(names))
    if found is not None:
        return (
            {key: found[0].get(name) or "" for name, key in names.items()} if found else dict.fromkeys(names.values())
        )
    confirmed = run.tables.confirmed
    rows = None if confirmed is None else confirmed[confirmed["user_id"] == user_id]
    if rows is None or not len(rows):
        return dict.fromkeys(names.values())
    return {key: _text(rows.iloc[0][key]) if key in rows else None for key in names.values()}


def _item(
    rule: FieldRule,
    user: pd.DataFrame,
    creates: bool,
    mapping: Mapping,
    sent: dict[str, str | None],
    emc: dict[str, str | None],
    frozen: bool,
) -> ItemTrace:
    password = rule.item == "password"
    present = _password_present(rule, user) if password else bool(value_of(rule, user).iloc[0])
    cells, places = (
        (rule.on_create, (Place.CREATE_PRESENT, Place.CREATE_BLANK))
        if creates
        else (rule.on_update, (Place.UPDATE_PRESENT, Place.UPDATE_BLANK))
    )
    place = places[0] if present else places[1]
    cell = cells.when_present if present else cells.when_blank
    word = f"デフォルト:{HIDDEN}" if password and cell.action is Action.DEFAULT else format_cell(cell, place)
    value = "" if password else evaluate(rule.source, user).iloc[0]
    shown = sent.get(rule.item)
    if rule.item == "user_id":
        shown = user.iloc[0]["user_id"]
    return ItemTrace(
        item=item_name(rule),
        key=rule.item,
        source=shown_source(rule),
        terms=tuple(_term(term, user, password) for term in rule.source.terms),
        used="" if password else _used(rule.source, user),
        value=HIDDEN if password and present else value,
        conversions=() if password else _conversions(rule, user),
        cell=place.value,
        word=word,
        sent=None if password else shown,
        emc=None if password else emc.get(rule.item),
        note=_note(rule, creates, mapping, shown)
        or (FROZEN if frozen and shown is None and cell.action in WRITING else ""),
    )


def _password_present(rule: FieldRule, user: pd.DataFrame) -> bool:
    """Whether the password's source has a value; a secret is looked up by the load alone (L7)."""
    has_secret = any(isinstance(term, Secret) for term in rule.source.terms)
    return has_secret or bool(evaluate(rule.source, user).iloc[0])


def _term(term: Term, user: pd.DataFrame, password: bool) -> TermValue:
    match term:
        case SourceField() | CustomField():
            value = user.iloc[0][column_name(term)]
            return TermValue(column_name(term), HIDDEN if password and value else value)
        case Secret(name):
            return TermValue(f"秘密:{name}", HIDDEN)
        case Constant(text):
            return TermValue("固定値", HIDDEN if password else text)


def _used(source: Source, user: pd.DataFrame) -> str:
    """The first alternative that has a value, as the sheet writes it."""
    for alternative in source.alternatives:
        only = dataclasses.replace(source, alternatives=(alternative,))
        if evaluate(only, user).iloc[0]:
            return format_source(only)
    return ""


def _conversions(rule: FieldRule, user: pd.DataFrame) -> tuple[Converted, ...]:
    values, found = evaluate(rule.source, user), []
    for conversion in rule.conversions:
        values = converted(values, (conversion,))
        found.append(Converted(format_conversions((conversion,)), values.iloc[0]))
    return tuple(found)


def _note(rule: FieldRule, creates: bool, mapping: Mapping, sent: str | None) -> str:
    """What else than source and cell decided."""
    if rule.item == "password":
        return "新規登録時にだけ、登録の直前に作成します。値は表示しません。" if creates else "更新では書き込みません。"
    if rule.item in ("user_id", *DEPARTMENT_REFERENCES) and mapping.id_prefix and sent:
        return f"ID付与コード「{mapping.id_prefix}」を付けます。"
    for slot in range(1, CONTACTS + 1):
        if rule.item == f"contact_{slot}_medium" and not sent:
            return "媒体はアドレスに合わせます(アドレスを書き込まないときは書き込まず、消すときは消します)。"
    return ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
