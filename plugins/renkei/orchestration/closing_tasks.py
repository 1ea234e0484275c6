"""The last two tasks of every link's Dag: `notify` tells how the run ended, `outcome` is its colour (E2, N3).

Where the record has a good end, `notify` marks the run as good and skips `outcome`, which could find nothing else: a
process less for every good run.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from renkei.errors import NotificationError, SettingError
from renkei.orchestration import channel_connections, result_notification, run_notes, side_run
from renkei.orchestration.airflow_run import good_end, this_record
from renkei.orchestration.closing_keys import mark_run_good
from renkei.orchestration.stage import WithoutTasks
from renkei.orchestration.tenant import Tenant

log = logging.getLogger(__name__)


def notify(tenant: Tenant, context: Any) -> dict[str, Any] | WithoutTasks:
    if tenant.is_test(context):
        return _try_channels(tenant, tenant.run_request(context).settings.get("channel", ""))
    if side_run.was_left_out(tenant, context):
        return {}
    run_id = context["run_id"]
    is_well = good_end(this_record(tenant, context)) is not None and tenant.run_request(context).mode.writes
    if is_well:  # first: a channel that does not take its message changes no result
        mark_run_good(context)
    run_notes.forget_waiting(tenant, run_id)  # whatever was asked is over
    if not result_notification.channels_of(tenant):
        log.warning("tenant=%s: no result address and no channel is known", tenant.name)
    told = result_notification.report_run(tenant, context, _work_ids(context))
    run_notes.forget_begun(tenant, run_id)
    if not is_well:
        return told
    result_notification.leave_summary(tenant, context, _work_ids(context))
    return WithoutTasks(told, ("outcome",))


def outcome(tenant: Tenant, context: Any) -> None:
    """Fails exactly when the work did, by the run's record: the run's colour is the work's (E2).

    A run that only looks or tests does not hide that the link is failing: it stays red until the link is well again.
    """
    for line in result_notification.leave_summary(tenant, context, _work_ids(context)):
        log.info("%s", line)
    test = tenant.is_test(context)
    if not test:
        result_notification.leave_subject(tenant, context, _work_ids(context))
    if test and context["ti"].xcom_pull(task_ids="notify") is None:
        raise AirflowFailException("通知テストに失敗した通知先があります。タスク notify のログを確認してください。")
    if not test and good_end(this_record(tenant, context)) is None:
        raise AirflowFailException(
            f"{tenant.link.target}への登録（確認のみでは確認）が完了した記録がありません。"
            f"{tenant.link.target}と前回データの状態は結果通知メールを確認してください。"
        )
    if not tenant.run_request(context).mode.writes:
        _stay_red(tenant)
    mark_run_good(context)


def _stay_red(tenant: Tenant) -> None:
    if tenant.sheet.mapping is None and not tenant.sheet.pending:
        raise AirflowFailException(
            "この実行は正常に終了しましたが、連携設定シートに誤りがあるため、Dagの状態は失敗のままにします。"
        )
    if failing := run_notes.failing_run(tenant):
        raise AirflowFailException(
            f"この実行は正常に終了しましたが、直近の連携（{failing}）が失敗したままのため、Dagの状態は失敗のままにします。"
            "その原因を除いて「通常」で実行すると、成功に戻ります。"
        )


def _try_channels(tenant: Tenant, name: str) -> dict[str, Any]:
    """Send a test to the channel of this name, or to all of them (N5).

    Raises:
        NotificationError: with every step of the channels that did not take it, and what to mend.
        SettingError: there is no such channel.
    """
    chosen = [channel for channel in tenant.channels if not name or channel.name == name]
    if not chosen:
        known = "、".join(channel.name for channel in tenant.channels) or "なし"
        raise SettingError(f"通知先「{name}」は連携設定シートにありません。登録されている通知先: {known}")
    found: dict[str, list[str]] = {}
    broken = set()
    for channel, step in channel_connections.try_channels(tenant.link.name, tenant.name, chosen):
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
