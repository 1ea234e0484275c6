"""What each task of a Dag does: its stage, with the clients and the rows of its tenant."""

from __future__ import annotations

from typing import Any

from renkei.clock import utcnow
from renkei.errors import SettingError
from renkei.links.workplace_lineworks.calendar_lease import leased_calendars
from renkei.links.workplace_lineworks.model import Job, Mode, RunStart
from renkei.links.workplace_lineworks.stages import approve, compare, strays
from renkei.links.workplace_lineworks.stages import fetch_absences as fetching
from renkei.links.workplace_lineworks.stages import finish as finishing
from renkei.links.workplace_lineworks.stages import plan as planning
from renkei.links.workplace_lineworks.stages import write_calendar as writing
from renkei.orchestration.begin_run import begin_run
from renkei.orchestration.early_end import skip_remaining
from renkei.orchestration.stage import WithoutTasks, record_of, started
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.workplace_lineworks import connections
from renkei.runs.outcome import forget_end


def fetch_absences(tenant: Tenant, context: Any) -> Any:
    """The run is planned here, too: where nothing has changed it is over, and where nobody is asked, written next."""
    record = begin_run(tenant, context)
    record.create(_start(tenant, context))  # cleared, it does again what it was asked first
    job = job_of(tenant, context)
    counts: dict[str, int] = {}
    if job.mapping.calendar:
        counts = fetching.fetch_absences(job, connections.workplace_client(job.tenant), utcnow())
        planning.plan(job, utcnow())
    if finishing.finish_if_idle(job, utcnow):
        return skip_remaining(tenant, context, counts)
    return counts if approve.is_asked(job) else WithoutTasks(counts, ("plan", "approve"))


def plan(tenant: Tenant, context: Any) -> Any:
    job = job_of(tenant, context)
    forget_end(job.record)
    counts = planning.plan(job, utcnow()) if job.mapping.calendar else {}
    is_asked = job.mapping.calendar and approve.is_asked(job)
    return counts if is_asked else WithoutTasks(counts, ("approve",))


def write_calendar(tenant: Tenant, context: Any) -> dict[str, Any]:
    """The last one also says what the run came to."""
    job = job_of(tenant, context)
    forget_end(job.record)
    counts: dict[str, int] = {}
    if job.mapping.calendar and job.mode.writes:
        with leased_calendars(job.database, job.tenant) as lease:
            calendar = connections.calendar(job.tenant, lease.check)
            if job.mode is Mode.RECONCILE:
                counts |= compare.compare(job, calendar, utcnow) | strays.remove_strays(job, calendar, utcnow)
            counts |= writing.write_calendar(job, calendar, utcnow, lease.doubt)
    return {**counts, "result": finishing.finish(job, utcnow)}


def _start(tenant: Tenant, context: Any) -> RunStart:
    request = tenant.run_request(context)
    mode = Mode(request.mode.value)
    return RunStart(context["run_id"], mode, started(context), tenant.mapping, tenant.sheet.digest)


def job_of(tenant: Tenant, context: Any) -> Job:
    """The run, whichever of its tasks this is: each may be cleared by itself.

    Raises:
        SettingError: the sheet has been changed since the run began: what it says of today, an old run must not write.
    """
    record = record_of(tenant, context)
    job = Job(connections.database(), record, record.read(RunStart))
    if job.start.sheet_digest != tenant.sheet.digest:
        raise SettingError(
            "連携設定シートが、この実行の開始後に変わりました。古いシートでは連携しません。新しく実行（Trigger）してください。"
        )
    return job
