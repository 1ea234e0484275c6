"""The tasks of a tenant's Dag, first to last; what they do is imported when they run. Events are the pump's work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from airflow.sdk import BaseOperator

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.orchestration.approval_tasks import AskPersonOperator
from renkei.orchestration.stage import SKIPPABLE, stage_task
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import EveryMinutes, EveryMinutesWithSideRuns
from renkei.sheets.compiled import Compiled

FETCH_TIMEOUT = dt.timedelta(minutes=30)
WORK_TIMEOUT = dt.timedelta(hours=6)  # 240 events a minute, 120 after half an hour: ten thousand take 53 minutes
ANSWER_WITHIN = dt.timedelta(minutes=30)  # meanwhile no other run of the tenant begins
APPROVE, REFUSE = "取消を反映する", "反映しない"
ROOM = "renkei.orchestration.workplace_lineworks"


def work(tenant: Tenant) -> Sequence[BaseOperator]:
    step = partial(stage_task, tenant, ROOM)
    fetch = step("fetch_absences", "不在日程の受信", FETCH_TIMEOUT)
    plan = step("plan", "連携の計画", FETCH_TIMEOUT)
    write = step("write_calendar", "カレンダーへの登録", WORK_TIMEOUT, trigger_rule=SKIPPABLE)
    # What is between them is skipped where nobody is asked: `fetch_absences` has planned the run, and each process of
    # Airflow's costs a second until an absence is in its calendar.
    fetch.set_downstream(write)
    plan.set_downstream(write)
    return [
        fetch,
        plan,
        AskPersonOperator(
            tenant=tenant,
            asks=f"{ROOM}.approval:ask_about_cancellations",
            takes=f"{ROOM}.approval:decide_cancellations",
            task_id="approve",
            task_display_name="取消の承認",
            subject="CALENDAR-HOLD: 大量の取消の承認",
            options=[APPROVE, REFUSE],
            defaults=REFUSE,
        ),
        write,
    ]


def timetable(sheet: Compiled[Mapping], not_before: dt.datetime | None) -> EveryMinutes:
    """連携間隔, and 照合 at night."""
    assert sheet.mapping is not None
    minutes = sheet.mapping.interval_minutes
    if sheet.side_runs:
        return EveryMinutesWithSideRuns(minutes, sheet.side_runs, not_before)
    return EveryMinutes(minutes, not_before)
