"""Freeze what was read as the run's snapshot (E3); 復元 takes an earlier one."""

from __future__ import annotations

from dataclasses import replace

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc import disaster, restore, snapshot
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import FetchedDepartments, FetchedUsers, SnapshotSummary
from renkei.links.smarthr_emc.snapshot import Snapshot
from renkei.links.smarthr_emc.stages.job import Job, log_in_of
from renkei.runs.current_baseline import CurrentBaseline, current_baseline


def take_snapshot(job: Job) -> dict[str, int]:
    """Freeze the read; from here on this run never reads SmartHR again (E3). Numbers of valid records."""
    if job.mode is Mode.RECONCILE:
        return {}
    if not job.is_frozen:
        where = current_baseline(job.record.tenant_folder)
        frozen, summary = _restored(job, where) if job.mode is Mode.RESTORE else _read(job, where)
        departments, users = (where.table(s.value) if job.start.disaster else None for s in RecordSet)
        if departments is not None and users is not None:
            frozen = snapshot.summarise(
                disaster.keep_departments(frozen.departments, departments),
                disaster.keep_users(frozen.users, users),
                job.mapping,
                rules="+disaster",  # ending the freeze is a change, although nobody's data may have changed (E14)
            )
            # Whom a new log-in does not see is kept, too: the run after the freeze is to ask.
            summary = replace(summary, log_in=log_in_of(where))
        job.record.write_table("departments", frozen.departments)
        job.record.write_table("users", frozen.users)
        job.record.write(replace(summary, sets=frozen.summary))
        job.record.delete_table("fetched_departments")
        job.record.delete_table("fetched_users")
    return {record_set.value: job.summary(record_set).valid for record_set in RecordSet}


def _read(job: Job, where: CurrentBaseline) -> tuple[Snapshot, SnapshotSummary]:
    fetched = job.record.read(FetchedDepartments)
    if job.record.read(FetchedUsers).read_id != fetched.read_id:
        raise IncompleteReadError(
            "部署と社員が別々の受信のものです。混ぜて処理しません。fetch_users から再実行(Clear)してください。"
        )
    departments, users = job.record.table("fetched_departments"), job.record.table("fetched_users")
    frozen = snapshot.freeze(departments, users, job.mapping)
    if where.record is None:
        snapshot.refuse_nobody(frozen, job.mapping)
    elif snapshot.blank_for_all(frozen.users, job.mapping) and (before := where.table("users")) is not None:
        snapshot.refuse_lost_permission(frozen, before, job.mapping)
    return frozen, SnapshotSummary(fetched.read_id, frozen.summary, fetched.baseline, fetched.at, fetched.log_in)


def _restored(job: Job, where: CurrentBaseline) -> tuple[Snapshot, SnapshotSummary]:
    then = restore.applied(job.record, job.start.generation).record
    users = then.table("users")
    users["line"] = range(1, len(users) + 1)  # kept then or received, all of them are to be there again
    frozen = snapshot.summarise(then.table("departments"), users, job.mapping)
    read = then.read(SnapshotSummary)
    # Chosen when this baseline stood.
    return frozen, SnapshotSummary(read.read_id, frozen.summary, where.run, log_in=read.log_in)
