"""The run that the stages hand on, and what several of them see to before they go on."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from renkei.errors import BaselineError
from renkei.links.smarthr_emc import load
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import (
    EmcRefusal,
    FetchedDepartments,
    RunSheet,
    RunStart,
    SetSummary,
    SnapshotSummary,
)
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.runs.current_baseline import CurrentBaseline, current_baseline, was_linked
from renkei.runs.outcome import End, Summary
from renkei.storage.import_lock import ImportLock
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import AccountFolder


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one tenant: its record, the sheet as it was when the run began, what was asked for."""

    record: RunRecord
    mapping: Mapping
    start: RunStart

    @property
    def mode(self) -> Mode:
        return self.start.mode

    @property
    def is_frozen(self) -> bool:
        """Whether the snapshot is taken."""
        return self.record.has(SnapshotSummary)

    def summary(self, record_set: RecordSet) -> SetSummary:
        """The figures of the snapshot."""
        return self.record.read(SnapshotSummary).sets[record_set]

    def import_lock(self) -> ImportLock:
        return ImportLock(AccountFolder(self.record.store, self.record.tenant_folder.link, self.mapping.emc_account))


def resume(record: RunRecord, current: Mapping) -> Job:
    """The run for its next stage: every stage after the opening comes through here.

    Raises:
        BaselineError: what it has read is older than the baseline.
    """
    job = begun(record, current)
    refuse_old_read(job)
    return job


def begun(record: RunRecord, current: Mapping | None) -> Job:
    """The run as it was begun. Only a literal password comes from the current sheet: records hold none (L6).

    Without a current sheet the run can be looked at and answered, not loaded.
    """
    start = record.read(RunStart)
    mapping = record.read(RunSheet).mapping
    password = current.rule("password") if current else None
    users = tuple(password if rule.item == "password" and password else rule for rule in mapping.users)
    return Job(record, dataclasses.replace(mapping, users=users), start)


def forget_end(record: RunRecord) -> None:
    """The run begins to work again: what it came to before is not what it comes to now."""
    record.delete(End, Summary, EmcRefusal)


def log_in_of(where: CurrentBaseline) -> str | None:
    """The log-in by which the baseline was read; None: not known, or there is no baseline."""
    read = where.record.read_or_none(SnapshotSummary) if where.record else None
    return read.log_in if read else None


def refuse_old_read(job: Job) -> None:
    """An old read is never compared or planned anew (L3): people who joined since then would be deleted.

    What a run reads, or takes for 復元, belongs to the baseline that stood when it began to. Once another run has made
    a new one, a cleared or late task of this run has nothing more to do. The run that made it is done, not old.

    Raises:
        BaselineError: another run has moved the baseline.
    """
    current = current_baseline(job.record.tenant_folder)
    read = job.record.read_or_none(SnapshotSummary) or job.record.read_or_none(FetchedDepartments)
    if read is None or current.run in (job.record.run, read.baseline):
        return
    by = f"その後の実行（{current.run}）が前回データを更新している" if current.run else "前回データが保存先にない"
    raise BaselineError(
        f"この実行が受信した内容は古いため、比較も登録もしません（{by}ため、その後に加わった社員を削除するおそれがあります）。"
        "EMCには何も書き込んでいません。手動で新しく実行（Trigger）してください。"
    )


def settle_own(job: Job, target: Target, now: dt.datetime) -> bool:
    """Finish an earlier load of this tenant that nobody heard of; whether this very run is the one now confirmed."""
    pending = job.import_lock().pending()
    if pending is not None and pending.tenant == job.record.tenant:
        load.settle(job.import_lock(), target, job.record, now)
    current = current_baseline(job.record.tenant_folder).baseline
    return current is not None and current.run == job.record.run


def refuse_lost_baseline(job: Job, target: Target) -> None:
    """Without a baseline a run is the first link only if neither the store nor EMC knows of an earlier one (E31).

    Raises:
        BaselineError: one of them does.
    """
    if was_linked(job.record) or target.ever_committed(job.record.tenant):
        raise BaselineError(
            "この会社は以前に連携されていますが、前回データが保存先にありません。初回連携として扱うと削除すべき社員が残るため、"
            "何も書き込みません。保存先を復元するか、「再連携」を実行してください。"
        )
