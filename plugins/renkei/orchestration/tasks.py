"""What each task of a Dag does (E2): its stage, with the clients and the store of its tenant."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages import comparing, loading, opening, planning, reading
from renkei.orchestration import connections, mailing
from renkei.orchestration.stage import Tenant, job_of, record_of, run_start, stage, utcnow

log = logging.getLogger(__name__)

LATE = dt.timedelta(hours=1)  # a scheduled run this late was not meant for now: see _skip_first_catch_up


class StageOperator(BaseOperator):
    """Runs one function for one tenant. (`@task` wraps each function anew for each Dag: half the parsing time.)"""

    def __init__(self, *, tenant: Tenant, function: Callable[[Tenant, Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant, self.function = tenant, function

    def execute(self, context: Any) -> Any:
        return self.function(self.tenant, context)


def fetch_departments(tenant: Tenant, context: Any) -> dict[str, int]:
    with stage(context):
        record, mapping = record_of(tenant, context), tenant.mapping
        start = run_start(tenant, context)
        _skip_first_catch_up(context, standing(record).baseline is None and not start.manual)
        target = connections.emc_target(mapping)
        job = opening.open_run(record, mapping, start, target, utcnow())
        if not job.mode.reads:
            return {}
        client = connections.smarthr_client(job.mapping)
        return {"departments": reading.fetch_departments(job, client, f"{context['run_id']}:{utcnow().isoformat()}")}


def fetch_users(tenant: Tenant, context: Any) -> dict[str, int]:
    with stage(context):
        job = job_of(tenant, context)
        if not job.mode.reads:
            return {}
        client = connections.smarthr_client(job.mapping)
        return {"users": reading.fetch_users(job, client, _log_progress)}


def snapshot(tenant: Tenant, context: Any) -> dict[str, int]:
    with stage(context):
        return reading.take_snapshot(job_of(tenant, context))


def diff(tenant: Tenant, context: Any) -> dict[str, Any]:
    with stage(context):
        job = job_of(tenant, context)
        if job.mode is Mode.RECONCILE:
            return comparing.compare(job, connections.emc_target(job.mapping), tenant.emc_format())
        return comparing.make_diff(job, connections.emc_target(job.mapping), utcnow())


def validate(tenant: Tenant, context: Any) -> list[str]:
    with stage(context):
        job = job_of(tenant, context)
        holds = planning.validate(job, connections.emc_target(job.mapping), tenant.emc_format(), utcnow())
        return [hold.kind for hold in holds]


def load(tenant: Tenant, context: Any) -> dict[str, str]:
    with stage(context):
        job = job_of(tenant, context)
        target = connections.emc_target(job.mapping)
        frozen = connections.disaster_freeze(tenant.name)
        result = loading.apply(job, target, tenant.emc_format(), connections.secret, utcnow(), disaster_now=frozen)
        return {"result": result, "at": utcnow().isoformat()}


def read_sheet(tenant: Tenant, context: Any) -> None:
    with stage(context):
        _ = tenant.mapping  # raises what is wrong with it


def notify(tenant: Tenant, context: Any) -> str:
    with stage(context):  # what goes wrong here may quote people too (L6)
        work_ids = _work_ids(context)
        if mailing.was_skipped(context, work_ids[0]):
            return ""
        if not tenant.sheet.result_addresses:
            log.warning("tenant=%s: no result address could be read from the sheet; no mail", tenant.name)
            return ""
        return mailing.report_run(tenant, context, work_ids, "load")


def outcome(tenant: Tenant, context: Any) -> None:
    failed = mailing.failed_tasks(context, _work_ids(context))
    if failed:
        raise AirflowFailException(
            f"{failed[0]} が失敗しました。EMCと前回データの状態は結果通知メールを確認してください。"
        )


def _work_ids(context: Any) -> list[str]:
    """The tasks before `notify`, in the order in which they run."""
    return [task.task_id for task in context["dag"].topological_sort() if task.task_id not in ("notify", "outcome")]


def _skip_first_catch_up(context: Any, first: bool) -> None:
    """Airflow starts the tick that was missed when a Dag is switched on; before the first link it means nothing."""
    run_after = context["dag_run"].run_after
    if first and run_after is not None and utcnow() - run_after > LATE:
        raise AirflowSkipException(
            "初回連携前の過ぎた予定のため実行しません。初回連携は手動で実行(Trigger)してください。"
        )


def _log_progress(done: int, total: int) -> None:
    if done == total or done % 1000 == 0:
        log.info("fetch users %d/%d", done, total)
