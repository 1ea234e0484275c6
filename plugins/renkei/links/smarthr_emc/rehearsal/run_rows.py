"""What a run, simulated or recorded, says of a few people: their rows of its tables, and how far it came."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from renkei.links.smarthr_emc.compared import compared_with
from renkei.links.smarthr_emc.diff import DIFF_COLUMNS
from renkei.links.smarthr_emc.disaster import received
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import DiffSummary, Plan, PlanWarnings, RunSheet, RunStart
from renkei.links.smarthr_emc.rehearsal.result import StopReason
from renkei.links.smarthr_emc.rehearsal.simulated_run import SimulatedRun
from renkei.links.smarthr_emc.rehearsal.targets import OfflineTarget
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.runs.current_baseline import CurrentBaseline
from renkei.runs.hold import HeldPlan, Hold
from renkei.storage.runs import RunRecord
from renkei.values.columns import is_in

KEYS = ("user_id", "crew_id", "社員番号", "メールアドレス")  # of a users table: what names a person, exactly


@dataclass(frozen=True, slots=True)
class Tables:
    """As in model.py, of the people concerned alone; None = there is no such table."""

    users: pd.DataFrame  # received
    before: pd.DataFrame | None  # users of the baseline
    diff: pd.DataFrame
    problems: pd.DataFrame | None
    problem_count: int  # of everybody
    confirmed: pd.DataFrame | None  # users_target of the baseline

    @property
    def crews(self) -> list[str]:
        return [*self.users["crew_id"], *([] if self.before is None else self.before["crew_id"])]


@dataclass(frozen=True, slots=True)
class RunRows:
    """What is told of these people."""

    tables: Tables
    sheet: Mapping
    mapping: Mapping  # the sheet as far as the read has what it maps
    plan: pd.DataFrame | None  # what is written of them, or would be
    doubtful: pd.DataFrame | None
    target: Target
    changed: bool  # 変化あり
    disaster: bool
    holds: tuple[Hold, ...] = ()
    failed: bool = False  # a record breaks a rule
    stop: StopReason | None = None
    loaded: bool = False  # EMC has taken it
    but: str = ""  # what else kept it from that: a sentence


def simulated_rows(run: SimulatedRun, who: Collection[str]) -> RunRows:
    """Of a run that came as far as a diff: whom one of `who` names, and whoever has, or had, an id of theirs."""
    assert run.job is not None  # else there is no diff
    tables = _tables(run.record, run.where, who)
    planned, held = run.planned, run.record.read_or_none(HeldPlan)
    doubtful = planned.value_warnings if planned else None
    return RunRows(
        tables,
        run.sheet,
        run.job.mapping,
        plan=None if planned is None else _of(planned.users.rows, tables.crews),
        doubtful=None if doubtful is None else _of(doubtful, tables.crews),
        target=run.target,
        changed=run.sets[RecordSet.USERS].changed,
        disaster=run.job.start.disaster,
        holds=tuple(held.holds) if held else (),
        failed=run.failed,
        stop=run.stop,
    )


def recorded_rows(run: RunRecord, who: Collection[str]) -> RunRows:
    """The same of a run that froze a read, as it stands in the store; EMC is not asked.

    Raises:
        MissingKeyError: housekeeping took the run away.
        BaselineError: the tables that it was compared with are gone.
    """
    mapping, diff, held = run.read(RunSheet).mapping, run.read_or_none(DiffSummary), run.read_or_none(HeldPlan)
    tables, plan = _tables(run, compared_with(run), who), run.read_or_none(Plan)
    # A literal password is in no record, so nobody can tell from one which cell is applied.
    told = replace(mapping, users=tuple(rule for rule in mapping.users if rule.item != "password"))
    return RunRows(
        tables,
        mapping,
        told,
        plan=run.rows("users_plan", {"crew_id": tables.crews}) if plan and plan.users else None,
        doubtful=run.rows("hygiene", {"crew_id": tables.crews}) if plan else None,
        target=OfflineTarget(),
        changed=diff.sets[RecordSet.USERS].changed if diff else False,
        disaster=run.read(RunStart).disaster,
        holds=tuple(held.holds) if held else (),
        failed=bool(tables.problem_count),
    )


def _tables(run: RunRecord, where: CurrentBaseline, who: Collection[str]) -> Tables:
    named = dict.fromkeys(KEYS, who)
    hits = [run.rows("users", named), where.rows("users", named)]
    crews = [crew for table in hits if table is not None for crew in table["crew_id"]]
    ids = [user_id for table in hits if table is not None for user_id in table["user_id"]]
    users, before = run.rows("users", {"crew_id": crews}), where.rows("users", {"crew_id": crews, "user_id": ids})
    ids += users["user_id"].tolist()
    compared, checked = run.has(DiffSummary), run.has(PlanWarnings)
    return Tables(
        users=users[received(users)],
        before=before,
        diff=run.rows("users_diff", {"crew_id": crews, "id": ids}) if compared else _no_diff(),
        problems=run.rows("problems", {"crew_id": crews}) if checked else None,
        problem_count=len(run.table("problems", ["line"])) if checked else 0,
        confirmed=where.rows("users_target", {"user_id": ids}),
    )


def _no_diff() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in DIFF_COLUMNS}, dtype="str")


def _of(table: pd.DataFrame, crews: Collection[str]) -> pd.DataFrame:
    return table[is_in(table["crew_id"], crews)]
