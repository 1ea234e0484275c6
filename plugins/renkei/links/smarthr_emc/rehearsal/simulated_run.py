"""The stages of a run over a store and an EMC that are only read: what the run would leave behind, for a moment."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

import pandas as pd

from renkei.errors import RecordError, RenkeiError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import FetchedDepartments, FetchedUsers, RunSheet, RunStart, SetDiff
from renkei.links.smarthr_emc.rehearsal.result import MissingItem, SourceRead, StopReason
from renkei.links.smarthr_emc.rehearsal.stored import as_read_for, missing, newest_read, read_of, wider_mapping, without
from renkei.links.smarthr_emc.rehearsal.targets import OfflineTarget, ReadOnlyTarget
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages.job import Job
from renkei.links.smarthr_emc.wording import SUBJECTS
from renkei.runs.current_baseline import CurrentBaseline, current_baseline
from renkei.runs.outcome import outcome_of
from renkei.storage.overlay import Overlay
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.file_format import EmcFormat
from renkei.systems.smarthr.client import SmartHRClient

MODES = (Mode.NORMAL, Mode.CHECK_ONLY, Mode.WRITE_ALL, Mode.RELINK, Mode.RELINK_CHECK)
WHOLE_READ = "rehearsal/users.parquet"  # in the overlay alone
Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much (0 = not known)


@dataclass(slots=True)
class SimulatedRun:
    """How far the run came. `job` goes by the sheet as far as the read allows; its record is the overlay's."""

    record: RunRecord
    where: CurrentBaseline  # what the run compares with
    target: Target
    emc_format: EmcFormat
    sheet: Mapping  # the whole of it
    job: Job | None = None
    read: SourceRead | None = None
    missing: tuple[MissingItem, ...] = ()
    departments: pd.DataFrame | None = None  # as fetch leaves them
    users: Callable[[], pd.DataFrame] | None = None  # the same, also with what only the sheet in force reads
    planned: stages.validate.Planned | None = None  # None where it stopped before
    stop: StopReason | None = None
    failed: bool = False  # at least one record breaks a rule
    sets: dict[RecordSet, SetDiff] = field(default_factory=dict)  # counts and changed, by record set

    @property
    def compared(self) -> bool:
        """Whether there is a diff to talk of."""
        return bool(self.sets)


class Options(TypedDict, total=False):
    """How a rehearsal is done, where it is said.

    Without `source` the newest read of the store takes the place of SmartHR; what it lacks is in `missing`, and the
    items that need it are not rehearsed. Without `target` EMC is taken to have what it confirmed last. `disaster`: as
    if 災害時凍結 were on. `progress` hears what is being done: title, done, total (0 = not known).
    """

    source: SmartHRClient | None
    target: Target | None
    mode: Mode
    disaster: bool
    progress: Progress | None


@contextmanager
def simulated_run(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    *,
    source: SmartHRClient | None = None,
    target: Target | None = None,
    mode: Mode = Mode.NORMAL,
    disaster: bool = False,
    progress: Progress | None = None,
) -> Iterator[SimulatedRun]:
    """A run up to and with validate; what it wrote is forgotten at the end of the block.

    Raises:
        LinkStateError: there is no stored read to rehearse with, or it lacks the user id.
        ValueError: the mode is none that is rehearsed.
    """
    if mode not in MODES:
        raise ValueError(f"{mode} is not rehearsed: {', '.join(MODES)}")
    with Overlay(store) as overlay:
        record = RunRecord(TenantFolder(overlay, link, mapping.tenant), run_key("rehearsal", now.isoformat()))
        asked: Target = OfflineTarget() if target is None else ReadOnlyTarget(target)
        run = SimulatedRun(record, current_baseline(record.tenant_folder), asked, emc_format, mapping)
        start = RunStart(record.run, mode, True, now.isoformat(), "", disaster)
        say = progress or (lambda _what, _done, _total: None)
        try:
            if source is None:
                _offline(run, start, now, say)
            else:
                _live(run, start, source, now, say)
            _planned(run, now, say)
        except RecordError:
            run.failed = True
        except _Stopped as stopped:
            run.stop = stopped.stop
        yield run


class _Stopped(Exception):
    """A stage of the run itself refused to go on."""

    def __init__(self, stop: StopReason) -> None:
        super().__init__(stop.stage)
        self.stop = stop


@contextmanager
def _stage(name: str, title: str, say: Progress) -> Iterator[None]:
    say(title, 0, 0)
    try:
        yield
    except RecordError:
        raise
    except RenkeiError as error:
        raise _Stopped(StopReason(name, SUBJECTS[outcome_of(error)], str(error))) from error


def _offline(run: SimulatedRun, start: RunStart, now: dt.datetime, say: Progress) -> None:
    say("前回の受信データを読み込んでいます", 0, 0)
    read = newest_read(run.record)
    name = read.run  # the read itself, a whole company, is not kept
    run.missing = missing(read, run.sheet)
    mapping = without(run.sheet, {one.source for one in run.missing})
    run.read = SourceRead(False, name, read.at)
    run.departments = read.departments
    run.users = lambda: read_of(run.record.sibling(name)).users  # again when it is needed: a million people take room
    with _stage("open_run", "実行の条件を確認しています", say):
        run.job = stages.open_run.open_run(run.record, mapping, start, run.target, now)
    run.where = current_baseline(run.record.tenant_folder)  # an earlier load that nobody had heard of may have moved it
    run.record.write_table("fetched_departments", read.departments)
    run.record.write_table("fetched_users", as_read_for(read.users, mapping))
    run.record.write(FetchedDepartments(read.run, {}, run.where.run, log_in=read.log_in))
    run.record.write(FetchedUsers(read.run))


def _live(run: SimulatedRun, start: RunStart, client: SmartHRClient, now: dt.datetime, say: Progress) -> None:
    with _stage("open_run", "実行の条件を確認しています", say):
        run.job = job = stages.open_run.open_run(run.record, run.sheet, start, run.target, now)
    run.where = current_baseline(run.record.tenant_folder)
    with _stage("fetch_departments", "SmartHRの部署を受信しています", say):
        wider = dataclasses.replace(job, mapping=wider_mapping(job.mapping, sheet_in_force(run.where)))
        stages.fetch.fetch_departments(wider, client, run.record.run, now)
    run.departments = run.record.table("fetched_departments")
    title = "SmartHRの従業員を受信しています"
    with _stage("fetch_users", title, say):
        stages.fetch.fetch_users(wider, client, now, lambda done, total: say(title, done, total))
    whole = run.record.table("fetched_users")
    run.record.store.write_table(WHOLE_READ, whole)
    run.record.write_table("fetched_users", as_read_for(whole, job.mapping))
    run.users = lambda: run.record.store.read_table(WHOLE_READ)
    run.read = SourceRead(True, "", now.isoformat())


def _planned(run: SimulatedRun, now: dt.datetime, say: Progress) -> None:
    job = run.job
    assert job is not None  # opened, or stopped before
    with _stage("snapshot", "受信データを整えています", say):
        stages.snapshot.take_snapshot(job)
    with _stage("diff", "前回データと比べています", say):
        run.sets = stages.diff.make_diff(job, run.target, now)
    with _stage("validate", "全件を検査しています", say):
        run.planned = planned = stages.validate.make_plan(job, run.target, run.emc_format)
        run.sets = planned.diff.sets  # what is written is known from here on
        stages.validate.keep_plan(job, planned)


def sheet_in_force(where: CurrentBaseline) -> Mapping | None:
    """The sheet that EMC was last written by; None before the first link."""
    sheet = where.record.read_or_none(RunSheet) if where.record else None
    return sheet.mapping if sheet else None
