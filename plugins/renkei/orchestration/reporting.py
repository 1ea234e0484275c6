"""From the end of a run, as Airflow saw it, to the tenant's channels (E4, N1, N3)."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

from airflow.sdk import conf

from renkei.errors import StoreError
from renkei.links.smarthr_emc import chat, notify
from renkei.links.smarthr_emc.notify import Failure
from renkei.links.smarthr_emc.report import Outcome
from renkei.notifications.deliver import was_heard
from renkei.notifications.event import Event
from renkei.orchestration import connections, telling
from renkei.orchestration.stage import FAILURE_KEY, LINK, Tenant, record_of, utcnow
from renkei.storage.runs import RunRecord

RESULTS = {"checked": Outcome.CHECKED, "compared": Outcome.COMPARED}  # of loading.apply; all others are OK


def failed_tasks(context: Any, task_ids: list[str]) -> list[str]:
    """Those of the tasks that failed in this run, in the order given."""
    run_id = context["run_id"]
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, task_ids=task_ids, run_ids=[run_id])
    return [task for task in task_ids if states.get(run_id, {}).get(task) in ("failed", "upstream_failed")]


def was_skipped(context: Any, task_id: str) -> bool:
    run_id = context["run_id"]
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, task_ids=[task_id], run_ids=[run_id])
    return bool(states.get(run_id, {}).get(task_id) == "skipped")


def report_run(tenant: Tenant, context: Any, task_ids: list[str], last: str) -> dict[str, Any]:
    """Tell how the run ended; see `send_report`. `last` is the task whose value says how the load went."""
    failed = failed_tasks(context, task_ids)
    for task in failed:
        kept = context["ti"].xcom_pull(task_ids=task, key=FAILURE_KEY)
        if kept:
            failure = Failure.from_json(kept)
            return send_report(tenant, context, failure.outcome, failure.message, dt.datetime.fromisoformat(failure.at))
    if failed:
        message = (
            f"タスク {failed[0]} が途中で終了しました（強制終了またはタイムアウト）。Airflowのログを確認してください。"
        )
        return send_report(tenant, context, Outcome.SYSTEM, message, utcnow())
    result = context["ti"].xcom_pull(task_ids=last) or {}
    outcome = RESULTS.get(result.get("result", ""), Outcome.OK)
    ended = dt.datetime.fromisoformat(result["at"]) if "at" in result else utcnow()
    return send_report(tenant, context, outcome, "", ended)


def send_report(
    tenant: Tenant,
    context: Any,
    outcome: Outcome,
    message: str,
    ended_at: dt.datetime,
    extra_links: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Tell the run's result through the tenant's channels: its subject, and what became of it in each channel.

    A store that is out of reach leaves out what it knows, not the message.

    Raises:
        NotificationError: a channel did not take it; all the others were told.
    """
    sheet, run = tenant.sheet, context["run_id"]
    url = sheet.mapping.smarthr_url if sheet.mapping else ""
    started = context["dag_run"].start_date or utcnow()
    links = {"処理の詳細": run_page(context), **(extra_links or {})}
    record: RunRecord | None = None
    try:
        record = record_of(tenant, context)
        warnings = [str(problem) for problem in sheet.warnings]
        report = notify.collect(record, url, outcome, message, started, ended_at, warnings, links)
    except StoreError:
        record, report = None, notify.bare(url, outcome, message, started, ended_at, links)
    event = chat.event_of(report)
    told = telling.tell(
        LINK,
        tenant.name,
        tenant.channels,
        event,
        notify.full_message(report, tenant.name),
        notify.message_key(report, run),
        run=run,
        record=record,
    )
    if record is not None and was_heard(told, event):
        _note_result(record, run, event, outcome)
    return {"subject": outcome.value, "told": telling.check_told(told)}


def _note_result(record: RunRecord, run: str, event: Event, outcome: Outcome) -> None:
    """What the watch looks at: somebody heard of this tenant."""
    note = {"run": run, "at": utcnow().isoformat(), "event": event.value, "outcome": outcome.value}
    with contextlib.suppress(StoreError):  # then the watch asks, rightly
        record.store.write_json(f"{record.link}/tenants/{record.tenant}/last_result.json", note)


def note_waiting(tenant: Tenant, context: Any, until: dt.datetime, outcome: Outcome) -> None:
    """For the notice that an answer will soon count as refused (期限切れ予告): what waits, and until when."""
    note = {"run": context["run_id"], "until": until.isoformat(), "outcome": outcome.name, "subject": outcome.value}
    with contextlib.suppress(StoreError):
        record = record_of(tenant, context)
        record.store.write_json(_waiting_key(tenant), note)


def forget_waiting(tenant: Tenant) -> None:
    """The question was answered, or its time is over."""
    with contextlib.suppress(StoreError):
        connections.open_store().delete(_waiting_key(tenant))


def _waiting_key(tenant: Tenant) -> str:
    return f"{LINK}/tenants/{tenant.name}/waiting.json"


def run_page(context: Any) -> str:
    """The run in Airflow's UI."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{context['dag'].dag_id}/runs/{context['run_id']}"
