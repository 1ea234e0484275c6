"""From the end of a run, as its record has it, to the tenant's channels (E4, N1, N3)."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from renkei import settings
from renkei.channel import OPERATOR, Channel, Event, result_mail
from renkei.clock import utcnow
from renkei.errors import StoreError, UnknownRunError
from renkei.notifications.deliver import DeliveryResult, was_accepted
from renkei.orchestration import channel_connections, side_run
from renkei.orchestration.airflow_run import AirflowRun, failed_tasks, good_end, this_record, this_run
from renkei.orchestration.closing_keys import SUMMARY_KEY, TOLD_KEY
from renkei.orchestration.monitor.operator_channels import operator_channels
from renkei.orchestration.report import Report, RunEnd
from renkei.orchestration.run_notes import forget_begun, note_result
from renkei.orchestration.stage import FAILURE_KEY, record_of
from renkei.orchestration.tenant import Tenant
from renkei.runs import outcome as outcomes
from renkei.runs.failure import Failure
from renkei.runs.hold import is_unanswered
from renkei.runs.outcome import Outcome, Summary
from renkei.sheets.grants import granted_channels
from renkei.sheets.side_run import mark_of
from renkei.storage import records
from renkei.storage.runs import RunRecord

log = logging.getLogger(__name__)

NO_END = (
    "{0}への登録が完了した記録がありません（処理またはタスクの状態が画面から変更されたか、途中で終了しました）。"
    "登録の途中であれば、{0}での結果を次の実行が確認します。本日分が必要な場合は、手動で実行（Trigger）してください。"
)


def report_run(tenant: Tenant, context: Any, task_ids: list[str]) -> dict[str, Any]:
    """Tell how this run ended; see `report_end`. Airflow's states only say where it stopped."""
    record = this_record(tenant, context)
    failed = (None, "") if good_end(record) else _what_failed(context, task_ids)  # a question for each task
    return report_end(tenant, this_run(context), record, *failed)


def leave_subject(tenant: Tenant, context: Any, task_ids: list[str]) -> None:
    """Say for the console how this run ended where `notify` did not: it failed, or died, which changes no result (N3)."""
    if context["ti"].xcom_pull(task_ids="notify") is None and not side_run.was_left_out(tenant, context):
        outcome, _, _ = how_it_ended(tenant, this_record(tenant, context), *_what_failed(context, task_ids))
        context["ti"].xcom_push(key=TOLD_KEY, value={"subject": tenant.link.subjects()[outcome], "told": {}})


def report_end(
    tenant: Tenant, run: AirflowRun, record: RunRecord | None, failure: Failure | None = None, stopped_at: str = ""
) -> dict[str, Any]:
    """Tell how a run ended, by its record; see `send_report`.

    Where that knows of no good end, the message is the failure's, or names the task at which the run stopped.
    """
    return send_report(tenant, run, record, *how_it_ended(tenant, record, failure, stopped_at))


def how_it_ended(
    tenant: Tenant, record: RunRecord | None, failure: Failure | None, stopped_at: str = ""
) -> tuple[Outcome, str, dt.datetime]:
    """How, why, and when."""
    if end := good_end(record):
        outcome, at = end
        return outcome, "", at
    if failure is None:
        failure = _unsaid(tenant, record, stopped_at)
    return failure.outcome, failure.message, failure.at


def _what_failed(context: Any, task_ids: list[str]) -> tuple[Failure | None, str]:
    """What a task said of its failure; else at which one the run stopped."""
    failure = _failure(context, task_ids)
    return failure, next(iter(failed_tasks(context, task_ids)), "") if failure is None else ""


def _failure(context: Any, task_ids: list[str]) -> Failure | None:
    """What the first task that failed said, whatever it was marked as afterwards."""
    for task in task_ids:
        kept = context["ti"].xcom_pull(task_ids=task, key=FAILURE_KEY)
        if kept:
            with contextlib.suppress(ValueError):  # what Airflow has kept may have been edited there
                return records.from_plain(Failure, kept)
    return None


def _unsaid(tenant: Tenant, record: RunRecord | None, stopped_at: str) -> Failure:
    """A bad end of which no task said why."""
    with contextlib.suppress(StoreError):
        if record is not None and is_unanswered(record):
            message = f"保留された処理は承認されないまま終了しました。{tenant.link.target}には何も書き込んでいません。"
            return Failure(Outcome.REFUSED, message, utcnow())
    if stopped_at:
        message = (
            f"タスク {stopped_at} が途中で終了しました（強制終了またはタイムアウト）。Airflowのログを確認してください。"
        )
        return Failure(Outcome.SYSTEM, message, utcnow())
    return Failure(Outcome.SYSTEM, NO_END.format(tenant.link.target), utcnow())


def send_report(
    tenant: Tenant,
    run: AirflowRun,
    record: RunRecord | None,
    outcome: Outcome,
    message: str,
    ended_at: dt.datetime,
    extra_links: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Tell the run's result through the tenant's channels: its subject, and what became of it in each channel.

    Of a side run only what somebody has to see to is told.

    A record that is out of reach leaves out what it knows, not the message.

    Raises:
        NotificationError: a channel did not take it; all the others were told.
    """
    is_side_run = bool(mark_of(run.run_id))
    report, record = _report(tenant, run, record, outcome, message, ended_at, extra_links)
    _keep_summary(report, tenant, outcome, record)
    subject = tenant.link.subjects()[outcome]
    if is_side_run and not report.calls:
        return {"subject": subject, "told": {}}
    if report.quiet:
        if record is not None:
            note_result(record, run.run_id, report.event, subject)
        return {"subject": subject, "told": {}}
    # Ids come back; what was told under another run's was not told of this one.
    this = record.run if record else run.run_id
    told = channel_connections.notify_channels(
        tenant.link.name,
        tenant.name,
        channels_of(tenant),
        report.event,
        report.message,
        report.key(this),
        run=this,
        record=record,
    )
    if record is not None and was_accepted(told, report.event):
        report.heard()
        if not is_side_run:
            note_result(record, run.run_id, report.event, subject)
    told += _tell_operator(tenant, report, this, record)
    return {"subject": subject, "told": channel_connections.check_told(told)}


def _report(
    tenant: Tenant,
    run: AirflowRun,
    record: RunRecord | None,
    outcome: Outcome,
    message: str,
    ended_at: dt.datetime,
    extra_links: dict[str, str] | None = None,
) -> tuple[Report, RunRecord | None]:
    """What the link says of the run's end; without its record, which is None then, where that is out of reach."""
    warnings = [str(problem) for problem in tenant.sheet.warnings]
    asked_for = outcome is Outcome.CHECKED and record is not None and not mark_of(run.run_id)
    warnings += _unreachable(tenant) if asked_for else []
    links = {"処理の詳細": run.page, **(extra_links or {})}
    end = RunEnd(tenant, record, outcome, message, run.started, ended_at, warnings, links, run.run_id)
    try:
        return tenant.link.report()(end), record
    except StoreError:
        return tenant.link.report()(replace(end, record=None)), None


def note_quiet(tenant: Tenant, context: Any) -> tuple[str, list[str]] | None:
    """Note the good end of a run that tells nobody, for the watch; its subject and summary.

    None, and nothing noted, where somebody has to hear of it, or it has no good end on record.

    Raises:
        StoreError: nobody can say.
    """
    run, record = this_run(context), record_of(tenant, context)
    end = outcomes.good_end(record)
    if end is None:
        return None
    report, kept = _report(tenant, run, record, end[0], "", end[1])
    if kept is None or not report.quiet:
        return None
    subject, lines = tenant.link.subjects()[end[0]], report.summary()
    record.write(Summary(lines))
    note_result(record, run.run_id, report.event, subject)
    forget_begun(tenant, run.run_id)
    return subject, lines


def _unreachable(tenant: Tenant) -> list[str]:
    """What 確認のみ says of channels that would hear of no result: one for failures alone is not used by a good run."""
    from renkei.orchestration.connection_trial import unreachable  # parsing has no use for the hooks

    try:
        names = "、".join(f"「{name}」" for name in unreachable(tenant.channels))
    except Exception as error:  # the result is told all the same (N3)
        log.error("the channels cannot be tried: %s", type(error).__name__)
        return []
    return [f"通知先{names}には、通知が届きません（接続を運用担当者が確認します）。"] if names else []


def _keep_summary(report: Report, tenant: Tenant, outcome: Outcome, record: RunRecord | None) -> None:
    """The run in a few lines: in this task's log, and in the record for the run's page. Telling goes on without it."""
    try:
        lines = report.summary()
        if record is not None:
            record.write(Summary(lines))
        _log_lines(outcome, lines)
    except Exception as error:  # its text might quote anybody (L6)
        log.error("this run cannot be summed up: %s", type(error).__name__)


def leave_summary(tenant: Tenant, context: Any, task_ids: list[str]) -> Sequence[str]:
    """Leave how the run ended for the note on the run's page (`run_end`); the lines, none where nobody knows."""
    lines: Sequence[str] = ()
    with contextlib.suppress(StoreError, UnknownRunError):
        kept = record_of(tenant, context).read_or_none(Summary)
        lines = kept.lines if kept else ()
    subjects = tenant.link.subjects()
    if lines and lines[0].startswith(subjects[Outcome.HOLD]):  # that was said while it waited, and is over
        lines = ()
    failure = None if lines else _failure(context, task_ids)
    if failure:  # the record is out of reach, or `notify` did not come so far
        at, started = failure.at, this_run(context).started
        end = RunEnd(tenant, None, failure.outcome, failure.message, started, at, run_id=context["run_id"])
        lines = tenant.link.report()(end).summary()
    if lines:
        context["ti"].xcom_push(key=SUMMARY_KEY, value=list(lines))
    return lines


def _log_lines(outcome: Outcome, lines: Sequence[str]) -> None:
    level = logging.INFO if outcome.succeeded else logging.WARNING
    for line in lines:
        log.log(level, "%s", line)


def _tell_operator(tenant: Tenant, report: Report, run: str, record: RunRecord | None) -> Sequence[DeliveryResult]:
    """What became of a held or failed run in the operator's own channels: he has to act, or to know that he need not."""
    if report.event not in (Event.HOLD, Event.FAILURE):
        return ()
    channels, faults = operator_channels(settings.operator_file(tenant.dag_file))
    for fault in faults:
        log.warning("%s", fault)
    return channel_connections.notify_channels(
        tenant.link.name,
        OPERATOR,
        channels,
        report.event,
        report.operators_message,
        report.key(f"operator\n{run}"),
        run=f"{tenant.name} {run}",
        record=record,
    )


def channels_of(tenant: Tenant) -> tuple[Channel, ...]:
    """Where the tenant is told; what a broken or lost sheet no longer shows is taken from the last one that was loaded."""
    sheet = tenant.sheet
    if sheet.mapping is not None or sheet.pending or (sheet.result_addresses and sheet.channels):
        return tenant.channels
    last = tenant.link.last_told() if tenant.link.last_told else None
    addresses, channels = last(tenant) if last else ((), ())
    return (
        *result_mail(sheet.result_addresses or addresses),
        *(sheet.channels or granted_channels(channels, tenant.name, tenant.grants)),
    )
