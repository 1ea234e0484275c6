"""What would become of each EMC item, counted over everybody; and what each person loses or gains, for the samples."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.rehearsal.people import People, same_in_emc, taken
from renkei.links.smarthr_emc.rehearsal.result import ItemFigures, ItemWarning
from renkei.links.smarthr_emc.rehearsal.simulated_run import SimulatedRun
from renkei.links.smarthr_emc.rows import UNWRITTEN
from renkei.links.smarthr_emc.sheet.checks.lines import is_constant
from renkei.links.smarthr_emc.sheet.expression import format_constant, format_source
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, FieldRule, Mapping, Secret
from renkei.links.smarthr_emc.sources import value_of
from renkei.values.columns import positions

NEARLY_ALL = 0.95
PEOPLE_LEAST = 10  # fewer may well be alike
SAMPLED = 500
DEPARTMENT_CELLS = ("name", "name_yomi", "parent_id")


@dataclass(slots=True)
class SampleCriteria:
    """What the samples are chosen by; NumPy arrays aligned with the people."""

    changes: Any  # items that EMC gets another value of, or perhaps another, or loses
    blanks: Any  # items of the sheet that SmartHR has no value of
    rare_blank: dict[str, tuple[int, int]] = field(default_factory=dict)  # item → how many lack it, and the first


def user_figures(
    people: People, mapping: Mapping, sheet: Mapping, problems: pd.DataFrame, run: SimulatedRun
) -> tuple[tuple[ItemFigures, ...], SampleCriteria]:
    """The figures of every line of the sheet, and the marks of every person.

    `mapping` is the sheet as far as the read allows. Goes item by item, so that a million people take the room of a
    few columns.
    """
    size = len(people.table)
    marks = SampleCriteria(np.zeros(size, dtype="int32"), np.zeros(size, dtype="int32"))
    refused = refusals(problems, RecordSet.USERS)
    found: dict[str, ItemFigures] = {}
    for rule in mapping.users:
        if rule.item != "operation":
            cells = None if rule.item in UNWRITTEN else people.cells[rule.item]
            found[rule.item] = _figures(rule, people, cells, marks, refused, run)
    return tuple(found.get(rule.item) or _unknown(rule) for rule in sheet.users if rule.item != "operation"), marks


def _figures(
    rule: FieldRule,
    people: People,
    cells: pd.Series[str] | None,
    marks: SampleCriteria,
    refused: dict[tuple[str, str], int],
    run: SimulatedRun,
) -> ItemFigures:
    value = _value(rule, people.table)
    blank = value == ""
    figures = dataclasses.replace(
        _unknown(rule),
        unknown=False,
        present=int((~blank).sum()),
        blank=int(blank.sum()),
        refused=refused.get((rule.item, ""), 0),
        too_long=refused.get((rule.item, "too_long"), 0),
        commonest=0 if _may_be_alike(rule) else _commonest(value, int((~blank).sum())),
    )
    if rule.item != "password" and rule.source.alternatives:
        marks.blanks += blank.to_numpy(dtype=bool)
        if figures.blank and figures.present:
            marks.rare_blank[rule.item] = (figures.blank, int(blank.to_numpy(dtype=bool).argmax()))
    if cells is None:
        return figures
    defaulted = blank & (
        (people.creates & (rule.on_create.when_blank.action is Action.DEFAULT))
        | (~people.creates & (rule.on_update.when_blank.action is Action.DEFAULT))
    )
    if not people.written:  # 変化なし: what the cells say is not sent
        return dataclasses.replace(figures, left=len(people.table))
    has = people.has(rule.item)
    sent = cells.notna()
    created = people.creates & sent
    updates = ~people.creates & sent
    unsure = updates & has.isna()
    # What a create leaves out EMC has not: nothing changes, nothing is lost.
    same = updates & ~unsure & same_in_emc(cells, has, run.emc_format.encoding)
    cleared = updates & ~unsure & ~same & (cells == "")
    changed = updates & ~unsure & ~same & ~cleared
    marks.changes += (changed | cleared | (unsure & (cells != ""))).to_numpy(dtype=bool)
    return dataclasses.replace(
        figures,
        defaulted=int(defaulted.sum()),
        created=int(created.sum()),
        changed=int(changed.sum()),
        cleared=int(cleared.sum()),
        same=int(same.sum()),
        left=int((~sent).sum()),
        unsure=int(unsure.sum()),
    )


def _may_be_alike(rule: FieldRule) -> bool:
    """True where everybody may have the same: 固定値, nothing at all, a medium, a flag."""
    alternatives = rule.source.alternatives
    fixed = not alternatives or is_constant(alternatives[0])
    return fixed or rule.item == "password_reset" or rule.item.endswith("_medium")


def _commonest(value: pd.Series[str], present: int) -> int:
    """How many have the value that nearly everybody has; 0 if none is that common.

    What 95 of 100 have is the commonest of a few hundred, too: everybody is only compared with that one.
    """
    few = value.iloc[:: max(1, len(value) // SAMPLED)]
    few = few[few != ""]
    if not len(few):
        return 0
    alike = int((value == few.mode().iloc[0]).sum())
    return alike if alike >= NEARLY_ALL * present else 0


def item_doubts(figures: Iterable[ItemFigures], mapping: Mapping) -> tuple[ItemWarning, ...]:
    """Items that are blank, or the same, for nearly everybody, in the sheet's order.

    Few have a second department or a role: these are told only where nobody has one.
    """
    rules = {rule.item: rule for rule in mapping.users}
    found = []
    for one in figures:
        rule, people = rules.get(one.key), one.present + one.blank
        if rule is None or one.unknown or people < PEOPLE_LEAST or _may_be_alike(rule):
            continue
        rare = one.key.startswith(("secondary_department_", "role_"))
        if one.blank >= (1 if rare else NEARLY_ALL) * people:
            found.append(ItemWarning(one.item, one.source, "blank", one.blank, people))
        elif one.present >= PEOPLE_LEAST and one.commonest:
            found.append(ItemWarning(one.item, one.source, "same", one.commonest, one.present))
    return tuple(found)


def _value(rule: FieldRule, table: pd.DataFrame) -> pd.Series[str]:
    """The value of the rule's source; a secret shows as something (L7)."""
    terms = (tuple(Constant("*") if isinstance(term, Secret) else term for term in a) for a in rule.source.alternatives)
    shown = dataclasses.replace(rule.source, alternatives=tuple(terms))
    return value_of(dataclasses.replace(rule, source=shown), table)


def _unknown(rule: FieldRule) -> ItemFigures:
    return ItemFigures(item_name(rule), rule.item, shown_source(rule), unknown=True)


def shown_source(rule: FieldRule) -> str:
    """The SmartHR項目 of a line as the sheet has it; of a password only of what kind it is (L7)."""
    if rule.item != "password":
        return format_source(rule.source)
    terms = (
        tuple(Constant("非表示") if isinstance(term, Constant) else term for term in a)
        for a in rule.source.alternatives
    )
    return format_source(dataclasses.replace(rule.source, alternatives=tuple(terms)))


def refusals(problems: pd.DataFrame, record_set: RecordSet) -> dict[tuple[str, str], int]:
    """How many records have a problem, by item and kind; kind "" = any."""
    rows = problems[problems["record_set"] == record_set.value].drop_duplicates(["line", "crew_id", "item", "kind"])
    found: Counter[tuple[str, str]] = Counter()
    for item, kind in rows[["item", "kind"]].itertuples(index=False, name=None):
        found[item, kind] += 1
    for item in rows.drop_duplicates(["line", "crew_id", "item"])["item"].tolist():
        found[item, ""] += 1
    return dict(found)


def department_figures(run: SimulatedRun, sheet: Mapping, problems: pd.DataFrame) -> tuple[ItemFigures, ...]:
    """The figures of the departments' items against those of the baseline."""
    rows = run.record.table("departments")
    rows = rows[rows["department_id"] != ""].drop_duplicates("department_id").reset_index(drop=True)
    before = run.where.table("departments")
    known = pd.DataFrame(columns=["department_id", *DEPARTMENT_CELLS], dtype="str") if before is None else before
    at = positions(rows["department_id"], known["department_id"])
    relinks = run.job is not None and run.job.mode.relinks
    new = pd.Series((at < 0) | relinks, index=rows.index)
    refused = refusals(problems, RecordSet.DEPARTMENTS)
    written = run.sets[RecordSet.DEPARTMENTS].changed
    sources = {
        "department_id": "部署コード",
        "name": format_source(sheet.departments.name),
        "name_yomi": format_constant(sheet.departments.yomi),
        "parent_id": "親部署コード",
    }
    unknown = {item for one in run.missing for item in one.items if item == "部署名"}
    found = []
    for key, source in sources.items():
        name = DEPARTMENT_ITEM[key].name
        figures = ItemFigures(
            name,
            key,
            source,
            present=int((rows[key] != "").sum()),
            blank=int((rows[key] == "").sum()),
            refused=refused.get((key, ""), 0),
            too_long=refused.get((key, "too_long"), 0),
            unknown=name in unknown,
        )
        if key in DEPARTMENT_CELLS and not written:
            figures = dataclasses.replace(figures, left=len(rows))
        elif key in DEPARTMENT_CELLS:
            has = taken(known[key], at).set_axis(rows.index)
            same = ~new & same_in_emc(rows[key], has, run.emc_format.encoding)
            cleared = ~new & ~same & (rows[key] == "")
            figures = dataclasses.replace(
                figures,
                created=int((new & (rows[key] != "")).sum()),
                left=int((new & (rows[key] == "")).sum()),
                same=int(same.sum()),
                cleared=int(cleared.sum()),
                changed=int((~new & ~same & ~cleared).sum()),
            )
        found.append(figures)
    return tuple(found)
