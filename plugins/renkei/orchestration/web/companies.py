"""All companies at once: each in one state, from Airflow's database, the sheets and what the watch keeps."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from renkei import settings
from renkei.clock import TOKYO, next_daily, utcnow
from renkei.errors import SettingError, StoreError
from renkei.jobs.records import LASTS, WAITS
from renkei.notifications import disabled_channels
from renkei.notifications.monitor import silence
from renkei.notifications.monitor.silence import LOST, Notes, Results, Schedule
from renkei.orchestration import jobs
from renkei.orchestration.connections import open_store
from renkei.orchestration.disaster_freeze import first_seen
from renkei.orchestration.link import LINKS, Link, dag_id
from renkei.orchestration.monitor.expiring import endings
from renkei.orchestration.monitor.scan import read_notes, read_results
from renkei.orchestration.web import freezing, questions, state
from renkei.orchestration.web.link_view import LinkView
from renkei.orchestration.web.sheets import SheetFacts, SheetFactsCache, dag_file_of
from renkei.orchestration.web.state import DagFacts
from renkei.runs.freeze import ALL
from renkei.web.facts import Company, Freeze, Question, Run
from renkei.web.services import User

log = logging.getLogger(__name__)

FRESH_S = 5.0  # for how long the companies are not asked for again
STORE_FAULT = "保存先を読み取れないため、「結果なし」の判定ができないことがあります。"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All companies, as of one moment."""

    companies: dict[str, Company]
    freezes: dict[str, Freeze] | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A snapshot, or why there is none, and after which change it began."""

    change: object
    at: float
    found: _Snapshot | Exception


@dataclass(frozen=True, slots=True)
class _Known:
    """What Airflow's database says, each by dag id."""

    dags: Mapping[str, DagFacts]
    last: Mapping[str, Run]
    current: Mapping[str, Run]
    asked: Mapping[str, Question]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A link's own view, and what the store says of its companies."""

    view: LinkView | None
    notes: Notes
    results: Results
    endings: Mapping[str, Mapping[str, dt.date]]
    void: Collection[str]  # tenants whose grant is void


class Companies:
    """The part of `renkei.web.services.Knowledge` on all companies."""

    def __init__(self, now: Callable[[], dt.datetime] = utcnow) -> None:
        self._now = now
        self._sheet_facts = SheetFactsCache()
        self._lock = threading.Lock()
        self._change = object()  # another one with each change
        self._kept: _Kept | None = None

    def companies(self) -> Mapping[str, Company]:
        return self._fresh().companies

    def freezes(self) -> Mapping[str, Freeze] | None:
        return self._fresh().freezes

    def freeze_changes(self) -> Sequence[Freeze]:
        return freezing.changes()

    def faults(self) -> Sequence[str]:
        return self._fresh().faults

    def works_on(self, run_id: str) -> bool | None:
        return state.works_on(jobs.DAG_ID, run_id)

    def jobs_of(self, user: User) -> int:
        return state.under_way_of(jobs.DAG_ID, user.name, self._now() - WAITS - LASTS)  # older ones never begin

    def changed(self) -> None:
        """Without the lock: this is called in the event loop, where nobody may wait for a snapshot."""
        self._change = object()

    def _fresh(self) -> _Snapshot:
        with self._lock:  # whoever comes meanwhile waits for the one snapshot
            change, kept = self._change, self._kept
            if kept is None or kept.change is not change or time.monotonic() - kept.at > FRESH_S:
                try:
                    found = self._snapshot()
                except Exception as error:  # kept too, or all who wait would try one after the other, and fail
                    self._kept = _Kept(change, time.monotonic(), error)
                    raise
                kept = self._kept = _Kept(change, time.monotonic(), found)
        if isinstance(kept.found, Exception):
            raise kept.found.with_traceback(None)  # which would grow with each
        return kept.found

    def _snapshot(self) -> _Snapshot:
        faults: list[str] = []
        frozen = {link.name: _frozen(link, faults) for link in LINKS.values()}
        companies, freezes = self._companies(frozen, faults), _freezes(frozen.values())
        return _Snapshot(companies, freezes, tuple(dict.fromkeys(faults)))

    def _companies(self, frozen: Mapping[str, Set[str] | None], faults: list[str]) -> dict[str, Company]:
        known = _Known(state.dags(), state.last_runs(), state.runs_under_way(), questions.questions())
        found: dict[str, Company] = {}
        for link in LINKS.values():
            own = {one.tenant: one for one in known.dags.values() if one.link is link}
            sheets = self._sheet_facts.facts(link, dag_file_of(link, own.values()))
            watched = _watched(link, faults)
            schedules = silence.update_schedules(
                watched.notes,
                {name: one.expected for name, one in sheets.items() if not one.unlinked},
                frozenset(name for name, one in sheets.items() if one.unlinked),
                self._now(),
            )
            grace = _grace(faults)
            for tenant, dag in own.items():
                if dag.gone and tenant not in sheets and tenant not in schedules:
                    continue  # a company of the past
                of_link = frozen[link.name] or ()
                found[dag_id(link.name, tenant)] = self._company(
                    dag, known, sheets.get(tenant), watched, schedules.get(tenant), of_link, grace
                )
        return found

    def _company(
        self,
        dag: DagFacts,
        known: _Known,
        sheet: SheetFacts | None,
        watched: _Watched,
        schedule: Schedule | None,
        frozen: Collection[str],
        grace: dt.timedelta | None,
    ) -> Company:
        link, tenant = dag.link, dag.tenant
        one, view = dag_id(link.name, tenant), watched.view
        run, question = known.last.get(one), known.asked.get(one)
        heard = [
            watched.results.at.get(tenant),
            run.ended if run and run.subject else None,
            question.since if question else None,
        ]
        newest = max((moment for moment in heard if moment), default=None)
        return Company(
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
            frozen=not {ALL, tenant}.isdisjoint(frozen),
            freezable=view is not None and view.frozen is not None,
            provable=view is not None and view.evidence is not None,
            link_start_on=sheet.expected.link_start_on if sheet else None,
            next_run=None if dag.paused else _next_result(dag.next_run, sheet),
            due=self._due(sheet, grace),
            sheet_digest=sheet.digest if sheet else "",
            silent_since=self._silent(schedule, sheet, newest, _linked(watched.results, tenant, newest), grace),
            last_result=newest,
            last=run,
            current=known.current.get(one),
            question=question,
            notes=sheet.warnings if sheet else 0,
            void_grant=tenant in watched.void,
            stopped_channels=_disabled(link.name, tenant, sheet),
            endings=watched.endings.get(tenant, {}),
        )

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


def _next_result(tick: dt.datetime | None, sheet: SheetFacts | None) -> dt.datetime | None:
    """When the next run begins that gives a result: where Airflow's next one is a side run, the daily one after it."""
    if tick is None or sheet is None or tick.astimezone(TOKYO).time() not in sheet.side_runs:
        return tick
    return next_daily(sheet.expected.run_at, tick)


def _linked(results: Results, tenant: str, last: dt.datetime | None) -> bool:
    """As the watch found; where it has not looked, whoever had a result counts."""
    return last is not None if results.linked is None else tenant in results.linked


def _watched(link: Link, faults: list[str]) -> _Watched:
    view = link.console() if link.console else None
    try:
        store = open_store()
        # Where nobody watches, rather a false alarm than none.
        void = view.void(store) if view and view.void else ()
        return _Watched(view, read_notes(link, store, LOST), read_results(link, store), endings(store, link.name), void)
    except StoreError as error:
        log.error("console: %s", error)
        faults.append(STORE_FAULT)
        return _Watched(view, LOST, Results({}), {}, ())


def _grace(faults: list[str]) -> dt.timedelta | None:
    try:
        return settings.silence_grace()
    except SettingError as error:
        faults.append(str(error))
        return None


def _frozen(link: Link, faults: list[str]) -> set[str] | None:
    view = link.console() if link.console else None
    try:
        return view.frozen() if view and view.frozen else set()
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


def _disabled(link: str, tenant: str, sheet: SheetFacts | None) -> int:
    """How many channels are 無効: of those that the sheet still has, where it is read."""
    found = disabled_channels.disabled(settings.index_folder(), link, tenant).keys()
    return len(found & sheet.channels if sheet and not sheet.pending else found)
