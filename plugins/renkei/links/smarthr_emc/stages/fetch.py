"""Read departments and users (E3, E33)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pandas as pd

from renkei.errors import RefusedFetchError
from renkei.links.smarthr_emc import fetch
from renkei.links.smarthr_emc.records import FetchedDepartments, FetchedUsers
from renkei.links.smarthr_emc.stages.job import Job
from renkei.runs.current_baseline import current_baseline
from renkei.systems.smarthr.client import SmartHRClient

# Between the two halves of one read: retries and turns take hours, a task that is cleared another day takes longer.
ONE_READ = dt.timedelta(hours=6)


def fetch_departments(job: Job, client: SmartHRClient, read_id: str, now: dt.datetime) -> int:
    """Read departments and master lists; the number of departments."""
    if job.is_frozen:
        return len(job.record.table("departments", ["line"]))
    # Both before anything is read: see job.refuse_old_read, and `_refuse_other_log_in` for one that comes meanwhile.
    where, log_in = current_baseline(job.record.tenant_folder), client.log_in()
    before = where.table("departments", ["source_id"])
    known = [] if before is None else before["source_id"].tolist()
    departments, masters = fetch.fetch_departments(client, job.mapping, known)
    job.record.write_table("fetched_departments", departments)
    job.record.write(FetchedDepartments(read_id, masters, where.run, now, log_in))
    return len(departments)


def fetch_users(
    job: Job, client: SmartHRClient, now: dt.datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Read every crew; their number.

    Raises:
        RefusedFetchError: the departments are of another day, or of another log-in: two reads are never mixed (E3).
    """
    if job.is_frozen:
        return len(job.record.table("users", ["line"]))
    fetched = job.record.read(FetchedDepartments)
    if fetched.at is None or abs(now - fetched.at) > ONE_READ:
        raise RefusedFetchError(
            "この実行が受信した部署は古いため、いまの社員と混ぜて処理しません。EMCには何も書き込んでいません。"
            "fetch_departments から再実行(Clear)するか、手動で新しく実行（Trigger）してください。"
        )
    _refuse_other_log_in(fetched, client)  # before people are read for nothing, as after a task was cleared
    known, retired = _crews_of(current_baseline(job.record.tenant_folder).table("users", ["crew_id", "valid"]))
    users = fetch.fetch_users(client, job.mapping, fetched.masters, known, progress, retired)
    _refuse_other_log_in(fetched, client)
    job.record.write_table("fetched_users", users)
    job.record.write(FetchedUsers(fetched.read_id))
    return len(users)


def _refuse_other_log_in(fetched: FetchedDepartments, client: SmartHRClient) -> None:
    if fetched.log_in is not None and client.log_in() != fetched.log_in:
        raise RefusedFetchError(
            "受信の途中でSmartHRの許可が変わったため、その前後で見えた内容を混ぜて処理しません。EMCには何も書き込んでいません。"
            "fetch_departments から再実行(Clear)するか、手動で新しく実行（Trigger）してください。"
        )


def _crews_of(users: pd.DataFrame | None) -> tuple[list[str], list[str]]:
    """Crew ids of a baseline: the valid ones, and those 退職済."""
    if users is None:
        return [], []
    there = users[users["crew_id"] != ""]  # 災害時凍結 keeps ids whose crew has another one now
    return there.loc[there["valid"], "crew_id"].tolist(), there.loc[~there["valid"], "crew_id"].tolist()
