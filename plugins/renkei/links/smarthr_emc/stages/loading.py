"""Load the plan into EMC, once and only as held or let through; hear what became of a file drop (E38)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

from renkei.errors import HoldError, RecordError
from renkei.links.smarthr_emc import disaster, load, ownership, plan
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.load import Plan, Target
from renkei.links.smarthr_emc.model import Mode, Operation, RecordSet
from renkei.links.smarthr_emc.stages.approving import is_held
from renkei.links.smarthr_emc.stages.job import Job
from renkei.links.smarthr_emc.validate import other_tenants_ids
from renkei.systems.emc.client import Import
from renkei.systems.emc.encode import ImportFile, encode
from renkei.systems.emc.file_format import EmcFormat


def apply(
    job: Job,
    target: Target,
    emc_format: EmcFormat,
    secret: Callable[[str], str],
    now: dt.datetime,
    *,
    disaster_now: bool = False,
) -> Literal["compared", "checked", "unchanged", "already", "waiting", "loaded"]:
    """Load the plan into EMC and move the baseline, as far as this run may.

    Raises:
        HoldError: a held plan that nobody approved, or one that removes something although 災害時凍結 began.
    """
    if job.mode is Mode.RECONCILE:
        return "compared"
    head = Plan.from_json(job.record.json("plan"))
    if not job.mode.writes:
        return "checked"
    if not head.writes:
        return "unchanged"
    if is_held(job):
        approval = job.record.json_or_none("approval")
        if approval is None or not approval["approved"] or approval["digest"] != head.digest:
            raise HoldError("この計画は承認されていません。EMCには何も書き込んでいません。")
    if disaster_now:
        _refuse_removals(job, head)
    ownership.register(job.record, job.mapping)
    found = load.apply(
        job.record,
        head,
        job.gate(),
        target,
        lambda: _encoded(job, head, emc_format, secret),
        lambda: _refuse_foreign_ids(job),
        now,
    )
    if found is None:
        return "already"
    return "waiting" if found.state == "applying" else "loaded"


def _refuse_removals(job: Job, head: Plan) -> None:
    departments = job.record.table("departments_plan") if head.departments else None
    users = job.record.table("users_plan") if head.users else None
    if disaster.removes_something(departments, users, standing(job.record).table("users_target")):
        raise HoldError(
            "処理の途中で災害時凍結が設定されました。削除または消去を含むため、EMCには何も書き込んでいません。"
            "手動実行で再度取り込んでください（凍結中は削除と消去を除いて登録します）。"
        )


def _encoded(
    job: Job, head: Plan, emc_format: EmcFormat, secret: Callable[[str], str]
) -> tuple[ImportFile | None, ImportFile | None]:
    departments = users = None
    if head.departments:
        departments = encode(job.record.table("departments_plan"), emc_format.department_columns, emc_format)
    if head.users:
        rows = job.record.table("users_plan")
        rule = job.mapping.rule("password")
        created = rows[rows["operation"] == Operation.CREATE.value]
        if rule is not None and len(created):
            # Sources are looked up by crew: rows of the plan hold EMC's items, not SmartHR's.
            people = job.record.table("users")
            people = (
                people[disaster.received(people)].set_index("crew_id").loc[created["crew_id"]].set_index(created.index)
            )
            rows["password"] = plan.password_column(people, rule, secret).reindex(rows.index)
        users = encode(rows, emc_format.user_columns, emc_format)
    return departments, users


def _refuse_foreign_ids(job: Job) -> None:
    neighbours = ownership.neighbours(job.record, job.mapping)
    for record_set in RecordSet:
        table = job.record.table(f"{record_set.value}_diff")
        problems = other_tenants_ids(table, ownership.owned_ids(job.record, neighbours, record_set), record_set)
        if len(problems):
            job.record.write_table("problems", problems)
            raise RecordError(f"同じEMCの別テナントのIDが{len(problems)}件含まれています。何も書き込みません。")


def confirm(job: Job, target: Target, now: dt.datetime) -> Import | None:
    """What became of a file drop, once somebody knows; None while nobody does (E38)."""
    intent = job.gate().pending()
    if intent is None or intent.run != job.record.run:
        return None
    found = target.outcome(intent.import_key)
    if found is None or found.state == "applying":
        return None
    return load.finish(job.record, intent, job.gate(), target, found, now)
