"""Begin a run, or find it begun; refuse what must not run at all (E25, E31, E32)."""

from __future__ import annotations

import dataclasses
import datetime as dt

from renkei.errors import LinkStateError, NotLinkedYetError
from renkei.links.smarthr_emc import restore
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import RunSheet, RunStart
from renkei.links.smarthr_emc.sheet.codec import without_password
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Mapping
from renkei.links.smarthr_emc.stages.job import (
    Job,
    begun,
    forget_end,
    refuse_lost_baseline,
    refuse_old_read,
    settle_own,
)
from renkei.runs.current_baseline import CurrentBaseline, current_baseline
from renkei.storage.runs import RunRecord


def open_run(record: RunRecord, mapping: Mapping, start: RunStart, target: Target, now: dt.datetime) -> Job:
    """Begin the run, or find it begun; refuse what must not run at all.

    An earlier load of which nobody knows how it ended is settled first, so that the run starts from the truth.

    Raises:
        LinkStateError: 連携解除 (E32), a first link that nobody asked for (E31), a changed ID付与コード (E25),
            再連携 under 災害時凍結, nothing to compare with (照合) or to go back to (復元).
        BaselineError: the run was cleared, and another one has moved the baseline since it read.
        RetriableLoadError: how an earlier load ended is still open.
    """
    if start.mode is Mode.RESTORE:  # by its number: "the one before" is another one once this run has ended
        start = dataclasses.replace(start, generation=restore.applied(record, start.generation).baseline.generation)
    forget_end(record)
    record.create(start)
    # By itself: the process may die between the two.
    record.create(_sheet_of(record, mapping, record.read(RunStart)))
    job = begun(record, mapping)
    if job.mapping.state is LinkState.FROZEN:
        raise LinkStateError(
            "連携解除中のため処理しません。EMCのデータはそのままです。再開するには連携設定シートの連携状態を「連携中」にしてください。"
        )
    if job.start.disaster and job.mode.relinks:
        raise LinkStateError("災害時凍結中のため再連携は行いません。凍結を解除してから実行してください。")
    settle_own(job, target, now)
    if job.is_frozen:  # else it is read afresh
        refuse_old_read(job)
    where = current_baseline(record.tenant_folder)
    if where.record is None:
        if not job.start.manual:
            refuse_lost_baseline(job, target)
            raise NotLinkedYetError(
                "初回連携がまだ行われていません。初回連携は自動では実行しません。"
                "運用担当者がAirflowの画面から手動で実行（Trigger）してください。"
            )
        return job
    _refuse_changed_identity(where, job)
    return job


def _sheet_of(record: RunRecord, mapping: Mapping, start: RunStart) -> RunSheet:
    """The sheet that this run goes by: 復元 goes by the one of the snapshot that it takes."""
    if start.mode is Mode.RESTORE:
        return restore.applied(record, start.generation).record.read(RunSheet)
    return RunSheet(without_password(mapping))


def _refuse_changed_identity(where: CurrentBaseline, job: Job) -> None:
    sheet = where.read(RunSheet, "連携設定")
    assert sheet is not None  # there is a baseline
    before = sheet.mapping
    if before.emc_account != job.mapping.emc_account:
        raise LinkStateError(
            f"EMCアカウントが「{before.emc_account}」から「{job.mapping.emc_account}」に変わっています。"
            "連携開始後は変更できません。元に戻すか、連携解除のうえ別のテナントとして登録してください。"
        )
    if before.id_prefix != job.mapping.id_prefix and not job.mode.relinks:
        raise LinkStateError(
            f"ID付与コードが「{before.id_prefix}」から「{job.mapping.id_prefix}」に変わっています。"
            "ID付与コードは後から変更できません。元に戻すか、「再連携」を実行してください"
            "（現在連携中のユーザ・部署は削除され、新規として再登録されます）。"
        )
