"""Notes beside the runs of a tenant: what waits, what has begun, how the last one ended (E4)."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

from renkei.channel import Event
from renkei.clock import utcnow
from renkei.errors import StoreError
from renkei.notifications.monitor.expiry import Waiting
from renkei.orchestration.airflow_run import good_end, this_run
from renkei.orchestration.tenant import Tenant
from renkei.runs import notes
from renkei.runs.notes import Begun, LastResult, LastWritingRun
from renkei.runs.outcome import Outcome
from renkei.storage import records
from renkei.storage.runs import RunRecord


def note_result(record: RunRecord, run: str, event: Event, subject: str) -> None:
    """What the watch looks at: somebody heard of this tenant."""
    with contextlib.suppress(StoreError):  # then the watch asks, rightly
        note = LastResult(utcnow(), run, event.value, subject)
        records.write(record.store, record.tenant_folder.last_result, note)


def note_waiting(tenant: Tenant, context: Any, until: dt.datetime, outcome: Outcome) -> None:
    """For the notice that an answer will soon count as refused (期限切れ予告): what waits, and until when."""
    note = Waiting(context["run_id"], until, outcome.value, tenant.link.subjects()[outcome])
    with contextlib.suppress(StoreError):
        folder = tenant.folder()
        records.write(folder.store, folder.waiting, note)


def forget_waiting(tenant: Tenant, run_id: str) -> None:
    """That run's question was answered, or its time is over."""
    with contextlib.suppress(StoreError):
        folder = tenant.folder()
        notes.forget(folder.store, folder.waiting, run_id)


def note_begun(record: RunRecord, context: Any) -> None:
    """For the watch: a run that is over while this note stands has told nobody (E4)."""
    run = this_run(context)
    records.write(record.store, record.tenant_folder.begun, Begun(run.run_id, record.run, run.started))


def forget_begun(tenant: Tenant, run_id: str) -> None:
    """Somebody was told how that run ended."""
    with contextlib.suppress(StoreError):
        folder = tenant.folder()
        notes.forget(folder.store, folder.begun, run_id)


def note_writing_run(record: RunRecord, context: Any) -> None:
    """The last run that is to write: its end is the tenant's colour, whatever only looks or tests after it."""
    records.write(record.store, record.tenant_folder.last_real, LastWritingRun(context["run_id"], record.run))


def failing_run(tenant: Tenant) -> str:
    """The id of the last run that was to write, if it has not ended well and nothing has put it right; else empty.

    Raises:
        StoreError: nobody can say.
    """
    folder = tenant.folder()
    note = records.read_or_none(folder.store, folder.last_real, LastWritingRun)
    return "" if note is None or good_end(RunRecord(folder, note.folder)) else note.run
