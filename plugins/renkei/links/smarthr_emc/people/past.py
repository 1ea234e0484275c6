"""What the records of earlier loads say of people: when they came to EMC and went, and who had an id or a name once.

Only loads are looked at, the newest first: who was never loaded was never in EMC. How many are read is bounded, by
runs and by the people in them, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Operation, Reason
from renkei.links.smarthr_emc.people.index import WHY, Kind, key, plain
from renkei.links.smarthr_emc.records import PlanWarnings
from renkei.links.smarthr_emc.rehearsal.run_rows import KEYS
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.values.columns import flat, is_in

MAX_RUNS = 400  # as many as housekeeping keeps of a daily link
MAX_NAMED = 20  # people of one name


@dataclass(frozen=True, slots=True)
class Event:
    """What one load did about a person."""

    at: str  # ISO 8601: when EMC confirmed it
    generation: int
    crew_id: str
    kind: Kind
    why: str
    user_id: str
    was: str = ""  # the user id before, where it changed


@dataclass(frozen=True, slots=True)
class SearchRange:
    """How far back the records were read."""

    runs: int = 0
    oldest: str = ""  # ISO 8601: the confirmation of the last one read
    all: bool = True  # back to the first link

    def __str__(self) -> str:
        return f"過去の登録{self.runs}回分の記録を見ました" + ("" if self.all else "（それより前は見ていません）")


@dataclass(frozen=True, slots=True)
class FormerPerson:
    """Somebody as an earlier load had them."""

    crew_id: str
    user_id: str
    name: str
    at: str  # ISO 8601: the newest load that still had them


def events_of(folder: TenantFolder, crews: Collection[str], people: int) -> tuple[list[Event], SearchRange]:
    """What loads did about these crews, the newest first; no more than about `people` people are read for it."""
    found: list[Event] = []
    return found, _back(folder, people, lambda baseline, run: found.extend(_events(baseline, run, crews)))


def former_people(folder: TenantFolder, who: str, people: int) -> tuple[list[FormerPerson], SearchRange]:
    """Whom an earlier load had by this id, 社員番号, crew id or address, exactly; else those in whose name it occurs."""
    found: list[FormerPerson] = []

    def look(baseline: Baseline, run: RunRecord) -> bool:
        found.extend(_had(baseline, run, who))
        return bool(found)

    return found, _back(folder, people, look)


def _back(folder: TenantFolder, people: int, look: Callable[[Baseline, RunRecord], bool | None]) -> SearchRange:
    """Give each load to `look`, the newest first, until that says it has seen enough."""
    baselines, looked = Baselines(folder), SearchRange()
    for generation in reversed(baselines.generations()):
        baseline = baselines.read(generation)
        if looked.runs and (people < baseline.users or looked.runs == MAX_RUNS):
            return replace(looked, all=False)
        people -= baseline.users
        try:
            enough = look(baseline, RunRecord(folder, baseline.run))
        except MissingKeyError:  # housekeeping took it away, and what is older
            return replace(looked, all=False)
        looked = SearchRange(looked.runs + 1, baseline.confirmed_at, all=not enough)
        if enough:
            break
    return looked


def _events(baseline: Baseline, run: RunRecord, crews: Collection[str]) -> list[Event]:
    rows = run.rows("users_diff", {"crew_id": crews})
    found = []
    for user_id, crew_id, operation, reason, was in rows[["id", "crew_id", "operation", "reason", "was"]].itertuples(
        index=False, name=None
    ):
        if operation == Operation.DELETE.value and reason != Reason.ID_CHANGE.value:
            kind = Kind.DELETE
        elif operation == Operation.DELETE.value:
            continue  # told with the new id
        elif was and was != user_id:
            kind = Kind.ID_CHANGE
        elif not was:
            kind = Kind.CREATE
        else:
            continue
        before = was if kind is Kind.ID_CHANGE else ""
        found.append(Event(baseline.confirmed_at, baseline.generation, crew_id, kind, WHY[reason], user_id, before))
    warnings = run.read_or_none(PlanWarnings)
    for user_id, earlier, _ in warnings.handovers if warnings else ():
        if earlier in crews and not is_in(rows["crew_id"], [earlier]).any():
            why = WHY["passed_on"]
            found.append(Event(baseline.confirmed_at, baseline.generation, earlier, Kind.DELETE, why, user_id))
    return found


def _had(baseline: Baseline, run: RunRecord, who: str) -> list[FormerPerson]:
    users = run.rows("users", {name: (who,) for name in KEYS})
    users = users[users["valid"] & (users["user_id"] != "")]
    columns = ["crew_id", "user_id", "full_name"]
    if len(users):
        target = run.rows("users_target", {"user_id": users["user_id"]}, columns)
    else:
        target = run.table("users_target", columns)
        hits = pc.match_substring(key(flat(target["full_name"])), plain(who))
        target = target[hits.to_numpy(zero_copy_only=False)]
    return [
        FormerPerson(crew_id, user_id, "" if pd.isna(name) else name, baseline.confirmed_at)
        for crew_id, user_id, name in target.head(MAX_NAMED).itertuples(index=False, name=None)
    ]
