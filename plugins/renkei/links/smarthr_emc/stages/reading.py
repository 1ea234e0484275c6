"""Read departments and users, and freeze them as the run's snapshot (E3); 復元 takes an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc import disaster, fetch, restore, snapshot
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.snapshot import Snapshot
from renkei.links.smarthr_emc.stages.job import Job
from renkei.systems.smarthr.client import SmartHRClient

if TYPE_CHECKING:
    import pandas as pd


def fetch_departments(job: Job, client: SmartHRClient, read_id: str) -> int:
    """Read departments and master lists; the number of departments."""
    if job.is_frozen:
        return len(job.record.table("departments", ["line"]))
    departments, masters = fetch.fetch_departments(client, job.mapping)
    job.record.write_table("fetched_departments", departments)
    job.record.write_json("fetched", {"read_id": read_id, "masters": masters})
    return len(departments)


def fetch_users(job: Job, client: SmartHRClient, progress: Callable[[int, int], None] | None = None) -> int:
    """Read every crew; their number."""
    if job.is_frozen:
        return len(job.record.table("users", ["line"]))
    fetched = job.record.json("fetched")
    known, retired = _crews_of(standing(job.record).table("users", ["crew_id", "valid"]))
    users = fetch.fetch_users(client, job.mapping, fetched["masters"], known, progress, retired)
    job.record.write_table("fetched_users", users)
    job.record.write_json("fetched_users", {"read_id": fetched["read_id"]})
    return len(users)


def _crews_of(users: pd.DataFrame | None) -> tuple[list[str], list[str]]:
    """Crew ids of a baseline: the valid ones, and those 退職済."""
    if users is None:
        return [], []
    there = users[users["crew_id"] != ""]  # 災害時凍結 keeps ids whose crew has another one now
    return there.loc[there["valid"], "crew_id"].tolist(), there.loc[~there["valid"], "crew_id"].tolist()


def take_snapshot(job: Job) -> dict[str, int]:
    """Freeze the read; from here on this run never reads SmartHR again (E3). Numbers of valid records."""
    if job.mode is Mode.RECONCILE:
        return {}
    if not job.is_frozen:
        frozen, read_id = _restored(job) if job.mode is Mode.RESTORE else _read(job)
        where = standing(job.record)
        departments, users = where.table("departments"), where.table("users")
        if job.start.disaster and departments is not None and users is not None:
            frozen = snapshot.summarise(
                disaster.keep_departments(frozen.departments, departments),
                disaster.keep_users(frozen.users, users),
                job.mapping,
                rules="+disaster",  # ending the freeze is a change, although nobody's data may have changed (E14)
            )
        job.record.write_table("departments", frozen.departments)
        job.record.write_table("users", frozen.users)
        job.record.write_json("snapshot", {"read_id": read_id, "sets": frozen.summary_json()})
        job.record.delete_table("fetched_departments")
        job.record.delete_table("fetched_users")
    return {record_set.value: job.summary(record_set).valid for record_set in RecordSet}


def _read(job: Job) -> tuple[Snapshot, str]:
    fetched = job.record.json("fetched")
    if job.record.json("fetched_users")["read_id"] != fetched["read_id"]:
        raise IncompleteReadError(
            "部署と社員が別々の受信のものです。混ぜて処理しません。fetch_users から再実行(Clear)してください。"
        )
    departments, users = job.record.table("fetched_departments"), job.record.table("fetched_users")
    frozen = snapshot.freeze(departments, users, job.mapping)
    before = standing(job.record).table("users")
    if before is not None:
        snapshot.refuse_lost_permission(frozen, before, job.mapping)
    return frozen, fetched["read_id"]


def _restored(job: Job) -> tuple[Snapshot, str]:
    then = restore.applied(job.record, job.start.generation).record
    users = then.table("users")
    users["line"] = range(1, len(users) + 1)  # kept then or received, all of them are to be there again
    return snapshot.summarise(then.table("departments"), users, job.mapping), then.json("snapshot")["read_id"]
