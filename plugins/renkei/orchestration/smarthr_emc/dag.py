"""The tasks of a tenant's Dag, first to last: each a stage by its name, so that parsing imports none of them (E2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from airflow.sdk import BaseOperator, get_parsing_context

from renkei.links.smarthr_emc.sheet import BY_FILE
from renkei.orchestration.approval_tasks import AskPersonOperator
from renkei.orchestration.stage import SKIPPABLE, stage_task
from renkei.orchestration.tenant import Tenant

FETCH_TIMEOUT = dt.timedelta(hours=3)  # a million people at 10 requests a second take 17 minutes
WORK_TIMEOUT = dt.timedelta(minutes=30)
LOAD_TIMEOUT = dt.timedelta(minutes=90)  # less than load.LEASE
APPROVE, REFUSE = "承認して登録する", "登録しない"
IMPORTED, FAILED = "取込成功", "取込失敗"
APPROVAL = "approval"  # the console's page of a held plan: /dag/<dag id>/approval/<run id>
ROOM = "renkei.orchestration.smarthr_emc"


def work(tenant: Tenant) -> Sequence[BaseOperator]:
    step = partial(stage_task, tenant, ROOM)
    validate = step("validate", "検証", WORK_TIMEOUT)
    load = step("load", "EMCへの登録", LOAD_TIMEOUT, trigger_rule=SKIPPABLE)
    validate.set_downstream(load)  # `approve` between them is skipped where nothing is held
    tasks: list[BaseOperator] = [
        step("fetch_departments", "部署の受信", FETCH_TIMEOUT),
        step("fetch_users", "社員の受信", FETCH_TIMEOUT),
        step("snapshot", "スナップショット", WORK_TIMEOUT),
        step("diff", "前回との差分", WORK_TIMEOUT),
        validate,
        AskPersonOperator(
            tenant=tenant,
            asks=f"{ROOM}.approval:ask_about_plan",
            takes=f"{ROOM}.approval:decide_plan",
            task_id="approve",
            task_display_name="保留の承認",
            subject="EMC-HOLD: 登録処理の承認",
            options=[APPROVE, REFUSE],
            defaults=REFUSE,
        ),
        load,
    ]
    if BY_FILE in tenant.sheet.shape or get_parsing_context().task_id == "confirm":  # of a sheet that is away just now
        tasks.append(
            AskPersonOperator(
                tenant=tenant,
                asks=f"{ROOM}.approval:ask_about_upload",
                takes=f"{ROOM}.approval:confirm_upload",
                task_id="confirm",
                task_display_name="取込結果の確認",
                subject="EMC取込ファイルの結果確認",
                options=[IMPORTED, FAILED],
            )
        )
    return tasks
