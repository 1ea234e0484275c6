"""What each task of a Dag does (E2): its stage, with the clients and the store of its tenant."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from renkei.clock import utcnow
from renkei.errors import MappingError, RenkeiError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import Comparison, RunStart
from renkei.links.smarthr_emc.sheet.grants import ungranted, uses_of
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages.job import Job, begun, forget_end, resume
from renkei.orchestration import side_run
from renkei.orchestration.begin_run import begin_run
from renkei.orchestration.smarthr_emc import connections
from renkei.orchestration.stage import WithoutTasks, record_of, started
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import note_end
from renkei.settings import emc_format_file
from renkei.sheets.side_run import mark_of
from renkei.storage.runs import RunRecord
from renkei.systems.emc.file_format import EmcFormat, load_format

log = logging.getLogger(__name__)


def fetch_departments(tenant: Tenant, context: Any) -> dict[str, int]:
    with side_run.only_of_linked(tenant, context):
        record, mapping = begin_run(tenant, context), tenant.mapping
        return _fetch_departments(tenant, context, record, mapping)


def _fetch_departments(tenant: Tenant, context: Any, record: RunRecord, mapping: Mapping) -> dict[str, int]:
    start = run_start(tenant, context)
    if start.mode.reads and not start.mode.writes:  # 確認のみ: what a load would stop at is found now
        connections.before_load(mapping)
    target = connections.emc_target(mapping)
    job = stages.open_run.open_run(record, mapping, start, target, utcnow())
    if job.mode is Mode.RECONCILE and mark_of(job.start.run_id):  # every day, for every tenant: in one task
        stages.diff.compare(job, target, _emc_format(tenant), utcnow(), connections.emc_address(mapping, target))
        note_end(record, record.read(Comparison).end, utcnow())
        raise AirflowSkipException("照合は終わりました。残りのタスクは要りません。")
    if not job.mode.reads:
        return {}
    client = connections.smarthr_client(job.mapping)
    now = utcnow()
    return {"departments": stages.fetch.fetch_departments(job, client, f"{context['run_id']}:{now.isoformat()}", now)}


def fetch_users(tenant: Tenant, context: Any) -> dict[str, int]:
    job = job_of(tenant, context)
    if not job.mode.reads:
        return {}
    client = connections.smarthr_client(job.mapping)
    return {"users": stages.fetch.fetch_users(job, client, utcnow(), _log_progress)}


def snapshot(tenant: Tenant, context: Any) -> dict[str, int]:
    return stages.snapshot.take_snapshot(job_of(tenant, context))


def diff(tenant: Tenant, context: Any) -> dict[str, Any]:
    job = job_of(tenant, context)
    forget_end(job.record)
    if job.mode is Mode.RECONCILE:
        target = connections.emc_target(job.mapping)
        address = connections.emc_address(job.mapping, target)
        tallies = stages.diff.compare(job, target, _emc_format(tenant), utcnow(), address)
        return {record_set.value: asdict(one) for record_set, one in tallies.items()}
    sets = stages.diff.make_diff(job, connections.emc_target(job.mapping), utcnow())
    return {record_set.value: asdict(one) for record_set, one in sets.items()}


def validate(tenant: Tenant, context: Any) -> list[str] | WithoutTasks:
    job = job_of(tenant, context)
    forget_end(job.record)
    holds = stages.validate.validate(job, connections.emc_target(job.mapping), _emc_format(tenant), utcnow())
    loads, passwords = stages.validate.needs(job)
    if loads:  # 確認のみ asks as well: it is to tell what a load would stop at
        connections.before_load(job.mapping, passwords=passwords)
    if passwords:
        stages.load.check_passwords(job, _emc_format(tenant), connections.secret)
    kinds = [hold.kind for hold in holds]
    if end := stages.load.end_without_load(job):
        note_end(job.record, end, utcnow())
        return WithoutTasks(kinds, ("approve", "load"))
    return kinds if stages.approve.is_held(job) else WithoutTasks(kinds, ("approve",))


def load(tenant: Tenant, context: Any) -> str:
    job = job_of(tenant, context)
    forget_end(job.record)
    target = connections.emc_target(job.mapping)
    frozen = connections.disaster_freeze(tenant.name)
    result = stages.load.apply(job, target, _emc_format(tenant), connections.secret, utcnow(), disaster_now=frozen)
    note_end(job.record, result, utcnow())
    return result


def run_start(tenant: Tenant, context: Any) -> RunStart:
    """What this run was asked to do, from its trigger and its form.

    Raises:
        SettingError: that cannot be understood.
    """
    request, run_type = tenant.run_request(context), context["dag_run"].run_type
    # What only looks, somebody has asked for on the page of many companies; nothing that writes comes from there (E31).
    by_hand = run_type == "manual" or (run_type == "operator_triggered" and not request.mode.writes)
    return RunStart(
        context["run_id"],
        Mode(request.mode.value),
        by_hand,
        started(context).isoformat(),
        tenant.sheet.digest,
        disaster=connections.disaster_freeze(tenant.name),
        generation=request.settings.get("generation", 0),
    )


def job_of(tenant: Tenant, context: Any) -> Job:
    """The run as it was begun, for its next stage.

    Raises:
        MappingError: the sheet it was begun with, or goes back to, uses what the tenant has no right to any more (E41).
        BaselineError: see `resume`.
    """
    record = record_of(tenant, context)
    try:
        job = resume(record, tenant.mapping)
        if problems := list(
            ungranted(uses_of(job.mapping), tenant.grants, lambda what: f"{tenant.sheet_file}（この実行の開始時）")
        ):
            raise MappingError(problems)
    except RenkeiError:
        forget_end(record)  # cleared in vain, an ended run says so, not again how it ended then
        raise
    return job


def answered_job(tenant: Tenant, context: Any) -> Job:
    """The run as it was begun, for a person's answer: that counts although the sheet may be away or broken just now."""
    return begun(record_of(tenant, context), tenant.sheet.mapping)


def _emc_format(tenant: Tenant) -> EmcFormat:
    return load_format(emc_format_file(tenant.dag_file))


def _log_progress(done: int, total: int) -> None:
    if done == total or done % 1000 == 0:
        log.info("fetch users %d/%d", done, total)
