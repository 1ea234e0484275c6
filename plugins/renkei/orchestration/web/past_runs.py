"""A company's runs: what Airflow knows of them, and what is kept of each in the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from renkei import settings
from renkei.errors import RenkeiError, SettingError, StoreError
from renkei.notifications.delivery_log import DeliveryLog
from renkei.orchestration import result_notification
from renkei.orchestration.monitor.scan import READERS
from renkei.orchestration.report import RunEnd
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.web import questions, state
from renkei.orchestration.web.sheets import tenant_of
from renkei.orchestration.web.state import RunFacts
from renkei.runs.failure import Failure
from renkei.runs.outcome import Summary
from renkei.storage import records
from renkei.storage.runs import CommonRunStart, RunRecord, is_run_key
from renkei.storage.store import DamagedFileError
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import CompanyEvents, Findings, QuestionState, Run, RunBeginning, RunDetails, ToldChannel


class PastRuns:
    """The part of `renkei.web.services.Knowledge` on a company's runs."""

    def days(self, dag_ids: Sequence[str], since: dt.datetime) -> Mapping[str, Sequence[Run]]:
        return state.runs_by_day(dag_ids, since)

    def runs(self, dag_id: str, since: dt.datetime) -> Sequence[Run]:
        return state.runs_of(dag_id, since)

    def runs_called(self, run_id: str, dag_ids: Sequence[str]) -> Mapping[str, Run]:
        return state.runs_called(run_id, dag_ids)

    def run(self, dag_id: str, run_id: str) -> Run | None:
        found = state.run_of(dag_id, run_id)
        return found.run if found else None

    def question_state(self, dag_id: str, run_id: str, task_id: str) -> QuestionState | None:
        return questions.state(dag_id, run_id, task_id)

    def record(self, dag_id: str, run_id: str) -> RunRecord | None:
        found = state.run_of(dag_id, run_id)
        return _record(tenant_of(state.dags()[dag_id]).folder(), found) if found else None

    def account(self, dag_id: str, run_id: str, *, people: bool, start: int = 0, most: int = 100) -> RunDetails:
        found = state.run_of(dag_id, run_id)
        if found is None:
            return RunDetails(known=False, kept_days=_kept_days())
        tenant = tenant_of(state.dags()[dag_id])
        try:
            record = _record(tenant.folder(), found)
            if record is None:
                return RunDetails(known=False, kept_days=_kept_days())
            view = tenant.link.console() if tenant.link.console else None
            found_problems = view.problems(record, start, most) if view else Findings((), 0, 0)
            summary = record.read_or_none(Summary)
            return RunDetails(
                summary=summary.lines if summary else (),
                mail=_mail(tenant, record, found) if people else "",
                problems=found_problems.problems,
                problem_count=found_problems.count,
                notes=found_problems.notes,
                told=_told(record),
            )
        except (StoreError, ValueError) as error:
            return RunDetails(fault=str(error) if isinstance(error, RenkeiError) else "記録を読み取れません。")

    def findings(self, dag_id: str, run_id: str) -> Iterator[Sequence[str]]:
        link, record = state.dags()[dag_id].link, self.record(dag_id, run_id)
        return link.console().findings(record) if link.console and record else iter(())

    def past(self, dag_id: str, runs: Sequence[Run]) -> CompanyEvents:
        run_ids = [run.run_id for run in runs]
        replies, folders = questions.replies(dag_id, run_ids), state.folders_of(dag_id, run_ids)
        try:
            home = tenant_of(state.dags()[dag_id]).folder()
            own = {run_id: RunRecord(home, name) for run_id, name in folders.items() if is_run_key(name)}
            with ThreadPoolExecutor(READERS) as readers:
                begun = dict(zip(own, readers.map(_begun, own.values()), strict=True))
        except StoreError as error:
            return CompanyEvents({}, replies, str(error))
        return CompanyEvents({run_id: one for run_id, one in begun.items() if one}, replies)


def _begun(record: RunRecord) -> RunBeginning | None:
    try:
        found = record.read_or_none(CommonRunStart)
    except DamagedFileError:  # its own page says so
        return None
    return RunBeginning(found.sheet_digest, found.disaster) if found else None


def _record(folder: TenantFolder, found: RunFacts) -> RunRecord | None:
    """None where nothing is kept: housekeeping took it, or somebody."""
    if not is_run_key(found.folder):
        return None
    record = RunRecord(folder, found.folder)
    return record if record.store.names(record.folder) else None


def _kept_days() -> int:
    try:
        return settings.keep_days()
    except SettingError:  # what it is is said where it matters
        return 400


def _mail(tenant: Tenant, record: RunRecord, found: RunFacts) -> str:
    """The result mail's text, made anew from the record: it is kept nowhere."""
    run = found.run
    if run.is_test or not run.finished:
        return ""
    try:
        failure = records.from_plain(Failure, found.failure) if found.failure else None
    except ValueError:  # what Airflow has kept may have been edited there
        failure = None
    outcome, message, at = result_notification.how_it_ended(tenant, record, failure, found.stopped_at)
    started = run.started or run.at
    warnings = [str(problem) for problem in tenant.sheet.warnings]
    report = tenant.link.report()(RunEnd(tenant, record, outcome, message, started, at, warnings, run_id=run.run_id))
    return report.message.body or "\n".join((report.message.title, *report.message.lines))


def _told(record: RunRecord) -> list[ToldChannel]:
    return [
        ToldChannel(one.channel, one.event.label, one.verdict.value, one.reason, one.at)
        for one in DeliveryLog(None, record).told
    ]
