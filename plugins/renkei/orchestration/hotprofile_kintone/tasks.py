"""What each task of a Dag does: its stage, with the clients and the rows of its tenant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from renkei.clock import utcnow
from renkei.errors import LoadError, SettingError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.model import Job, Mode, RunStart, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, DataSet
from renkei.links.hotprofile_kintone.stages.check import check as check_forms
from renkei.links.hotprofile_kintone.stages.check import refuse_another_sheet
from renkei.links.hotprofile_kintone.stages.compare import compare
from renkei.links.hotprofile_kintone.stages.finish import finish, finish_if_idle
from renkei.links.hotprofile_kintone.stages.plan import plan as plan_work
from renkei.links.hotprofile_kintone.stages.read import read as read_changes
from renkei.links.hotprofile_kintone.stages.trial import try_one
from renkei.links.hotprofile_kintone.stages.write import write
from renkei.orchestration.begin_run import begin_run
from renkei.orchestration.early_end import skip_remaining
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.stage import record_of, started
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import End, forget_end, note_end
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.kintone.errors import QuotaSpentError

LAST = [*DATA_SETS][-1]


def check(tenant: Tenant, context: Any) -> dict[str, str]:
    record = begin_run(tenant, context)
    record.create(_start(tenant, context))  # cleared, it does again what it was asked first
    job = _job(tenant, context)
    return check_forms(job, lambda data_set: apps_of(job, data_set)(data_set.app), utcnow)


def read(tenant: Tenant, context: Any) -> Any:
    """Where it finds nothing, the run is planned here, and over unless something waits."""
    job = _job(tenant, context)
    if not job.mode.reads:
        return {}
    source = connections.hotprofile_client(job.tenant)
    counts = read_changes(job, source)
    if any(counts.values()):
        forget_end(job.record)  # a first try may have found nothing, noted the end, and died
        return counts
    plan_work(job, source, utcnow())
    return skip_remaining(tenant, context, counts) if finish_if_idle(job, utcnow) else counts


def plan(tenant: Tenant, context: Any) -> Any:
    """Where all that was read is in kintone already, the run is over."""
    job = _job(tenant, context)
    if not job.mode.reads:
        return {}
    planned = plan_work(job, connections.hotprofile_client(job.tenant), utcnow())
    return skip_remaining(tenant, context, planned) if finish_if_idle(job, utcnow) else planned


def write_companies(tenant: Tenant, context: Any) -> dict[str, int]:
    return _write(tenant, context, "companies")


def write_departments(tenant: Tenant, context: Any) -> dict[str, int]:
    return _write(tenant, context, "departments")


def write_leads(tenant: Tenant, context: Any) -> dict[str, Any]:
    """The last one also says what the run came to."""
    counts = _write(tenant, context, "leads")
    return {**counts, "result": finish(_job(tenant, context), utcnow)}


def _write(tenant: Tenant, context: Any, name: str) -> dict[str, int]:
    job = _job(tenant, context)
    before = job.record.read_or_none(End)
    forget_end(job.record)
    result = _written(job, name)
    if before is not None and name != LAST:  # cleared by itself: the run came to what it had come to
        note_end(job.record, before.result, utcnow())
    return result


def _written(job: Job, name: str) -> dict[str, int]:
    data_set = next((one for one in job.data_sets if one.name == name), None)
    if data_set is None:
        return {}
    source, apps = connections.hotprofile_client(job.tenant), apps_of(job, data_set)
    try:
        if job.mode is Mode.TEST_ONE:
            try_one(job, data_set, apps, source, utcnow)
            return {"tested": 1}
        if job.mode is Mode.RECONCILE:
            return compare(job, data_set, apps(data_set.app), source, utcnow)
    except QuotaSpentError as error:
        raise LoadError(str(error)) from None
    return write(job, data_set, apps, source, utcnow)


def _start(tenant: Tenant, context: Any) -> RunStart:
    request, mapping = tenant.run_request(context), tenant.mapping
    said = request.settings
    mode = Mode(request.mode.value)
    since = said.get("since") or said.get("estimate_since")
    if mode in (Mode.INITIAL, Mode.ESTIMATE) and since is None:
        raise SettingError("「更新日」を指定して、もう一度実行（Trigger）してください。")
    start = RunStart(
        *(context["run_id"], mode, started(context), mapping, tenant.sheet.digest, since),
        *(said.get("data_set", ""), said.get("source_id", "")),
    )
    if mode is Mode.TEST_ONE and not (start.source_id and mapping.data_set(start.data_set)):
        known = "、".join(DATA_SETS[one.name] for one in mapping.data_sets)
        raise SettingError(
            f"「データ」（{known}）と、そのHot Profileの「ID」を指定して、もう一度実行（Trigger）してください。"
        )
    return start


def _job(tenant: Tenant, context: Any) -> Job:
    """The run, whichever of its tasks this is: each may be cleared by itself; raises SettingError."""
    record = record_of(tenant, context)
    job = Job(connections.database(), record, record.read(RunStart))
    refuse_another_sheet(job, tenant.sheet.digest)
    return job


def apps_of(job: Job, data_set: DataSet) -> Callable[[str], KintoneClient]:
    """The app of a data set, and those that its lookups copy from, by their ids.

    Each request is taken from its own app's day before it is sent (K15), and counted to the data set's run.
    """

    @functools.cache
    def app_of(app: str) -> KintoneClient:
        quota = Quota(job.database, host_of(job.mapping), app, job.mapping.daily_requests)

        def spend(count: int) -> None:
            quota.reserve(count, utcnow(), history.added(job, data_set, requests=count))

        return connections.kintone_client(job.mapping, spend)

    return app_of
