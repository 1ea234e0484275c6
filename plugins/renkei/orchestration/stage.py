"""What every task does around its stage: find its run, keep its failure, decide about a retry."""

from __future__ import annotations

import datetime as dt
import logging
import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException

from renkei.errors import (
    BusyAccountError,
    MappingError,
    RenkeiError,
    RetriableFetchError,
    RetriableLoadError,
    RetriableNotificationError,
    StoreError,
)
from renkei.links.smarthr_emc.model import Mode, RunStart
from renkei.links.smarthr_emc.notify import Failure
from renkei.links.smarthr_emc.report import outcome_of
from renkei.links.smarthr_emc.sheet.index import Compiled
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages.job import Job, resume
from renkei.notifications.channel import Channel, result_mail
from renkei.orchestration import connections
from renkei.storage.runs import RunRecord, run_key
from renkei.systems.emc.file_format import EmcFormat, load_format

log = logging.getLogger(__name__)

LINK = "smarthr_emc"
FAILURE_KEY = "failure"
TURN = dt.timedelta(seconds=20)  # between two looks whether an EMC account is free
PATIENCE = dt.timedelta(hours=6)  # from the start of a run; the lease of a note is 2 hours
RETRIABLE = (RetriableFetchError, RetriableLoadError, StoreError, RetriableNotificationError)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a Dag knows of its tenant when it is parsed."""

    name: str
    sheet: Compiled
    sheet_file: str
    emc_format_file: Path

    @property
    def mapping(self) -> Mapping:
        """The sheet.

        Raises:
            MappingError: it cannot be used.
        """
        if self.sheet.mapping is None:
            raise MappingError(self.sheet.problems)
        return self.sheet.mapping

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where results are told: 結果通知先メールアドレス, then the sheet's 通知 (of a broken sheet, what is sound of it)."""
        return (*result_mail(self.sheet.result_addresses), *self.sheet.channels)

    def emc_format(self) -> EmcFormat:
        return load_format(self.emc_format_file)


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def record_of(tenant: Tenant, context: Any) -> RunRecord:
    return RunRecord(connections.open_store(), LINK, tenant.name, run_key(context["run_id"]))


def run_start(tenant: Tenant, context: Any) -> RunStart:
    """What this run was asked to do, from its trigger and its form."""
    manual = context["dag_run"].run_type == "manual"
    mode = Mode(context["params"].get("mode", Mode.NORMAL.value)) if manual else Mode.NORMAL
    return RunStart(
        context["run_id"],
        mode,
        manual,
        _started(context).isoformat(),
        tenant.sheet.digest,
        disaster=connections.disaster_freeze(tenant.name),
        generation=int(context["params"].get("generation") or 0),
    )


def _started(context: Any) -> dt.datetime:
    started: dt.datetime | None = context["dag_run"].start_date
    return started or utcnow()


def job_of(tenant: Tenant, context: Any) -> Job:
    return resume(record_of(tenant, context), tenant.mapping)


@contextmanager
def stage(context: Any) -> Iterator[None]:
    """Run a stage: its failure is kept for the mail, and retried by Airflow only where that can help.

    A tenant whose EMC account is in use by another waits for its turn, without a worker's slot and without using up
    its retries (E27).

    An exception that nobody foresaw may quote personal data, so only its kind and place go on (L6).
    """
    try:
        yield
    except (AirflowSkipException, AirflowFailException):
        raise
    except RenkeiError as error:
        if isinstance(error, BusyAccountError) and utcnow() - _started(context) < PATIENCE:
            log.info("%s", error)
            turn = utcnow() + TURN * random.uniform(0.5, 1.5)
            raise AirflowRescheduleException(turn) from None  # type: ignore[no-untyped-call]
        _keep(context, error)
        if isinstance(error, RETRIABLE):
            raise error from None
        raise AirflowFailException(str(error)) from None
    except Exception as error:
        unforeseen = RenkeiError(
            f"予期しないエラーが発生しました（{type(error).__name__}、{_place(error)}）。"
            "登録の途中であれば、EMCでの結果を次の実行が確認します。Airflowのログを確認してください。"
        )
        _keep(context, unforeseen)
        raise unforeseen from None


def _keep(context: Any, error: RenkeiError) -> None:
    failure = Failure(outcome_of(error), str(error), utcnow().isoformat())
    context["ti"].xcom_push(key=FAILURE_KEY, value=failure.as_json())


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    for frame in frames:
        log.error("  at %s:%s in %s", frame.filename, frame.lineno, frame.name)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
