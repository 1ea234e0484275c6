"""The stages of a run over a store and an EMC that are only read: what the run would leave behind, for a moment."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from renkei.errors import RecordError, RenkeiError
from renkei.links.smarthr_emc.baseline import Standing, standing
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode, RunStart
from renkei.links.smarthr_emc.rehearsal.result import Missing, SourceRead, Stop
from renkei.links.smarthr_emc.rehearsal.stored import as_read_for, missing, newest_read, read_of, wider_mapping, without
from renkei.links.smarthr_emc.rehearsal.targets import ReadOnly, Unasked
from renkei.links.smarthr_emc.report import outcome_of
from renkei.links.smarthr_emc.sheet.index import mapping_from_json
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages import comparing, opening, planning, reading
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.overlay import Overlay
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.systems.emc.file_format import EmcFormat
from renkei.systems.smarthr.client import SmartHRClient

if TYPE_CHECKING:
    import pandas as pd

MODES = (Mode.NORMAL, Mode.CHECK_ONLY, Mode.WRITE_ALL, Mode.RELINK, Mode.RELINK_CHECK)
WHOLE_READ = "rehearsal/users.parquet"  # in the overlay alone
Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much (0 = not known)


@dataclass(slots=True)
class Play:
    """How far the run came. `job` goes by the sheet as far as the read allows; its record is the overlay's."""

    record: RunRecord
    where: Standing  # what the run compares with
    target: Target
    emc_format: EmcFormat
    sheet: Mapping  # the whole of it
    job: Job | None = None
    read: SourceRead | None = None
    missing: tuple[Missing, ...] = ()
    departments: pd.DataFrame | None = None  # as fetch leaves them
    users: Callable[[], pd.DataFrame] | None = None  # the same, also with what only the sheet in force reads
    stop: Stop | None = None
    failed: bool = False  # at least one record breaks a rule
    sets: dict[str, Any] = field(default_factory=dict)  # counts and changed, by record set

    @property
    def compared(self) -> bool:
        """Whether there is a diff to talk of."""
        return bool(self.sets)


@contextmanager
def played(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    *,
    source: SmartHRClient | None,
    target: Target | None,
    mode: Mode,
    disaster: bool,
    progress: Progress | None,
) -> Iterator[Play]:
    """A run up to and with validate; what it wrote is forgotten at the end of the block.

    Raises:
        LinkStateError: there is no stored read to rehearse with, or it lacks the user id.
        ValueError: the mode is none that is rehearsed.
    """
    if mode not in MODES:
        raise ValueError(f"{mode} is not rehearsed: {', '.join(MODES)}")
    with Overlay(store) as overlay:
        record = RunRecord(overlay, link, mapping.tenant, run_key(f"rehearsal {now.isoformat()}"))
        asked: Target = Unasked() if target is None else ReadOnly(target)
        play = Play(record, standing(record), asked, emc_format, mapping)
        start = RunStart(record.run, mode, True, now.isoformat(), "", disaster)
        say = progress or _silent
        try:
            if source is None:
                _offline(play, start, now, say)
            else:
                _live(play, start, source, now, say)
            _planned(play, now, say)
        except RecordError:
            play.failed = True
        except _Stopped as stopped:
            play.stop = stopped.stop
        yield play


class _Stopped(Exception):
    """A stage of the run itself refused to go on."""

    def __init__(self, stop: Stop) -> None:
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
        raise _Stopped(Stop(name, outcome_of(error).value, str(error))) from error


def _offline(play: Play, start: RunStart, now: dt.datetime, say: Progress) -> None:
    say("前回の受信データを読み込んでいます", 0, 0)
    read = newest_read(play.record)
    run = read.run
    play.missing = missing(read, play.sheet)
    mapping = without(play.sheet, {one.source for one in play.missing})
    play.read = SourceRead(False, read.run, read.at)
    play.departments = read.departments
    play.users = lambda: read_of(play.record.sibling(run)).users  # again when it is needed: a million people take room
    with _stage("open_run", "実行の条件を確認しています", say):
        play.job = opening.open_run(play.record, mapping, start, play.target, now)
    play.where = standing(play.record)  # an earlier load that nobody had heard of may have moved it
    play.record.write_table("fetched_departments", read.departments)
    play.record.write_table("fetched_users", as_read_for(read.users, mapping))
    play.record.write_json("fetched", {"read_id": read.run, "masters": {}})
    play.record.write_json("fetched_users", {"read_id": read.run})


def _live(play: Play, start: RunStart, client: SmartHRClient, now: dt.datetime, say: Progress) -> None:
    with _stage("open_run", "実行の条件を確認しています", say):
        play.job = job = opening.open_run(play.record, play.sheet, start, play.target, now)
    play.where = standing(play.record)
    with _stage("fetch_departments", "SmartHRの部署を受信しています", say):
        wider = dataclasses.replace(job, mapping=wider_mapping(job.mapping, sheet_in_force(play.where)))
        reading.fetch_departments(wider, client, play.record.run)
    play.departments = play.record.table("fetched_departments")
    title = "SmartHRの従業員を受信しています"
    with _stage("fetch_users", title, say):
        reading.fetch_users(wider, client, lambda done, total: say(title, done, total))
    whole = play.record.table("fetched_users")
    play.record.store.write_table(WHOLE_READ, whole)
    play.record.write_table("fetched_users", as_read_for(whole, job.mapping))
    play.users = lambda: play.record.store.read_table(WHOLE_READ)
    play.read = SourceRead(True, "", now.isoformat())


def _planned(play: Play, now: dt.datetime, say: Progress) -> None:
    job = play.job
    assert job is not None  # opened, or stopped before
    with _stage("snapshot", "受信データを整えています", say):
        reading.take_snapshot(job)
    with _stage("diff", "前回データと比べています", say):
        play.sets = comparing.make_diff(job, play.target, now)
    with _stage("validate", "全件を検査しています", say):
        planning.validate(job, play.target, play.emc_format, now)


def sheet_in_force(where: Standing) -> Mapping | None:
    """The sheet that EMC was last written by; None before the first link."""
    sheet = where.record.json_or_none("sheet") if where.record else None
    return mapping_from_json(sheet["mapping"]) if sheet else None


def _silent(what: str, done: int, total: int) -> None:
    return None
