"""What is told of a run: its report, the lines in Airflow's logs and pages, and by whom it is heard."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from renkei import settings
from renkei.channel import Channel, Event
from renkei.clock import DAILY_AT, next_daily, utcnow
from renkei.errors import BaselineError, RecordError, RejectedLoadError, RenkeiError, StoreError
from renkei.links.smarthr_emc import chat, notify, run_summary
from renkei.links.smarthr_emc.notify import ReportContext
from renkei.links.smarthr_emc.records import Comparison, EmcRefusal, RunSheet
from renkei.links.smarthr_emc.run_report import RunReport
from renkei.links.smarthr_emc.sheet.side_runs import CHECK
from renkei.orchestration.monitor.operator_channels import operator_contact
from renkei.orchestration.report import Report, RunEnd
from renkei.orchestration.tenant import Tenant
from renkei.runs import notes
from renkei.runs.notes import LastComparison
from renkei.runs.outcome import Outcome
from renkei.sheets.side_run import mark_of
from renkei.storage import records
from renkei.storage.baselines import Baselines
from renkei.storage.runs import RunRecord

log = logging.getLogger(__name__)
# The same differences, which a 照合 by itself finds day after day, are told again a week later; a run may be early.
REMIND_AFTER = dt.timedelta(days=6, hours=12)


def report(end: RunEnd) -> Report:
    """Raises StoreError: the record cannot be read."""
    sheet, links = end.tenant.sheet, dict(end.links)
    url = sheet.mapping.smarthr_url if sheet.mapping else ""
    ahead = mark_of(end.run_id) == CHECK
    about = replace(_about(end.tenant, end.started if ahead else utcnow()), ahead=ahead)
    said = (end.outcome, end.message, end.started, end.ended)
    found = (
        notify.bare(url, *said, links, about)
        if end.record is None
        else notify.collect(end.record, url, *said, end.warnings, links, about)
    )
    event = chat.event_of(found)
    return Report(
        event,
        notify.full_message(found, end.tenant.name),
        notify.operators_message(found, end.tenant.name),
        partial(notify.message_key, found),
        partial(_summary, found, end),
        calls=event in (Event.HOLD, Event.FAILURE) and not (end.outcome is Outcome.DIFFERS and _heard_lately(end)),
        heard=partial(_note_heard, end),
    )


def _heard_lately(end: RunEnd) -> bool:
    comparison = end.record.read_or_none(Comparison) if end.record else None
    return bool(comparison and comparison.told and end.started - comparison.told < REMIND_AFTER)


def _note_heard(end: RunEnd) -> None:
    """Somebody knows the differences that this run found. Unnoted, they are told once more."""
    with suppress(StoreError):
        folder = end.tenant.folder()
        last = notes.read(folder.store, folder.last_comparison, LastComparison)
        if last and last.run == end.run_id and not last.agrees:
            records.write(folder.store, folder.last_comparison, replace(last, told=utcnow()))


def _about(tenant: Tenant, now: dt.datetime) -> ReportContext:
    sheet = tenant.sheet
    runs_daily = sheet.mapping is None or sheet.scheduled
    tick = next_daily(sheet.run_at or DAILY_AT, now, sheet.link_start_on) if runs_daily else None
    contact = operator_contact(settings.operator_file(tenant.dag_file))
    try:
        found = notify.registered(tenant.folder())
    except (StoreError, BaselineError):
        return ReportContext(sheet.company, tick, contact)
    return ReportContext(sheet.company, tick, contact, found, linked=True)


def _summary(found: RunReport, end: RunEnd) -> list[str]:
    record, tenant = end.record, end.tenant.name
    if record is None:
        return run_summary.figures(found, tenant)
    refusal = record.read_or_none(EmcRefusal)
    problems = record.table("problems") if found.problems else None
    return run_summary.summary(found, tenant, record.folder, problems, refusal.problems if refusal else ())


def errors(record: RunRecord, error: RenkeiError) -> list[str]:
    """The first errors of each kind, with crew id, item and remedy, and where all of them are (L6: nobody is named)."""
    if isinstance(error, RecordError):
        lines, name = run_summary.errors(record.table("problems")), "problems.parquet"
    elif isinstance(error, RejectedLoadError):
        refusal = record.read_or_none(EmcRefusal)  # EMC need not give reasons
        lines, name = run_summary.emc_errors(refusal.problems if refusal else ()), "emc_problems.json"
    else:
        return []
    return [*lines, *([f"全件: 保存先の {record.folder}/{name}"] if lines else [])]


def last_told(tenant: Tenant) -> tuple[Sequence[str], Sequence[Channel]]:
    """The mail addresses and channels of the sheet that was loaded last, for one that is broken or lost now."""
    try:
        folder = tenant.folder()
        current = Baselines(folder).current()
        if current is None:
            return (), ()
        last = RunRecord(folder, current.run).read(RunSheet).mapping
        return last.result_addresses, last.channels
    except Exception as error:  # whatever is wrong with it, the message goes to those who are known (L8)
        log.warning("the last sheet of tenant=%s cannot be read: %s", tenant.name, type(error).__name__)
        return (), ()
