"""Whom a held plan would remove, silence or change, by name and a page at a time: for those who have to judge it (E36).

Who they are is `affected`'s, as in the mail; their names are looked up for the people of one page alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from renkei.links.smarthr_emc import affected
from renkei.links.smarthr_emc.affected import Group, Person
from renkei.links.smarthr_emc.compared import compared_with
from renkei.links.smarthr_emc.fetch import source_columns
from renkei.links.smarthr_emc.model import Counts, RecordSet
from renkei.links.smarthr_emc.people.index import PAGE
from renkei.links.smarthr_emc.records import DiffSummary, PlanWarnings, RunSheet
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.runs.hold import HeldPlan, Hold
from renkei.storage.runs import RunRecord

DEPARTMENTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """One of the people, as a person knows him."""

    user_id: str
    name: str
    was: str  # the name at the baseline of whoever had the user id, where it is another one
    department: str
    reason: str
    silenced: bool  # has no contact any more
    page: str  # in SmartHR; empty where there is none


@dataclass(frozen=True, slots=True)
class HeldPlanDetails:
    """The plan and what holds it; `people` are a page of the chosen group."""

    digest: str
    holds: Sequence[Hold]
    counts: dict[RecordSet, Counts]
    groups: Sequence[Group]
    departments: Sequence[Group]
    chosen: int = 0
    people: Sequence[HeldPerson] = ()


def held_plan(record: RunRecord, chosen: int = 0, number: int = 1) -> HeldPlanDetails:
    """The plan of a run that a guard stopped, with that page of a group; the nearest page that there is.

    Raises:
        MissingKeyError: the run has no such plan, or none any more.
        BaselineError: what it was compared with is gone.
    """
    plan = record.read(HeldPlan)
    groups = affected.held(record, max(1, number) * PAGE)
    people: tuple[Person, ...] = ()
    if groups:
        chosen = min(chosen, len(groups) - 1)
        start = PAGE * (min(max(1, number), -(-groups[chosen].count // PAGE)) - 1)
        people = groups[chosen].people[start : start + PAGE]
    return HeldPlanDetails(
        plan.digest,
        plan.holds,
        {one: found.counts for one, found in record.read(DiffSummary).sets.items()},
        groups,
        affected.departments_gone(record, DEPARTMENTS_SHOWN),
        chosen,
        _named(record, people),
    )


def _named(record: RunRecord, people: Sequence[Person]) -> list[HeldPerson]:
    sheet = record.read(RunSheet).mapping
    crew_ids, user_ids = [one.crew_id for one in people], [one.user_id for one in people]
    now = _names(record.rows("users", {"crew_id": crew_ids}, _columns(sheet)), sheet, "crew_id")
    where = compared_with(record)
    then, old = {}, where.read(RunSheet, "連携設定シート")
    if old and (before := where.rows("users", {"user_id": user_ids}, _columns(old.mapping))) is not None:
        then = _names(before[before["valid"]], old.mapping, "user_id")
    silenced = {user_id for kind, user_id, _ in record.read(PlanWarnings).people if kind == "lost_contact"}
    found = []
    for one in people:
        was, name = then.get(one.user_id, ""), now.get(one.crew_id, "")
        found.append(
            HeldPerson(
                one.user_id,
                name or was,  # SmartHR's 退職済 people are blank
                was if name and was != name else "",
                one.department,
                one.reason,
                one.user_id in silenced,
                crew_page(sheet.smarthr_url, one.crew_id),
            )
        )
    return found


def _columns(sheet: Mapping) -> list[str]:
    """What `_names` reads of a users table."""
    rules = tuple(rule for rule in sheet.users if rule.item == "full_name")
    return ["crew_id", "user_id", "valid", *source_columns(replace(sheet, users=rules))]


def _names(users: pd.DataFrame, sheet: Mapping, key: str) -> dict[str, str]:
    """氏名 of rows of a users table, as the sheet makes it."""
    rule = sheet.rule("full_name")
    if rule is None or not source_columns(replace(sheet, users=(rule,))).keys() <= {*users}:
        return {}
    return dict(zip(users[key], value_of(rule, users), strict=True))
