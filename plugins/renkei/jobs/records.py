"""The jobs of one company, as records in the store.

Of one company one job is under way at a time: a second read of SmartHR would only slow the first one down, and no company
takes both of the places that all of them share. Jobs are numbered and their requests only ever created: number n + 1 is
made by whoever saw n over, so of two clicks one makes a job and the other one finds it.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from renkei.errors import RenkeiError, StoreError
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.storage.tenant_folder import TenantFolder

KEPT = dt.timedelta(days=7)
WAITS = dt.timedelta(hours=1)  # not begun so long after it was asked for, a job never is
LASTS = dt.timedelta(hours=1)  # at the longest: Airflow ends it then
SETTLES = dt.timedelta(minutes=2)  # from the request until Airflow must know the run

T = TypeVar("T")
WorksOn = Callable[[str], bool | None]  # whether Airflow still works on the run of this id; None: it knows none


class BusyError(RenkeiError):
    """Another job of this company is under way."""


class NotToBeginError(RenkeiError):
    """This job is not to be done by this run, or not any more."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"  # whoever worked at it is dead, or nobody ever began

    @property
    def is_over(self) -> bool:
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    kind: str
    asked: Mapping[str, str]  # may name a person
    by: str  # the user's id
    by_name: str
    at: Moment
    run: str  # the id of the run that does it, and of no other


@dataclass(frozen=True, slots=True)
class JobStart:
    at: Moment


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, how much of it, of how much (0 = not known)."""

    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """How it ended; `fault` says in Japanese why there is no result."""

    at: Moment
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleJob:
    """A job as its records have it."""

    number: int
    request: Request
    begun: JobStart | None
    progress: Progress | None
    end: End | None

    def state(self, now: dt.datetime, works_on: WorksOn) -> JobState:
        """Airflow is asked only about a job that has neither ended nor run out of time."""
        if self.end is not None:
            return JobState.FAILED if self.end.fault else JobState.DONE
        begun = self.begun
        late = now > self.request.at + WAITS if begun is None else now > begun.at + LASTS + SETTLES
        if late:
            return JobState.LOST
        works = works_on(self.request.run)
        if works is False or (works is None and now > self.request.at + SETTLES):
            return JobState.LOST
        return JobState.RUNNING if begun else JobState.WAITING


class Jobs:
    """The jobs of one company."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder.jobs

    def numbers(self) -> list[int]:
        """Of all that are kept, the newest first."""
        names = self._store.names(self._folder)
        return sorted((int(name) for name in names if re.fullmatch(r"[0-9]{8}", name)), reverse=True)

    def read(self, number: int) -> ConsoleJob:
        """Raises MissingKeyError: there is none."""
        return ConsoleJob(
            number,
            records.read(self._store, self._key(number, "request"), Request),
            self._read(number, "begun", JobStart),
            self._read(number, "progress", Progress),
            self._read(number, "end", End),
        )

    def ask(
        self, kind: str, asked: Mapping[str, str], by: str, by_name: str, now: dt.datetime, works_on: WorksOn
    ) -> tuple[ConsoleJob, bool]:
        """A job for this, and whether it is a new one: of two that are alike there is one.

        Raises:
            BusyError: another one is under way.
        """
        while True:
            number, existing = self._next(now, works_on)
            if existing and (existing.request.kind, dict(existing.request.asked)) == (kind, dict(asked)):
                return existing, False
            if existing:
                raise BusyError(
                    f"{existing.request.by_name}さんが始めた別の作業が実行中です。終わってから始めてください。"
                )
            request = Request(kind, asked, by, by_name, now, f"job__{number}__{secrets.token_hex(8)}")
            if records.create(self._store, self._key(number, "request"), request):
                return ConsoleJob(number, request, None, None, None), True

    def begin(self, number: int, run: str, now: dt.datetime, again: Collection[str] = ()) -> Request:
        """What the run of this id is to do. A job of the kinds `again` may be begun more than once, by its own run.

        Raises:
            NotToBeginError: it is another run's, too late, or has been begun before.
        """
        try:
            request = records.read(self._store, self._key(number, "request"), Request)
        except MissingKeyError:
            raise NotToBeginError("この作業の記録がありません。画面から始めてください。") from None
        if request.run != run:
            raise NotToBeginError("この作業は、別の実行のものです。画面から始めてください。")
        if request.kind in again and self._read(number, "begun", JobStart) is not None:
            records.write(self._store, self._key(number, "begun"), JobStart(now))  # it lasts from now on
            return request
        if now > request.at + WAITS:
            raise NotToBeginError("待ち時間が長すぎたため、始めません。画面からもう一度始めてください。")
        if not records.create(self._store, self._key(number, "begun"), JobStart(now)):
            raise NotToBeginError("一度始めた作業は、やり直せません。画面からもう一度始めてください。")
        return request

    def tell(self, number: int, progress: Progress) -> None:
        records.write(self._store, self._key(number, "progress"), progress)

    def finish(self, number: int, result: object, now: dt.datetime) -> None:
        """`result` is a dataclass; a worker that dies before the end is written has done nothing."""
        records.write(self._store, self._key(number, "result"), result)
        records.write(self._store, self._key(number, "end"), End(now))
        with suppress(StoreError):  # it is done all the same
            kind = records.read(self._store, self._key(number, "request"), Request).kind
            self._store.write(f"{self._folder}/done/{kind}", b"")

    def fail(self, number: int, fault: str, now: dt.datetime) -> None:
        records.write(self._store, self._key(number, "end"), End(now, fault))

    def result(self, number: int, model: type[T]) -> T:
        """Raises DamagedFileError: it is another version's."""
        return records.read(self._store, self._key(number, "result"), model)

    def was_done(self, kind: str) -> bool:
        """Whether ever one of this kind had a result: known longer than the jobs themselves."""
        return self._store.exists(f"{self._folder}/done/{kind}")

    def delete(self, number: int) -> None:
        """May die anywhere and be repeated: what tells the age goes last."""
        request = self._key(number, "request")
        for key in self._store.files(f"{self._folder}/{number:08d}"):
            if key != request:
                self._store.delete(key)
        self._store.delete(request)
        self._store.remove_folder(f"{self._folder}/{number:08d}")

    def tidy(self, now: dt.datetime) -> int:
        """Delete those that are older than `KEPT`; how many they were."""
        old = [number for number in self.numbers() if self._asked_at(number, now) < now - KEPT]
        for number in old:
            self.delete(number)
        return len(old)

    def _next(self, now: dt.datetime, works_on: WorksOn) -> tuple[int, ConsoleJob | None]:
        """The number that a new job gets, and the newest job if it is under way."""
        newest = next(iter(self.numbers()), 0)
        try:
            job = self.read(newest)
        except MissingKeyError:  # its folder comes before its request: whoever makes it, or deletes it, is not done
            return max(newest, 1), None
        except DamagedFileError:  # nobody can do what a torn one asks for
            return newest + 1, None
        return newest + 1, None if job.state(now, works_on).is_over else job

    def _asked_at(self, number: int, now: dt.datetime) -> dt.datetime:
        key = self._key(number, "request")
        try:
            return records.read(self._store, key, Request).at
        except (MissingKeyError, DamagedFileError):
            folder = f"{self._folder}/{number:08d}"  # half deleted, half made
            return self._store.modified(key) or self._store.modified(folder) or now - KEPT - SETTLES

    def _read(self, number: int, name: str, model: type[T]) -> T | None:
        return records.read_or_none(self._store, self._key(number, name), model)

    def _key(self, number: int, name: str) -> str:
        return f"{self._folder}/{number:08d}/{name}.json"
