"""Runs that are over and have told nobody: deleted, or ended by something that let no task of ours run (E4)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from renkei.orchestration import result_notification, run_notes
from renkei.orchestration.airflow_run import AirflowRun
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.scan import READERS
from renkei.orchestration.tenant import Tenant
from renkei.runs import notes
from renkei.runs.notes import Begun
from renkei.storage.runs import RunRecord

log = logging.getLogger(__name__)

Ongoing = Callable[[str, str], bool]  # whether Airflow still works on the run of this Dag with this run id


def ongoing_in(context: Any) -> Ongoing:
    """Whether Airflow has a run as running, waiting for a person included, or about to run again."""

    def ongoing(dag_id: str, run_id: str) -> bool:
        states = ["queued", "running"]
        return bool(context["ti"].get_dr_count(dag_id=dag_id, run_ids=[run_id], states=states))

    return ongoing


def tell_unfinished(notices: Notices, tenants: Sequence[Tenant], ongoing: Ongoing) -> None:
    """Tell each tenant whose run is over how it ended, by its record; its question in 要対応項目 is over with it.

    A tenant whose message did not pass is told at the next look.
    """
    with ThreadPoolExecutor(READERS) as readers:
        read = readers.map(lambda one: notes.read(notices.store, notices.folder(one.name).begun, Begun), tenants)
    for tenant, note in zip(tenants, read, strict=True):
        if note is None:
            continue
        try:
            run = _run_of(tenant, note)
            if ongoing(run.dag_id, run.run_id):
                continue
            _tell_end(tenant, run, RunRecord(notices.folder(tenant.name), note.folder))
            run_notes.forget_begun(tenant, run.run_id)
            notices.told += 1
        except Exception as error:  # the others are told all the same (L5); its text may hold secrets (L7)
            found = f"{tenant.name}: 途中で終わった処理を知らせられませんでした（{type(error).__name__}）。"
            notices.faults.append(found)


def tell_overtaken(tenant: Tenant, record: RunRecord, run_id: str, ongoing: Ongoing) -> None:
    """Before the run of `record` is noted: tell of the one whose place it takes before the watch has looked.

    Deleted and made anew by the same id it is another run all the same. Whether it is told or not, this run goes on (N3).
    """
    try:
        note = notes.read(record.store, record.tenant_folder.begun, Begun)
        if note is None or note.folder == record.run:
            return
        run = _run_of(tenant, note)
        if run.run_id == run_id or not ongoing(run.dag_id, run.run_id):
            _tell_end(tenant, run, record.sibling(note.folder))
    except Exception as error:  # its text may hold secrets (L7)
        log.error("nobody was told of the run before this one: %s", type(error).__name__)


def _run_of(tenant: Tenant, note: Begun) -> AirflowRun:
    return AirflowRun(tenant.dag_id, note.run, note.started)


def _tell_end(tenant: Tenant, run: AirflowRun, record: RunRecord) -> None:
    log.warning("run=%s of tenant=%s is over and has told nobody", run.run_id, tenant.name)
    run_notes.forget_waiting(tenant, run.run_id)
    result_notification.report_end(tenant, run, record)
