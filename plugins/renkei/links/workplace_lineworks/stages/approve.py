"""Cancellations that are held: whether a person is asked about them, and what they said (C9, E36)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update

from renkei.errors import HoldError
from renkei.links.workplace_lineworks.model import Job, Mode
from renkei.links.workplace_lineworks.stages.plan import held_digest
from renkei.links.workplace_lineworks.tables import ABSENCE, HELD, WAITING
from renkei.runs.hold import Approval, HeldPlan

REFUSED = "取消は承認されませんでした。LINE WORKSのカレンダーの予定は、そのまま残しています。"
CHANGED = "承認の前に取消の内容が変わりました。カレンダーからは何も削除していません。もう一度実行して確認してください。"


def is_asked(job: Job) -> bool:
    """Only a run that a person starts for it asks: every other one writes the rest, and is in nobody's way."""
    return job.mode is Mode.RELEASE and bool(job.record.read(HeldPlan).holds)


def decide(job: Job, approved: bool, by: str, why: str, now: dt.datetime) -> None:
    """Let exactly the cancellations through that were asked about, once; who and why is kept in the run's record.

    Raises:
        HoldError: refused, or others are held by now.
    """
    asked = job.record.read(HeldPlan).digest
    job.record.write(Approval(asked, approved, by, why, now))
    if not approved:
        raise HoldError(REFUSED)
    mine = (ABSENCE.c.tenant == job.tenant, ABSENCE.c.state == HELD)
    with job.database.writing() as connection:
        if held_digest(connection, job) != asked:
            raise HoldError(CHANGED)
        connection.execute(update(ABSENCE).where(*mine).values(state=WAITING, released=ABSENCE.c.revision))
