"""A held plan: whether there is one, and who let it through (E36)."""

from __future__ import annotations

import datetime as dt

from renkei.errors import HoldError
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.load import Plan
from renkei.links.smarthr_emc.stages.job import Job


def is_held(job: Job) -> bool:
    """Whether the validated plan waits for a person; never when nothing would be written anyway."""
    if not job.mode.writes:
        return False
    return bool(job.record.json("hold")["holds"]) and Plan.from_json(job.record.json("plan")).writes


def decide(job: Job, approved: bool, by: str, why: str, now: dt.datetime) -> None:
    """Keep who let the held plan through, or refused it, and why (E36).

    Raises:
        HoldError: refused.
    """
    current = standing(job.record).baseline
    if current is not None and current.run == job.record.run:
        return  # loaded already: who let it through stays on record
    digest = job.record.json("hold")["digest"]
    job.record.write_json(
        "approval", {"digest": digest, "approved": approved, "by": by, "why": why, "at": now.isoformat()}
    )
    if not approved:
        raise HoldError("保留された処理は承認されませんでした。EMCには何も書き込んでいません。")
