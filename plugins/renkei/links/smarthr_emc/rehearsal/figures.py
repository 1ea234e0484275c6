"""What would become of each EMC item, counted over everybody; and what each person loses or gains, for the samples."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc import disaster
from renkei.links.smarthr_emc.columns import positions
from renkei.links.smarthr_emc.convert import value_of
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.rehearsal.people import People, same_in_emc, taken
from renkei.links.smarthr_emc.rehearsal.play import Play
from renkei.links.smarthr_emc.rehearsal.result import ItemFigures
from renkei.links.smarthr_emc.rows import UNWRITTEN, user_rows
from renkei.links.smarthr_emc.sheet.expression import format_constant, format_source
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, FieldRule, Mapping, Secret

if TYPE_CHECKING:
    import pandas as pd

DEPARTMENT_CELLS = ("name", "name_yomi", "parent_id")


@dataclass(slots=True)
class Marks:
    """What the samples are chosen by; NumPy arrays aligned with the people."""

    changes: Any  # items that EMC gets another value of, or perhaps another, or loses
    blanks: Any  # items of the sheet that SmartHR has no value of
    rare_blank: dict[str, tuple[int, int]] = field(default_factory=dict)  # item → how many lack it, and the first


def user_figures(
    people: People, mapping: Mapping, sheet: Mapping, problems: pd.DataFrame, play: Play
) -> tuple[tuple[ItemFigures, ...], Marks]:
    """The figures of every line of the sheet, and the marks of every person.

    `mapping` is the sheet as far as the read allows. Goes item by item, so that a million people take the room of a
    few columns.
    """
    import numpy as np

    size = len(people.table)
    marks = Marks(np.zeros(size, dtype="int32"), np.zeros(size, dtype="int32"))
    refused = refusals(problems, RecordSet.USERS)
    found: dict[str, ItemFigures] = {}
    for group in _groups(mapping):
        cells = _cells(group, people, mapping, play)
        for rule in group:
            found[rule.item] = _figures(rule, people, cells.get(rule.item), marks, refused, play)
    return tuple(found.get(rule.item) or _unknown(rule) for rule in sheet.users if rule.item != "operation"), marks


def _groups(mapping: Mapping) -> list[list[FieldRule]]:
    """The rules, those of one 緊急連絡 together: 媒体n depends on アドレスn (E20)."""
    groups: dict[str, list[FieldRule]] = {}
    for rule in mapping.users:
        if rule.item != "operation":
            key = rule.item.removesuffix("_medium").removesuffix("_address")
            groups.setdefault(key, []).append(rule)
    return list(groups.values())


def _cells(group: list[FieldRule], people: People, mapping: Mapping, play: Play) -> dict[str, pd.Series[str]]:
    """What would be sent of these items; nothing of user id and password, which have no cells."""
    if all(rule.item in UNWRITTEN for rule in group):
        return {}
    part = dataclasses.replace(mapping, users=tuple(group))
    cells = user_rows(people.table, people.write_as, part).cells
    if play.job is not None and play.job.start.disaster:
        import pandas as pd

        had = pd.DataFrame({rule.item: people.has(rule.item) for rule in group})
        cells, _ = disaster.keep_values(cells, had, ~people.creates)
    return {rule.item: cells[rule.item] for rule in group if rule.item in cells}


def _figures(
    rule: FieldRule,
    people: People,
    cells: pd.Series[str] | None,
    marks: Marks,
    refused: dict[tuple[str, str], int],
    play: Play,
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
    same = updates & ~unsure & same_in_emc(cells, has, play.emc_format.encoding)
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


def department_figures(play: Play, sheet: Mapping, problems: pd.DataFrame) -> tuple[ItemFigures, ...]:
    """The figures of the departments' items against those of the baseline."""
    import pandas as pd

    rows = play.record.table("departments")
    rows = rows[rows["department_id"] != ""].drop_duplicates("department_id").reset_index(drop=True)
    before = play.where.table("departments")
    known = pd.DataFrame(columns=["department_id", *DEPARTMENT_CELLS], dtype="str") if before is None else before
    at = positions(rows["department_id"], known["department_id"])
    relinks = play.job is not None and play.job.mode.relinks
    new = pd.Series((at < 0) | relinks, index=rows.index)
    refused = refusals(problems, RecordSet.DEPARTMENTS)
    written = bool(play.sets[RecordSet.DEPARTMENTS.value]["changed"])
    sources = {
        "department_id": "部署コード",
        "name": format_source(sheet.departments.name),
        "name_yomi": format_constant(sheet.departments.yomi),
        "parent_id": "親部署コード",
    }
    unknown = {item for one in play.missing for item in one.items if item == "部署名"}
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
            same = ~new & same_in_emc(rows[key], has, play.emc_format.encoding)
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
