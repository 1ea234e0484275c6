"""A run beside the daily one is left out where it is of no use (`sheets/side_run.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from airflow.sdk.exceptions import AirflowSkipException

from renkei.clock import utcnow
from renkei.errors import NotLinkedYetError, StoreError, UnknownRunError
from renkei.orchestration.stage import record_of, started
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import LEFT_OUT, End, Summary, note_end
from renkei.sheets.side_run import mark_of
from renkei.storage.runs import RunRecord


def is_too_late(tenant: Tenant, context: Any) -> bool:
    """Whether the run began when it was of no use any more, or the sheet does not ask for it any more."""
    mark = mark_of(context["run_id"])
    late = next((one.late for one in tenant.sheet.side_runs if one.mark == mark), None)
    return late is None or started(context) - context["dag_run"].run_after > late


def leave_out(record: RunRecord, why: str) -> NoReturn:
    """End the run well, without its work."""
    note_end(record, LEFT_OUT, utcnow())
    record.write(Summary([f"{why}、行いませんでした。"]))
    raise AirflowSkipException(f"{why}、この実行は行いません。")


def was_left_out(tenant: Tenant, context: Any) -> bool:
    try:
        end = record_of(tenant, context).read_or_none(End) if mark_of(context["run_id"]) else None
    except (StoreError, UnknownRunError):  # then it is told as a run whose record is out of reach
        return False
    return end is not None and end.result == LEFT_OUT


@contextmanager
def only_of_linked(tenant: Tenant, context: Any) -> Iterator[None]:
    """Leave a side run out where its tenant is not linked yet: nobody can mend that in SmartHR."""
    try:
        yield
    except NotLinkedYetError:
        if not mark_of(context["run_id"]):
            raise
        leave_out(record_of(tenant, context), "連携開始日または初回連携の前のため")
