"""A held plan: whether there is one, and who let it through (E36)."""

from __future__ import annotations

import datetime as dt

from renkei.errors import HoldError
from renkei.links.smarthr_emc.records import Plan
from renkei.links.smarthr_emc.stages.job import Job
from renkei.runs.current_baseline import current_baseline
from renkei.runs.hold import Approval, HeldPlan


def is_held(job: Job) -> bool:
    """Whether the validated plan waits for a person; never when nothing would be written anyway, or all is."""
    if not job.mode.writes or _is_loaded(job):
        return False
    return bool(job.record.read(HeldPlan).holds) and job.record.read(Plan).writes


def decide(job: Job, approved: bool, by: str, why: str, now: dt.datetime) -> None:
    """Keep who let the held plan through, or refused it, and why (E36).

    Raises:
        HoldError: refused.
    """
    if _is_loaded(job):
        return  # who let it through stays on record
    job.record.write(Approval(job.record.read(HeldPlan).digest, approved, by, why, now))
    if not approved:
        raise HoldError("保留された処理は承認されませんでした。EMCには何も書き込んでいません。")


def _is_loaded(job: Job) -> bool:
    current = current_baseline(job.record.tenant_folder).baseline
    return current is not None and current.run == job.record.run
