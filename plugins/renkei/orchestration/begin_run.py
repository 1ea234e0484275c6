"""What the first task of every link's run does before its own work (E1, E4)."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from renkei.clock import TOKYO, utcnow
from renkei.errors import NotLinkedYetError
from renkei.orchestration import run_notes, side_run
from renkei.orchestration.monitor.unfinished import ongoing_in, tell_overtaken
from renkei.orchestration.stage import record_of
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import forget_end
from renkei.storage.runs import RunRecord


def begin_run(tenant: Tenant, context: Any) -> RunRecord:
    """The record of this run, of which the watch, and what decides the Dag's colour, know from here on.

    Raises:
        AirflowSkipException: the run is a 通知テスト, or a side run whose time is over.
        SettingError: what it was asked to do cannot be understood.
        MappingError, SheetPendingError: the sheet cannot be used.
        NotLinkedYetError: 連携開始日 has not come.
    """
    if tenant.is_test(context):
        raise AirflowSkipException("通知テストのため、連携の処理は行いません。")
    record = record_of(tenant, context)  # first: what refuses the run is told on its page by way of it
    request = tenant.run_request(context)
    tell_overtaken(tenant, record, context["run_id"], ongoing_in(context))
    if not request.is_side_run:  # of one that is lost nobody misses anything
        run_notes.note_begun(record, context)
    if request.mode.writes:
        run_notes.note_writing_run(record, context)
    forget_end(record)
    if request.is_side_run and side_run.is_too_late(tenant, context):
        side_run.leave_out(record, "予定の時刻から時間が経ったため")
    _ = tenant.mapping  # raises what is wrong with the sheet
    begins = tenant.sheet.link_start_on
    # It may have been moved after Airflow had planned the run; before it only a person starts one.
    if begins and context["dag_run"].run_type == "scheduled" and utcnow().astimezone(TOKYO).date() < begins:
        raise NotLinkedYetError(f"連携開始日（{begins:%Y/%m/%d}）より前のため、自動では実行しません。")
    return record
