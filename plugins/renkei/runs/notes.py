"""What is kept of a tenant's newest runs beside their folders, one small file each (docs/store.md)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from renkei.errors import StoreError
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LastResult:
    """The last run of which somebody heard, for the watch, which asks for the moment alone."""

    at: Moment
    run: str = ""
    event: str = ""
    outcome: str = ""  # the subject


@dataclass(frozen=True, slots=True)
class RunNote:
    """A note that goes when its run, by Airflow's id, is done with it."""

    run: str


@dataclass(frozen=True, slots=True)
class Begun(RunNote):
    """A run that is over while this note stands has told nobody (E4)."""

    folder: str  # of its record
    started: Moment


@dataclass(frozen=True, slots=True)
class LastWritingRun(RunNote):
    """The last run that is to write."""

    folder: str


@dataclass(frozen=True, slots=True)
class LastComparison(RunNote):
    """The last 照合 that could be made: what the target had, against the baseline that stood then."""

    folder: str  # of its record, which has every difference as long as runs are kept
    at: Moment  # before the target was asked: what changed there later is not in it
    generation: int  # of the baseline
    digest: str  # of the plan that made it: a store that was restored may count its generations anew
    differences: Mapping[str, int]  # records by kind; all of 0 where nothing differs
    of: str = ""  # a digest of these differences
    told: Moment | None = None  # when somebody last heard of just these
    address: str = ""  # of the target that was asked: its Connection, a blank, and the URL

    @property
    def agrees(self) -> bool:
        return not any(self.differences.values())


def read(store: Store, key: str, model: type[T]) -> T | None:
    """A note; one that cannot be read is as good as none, for it costs a repetition at most."""
    try:
        return records.read_or_none(store, key, model)
    except StoreError as error:
        log.warning("%s", error)
        return None


def forget(store: Store, key: str, run_id: str) -> None:
    """Remove a note of that run; another run's stays."""
    note = records.read_or_none(store, key, RunNote)
    if note and note.run == run_id:
        store.delete(key)
