"""Validate: make the plan, check every row of it, ask the guards (E30, E34, E35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from renkei.errors import BaselineError, RecordError, RenkeiError
from renkei.links.smarthr_emc import guards, ownership, plan, restore, snapshot, value_warnings
from renkei.links.smarthr_emc.administrators import administrators
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, Operation, RecordSet
from renkei.links.smarthr_emc.reach import reach
from renkei.links.smarthr_emc.records import DiffSummary, Plan, PlanWarnings, Reach, SnapshotSummary
from renkei.links.smarthr_emc.report import PEOPLE_SHOWN
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.stages.job import Job, log_in_of, settle_own
from renkei.links.smarthr_emc.validate import other_tenants_ids
from renkei.links.smarthr_emc.wording import ADMINISTRATORS
from renkei.runs.current_baseline import CurrentBaseline, current_baseline
from renkei.runs.hold import HeldPlan, Hold
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import is_in


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run would write, and all that is wrong, doubtful or to be asked of it. It is kept nowhere yet."""

    departments: plan.DepartmentPlan
    users: plan.UserPlan
    problems: pd.DataFrame  # every error of the whole run, whether or not anything would be written (E29)
    diff: DiffSummary  # as `diff` left it, with what is written although nobody touched it
    warnings: PlanWarnings
    target: pd.DataFrame  # what EMC has of everybody afterwards
    # With problems, nothing of what follows is asked:
    value_warnings: pd.DataFrame | None = None  # values that are doubtful
    head: Plan | None = None
    holds: tuple[Hold, ...] = ()
    reach: Reach | None = None


def validate(job: Job, target: Target, emc_format: EmcFormat, now: dt.datetime) -> list[Hold]:
    """Make the plan, check every row, ask the guards. The plan and its holds are in the record.

    Raises:
        RecordError: something is wrong; every problem is in the record (`problems`).
    """
    if job.mode is Mode.RECONCILE:
        return []
    if settle_own(job, target, now):
        return job.record.read(HeldPlan).holds
    # Until this check is through there is no plan: an earlier one of this run is not loaded past what it finds (E30).
    job.record.delete(Plan)
    return list(keep_plan(job, make_plan(job, target, emc_format)).holds)


def make_plan(job: Job, target: Target, emc_format: EmcFormat) -> Planned:
    """The plan of a run that came as far as diff. Reads the record and asks EMC; writes nothing.

    Raises:
        BaselineError: the baseline is another one than the diff was made against.
    """
    read = _read(job)
    departments = plan.plan_departments(
        read.departments, read.diffs[RecordSet.DEPARTMENTS], emc_format, read.old_departments, job.mapping.loader
    )
    users = _plan_users(job, read, target, emc_format)
    neighbours = ownership.neighbours(job.record, job.mapping)
    of_others = [
        other_tenants_ids(diff, ownership.owned_ids(job.record, neighbours, s), s) for s, diff in read.diffs.items()
    ]
    changed = _changed(read.summary, read.where, users, emc_format)
    admins = _admins(users, read.taken[RecordSet.USERS], target, read.before) if changed[RecordSet.USERS] else []
    planned = Planned(
        departments,
        users,
        problems=pd.concat([departments.problems, users.problems, *of_others], ignore_index=True),
        diff=replace(read.summary, sets={s: replace(one, changed=changed[s]) for s, one in read.summary.sets.items()}),
        warnings=PlanWarnings(
            people=[*users.warnings, *admins],
            prefixes=ownership.clashing_prefixes(neighbours, job.mapping),
            id_changes=plan.id_changes(read.diffs[RecordSet.USERS]),
            handovers=users.handovers,
            blank=read.blank,
            substituted=value_warnings.substituted(read.departments, emc_format),
        ),
        target=users.target if changed[RecordSet.USERS] or read.before is None else read.before,
    )
    if len(planned.problems):
        return planned
    doubtful = value_warnings.doubtful(users.rows, users.target, job.mapping, emc_format)
    return replace(
        planned,
        warnings=replace(planned.warnings, hygiene=value_warnings.summary(doubtful, PEOPLE_SHOWN)),
        value_warnings=doubtful,
        head=_head(job, planned, changed, read.where.generation, emc_format),
        holds=tuple(_all_holds(job, read, planned, changed, admins)),
        reach=reach(read.valid, planned.target, len(read.lost), emc_format.media),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What the plan is made of: today as `fetch` and `diff` left it, and the baseline."""

    where: CurrentBaseline
    summary: DiffSummary
    diffs: dict[RecordSet, pd.DataFrame]
    departments: pd.DataFrame
    users: plan.People
    valid: pd.Series[bool]  # of everybody received or kept
    blank: list[str]  # items that nobody has, from the start
    lost: frozenset[str]  # crews without a user id
    old_departments: pd.DataFrame | None
    before: pd.DataFrame | None  # what EMC has of everybody

    @property
    def taken(self) -> dict[RecordSet, pd.DataFrame]:
        return {s: _taken(diff) for s, diff in self.diffs.items()}


def _read(job: Job) -> _Read:
    """Raises BaselineError: the baseline is another one than the diff was made against."""
    where, summary = current_baseline(job.record.tenant_folder), job.record.read(DiffSummary)
    if where.generation != summary.generation:
        raise BaselineError("差分の作成後に前回データが更新されました。手動実行で再度取り込んでください。")
    users = job.record.table("users")  # not held on to: its rows by kind are as large
    return _Read(
        where,
        summary,
        {s: job.record.table(f"{s.value}_diff") for s in RecordSet},
        job.record.table("departments"),
        plan.People.of(users),
        users["valid"],
        _blank_from_the_start(job, users, where),
        frozenset(job.record.table("lost_ids")["crew_id"]),
        where.table("departments"),
        where.table("users_target"),
    )


def _plan_users(job: Job, read: _Read, target: Target, emc_format: EmcFormat) -> plan.UserPlan:
    departments, users = read.diffs[RecordSet.DEPARTMENTS], read.diffs[RecordSet.USERS]
    deleted = departments.loc[departments["operation"] == Operation.DELETE.value, "id"]
    return plan.plan_users(
        read.users,
        users,
        _as_emc_has(read.before, deleted, target),
        _adopted(users, target),
        read.departments["department_id"],
        deleted,
        read.lost,
        job.mapping,
        emc_format,
        frozen=job.start.disaster,
        restored=_restored_target(job),
    )


def _head(job: Job, planned: Planned, changed: dict[RecordSet, bool], generation: int, emc_format: EmcFormat) -> Plan:
    """What the load goes by, and what an approval is of: one plan, named by its digest."""
    departments, users = changed[RecordSet.DEPARTMENTS], changed[RecordSet.USERS]
    return Plan(
        digest=plan.plan_digest(
            planned.departments.rows if departments else None,
            planned.users.rows if users else None,
            generation,
            job.mode,
            job.summary(RecordSet.USERS).digest,
        ),
        generation=generation,
        departments=departments,
        users=users,
        users_after=job.summary(RecordSet.USERS).valid,
        departments_after=job.summary(RecordSet.DEPARTMENTS).valid,
        emc_format=emc_format.digest,
    )


def _all_holds(
    job: Job,
    read: _Read,
    planned: Planned,
    changed: dict[RecordSet, bool],
    admins: Sequence[tuple[str, str, str]],
) -> list[Hold]:
    """What a person is asked before anything is written."""
    trees = (read.old_departments, read.departments)
    holds = _holds(job, planned.diff, trees, planned.users if changed[RecordSet.USERS] else None)
    if job.mode.reads and not job.mode.relinks:
        now = job.record.read(SnapshotSummary).log_in
        holds += guards.hold_unseen(
            log_in_of(read.where), now, read.diffs[RecordSet.USERS], read.diffs[RecordSet.DEPARTMENTS]
        )
    holds += guards.hold_administrators(*(sum(kind == one for kind, _, _ in admins) for one in ADMINISTRATORS))
    if read.where.record is None:
        taken = read.taken
        holds += guards.hold_adoption(len(taken[RecordSet.USERS]), taken[RecordSet.DEPARTMENTS]["id"].tolist())
    return holds


def keep_plan(job: Job, planned: Planned) -> Planned:
    """Put the plan into the run's record; what the load goes by (`plan`) comes last.

    Raises:
        RecordError: something is wrong. What is, is in the record; a plan is not.
    """
    record = job.record
    record.write_table("problems", planned.problems)
    record.write(planned.diff)
    if planned.value_warnings is not None:
        record.write_table("hygiene", planned.value_warnings)
    record.write(planned.warnings)
    head = planned.head
    if head is None:
        raise RecordError(f"部署・社員データに{len(planned.problems)}件の誤りがあります。何も書き込みません。")
    _check_counts(planned.diff)
    if head.departments:
        record.write_table("departments_plan", planned.departments.rows)
    if head.users:
        record.write_table("users_plan", planned.users.rows)
    record.write_table("users_target", planned.target)
    record.write(HeldPlan(head.digest, list(planned.holds)))
    if planned.reach is not None:
        record.write(planned.reach)
    record.write(head)
    return planned


def needs(job: Job) -> tuple[bool, bool]:
    """Whether the plan writes anything, and whether it has people who get a first password."""
    if job.mode is Mode.RECONCILE:
        return False, False
    head = job.record.read(Plan)
    if not head.writes:
        return False, False
    return True, head.users and bool(
        (job.record.table("users_plan", ["operation"])["operation"] == Operation.CREATE.value).any()
    )


def _changed(
    diff: DiffSummary, where: CurrentBaseline, users: plan.UserPlan, emc_format: EmcFormat
) -> dict[RecordSet, bool]:
    """Per record set whether it is written (E14): it was read otherwise than at the baseline, or is written otherwise.

    The latter by another 変換 of ours, by an item that 新規 left out and 更新 writes, or in another file format. A
    baseline that does not say its format was made before formats were kept: everything is written once.
    """
    loaded = where.record.read_or_none(Plan) if where.record else None
    reformatted = loaded is None or loaded.emc_format != emc_format.digest
    written = {RecordSet.DEPARTMENTS: reformatted, RecordSet.USERS: reformatted or users.alters}
    return {s: diff.sets[s].changed or written[s] for s in RecordSet}


def _blank_from_the_start(job: Job, users: pd.DataFrame, where: CurrentBaseline) -> list[str]:
    """Items that nobody has and that no earlier run read; the others are for `refuse_lost_permission`."""
    blank = snapshot.blank_for_all(users, job.mapping)
    before = where.table("users", blank) if blank else None
    return [column for column in blank if before is None or column not in before.columns]


def _taken(diff: pd.DataFrame) -> pd.DataFrame:
    """The rows of a diff that are new to us and not to EMC: their records become this tenant's (E31)."""
    return diff[(diff["write_as"] == Operation.UPDATE.value) & (diff["operation"] == Operation.CREATE.value)]


def _admins(
    users: plan.UserPlan, taken: pd.DataFrame, target: Target, before: pd.DataFrame | None
) -> list[tuple[str, str, str]]:
    """Kind, user id and crew id of each person with 保有権限 in EMC whom the plan deletes or takes over."""
    gone = users.rows.loc[users.rows["operation"] == Operation.DELETE.value, ["user_id", "crew_id"]]
    people = (gone, taken[["id", "crew_id"]].rename(columns={"id": "user_id"}))
    ids = list(dict.fromkeys(user_id for rows in people for user_id in rows["user_id"]))
    if not ids:
        return []
    known = administrators(ids, target, before)
    return [
        (kind, *row)
        for kind, rows in zip(ADMINISTRATORS, people, strict=True)
        for row in rows[is_in(rows["user_id"], known)].itertuples(index=False, name=None)
    ]


def _holds(
    job: Job,
    diff: DiffSummary,
    trees: tuple[pd.DataFrame | None, pd.DataFrame],
    written: plan.UserPlan | None,
) -> list[Hold]:
    """`trees` are the departments tables before and now, `written` the plan of the users if it is to be loaded."""
    users, departments = diff.sets[RecordSet.USERS].counts, diff.sets[RecordSet.DEPARTMENTS].counts
    if job.mode is Mode.RESTORE:
        wanted = restore.applied(job.record, job.start.generation).baseline
        return guards.hold_restore(wanted.generation, wanted.confirmed_at, users.deleted)
    if job.mode.relinks and users.previous_valid:
        return guards.hold_relink(users.deleted, departments.deleted, users.created)
    deletions = guards.hold_deletions(
        users.deleted, users.previous_valid, departments.deleted, departments.previous_valid, job.mapping.guards
    )
    if trees[0] is not None:
        deletions += guards.hold_tree(trees[0], trees[1], job.mapping.guards)
    if written is None:
        return deletions
    handovers = guards.hold_handovers(len(written.handovers), users.deleted, users.previous_valid, job.mapping.guards)
    return deletions + handovers + written.holds


def _restored_target(job: Job) -> pd.DataFrame | None:
    if job.mode is not Mode.RESTORE:
        return None
    return restore.applied(job.record, job.start.generation).record.table("users_target")


def _check_counts(diff: DiffSummary) -> None:
    for name, one in diff.sets.items():
        broken = one.counts.broken_law()
        if broken:
            raise RenkeiError(f"件数の検算が合いません（{name}: {broken}）。Renkeiの不具合です。何も書き込みません。")


def _as_emc_has(before: pd.DataFrame | None, gone: pd.Series[str], target: Target) -> pd.DataFrame | None:
    """`before` with EMC's own word on who is in which department, when some go (E13).

    A sheet that leaves 所属 to EMC's screen (更新しない) lets people be moved there before their department goes.
    """
    if before is None or not len(gone):
        return before
    items = [item for item in DEPARTMENT_REFERENCES if item in before]
    names = {item: USER_ITEM[item].name for item in ("user_id", *items)}
    found = target.find("users", before["user_id"].tolist(), list(names.values())) if items else None
    if not found:
        return before
    columns = {item: [row.get(name) or "" for row in found] for item, name in names.items()}
    now = pd.DataFrame(columns, dtype="str").set_index("user_id")
    now = now.reindex(before["user_id"]).set_axis(before.index)
    return before.assign(**{item: now[item].where(now[item].notna(), before[item]) for item in items})


def _adopted(diff: pd.DataFrame, target: Target) -> pd.DataFrame:
    """What EMC has of the people that are new to us but not to EMC: user_id and items."""
    ids = _taken(diff)["id"]
    items = [item for item in USER_ITEMS if item.key not in ("operation", "password")]
    found = (target.find("users", ids.tolist(), [item.name for item in items]) or []) if len(ids) else []
    return pd.DataFrame({item.key: [row.get(item.name) or "" for row in found] for item in items}, dtype="str")
