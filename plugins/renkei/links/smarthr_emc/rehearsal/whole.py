"""Rehearse a sheet: play the run, then say what it would have done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from renkei.links.smarthr_emc import hygiene
from renkei.links.smarthr_emc.guards import Hold
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.rehearsal.figures import department_figures, user_figures
from renkei.links.smarthr_emc.rehearsal.people import people_of
from renkei.links.smarthr_emc.rehearsal.play import Play, Progress, played, sheet_in_force
from renkei.links.smarthr_emc.rehearsal.result import (
    IdChange,
    Person,
    ProblemGroup,
    Rehearsal,
    Verdict,
    WarningGroup,
)
from renkei.links.smarthr_emc.rehearsal.samples import samples
from renkei.links.smarthr_emc.rehearsal.sheet_change import differences, effect
from renkei.links.smarthr_emc.report import KIND_NAMES, WARNINGS
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.validate import REMEDIES
from renkei.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from renkei.links.smarthr_emc.load import Target
    from renkei.systems.emc.file_format import EmcFormat
    from renkei.systems.smarthr.client import SmartHRClient

PEOPLE_SHOWN = 20  # of each group


def rehearse(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    *,
    source: SmartHRClient | None = None,
    target: Target | None = None,
    mode: Mode = Mode.NORMAL,
    disaster: bool = False,
    shown: int | None = PEOPLE_SHOWN,
    progress: Progress | None = None,
) -> Rehearsal:
    """What a manual run of `mode` would do now with this sheet. Writes neither to the store nor to EMC.

    Without `source` the newest read of the store takes the place of SmartHR; what it lacks is in `missing`, and the
    items that need it are not rehearsed. Without `target` EMC is taken to have what it confirmed last. `shown` people
    are named in each group, None = all. `progress` hears what is being done: title, done, total (0 = not known).

    Raises:
        LinkStateError: without `source`, when the store has no read, or one that lacks the user id.
        StoreError: the store cannot be read.
        ValueError: the mode is none that is rehearsed (照合, 復元).
    """
    with played(
        store,
        link,
        mapping,
        emc_format,
        now,
        source=source,
        target=target,
        mode=mode,
        disaster=disaster,
        progress=progress,
    ) as play:
        if progress:
            progress("結果をまとめています", 0, 0)
        return _told(play, mode, target is not None, shown)


def _told(play: Play, mode: Mode, emc_asked: bool, shown: int | None) -> Rehearsal:
    in_force = sheet_in_force(play.where)
    heading: dict[str, Any] = {
        "tenant": play.sheet.tenant,
        "mode": mode.value,
        "first_link": play.where.record is None,
        "emc_asked": emc_asked,
        "read": play.read,
        "stop": play.stop,
        "missing": play.missing,
        "sheet": differences(in_force, play.sheet) if in_force else (),
    }
    if not play.compared or play.job is None:
        return Rehearsal(verdict=Verdict.STOPPED, **heading)
    mapping, record = play.job.mapping, play.record
    warnings = record.json_or_none("warnings")
    if warnings is None:  # stopped between diff and validate
        return Rehearsal(verdict=Verdict.STOPPED, counts=_counts(play), changed=_changed(play), **heading)
    problems = record.table("problems")
    hold = record.json_or_none("hold")
    holds = tuple(Hold(**one) for one in hold["holds"]) if hold else ()
    people = people_of(play, mapping)
    changes = tuple(IdChange(*row) for row in warnings["id_changes"])
    warned = [(kind, user_id, crew_id) for kind, user_id, crew_id in warnings["people"]]
    figures, marks = user_figures(people, mapping, play.sheet, problems, play)
    return Rehearsal(
        verdict=_verdict(play, mode, holds),
        counts=_counts(play),
        changed=_changed(play),
        id_changed=len(changes),
        id_changes=changes[:shown],
        holds=holds,
        holds_known=hold is not None,
        problem_count=len(problems),
        problems=_groups(problems, shown, _in_words),
        doubts=_groups(record.table("hygiene"), shown, _doubt) if warnings.get("hygiene") else (),
        warnings=_warning_groups(warned, shown),
        clashing_tenants=tuple(warnings["prefixes"]),
        departments=department_figures(play, play.sheet, problems),
        users=figures,
        samples=samples(
            people, marks, mapping, problems, warned + [("id_change", one.new, one.crew_id) for one in changes], play
        ),
        effect=effect(in_force, mapping, people, play) if in_force else None,
        **heading,
    )


def _verdict(play: Play, mode: Mode, holds: tuple[Hold, ...]) -> Verdict:
    if play.stop is not None:
        return Verdict.STOPPED
    if play.failed:
        return Verdict.ERRORS
    if not any(_changed(play).values()):
        return Verdict.UNCHANGED
    if holds:
        return Verdict.HELD
    return Verdict.WRITES if mode.writes else Verdict.CHECKED


def _counts(play: Play) -> dict[str, dict[str, int]]:
    return {name: dict(found["counts"]) for name, found in play.sets.items()}


def _changed(play: Play) -> dict[str, bool]:
    return {name: bool(found["changed"]) for name, found in play.sets.items()}


def _in_words(kind: str, item: str) -> tuple[str, str]:
    return KIND_NAMES.get(kind, kind), REMEDIES.get(kind, "").format(item=item)


def _doubt(kind: str, item: str) -> tuple[str, str]:
    return hygiene.KINDS[kind].title, hygiene.KINDS[kind].remedy


def _groups(
    table: pd.DataFrame, shown: int | None, words: Callable[[str, str], tuple[str, str]]
) -> tuple[ProblemGroup, ...]:
    """Rows of problems (or of hygiene) by item and kind: departments first, items in the sheet's order."""
    found = []
    if "record_set" not in table:
        table = table.assign(record_set=RecordSet.USERS.value)
    order = {item: place for place, item in enumerate((*DEPARTMENT_ITEM, *USER_ITEM))}
    groups = table.groupby(["record_set", "item", "kind"], sort=False)
    for key, rows in groups:
        record_set, item, kind = (str(part) for part in cast("tuple[str, str, str]", key))
        items = DEPARTMENT_ITEM if record_set == RecordSet.DEPARTMENTS.value else USER_ITEM
        name = items[item].name
        first = rows if shown is None else rows.head(shown)
        people = first[["line", "id", "crew_id", "detail"]].itertuples(index=False, name=None)
        title, remedy = words(kind, name)
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
