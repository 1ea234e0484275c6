"""What a person is asked of cancellations that are held: exactly those, once (C9, E36)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from renkei.clock import time_in_japan, utcnow
from renkei.errors import HoldError
from renkei.links.workplace_lineworks import history
from renkei.links.workplace_lineworks.model import Job
from renkei.links.workplace_lineworks.stages import approve
from renkei.orchestration.approval_tasks import Answer, Question
from renkei.orchestration.markdown import quoted
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.workplace_lineworks.dag import ANSWER_WITHIN, APPROVE, REFUSE
from renkei.orchestration.workplace_lineworks.tasks import job_of
from renkei.runs.hold import HeldPlan
from renkei.runs.outcome import Outcome

MAX_SHOWN = 100


def ask_about_cancellations(tenant: Tenant, context: Any) -> Question | str:
    job = job_of(tenant, context)
    if not approve.is_asked(job):
        return "nothing to ask"
    return Question(Outcome.HOLD, lambda until: body(job, until), within=ANSWER_WITHIN)


def decide_cancellations(tenant: Tenant, context: Any, answer: Answer) -> str:
    if not answer.chosen:
        raise HoldError("取消の承認を受け取れませんでした。カレンダーの予定は、そのまま残しています。")
    approve.decide(job_of(tenant, context), answer.chosen == APPROVE, answer.by, answer.why, utcnow())
    return "approved"


def body(job: Job, until: dt.datetime) -> str:
    """Markdown: why, until when, and which absences by their numbers; nobody is named (L6)."""
    held = job.record.read(HeldPlan)
    shown = history.held(job.database, job.tenant, MAX_SHOWN)
    count = sum(hold.count for hold in held.holds)
    lines = [
        f"**会社**: {quoted(job.mapping.company)}　**回答の期限**: {time_in_japan(until)}"
        f"（過ぎると「{REFUSE}」と同じ扱いになります）",
        "",
        *(f"- {quoted(hold.text)}" for hold in held.holds),
        "",
        f"「{APPROVE}」を選ぶと、次の不在の予定をLINE WORKSのカレンダーから削除します。",
        "",
        "| 不在の番号 | 開始日 |",
        "|---|---|",
        *(f"| {quoted(number)} | {first:%Y/%m/%d} |" for number, first in shown),
    ]
    if count > len(shown):
        lines += ["", f"ほか{count - len(shown):,}件"]
    return "\n".join([*lines, "", f"計画: {quoted(held.digest[:16])}", ""])
