"""The rehearsed sheet beside the one in force: what it alone changes in EMC."""

from __future__ import annotations

import dataclasses

import pandas as pd

from renkei.links.smarthr_emc import snapshot
from renkei.links.smarthr_emc.disaster import received
from renkei.links.smarthr_emc.fetch import source_columns
from renkei.links.smarthr_emc.rehearsal.figures import DEPARTMENT_CELLS
from renkei.links.smarthr_emc.rehearsal.people import People, taken
from renkei.links.smarthr_emc.rehearsal.result import SheetEffect
from renkei.links.smarthr_emc.rehearsal.simulated_run import SimulatedRun
from renkei.links.smarthr_emc.rehearsal.stored import columns_of, without
from renkei.links.smarthr_emc.rows import UNWRITTEN, user_rows
from renkei.links.smarthr_emc.sheet.codec import section_digest
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import FieldRule, Mapping
from renkei.values.columns import is_in, positions, trim


def effect(old: Mapping, new: Mapping, people: People, run: SimulatedRun) -> SheetEffect | None:
    """What the two sheets make of one and the same read; None where they decide alike (E14).

    `new` is the rehearsed sheet as far as the read allows.
    """
    if all(section_digest(old, part) == section_digest(run.sheet, part) for part in ("departments", "users")):
        return None
    assert run.users is not None  # read, or there would be no people
    users = run.users()
    lacking = {column for rule in old.users for column in columns_of(rule)} - set(users.columns)
    known = without(old, lacking)
    unsure = [item_name(rule) for rule in run.sheet.users if new.rule(rule.item) is None]
    unsure += [item_name(rule) for rule in old.users if known.rule(rule.item) is None]
    items, touched = _items(known, new, people, users, set(unsure), run.job is not None and run.job.start.disaster)
    listed, unlisted, renamed = _ids(known, new, users, run)
    touched |= is_in(people.table["crew_id"], users.loc[listed | renamed, "crew_id"])
    departments, department_items = _departments(old, run)
    return SheetEffect(
        people=int(touched.sum()) + int(unlisted.sum()),
        items={_name(item, new, old): count for item, count in items.items()},
        listed=int(listed.sum()),
        unlisted=int(unlisted.sum()),
        renamed=int(renamed.sum()),
        departments=departments,
        department_items=department_items,
        unsure=tuple(dict.fromkeys(unsure)),
    )


def _items(
    old: Mapping, new: Mapping, people: People, users: pd.DataFrame, unsure: set[str], frozen: bool
) -> tuple[dict[str, int], pd.Series[bool]]:
    """How many people have another value in EMC by the one sheet than by the other, by item; and which people."""
    people = dataclasses.replace(people, table=_with_all(people.table, users))
    touched = people.creates & False
    items: dict[str, int] = {}
    for group in _unlike(old, new, unsure):
        before, after = (_sent(mapping, group, people, frozen) for mapping in (old, new))
        for item in group:
            has = people.has(item)
            was = before[item].fillna(has) if item in before else has
            now = after[item].fillna(has) if item in after else has
            differs = (was != now) & ~(was.isna() & now.isna())
            if differs.any():
                items[item] = int(differs.sum())
                touched |= differs
    return items, touched


def _ids(
    old: Mapping, new: Mapping, users: pd.DataFrame, run: SimulatedRun
) -> tuple[pd.Series[bool], pd.Series[bool], pd.Series[bool]]:
    """Who has a user id by the new sheet alone, by the old one alone, and another one; aligned with `users`."""
    nobody = users["crew_id"] == ""
    rule = old.rule("user_id")
    if rule is None or (rule, old.id_prefix) == (new.rule("user_id"), new.id_prefix):
        return nobody, nobody, nobody
    assert run.departments is not None
    was = snapshot.freeze(run.departments.iloc[:0], users, _only_id(old)).users["user_id"]
    frozen = run.record.table("users")
    frozen = frozen[received(frozen)]
    now = taken(frozen["user_id"], positions(users["crew_id"], frozen["crew_id"])).set_axis(users.index).fillna("")
    return (was == "") & (now != ""), (was != "") & (now == ""), (was != "") & (now != "") & (was != now)


def _with_all(table: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    """The people with the columns too that only the sheet in force reads, trimmed as in a snapshot."""
    at = positions(table["crew_id"], users["crew_id"])
    more = [name for name in users.columns if name not in table]
    return table.assign(**{name: taken(trim(users[name]), at).set_axis(table.index) for name in more})


def _unlike(old: Mapping, new: Mapping, unsure: set[str]) -> list[list[str]]:
    """The items of which the two sheets may make something else, those of one 緊急連絡 together (E20)."""
    moved = old.id_prefix != new.id_prefix
    groups: dict[str, list[str]] = {}
    for item in USER_ITEM:
        if item not in UNWRITTEN and (old.rule(item) or new.rule(item)):
            groups.setdefault(item.removesuffix("_medium").removesuffix("_address"), []).append(item)

    def unlike(item: str) -> bool:
        return _deciding(old.rule(item)) != _deciding(new.rule(item)) or (moved and item in DEPARTMENT_REFERENCES)

    def judged(item: str) -> bool:
        return not {item_name(rule) for rule in (old.rule(item), new.rule(item)) if rule} & unsure

    return [group for group in groups.values() if any(map(unlike, group)) and all(map(judged, group))]


def _deciding(rule: FieldRule | None) -> FieldRule | None:
    return rule and dataclasses.replace(rule, label="")


def _sent(mapping: Mapping, items: list[str], people: People, frozen: bool) -> pd.DataFrame:
    rules = tuple(rule for rule in mapping.users if rule.item in items)
    cells = user_rows(people.table, people.write_as, dataclasses.replace(mapping, users=rules)).cells
    cells = cells[[rule.item for rule in rules]]
    return cells.mask((cells == "").mul(~people.creates, axis=0)) if frozen else cells


def _name(item: str, *sheets: Mapping) -> str:
    return next((item_name(rule) for sheet in sheets if (rule := sheet.rule(item))), USER_ITEM[item].name)


def _departments(old: Mapping, run: SimulatedRun) -> tuple[int, dict[str, int]]:
    """Departments that one of the sheets makes otherwise, and how many by item; unlike ids count once each."""
    if section_digest(old, "departments") == section_digest(run.sheet, "departments"):
        return 0, {}
    assert run.departments is not None
    was = snapshot.freeze(run.departments, _nobody(old), _only_id(old)).departments
    now = run.record.table("departments")
    now = now[(now["line"] > 0) | (now["source_id"] == "")]  # without those that 災害時凍結 keeps
    at = positions(now["department_id"], was["department_id"])
    gone = int((~is_in(was["department_id"], now["department_id"])).sum())
    touched = at < 0
    found = {DEPARTMENT_ITEM["department_id"].name: int(touched.sum()) + gone} if touched.any() or gone else {}
    for key in DEPARTMENT_CELLS:
        unlike = (taken(was[key], at).to_numpy() != now[key].to_numpy()) & (at >= 0)
        if unlike.any():
            found[DEPARTMENT_ITEM[key].name] = int(unlike.sum())
            touched = touched | unlike
    return int(touched.sum()) + gone, found


def _only_id(mapping: Mapping) -> Mapping:
    """The mapping with the line of the user id alone: the least that a snapshot needs."""
    return dataclasses.replace(mapping, users=tuple(rule for rule in mapping.users if rule.item == "user_id"))


def _nobody(mapping: Mapping) -> pd.DataFrame:
    """A users table without people, for a snapshot of departments."""
    columns = ["crew_id", "emp_status", *source_columns(_only_id(mapping))]
    return pd.DataFrame({"line": pd.Series(dtype="int64"), **{name: pd.Series(dtype="str") for name in columns}})
