"""From the end of a run, as Airflow saw it, to the customer's mail (E4, N3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import conf

from renkei.errors import StoreError
from renkei.links.smarthr_emc import notify
from renkei.links.smarthr_emc.notify import Failure
from renkei.links.smarthr_emc.report import Outcome
from renkei.orchestration import connections
from renkei.orchestration.stage import FAILURE_KEY, Tenant, record_of, utcnow

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


def report_run(tenant: Tenant, context: Any, task_ids: list[str], last: str) -> str:
    """Send the result mail; its subject. `last` is the task whose value says how the load went."""
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
) -> str:
    """Collect and send one mail; a store that is out of reach leaves out what it knows, not the mail."""
    sheet = tenant.sheet
    url = sheet.mapping.smarthr_url if sheet.mapping else ""
    started = context["dag_run"].start_date or utcnow()
    links = {"処理の詳細": run_page(context), **(extra_links or {})}
    try:
        record = record_of(tenant, context)
        warnings = [str(problem) for problem in sheet.warnings]
        report = notify.collect(record, url, outcome, message, started, ended_at, warnings, links)
        letter = notify.mail(report, sheet.result_addresses, context["run_id"])
        notify.send_once(record, letter, connections.send_mail)
    except StoreError:
        report = notify.bare(url, outcome, message, started, ended_at, links)
        connections.send_mail(notify.mail(report, sheet.result_addresses, context["run_id"]))
    return outcome.value


def run_page(context: Any) -> str:
    """The run in Airflow's UI."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{context['dag'].dag_id}/runs/{context['run_id']}"
