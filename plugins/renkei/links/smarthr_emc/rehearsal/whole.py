"""Rehearse a sheet: play the run, then say what it would have done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Unpack, cast

import pandas as pd

from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.rehearsal.figures import department_figures, item_doubts, user_figures
from renkei.links.smarthr_emc.rehearsal.people import people_of
from renkei.links.smarthr_emc.rehearsal.result import (
    IdChange,
    Person,
    ProblemGroup,
    Rehearsal,
    Verdict,
    WarningGroup,
)
from renkei.links.smarthr_emc.rehearsal.samples import samples
from renkei.links.smarthr_emc.rehearsal.sheet_change import effect
from renkei.links.smarthr_emc.rehearsal.simulated_run import Options, SimulatedRun, sheet_in_force, simulated_run
from renkei.links.smarthr_emc.sheet.difference import differences
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import PROBLEMS, REMEDIES, VALUE_WARNINGS, WARNINGS
from renkei.runs.hold import Hold
from renkei.storage.store import Store
from renkei.systems.emc.file_format import EmcFormat

PEOPLE_SHOWN = 20  # of each group


def rehearse(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    *,
    shown: int | None = PEOPLE_SHOWN,
    **options: Unpack[Options],
) -> Rehearsal:
    """What a manual run of `mode` would do now with this sheet. Writes neither to the store nor to EMC.

    `shown` people are named in each group, None = all.

    Raises:
        LinkStateError: without `source`, when the store has no read, or one that lacks the user id.
        StoreError: the store cannot be read.
        ValueError: the mode is none that is rehearsed (照合, 復元).
    """
    with simulated_run(store, link, mapping, emc_format, now, **options) as run:
        if progress := options.get("progress"):
            progress("結果をまとめています", 0, 0)
        return _told(run, options.get("mode", Mode.NORMAL), options.get("target") is not None, shown)


def _told(run: SimulatedRun, mode: Mode, emc_asked: bool, shown: int | None) -> Rehearsal:
    in_force = sheet_in_force(run.where)
    heading: dict[str, Any] = {
        "tenant": run.sheet.tenant,
        "mode": mode.value,
        "first_link": run.where.record is None,
        "emc_asked": emc_asked,
        "read": run.read,
        "stop": run.stop,
        "missing": run.missing,
        "sheet": differences(in_force, run.sheet) if in_force else (),
    }
    if not run.compared or run.job is None:
        return Rehearsal(verdict=Verdict.STOPPED, **heading)
    mapping = run.job.mapping
    planned = run.planned
    if planned is None:  # stopped between diff and validate
        return Rehearsal(verdict=Verdict.STOPPED, counts=_counts(run), changed=_changed(run), **heading)
    problems, warnings, holds = planned.problems, planned.warnings, planned.holds
    people = people_of(run, planned, mapping)
    changes = tuple(IdChange(*row) for row in warnings.id_changes)
    warned = warnings.people
    figures, marks = user_figures(people, mapping, run.sheet, problems, run)
    return Rehearsal(
        verdict=_verdict(run, mode, holds),
        counts=_counts(run),
        changed=_changed(run),
        id_changed=len(changes),
        id_changes=changes[:shown],
        holds=holds,
        holds_known=planned.head is not None,
        problem_count=len(problems),
        problems=_groups(problems, shown, _in_words),
        doubts=() if planned.value_warnings is None else _groups(planned.value_warnings, shown, _warning),
        warnings=_warning_groups(warned, shown),
        clashing_tenants=tuple(warnings.prefixes),
        departments=department_figures(run, run.sheet, problems),
        users=figures,
        item_doubts=item_doubts(figures, mapping),
        samples=samples(
            people, marks, mapping, problems, warned + [("id_change", one.new, one.crew_id) for one in changes], run
        ),
        effect=effect(in_force, mapping, people, run) if in_force else None,
        **heading,
    )


def _verdict(run: SimulatedRun, mode: Mode, holds: tuple[Hold, ...]) -> Verdict:
    if run.stop is not None:
        return Verdict.STOPPED
    if run.failed:
        return Verdict.ERRORS
    if not any(_changed(run).values()):
        return Verdict.UNCHANGED
    if holds:
        return Verdict.HELD
    return Verdict.WRITES if mode.writes else Verdict.CHECKED


def _counts(run: SimulatedRun) -> dict[str, dict[str, int]]:
    return {name.value: asdict(found.counts) for name, found in run.sets.items()}


def _changed(run: SimulatedRun) -> dict[str, bool]:
    return {name.value: found.changed for name, found in run.sets.items()}


def _in_words(kind: str, item: str, source: str) -> tuple[str, str]:
    return PROBLEMS.get(kind, kind), remedy_of(kind, item, source) if kind in REMEDIES else ""


def _warning(kind: str, item: str, source: str) -> tuple[str, str]:
    return VALUE_WARNINGS[kind].title, VALUE_WARNINGS[kind].remedy


def _groups(
    table: pd.DataFrame, shown: int | None, words: Callable[[str, str, str], tuple[str, str]]
) -> tuple[ProblemGroup, ...]:
    """Rows of problems (or of hygiene) by item and kind: departments first, items in the sheet's order."""
    found = []
    if "record_set" not in table:
        table = table.assign(record_set=RecordSet.USERS.value)
    if "source" not in table:
        table = table.assign(source="")
    order = {item: place for place, item in enumerate((*DEPARTMENT_ITEM, *USER_ITEM))}
    groups = table.groupby(["record_set", "item", "kind", "source"], sort=False)
    for key, rows in groups:
        record_set, item, kind, source = (str(part) for part in cast("tuple[str, str, str, str]", key))
        items = DEPARTMENT_ITEM if record_set == RecordSet.DEPARTMENTS.value else USER_ITEM
        name = items[item].name
        first = rows if shown is None else rows.head(shown)
        people = first[["line", "id", "crew_id", "detail"]].itertuples(index=False, name=None)
        title, remedy = words(kind, name, source)
        named = tuple(Person(int(line), id_, crew, detail) for line, id_, crew, detail in people)
        found.append(
            ((record_set, order[item], kind), ProblemGroup(record_set, name, kind, title, remedy, len(rows), named))
        )
    return tuple(group for _, group in sorted(found, key=lambda pair: pair[0]))


def _warning_groups(warned: list[tuple[str, str, str]], shown: int | None) -> tuple[WarningGroup, ...]:
    by_kind: dict[str, list[Person]] = {}
    for kind, user_id, crew_id in warned:
        by_kind.setdefault(kind, []).append(Person(0, user_id, crew_id))
    order = {kind: place for place, kind in enumerate(WARNINGS)}
    kinds = sorted(by_kind, key=lambda kind: order.get(kind, len(order)))
    return tuple(
        WarningGroup(kind, WARNINGS.get(kind, kind), len(by_kind[kind]), tuple(by_kind[kind][:shown])) for kind in kinds
    )
