"""How a run ended, by what it left in its record: never by what a scheduler says of its tasks (E2, E4, L1).

A task may be marked by hand, killed after its work or cleared; what was loaded, compared or checked is in the record.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from renkei.errors import (
    BaselineError,
    FetchError,
    HoldError,
    LoadError,
    RecordError,
    RenkeiError,
    SettingError,
)
from renkei.runs.current_baseline import current_baseline
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord


class Outcome(StrEnum):
    """How a run ended, or what it waits for; what a mail calls it is each link's own wording."""

    OK = "OK"
    CHECKED = "CHECKED"  # 確認のみ
    COMPARED = "COMPARED"  # 照合
    DIFFERS = "DIFFERS"  # 照合 found something: nothing failed, and somebody has to see to it
    DATA = "DATA"  # a record breaks a rule
    RECEIVE = "RECEIVE"  # the source could not be read
    LOAD = "LOAD"  # the target did not take the plan
    SETTING = "SETTING"
    BASELINE = "BASELINE"
    REFUSED = "REFUSED"  # a held plan that nobody let through
    SYSTEM = "SYSTEM"  # whatever else went wrong
    HOLD = "HOLD"  # waits for an approval
    CONFIRM = "CONFIRM"  # waits for somebody's word on what became of an upload

    @property
    def succeeded(self) -> bool:
        return self in (Outcome.OK, Outcome.CHECKED, Outcome.COMPARED, Outcome.DIFFERS)

    @property
    def waiting(self) -> bool:
        return self in (Outcome.HOLD, Outcome.CONFIRM)


@dataclass(frozen=True, slots=True)
class End:
    """What the work came to."""

    FILE: ClassVar[str] = "result"
    result: str  # of GOOD_ENDS, or one that is none yet: waiting
    at: Moment


@dataclass(frozen=True, slots=True)
class Summary:
    """The run in a few lines that name nobody, for logs and Airflow's pages."""

    FILE: ClassVar[str] = "summary"
    lines: list[str]


LEFT_OUT = "left_out"  # a side run that was of no use
# What a load, or the confirmation of an upload, came to, where nothing more is to be done.
GOOD_ENDS = {
    "loaded": Outcome.OK,
    "already": Outcome.OK,
    "unchanged": Outcome.OK,
    "checked": Outcome.CHECKED,
    "compared": Outcome.COMPARED,
    "differs": Outcome.DIFFERS,
    LEFT_OUT: Outcome.CHECKED,
}


def outcome_of(error: BaseException) -> Outcome:
    """How a run ends that this error stops."""
    kinds: tuple[tuple[type[RenkeiError], Outcome], ...] = (
        (RecordError, Outcome.DATA),
        (FetchError, Outcome.RECEIVE),
        (LoadError, Outcome.LOAD),
        (SettingError, Outcome.SETTING),
        (BaselineError, Outcome.BASELINE),
        (HoldError, Outcome.REFUSED),
    )
    return next((outcome for kind, outcome in kinds if isinstance(error, kind)), Outcome.SYSTEM)


def note_end(record: RunRecord, result: str, now: dt.datetime) -> None:
    """Keep what the work came to."""
    record.write(End(result, now))


def forget_end(record: RunRecord) -> None:
    """The run begins to work again: what it came to before is not what it comes to now."""
    record.delete(End, Summary)


def good_end(record: RunRecord) -> tuple[Outcome, dt.datetime] | None:
    """The good end of the run, and when; None where there is none on record.

    A process may die between the target's confirmation and its note: then the baseline tells.

    Raises:
        StoreError, BaselineError: nobody can say.
    """
    end = record.read_or_none(End)
    if end is not None and end.result in GOOD_ENDS:
        return GOOD_ENDS[end.result], end.at
    current = current_baseline(record.tenant_folder).baseline
    if current is not None and current.run == record.run:
        return Outcome.OK, dt.datetime.fromisoformat(current.confirmed_at)
    return None
