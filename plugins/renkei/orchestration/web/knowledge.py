"""What the console knows: Airflow's database, the sheets and the store put together."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from airflow.sdk import conf

from renkei import settings
from renkei.channel import Event, result_mail
from renkei.clock import TOKYO, next_daily, utcnow
from renkei.errors import BaselineError, RenkeiError, SettingError, StoreError
from renkei.jobs.records import LASTS, WAITS
from renkei.notifications import disabled_channels
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.monitor import silence
from renkei.notifications.monitor.expiry import Waiting
from renkei.notifications.monitor.silence import LOST, Notes, Results, Schedule
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelStates
from renkei.orchestration import jobs, result_notification
from renkei.orchestration.connections import open_store
from renkei.orchestration.disaster_freeze import first_seen
from renkei.orchestration.link import LINKS, Link, dag_id
from renkei.orchestration.monitor.expiring import endings
from renkei.orchestration.monitor.scan import READERS, read_notes, read_results
from renkei.orchestration.report import RunEnd
from renkei.orchestration.tenant import Tenant, find_tenant
from renkei.orchestration.web import freezing, state
from renkei.orchestration.web.sheets import SheetFacts, SheetShelf
from renkei.orchestration.web.state import DagFacts, RunFacts
from renkei.runs.failure import Failure
from renkei.runs.freeze import ALL
from renkei.runs.outcome import Summary
from renkei.storage import records
from renkei.storage.baselines import Baselines
from renkei.storage.runs import Began, RunRecord, is_run_key
from renkei.storage.store import DamagedFileError, MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import (
    Account,
    Asked,
    Begun,
    ChannelFact,
    Company,
    Details,
    Evidence,
    Findings,
    Freeze,
    Generation,
    Past,
    Run,
    RunChoice,
    Told,
    User,
)

log = logging.getLogger(__name__)

FRESH_S = 5.0  # for how long the companies are not asked for again
STORE_FAULT = "保存先を読み取れないため、「結果なし」の判定ができないことがあります。"


@dataclass(frozen=True, slots=True)
class _Look:
    """All companies, as of one moment."""

    companies: dict[str, Company]
    freezes: dict[str, Freeze] | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A look, or why it failed, and after which change it began."""

    change: object
    at: float
    found: _Look | Exception


class AirflowKnowledge:
    """`renkei.web.facts.Knowledge`."""

    def __init__(self, now: Callable[[], dt.datetime] = utcnow) -> None:
        self._now = now
        self._shelf = SheetShelf()
        self._lock = threading.Lock()
        self._change = object()  # another one with each change
        self._kept: _Kept | None = None

    # --- all companies

    def companies(self) -> Mapping[str, Company]:
        return self._looked().companies

    def freezes(self) -> Mapping[str, Freeze] | None:
        return self._looked().freezes

    def freeze_changes(self) -> Sequence[Freeze]:
        return freezing.changes()

    def faults(self) -> Sequence[str]:
        return self._looked().faults

    def works_on(self, run_id: str) -> bool | None:
        return state.works_on(jobs.DAG_ID, run_id)

    def jobs_of(self, user: User) -> int:
        return state.under_way_of(jobs.DAG_ID, user.name, self._now() - WAITS - LASTS)  # older ones never begin

    def changed(self) -> None:
        """Without the lock: this is called in the event loop, where nobody may wait for a look."""
        self._change = object()

    def _looked(self) -> _Look:
        with self._lock:  # whoever comes meanwhile waits for the one look
            change, kept = self._change, self._kept
            if kept is None or kept.change is not change or time.monotonic() - kept.at > FRESH_S:
                try:
                    found = self._look()
                except Exception as error:  # kept too, or all who wait would look one after the other, and fail
                    self._kept = _Kept(change, time.monotonic(), error)
                    raise
                kept = self._kept = _Kept(change, time.monotonic(), found)
        if isinstance(kept.found, Exception):
            raise kept.found.with_traceback(None)  # which would grow with each
        return kept.found

    def _look(self) -> _Look:
        faults: list[str] = []
        frozen = {link.name: _frozen(link, faults) for link in LINKS.values()}
        companies, freezes = self._companies(frozen, faults), _freezes(frozen.values())
        return _Look(companies, freezes, tuple(dict.fromkeys(faults)))

    def _companies(self, frozen: Mapping[str, Set[str] | None], faults: list[str]) -> dict[str, Company]:
        dags, last, current, asked = state.dags(), state.last_runs(), state.runs_under_way(), state.questions()
        found: dict[str, Company] = {}
        for link in LINKS.values():
            own = {one.tenant: one for one in dags.values() if one.link is link}
            sheets = self._shelf.facts(link, _dag_file(link, own.values()))
            notes, results, ends = _watched(link, faults)
            schedules = silence.follow(
                notes,
                {name: one.expected for name, one in sheets.items() if not one.unlinked},
                frozenset(name for name, one in sheets.items() if one.unlinked),
                self._now(),
            )
            index, grace = settings.index_folder(), _grace(faults)
            for tenant, dag in own.items():
                if dag.gone and tenant not in sheets and tenant not in schedules:
                    continue  # a company of the past
                one = dag_id(link.name, tenant)
                sheet, run, question = sheets.get(tenant), last.get(one), asked.get(one)
                heard = [
                    results.at.get(tenant),
                    run.ended if run and run.subject else None,
                    question.since if question else None,
                ]
                newest = max((moment for moment in heard if moment), default=None)
                found[one] = Company(
                    one,
                    link.label,
                    tenant,
                    sheet.company if sheet else tenant,
                    target=link.target,
                    source=link.source,
                    paused=dag.paused,
                    dag_gone=dag.gone,
                    sheet_gone=sheet is None,
                    pending=bool(sheet and sheet.pending),
                    broken=bool(sheet and sheet.broken),
                    unlinked=bool(sheet and sheet.unlinked),
                    frozen=not {ALL, tenant}.isdisjoint(frozen[link.name] or ()),
                    freezable=link.console is not None,
                    link_start_on=sheet.expected.link_start_on if sheet else None,
                    next_run=None if dag.paused else _next_result(dag.next_run, sheet),
                    due=self._due(sheet, grace),
                    sheet_digest=sheet.digest if sheet else "",
                    silent_since=self._silent(
                        schedules.get(tenant), sheet, newest, _linked(results, tenant, newest), grace
                    ),
                    last_result=newest,
                    last=run,
                    current=current.get(one),
                    question=question,
                    notes=sheet.warnings if sheet else 0,
                    stopped_channels=len(disabled_channels.disabled(index, link.name, tenant)),
                    endings=ends.get(tenant, {}),
                )
        return found

    def _silent(
        self,
        schedule: Schedule | None,
        sheet: SheetFacts | None,
        last: dt.datetime | None,
        linked: bool,
        grace: dt.timedelta | None,
    ) -> dt.datetime | None:
        """The watch's own rule, by what Airflow knows since its last look, too."""
        if schedule is None or grace is None:
            return None
        start_on = sheet.expected.link_start_on if sheet else None
        return silence.silent_since(schedule, start_on, last, linked, self._now(), grace)

    def _due(self, sheet: SheetFacts | None, grace: dt.timedelta | None) -> dt.datetime | None:
        if sheet is None or grace is None:
            return None
        return silence.newest_due_tick(sheet.expected.run_at, self._now(), grace)

    # --- runs

    def days(self, dag_ids: Sequence[str], since: dt.datetime) -> Mapping[str, Sequence[Run]]:
        return state.runs_by_day(dag_ids, since)

    def runs(self, dag_id: str, since: dt.datetime) -> Sequence[Run]:
        return state.runs_of(dag_id, since)

    def run(self, dag_id: str, run_id: str) -> Run | None:
        found = state.run_of(dag_id, run_id)
        return found.run if found else None

    def modes(self, dag_id: str) -> Sequence[RunChoice]:
        form = state.dags()[dag_id].link.form()
        offered = [mode for mode in form.modes.values() if mode.on_console]
        first = [form.looking, form.daily]
        return [
            RunChoice(mode.value, mode.label, mode.note, mode.writes)
            for mode in (*first, *(mode for mode in offered if mode not in first))
        ]

    # --- one company, one run

    def details(self, dag_id: str) -> Details:
        tenant = _tenant(state.dags()[dag_id])
        sheet, folder = tenant.sheet, None
        fault, current, until = "", None, None
        try:
            folder = tenant.folder()
            current, until = Baselines(folder).current(), _answer_until(folder)
        except (StoreError, BaselineError) as error:
            fault = str(error)
        broken = sheet.mapping is None and not sheet.pending
        return Details(
            tenant.sheet_file,
            sheet.problems if broken else (),
            sheet.warnings,
            current.users if current else None,
            current.departments if current else None,
            dt.datetime.fromisoformat(current.confirmed_at) if current else None,
            until,
            _channels(tenant, None if fault else folder),
            fault,
        )

    def folder(self, dag_id: str) -> TenantFolder:
        return _tenant(state.dags()[dag_id]).folder()

    def evidence(self, dag_ids: Sequence[str]) -> Mapping[str, Evidence]:
        dags = state.dags()
        wanted = {one: dags[one] for one in dag_ids}
        try:
            store = open_store()
        except StoreError as error:
            return dict.fromkeys(wanted, Evidence(fault=str(error)))
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(wanted, readers.map(partial(_evidence, store), wanted.values()), strict=True))

    def asked(self, dag_id: str, run_id: str, task_id: str) -> Asked | None:
        return state.asked(dag_id, run_id, task_id)

    def record(self, dag_id: str, run_id: str) -> RunRecord | None:
        found = state.run_of(dag_id, run_id)
        return _record(self.folder(dag_id), found) if found else None

    def account(self, dag_id: str, run_id: str, *, people: bool, start: int = 0, most: int = 100) -> Account:
        found = state.run_of(dag_id, run_id)
        if found is None:
            return Account(known=False, kept_days=_kept_days())
        tenant = _tenant(state.dags()[dag_id])
        try:
            record = _record(tenant.folder(), found)
            if record is None:
                return Account(known=False, kept_days=_kept_days())
            view = tenant.link.console() if tenant.link.console else None
            found_problems = view.problems(record, start, most) if view else Findings((), 0, 0)
            summary = record.read_or_none(Summary)
            return Account(
                summary=summary.lines if summary else (),
                mail=_mail(tenant, record, found) if people else "",
                problems=found_problems.problems,
                problem_count=found_problems.count,
                notes=found_problems.notes,
                told=_told(record),
            )
        except (StoreError, ValueError) as error:
            return Account(fault=str(error) if isinstance(error, RenkeiError) else "記録を読み取れません。")

    def findings(self, dag_id: str, run_id: str) -> Iterator[Sequence[str]]:
        link, record = state.dags()[dag_id].link, self.record(dag_id, run_id)
        return link.console().findings(record) if link.console and record else iter(())

    def past(self, dag_id: str, runs: Sequence[Run]) -> Past:
        run_ids = [run.run_id for run in runs]
        replies, folders = state.replies(dag_id, run_ids), state.folders_of(dag_id, run_ids)
        try:
            home = self.folder(dag_id)
            own = {run_id: RunRecord(home, name) for run_id, name in folders.items() if is_run_key(name)}
            with ThreadPoolExecutor(READERS) as readers:
                begun = dict(zip(own, readers.map(_begun, own.values()), strict=True))
        except StoreError as error:
            return Past({}, replies, str(error))
        return Past({run_id: one for run_id, one in begun.items() if one}, replies)

    def generations(self, dag_id: str) -> Sequence[Generation]:
        link = state.dags()[dag_id].link
        of = link.console().generations if link.console else None
        return of(self.folder(dag_id)) if of else ()


def _begun(record: RunRecord) -> Begun | None:
    try:
        found = record.read_or_none(Began)
    except DamagedFileError:  # its own page says so
        return None
    return Begun(found.sheet_digest, found.disaster) if found else None


def _dag_file(link: Link, dags: Any) -> str:
    """Where the link's Dag file is, beside which its sheets lie."""
    known = next((one.dag_file for one in dags if one.dag_file), "")
    return known or str(Path(conf.get("core", "dags_folder")) / f"{link.name}.py")


def _next_result(tick: dt.datetime | None, sheet: SheetFacts | None) -> dt.datetime | None:
    """When the next run begins that gives a result: where Airflow's next one is a side run, the daily one after it."""
    if tick is None or sheet is None or tick.astimezone(TOKYO).time() not in sheet.side_runs:
        return tick
    return next_daily(sheet.expected.run_at, tick)


def _linked(results: Results, tenant: str, last: dt.datetime | None) -> bool:
    """As the watch found; where it has not looked, whoever had a result counts."""
    return last is not None if results.linked is None else tenant in results.linked


def _watched(link: Link, faults: list[str]) -> tuple[Notes, Results, Mapping[str, Mapping[str, dt.date]]]:
    try:
        store = open_store()
        # Where nobody watches, rather a false alarm than none.
        return read_notes(link, store, LOST), read_results(link, store), endings(store, link.name)
    except StoreError as error:
        log.error("console: %s", error)
        faults.append(STORE_FAULT)
        return LOST, Results({}), {}


def _grace(faults: list[str]) -> dt.timedelta | None:
    try:
        return settings.silence_grace()
    except SettingError as error:
        faults.append(str(error))
        return None


def _frozen(link: Link, faults: list[str]) -> set[str] | None:
    view = link.console() if link.console else None
    try:
        return view.frozen() if view else set()
    except StoreError as error:
        faults.append(str(error))
        return None


def _freezes(of_links: Collection[Set[str] | None]) -> dict[str, Freeze] | None:
    """With who did it and since when; of what was set in Airflow itself, when the watch first saw it."""
    if None in of_links:
        return None
    names = {name for found in of_links for name in found or ()}
    if not names:
        return {}
    last: dict[str, Freeze] = {}
    for one in freezing.changes():
        last.setdefault(one.tenant, one)
    seen: Mapping[str, dt.datetime] = {}
    with suppress(StoreError):
        seen = first_seen(open_store())
    return {
        name: last[name] if name in last and last[name].on else Freeze(name, True, seen.get(name))
        for name in sorted(names)
    }


def _tenant(dag: DagFacts) -> Tenant:
    dag_file = dag.dag_file or _dag_file(dag.link, ())
    return find_tenant(dag.link, dag.tenant, dag_file, patience_s=0)  # as the Dag processor has compiled it


def _record(folder: TenantFolder, found: RunFacts) -> RunRecord | None:
    """None where nothing is kept: housekeeping took it, or somebody."""
    if not is_run_key(found.folder):
        return None
    record = RunRecord(folder, found.folder)
    return record if record.store.names(record.folder) else None


def _answer_until(folder: TenantFolder) -> dt.datetime | None:
    try:
        return records.read(folder.store, folder.waiting, Waiting).until
    except (MissingKeyError, ValueError):
        return None


def _evidence(store: Store, dag: DagFacts) -> Evidence:
    of = dag.link.console().evidence if dag.link.console else None
    if of is None:
        return Evidence(fault="この連携は、証明に使う記録を残しません。")
    try:
        return of(TenantFolder(store, dag.link.name, dag.tenant))
    except (StoreError, BaselineError) as error:
        return Evidence(fault=str(error))
    except ValueError:  # a record of another version, or one that was edited
        return Evidence(fault="記録を読み取れません。")


def _channels(tenant: Tenant, folder: TenantFolder | None) -> list[ChannelFact]:
    states = ChannelStates(folder) if folder else None
    found = []
    for channel in (*result_mail(tenant.sheet.result_addresses), *tenant.sheet.channels):
        kept = states.read(channel) if states else None
        found.append(
            ChannelFact(
                channel.name,
                SPEC[channel.service].label,
                channel.connection,
                [event.label for event in Event if event in channel.events],
                channel.muted,
                (kept.disabled_at or None) if kept else None,
                kept.failures if kept else 0,
                (kept.at or None) if kept else None,
                kept.last.accepted if kept and kept.last else None,
            )
        )
    return found


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


def _told(record: RunRecord) -> list[Told]:
    return [
        Told(one.channel, one.event.label, one.verdict.value, one.reason, one.at)
        for one in DeliveryLog(None, record).told
    ]
