"""What every task does around its stage: find its run, keep its failure, decide about a retry."""

from __future__ import annotations

import datetime as dt
import logging
import random
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTimeout,
    DownstreamTasksSkipped,
)
from airflow.sdk.execution_time.context import NEVER_EXPIRE

from renkei.clock import DAILY_AT, next_daily, utcnow
from renkei.errors import (
    BusyAccountError,
    RecordError,
    RejectedLoadError,
    RenkeiError,
    RetriableFetchError,
    RetriableLoadError,
    RetriableNotificationError,
    SheetPendingError,
    StoreError,
    UnknownRunError,
)
from renkei.orchestration.run_log import log_counts
from renkei.orchestration.tenant import Tenant
from renkei.runs.failure import Failure
from renkei.runs.outcome import outcome_of
from renkei.sheets.side_run import mark_of
from renkei.storage.records import to_plain
from renkei.storage.runs import RunRecord, is_run_key, run_key

log = logging.getLogger(__name__)

BROKEN = "設定エラー"  # the tag of a Dag whose sheet cannot be used
FAILURE_KEY = "failure"
RUN_KEY = "run"  # in the first task's state and XCom: see run_of
# The same in a task's context, once it has asked: each question is one to Airflow's server, too.
RUN_KEY_HERE = "renkei_run"
TURN = dt.timedelta(seconds=20)  # between two looks whether the target's account is free
SIDE_RUN_MARGIN = dt.timedelta(minutes=40)  # before the daily run: a retry comes half an hour after its failure
TELLING_MARGIN = dt.timedelta(minutes=2)  # `notify` of a side run may take what is left of it, once
PATIENCE = dt.timedelta(hours=6)  # from the start of a run; the lease of a note is 2 hours
RETRIABLE = (RetriableFetchError, RetriableLoadError, StoreError, RetriableNotificationError, SheetPendingError)


@dataclass(frozen=True, slots=True)
class WithoutTasks:
    """What a stage's function gives back where tasks after it have nothing to do: Airflow skips them without a process.

    A task after one of `tasks` needs the trigger rule SKIPPABLE, and the stage itself before it, or it is skipped too.
    """

    result: Any
    tasks: tuple[str, ...]


# Not "none_failed": a stage that skips all that is left of the run skips this task with them.
SKIPPABLE = "none_failed_min_one_success"


class StageOperator(BaseOperator):
    """Runs one function for one tenant. (`@task` wraps each function anew for each Dag: half the parsing time.)

    The function is named ("module:name") and imported by the task that runs it: parsing has no use for what it imports.
    """

    def __init__(self, *, tenant: Tenant, function: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant, self.function = tenant, function

    def pre_execute(self, context: Any) -> None:
        until, _ = self._ends_at(context)
        if until is not None:
            left = max(until - utcnow(), dt.timedelta(seconds=1))  # none left: `stage` says so
            self.execution_timeout = min(self.execution_timeout or left, left)

    def execute(self, context: Any) -> Any:
        with stage(self.tenant, context, *self._ends_at(context)):
            result = resolve_name(self.function)(self.tenant, context)
        needless: tuple[str, ...] = ()
        if isinstance(result, WithoutTasks):
            needless, result = result.tasks, result.result
        log_counts(self.task_id, self.tenant.name, result)
        ti = context["ti"]
        # Not at a second try: one that died after it had skipped them may find now that they are needed, and Airflow
        # would not take the skipping back.
        if needless and ti.try_number == 1:
            ti.xcom_push(key="return_value", value=result)  # Airflow keeps no result beside the exception
            raise DownstreamTasksSkipped(tasks=list(needless))  # type: ignore[no-untyped-call]
        return result

    def _ends_at(self, context: Any) -> tuple[dt.datetime | None, dt.datetime | None]:
        """When a side run gives up, for the next daily run waits for it, and from when on it is not retried.

        None for every other run, and for `outcome`, whose colour is the work's.
        """
        if self.task_id == "outcome" or not mark_of(context["run_id"]):
            return None, None
        daily = next_daily(self.tenant.sheet.run_at or DAILY_AT, context["dag_run"].run_after)
        until = daily - SIDE_RUN_MARGIN
        if started(context) >= until:  # it is left out by its first task
            return None, None
        return (daily - TELLING_MARGIN if self.is_teardown else until), until


def stage_task(tenant: Tenant, room: str, name: str, shown: str, timeout: dt.timedelta, **kwargs: Any) -> StageOperator:
    """The task `name`, which runs the function of that name in `room`'s module `tasks`."""
    return StageOperator(
        tenant=tenant,
        function=f"{room}.tasks:{name}",
        task_id=name,
        task_display_name=shown,
        execution_timeout=timeout,
        **kwargs,
    )


def record_of(tenant: Tenant, context: Any) -> RunRecord:
    """The record of this run.

    Raises:
        UnknownRunError: nobody can say which it is.
        StoreError: the store cannot be opened.
    """
    return RunRecord(tenant.folder(), run_of(tenant, context))


def run_of(tenant: Tenant, context: Any) -> str:
    """The name of this run's folder in the store: of this very DagRun, whoever had its run id before (L4).

    Nothing that a task is told of its DagRun is sure to be another's (`run_after` of a schedule comes back too). So
    the first task draws a name and leaves it in its task state, which Airflow keeps through retries and clears, and
    deletes with the DagRun; the other tasks take it from the first one's XCom.
    """
    if RUN_KEY_HERE not in context:
        context[RUN_KEY_HERE] = _find_run(tenant, context)
    return str(context[RUN_KEY_HERE])


def _find_run(tenant: Tenant, context: Any) -> str:
    ti, first = context["ti"], context["dag"].topological_sort()[0].task_id
    if ti.task_id != first:
        told = ti.xcom_pull(task_ids=first, key=RUN_KEY)
        if not is_run_key(told):
            raise UnknownRunError(
                f"この実行の記録を特定できません（タスク {first} の情報がAirflowにありません）。"
                f"{tenant.link.target}には何も書き込みません。"
                "手動で新しく実行（Trigger）してください。"
            )
        return told
    state = context["task_state_store"]
    name = state.get(RUN_KEY)
    if not is_run_key(name):
        name = run_key(context["run_id"], uuid.uuid4().hex)
        state.set(RUN_KEY, name, retention=NEVER_EXPIRE)
    ti.xcom_push(key=RUN_KEY, value=name)
    return name


def started(context: Any) -> dt.datetime:
    started: dt.datetime | None = context["dag_run"].start_date
    return started or utcnow()


@contextmanager
def stage(
    tenant: Tenant, context: Any, until: dt.datetime | None = None, retried_until: dt.datetime | None = None
) -> Iterator[None]:
    """Run a stage: its failure is kept for the mail, and retried by Airflow only where that can help.

    A tenant whose account of the target is in use by another waits for its turn, without a worker's slot and without using up
    its retries (E27).

    A side run has its end `until`, and is not retried into the daily run, which waits for it.

    An exception that nobody foresaw may quote personal data, so only its kind and place go on (L6).
    """
    try:
        if until is not None and utcnow() >= until:
            raise AirflowTaskTimeout
        yield
    except AirflowTaskTimeout:
        if retried_until is None or utcnow() < retried_until:
            raise
        late = RenkeiError("次の処理時刻までに終わらないため、中止しました。次の処理は予定どおり行います。")
        _keep(context, late)
        raise AirflowFailException(str(late)) from None
    except (AirflowSkipException, AirflowFailException):
        raise
    except RenkeiError as error:
        if isinstance(error, BusyAccountError) and utcnow() - started(context) < PATIENCE:
            log.info("%s", error)
            turn = utcnow() + TURN * random.uniform(0.5, 1.5)
            raise AirflowRescheduleException(turn) from None  # type: ignore[no-untyped-call]
        _keep(context, error)
        _log_errors(tenant, context, error)
        if isinstance(error, RETRIABLE) and (retried_until is None or utcnow() < retried_until):
            raise error from None
        raise AirflowFailException(str(error)) from None
    except Exception as error:
        unforeseen = RenkeiError(
            f"予期しないエラーが発生しました（{type(error).__name__}、{_place(error)}）。"
            f"登録の途中であれば、{tenant.link.target}での結果を次の実行が確認します。Airflowのログを確認してください。"
        )
        _keep(context, unforeseen)
        raise unforeseen from None


def _keep(context: Any, error: RenkeiError) -> None:
    failure = Failure(outcome_of(error), str(error), utcnow())
    context["ti"].xcom_push(key=FAILURE_KEY, value=to_plain(failure))


def _log_errors(tenant: Tenant, context: Any, error: RenkeiError) -> None:
    """The first errors of a run that was refused for them, as its link tells them."""
    if tenant.link.errors is None or not isinstance(error, RecordError | RejectedLoadError):
        return
    try:
        for line in tenant.link.errors()(record_of(tenant, context), error):
            log.error("%s", line)
    except Exception as unread:  # the run's own error is what goes on; this one's text might quote anybody (L6)
        log.error("the errors of this run cannot be read: %s", type(unread).__name__)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    for frame in frames:
        log.error("  at %s:%s in %s", frame.filename, frame.lineno, frame.name)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
