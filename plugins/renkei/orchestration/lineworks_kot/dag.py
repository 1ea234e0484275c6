"""The tasks of a tenant's Dag, first to last; what they do is imported when they run. Punches are the pump's work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from airflow.sdk import BaseOperator

from renkei.links.lineworks_kot.sheet.mapping import RUNS_AT, Mapping
from renkei.orchestration.stage import StageOperator
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import TimesInJapan
from renkei.sheets.compiled import Compiled

CHECK_TIMEOUT = dt.timedelta(minutes=15)
WORK_TIMEOUT = dt.timedelta(hours=3)  # ten thousand new accounts take 42 minutes at LINE WORKS' 240 a minute
_SHOWN = {"check": "前提の確認", "accounts": "従業員とアカウント", "reconcile": "照合"}


def work(tenant: Tenant) -> Sequence[BaseOperator]:
    return [
        StageOperator(
            tenant=tenant,
            function=f"renkei.orchestration.lineworks_kot.tasks:{name}",
            task_id=name,
            task_display_name=shown,
            execution_timeout=CHECK_TIMEOUT if name == "check" else WORK_TIMEOUT,
        )
        for name, shown in _SHOWN.items()
    ]


def timetable(sheet: Compiled[Mapping], not_before: dt.datetime | None) -> TimesInJapan:
    """When KING OF TIME may be read again after each rush hour, and when somebody should have punched (P19)."""
    assert sheet.mapping is not None
    silence = sheet.mapping.silence_at
    return TimesInJapan(sorted({*RUNS_AT, *([silence] if silence else [])}), not_before)
