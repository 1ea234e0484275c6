"""What each task of a Dag does (E2): its stage, with the clients and the store of its tenant."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from renkei.errors import NotificationError, SettingError
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages import comparing, loading, opening, planning, reading
from renkei.orchestration import connections, reporting, telling
from renkei.orchestration.stage import LINK, Tenant, job_of, record_of, run_start, stage, utcnow

log = logging.getLogger(__name__)

TEST = "notify_test"  # 通知テスト of the trigger form; no `Mode`, for it is no run of the link
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
        _skip_test(context)
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
        _skip_test(context)
        _ = tenant.mapping  # raises what is wrong with it


def notify(tenant: Tenant, context: Any) -> dict[str, Any]:
    with stage(context):  # what goes wrong here may quote people too (L6)
        if is_test(context):
            return _try_channels(tenant, str(context["params"].get("channel") or ""))
        work_ids = _work_ids(context)
        if reporting.was_skipped(context, work_ids[0]):
            return {}
        reporting.forget_waiting(tenant)  # whatever was asked is over
        if not tenant.channels:
            log.warning("tenant=%s: no result address and no channel could be read from the sheet", tenant.name)
            return {}
        return reporting.report_run(tenant, context, work_ids, "load")


def outcome(tenant: Tenant, context: Any) -> None:
    failed = reporting.failed_tasks(context, ["notify"] if is_test(context) else _work_ids(context))
    if failed:
        raise AirflowFailException(
            f"{failed[0]} が失敗しました。EMCと前回データの状態は結果通知メールを確認してください。"
            if not is_test(context)
            else "通知テストに失敗した通知先があります。タスク notify のログを確認してください。"
        )


def is_test(context: Any) -> bool:
    """Whether this run was triggered as 通知テスト: it does none of the link's work."""
    return bool(context["dag_run"].run_type == "manual" and context["params"].get("mode") == TEST)


def _skip_test(context: Any) -> None:
    if is_test(context):
        raise AirflowSkipException("通知テストのため、連携の処理は行いません。")


def _try_channels(tenant: Tenant, name: str) -> dict[str, Any]:
    """Send a test to the channel of this name, or to all of them (N5).

    Raises:
        NotificationError: with every step of the channels that did not take it, and what to mend.
        SettingError: there is no such channel.
    """
    chosen = [channel for channel in tenant.channels if not name or channel.name == name.strip()]
    if not chosen:
        known = "、".join(channel.name for channel in tenant.channels) or "なし"
        raise SettingError(f"通知先「{name}」は連携設定シートにありません。登録されている通知先: {known}")
    found: dict[str, list[str]] = {}
    broken = set()
    for channel, step in telling.try_channels(LINK, tenant.name, chosen):
        found.setdefault(channel.name, []).append(str(step))
        log.log(logging.INFO if step.well else logging.WARNING, "%s: %s", channel.name, step)
        if not step.well and step.decides:
            broken.add(channel.name)
    if broken:
        lines = [line for channel in chosen if channel.name in broken for line in (channel.name, *found[channel.name])]
        raise NotificationError("通知テストに失敗しました。\n" + "\n".join(lines))
    return {"told": found}


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
