"""Validate: make the plan, check every row of it, ask the guards (E30, E34, E35)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from renkei.errors import BaselineError, RecordError, RenkeiError
from renkei.links.smarthr_emc import guards, hygiene, ownership, plan, restore
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.load import Plan, Target
from renkei.links.smarthr_emc.model import Counts, Mode, Operation, RecordSet
from renkei.links.smarthr_emc.report import PEOPLE_SHOWN
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.stages.job import Job, settle_own
from renkei.links.smarthr_emc.validate import other_tenants_ids
from renkei.systems.emc.file_format import EmcFormat

if TYPE_CHECKING:
    import pandas as pd


def validate(job: Job, target: Target, emc_format: EmcFormat, now: dt.datetime) -> list[guards.Hold]:
    """Make the plan, check every row, ask the guards. The plan and its holds are in the record.

    Raises:
        RecordError: something is wrong; every problem is in the record (`problems`).
    """
    import pandas as pd

    if job.mode is Mode.RECONCILE:
        return []
    if settle_own(job, target, now):
        return [guards.Hold(**hold) for hold in job.record.json("hold")["holds"]]
    where, diff = standing(job.record), job.record.json("diff")
    if where.generation != diff["generation"]:
        raise BaselineError("差分の作成後に前回データが更新されました。手動実行で再度取り込んでください。")
    tables = {s: job.record.table(f"{s.value}_diff") for s in RecordSet}
    departments, users = job.record.table("departments"), job.record.table("users")
    lost = frozenset(job.record.table("lost_ids")["crew_id"])
    department_diff, user_diff = tables[RecordSet.DEPARTMENTS], tables[RecordSet.USERS]
    deleted = department_diff.loc[department_diff["operation"] == Operation.DELETE.value, "id"]
    department_plan = plan.plan_departments(
        departments, department_diff, emc_format, where.table("departments"), job.mapping.loader
    )
    user_plan = plan.plan_users(
        users,
        user_diff,
        _as_emc_has(where.table("users_target"), deleted, target),
        _adopted(user_diff, target),
        departments["department_id"],
        deleted,
        lost,
        job.mapping,
        emc_format,
        frozen=job.start.disaster,
        restored=_restored_target(job),
    )
    neighbours = ownership.neighbours(job.record, job.mapping)
    problems = pd.concat(
        [
            department_plan.problems,
            user_plan.problems,
            *(other_tenants_ids(tables[s], ownership.owned_ids(job.record, neighbours, s), s) for s in RecordSet),
        ],
        ignore_index=True,
    )
    job.record.write_table("problems", problems)
    changed = {s: bool(diff["sets"][s.value]["changed"]) for s in RecordSet}
    job.record.write_json(
        "warnings",
        {
            "people": user_plan.warnings,
            "prefixes": ownership.clashing_prefixes(neighbours, job.mapping),
            "id_changes": plan.id_changes(user_diff),
            "hygiene": _hygiene(job, user_plan, emc_format) if changed[RecordSet.USERS] and not len(problems) else {},
        },
    )
    if len(problems) and any(changed.values()):  # what EMC has confirmed and nobody changed is not judged again
        raise RecordError(f"部署・社員データに{len(problems)}件の誤りがあります。何も書き込みません。")
    _check_counts(diff)
    if changed[RecordSet.DEPARTMENTS]:
        job.record.write_table("departments_plan", department_plan.rows)
    if changed[RecordSet.USERS]:
        job.record.write_table("users_plan", user_plan.rows)
    unwritten = None if changed[RecordSet.USERS] else where.table("users_target")
    job.record.write_table("users_target", user_plan.target if unwritten is None else unwritten)
    head = Plan(
        digest=plan.plan_digest(
            department_plan.rows if changed[RecordSet.DEPARTMENTS] else None,
            user_plan.rows if changed[RecordSet.USERS] else None,
            where.generation,
            job.mode,
            job.summary(RecordSet.USERS).digest,
        ),
        generation=where.generation,
        departments=changed[RecordSet.DEPARTMENTS],
        users=changed[RecordSet.USERS],
        users_after=job.summary(RecordSet.USERS).valid,
        departments_after=job.summary(RecordSet.DEPARTMENTS).valid,
    )
    holds = _holds(job, diff, user_plan.holds if changed[RecordSet.USERS] else [])
    job.record.write_json("hold", {"digest": head.digest, "holds": [hold.as_json() for hold in holds]})
    job.record.write_json("plan", head.as_json())
    return holds


def _hygiene(job: Job, users: plan.UserPlan, emc_format: EmcFormat) -> dict[str, Any]:
    """Keep every doubtful value that is about to be written; what the mail tells of them."""
    written = users.rows[users.rows["operation"] != Operation.DELETE.value]
    # 災害時凍結 keeps people after those that are written.
    doubts = hygiene.doubtful(written, users.target.head(len(written)), job.mapping, emc_format)
    job.record.write_table("hygiene", doubts)
    return hygiene.summary(doubts, PEOPLE_SHOWN)


def _holds(job: Job, diff: dict[str, Any], blanks: list[guards.Hold]) -> list[guards.Hold]:
    counts = {s: Counts(**diff["sets"][s.value]["counts"]) for s in RecordSet}
    users, departments = counts[RecordSet.USERS], counts[RecordSet.DEPARTMENTS]
    if job.mode is Mode.RESTORE:
        wanted = restore.applied(job.record, job.start.generation).baseline
        return guards.hold_restore(wanted.generation, wanted.confirmed_at, users.deleted)
    if job.mode.relinks and users.previous_valid:
        return guards.hold_relink(users.deleted, departments.deleted)
    deletions = guards.hold_deletions(
        users.deleted, users.previous_valid, departments.deleted, departments.previous_valid, job.mapping.guards
    )
    return deletions + blanks


def _restored_target(job: Job) -> pd.DataFrame | None:
    if job.mode is not Mode.RESTORE:
        return None
    return restore.applied(job.record, job.start.generation).record.table("users_target")


def _check_counts(diff: dict[str, Any]) -> None:
    for name, result in diff["sets"].items():
        broken = Counts(**result["counts"]).broken_law()
        if broken:
            raise RenkeiError(f"件数の検算が合いません（{name}: {broken}）。Renkeiの不具合です。何も書き込みません。")


def _as_emc_has(before: pd.DataFrame | None, gone: pd.Series[str], target: Target) -> pd.DataFrame | None:
    """`before` with EMC's own word on who is in which department, when some go (E13).

    A sheet that leaves 所属 to EMC's screen (更新しない) lets people be moved there before their department goes.
    """
    import pandas as pd

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
    import pandas as pd

    ids = diff.loc[(diff["write_as"] == Operation.UPDATE.value) & (diff["operation"] == Operation.CREATE.value), "id"]
    items = [item for item in USER_ITEMS if item.key not in ("operation", "password")]
    found = (target.find("users", ids.tolist(), [item.name for item in items]) or []) if len(ids) else []
    return pd.DataFrame({item.key: [row.get(item.name) or "" for row in found] for item in items}, dtype="str")
