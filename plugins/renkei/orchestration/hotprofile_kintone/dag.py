"""The tasks of a tenant's Dag, first to last; what they do is imported when they run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from airflow.sdk import BaseOperator

from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.orchestration.stage import StageOperator
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import EveryMinutes
from renkei.sheets.compiled import Compiled

CHECK_TIMEOUT = dt.timedelta(minutes=15)
WORK_TIMEOUT = dt.timedelta(hours=6)  # a day's requests, one after the other
_FIRST = {"check": "アプリの確認", "read": "Hot Profileの受信", "plan": "連携の計画"}


def work(tenant: Tenant) -> Sequence[BaseOperator]:
    writes = {f"write_{name}": f"{label}の連携" for name, label in DATA_SETS.items()}
    return [
        StageOperator(
            tenant=tenant,
            function=f"renkei.orchestration.hotprofile_kintone.tasks:{name}",
            task_id=name,
            task_display_name=shown,
            execution_timeout=CHECK_TIMEOUT if name == "check" else WORK_TIMEOUT,
        )
        for name, shown in (_FIRST | writes).items()
    ]


def timetable(sheet: Compiled[Mapping], not_before: dt.datetime | None) -> EveryMinutes:
    """連携間隔 (K14)."""
    assert sheet.mapping is not None
    return EveryMinutes(sheet.mapping.interval_minutes, not_before)
