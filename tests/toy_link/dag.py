"""What parsing needs: the form, the tasks by their names, the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from airflow.sdk import BaseOperator

from renkei.orchestration.documentation import Page, channel_table
from renkei.orchestration.form import Form, RunMode
from renkei.orchestration.markdown import quoted
from renkei.orchestration.stage import StageOperator
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.timetable import EveryMinutes
from renkei.sheets.compiled import Compiled
from tests.toy_link.sheet import Sheet

FORM = Form(RunMode("NORMAL", "通常"), RunMode("LOOK", "確認のみ", writes=False))


def work(tenant: Tenant) -> Sequence[BaseOperator]:
    return [
        StageOperator(tenant=tenant, function=f"tests.toy_link.tasks:{name}", task_id=name) for name in ("read", "post")
    ]


def timetable(sheet: Compiled[Sheet], not_before: dt.datetime | None) -> EveryMinutes:
    assert sheet.mapping is not None
    return EveryMinutes(sheet.mapping.minutes, not_before)


def page(tenant: Tenant) -> Page:
    return Page(
        f"{tenant.mapping.minutes}分ごとに、挨拶を掲示",
        [f"挨拶: {quoted(tenant.mapping.greeting)}", "", *channel_table(tenant)],
    )
