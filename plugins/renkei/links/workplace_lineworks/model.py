"""What a run of this link is, wherever it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from renkei.clock import TOKYO
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.runs import job
from renkei.storage.records import Moment

Now = Callable[[], dt.datetime]


class Mode(StrEnum):
    """実行方法."""

    NORMAL = "NORMAL"  # 通常
    CHECK_ONLY = "CHECK_ONLY"  # 確認のみ
    RETRY_FAILED = "RETRY_FAILED"  # 失敗分の再連携
    RELEASE = "RELEASE"  # 保留中の取消の承認 (C9)
    RECONCILE = "RECONCILE"  # 照合 (C8)

    @property
    def writes(self) -> bool:
        return self is not Mode.CHECK_ONLY


@dataclass(frozen=True, slots=True)
class RunStart(job.RunStart[Mode, Mapping]):
    """What a run was asked to do."""

    mode: Mode
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the read came to; nobody is named."""

    FILE: ClassVar[str] = "fetched"
    read: int = 0
    whole: bool = False
    gone: int = 0  # deleted in WORKPLACE for good
    suspicious: int = 0  # absences that are in the calendars and not in the list, and were not asked for one by one
    malformed: list[str] = field(default_factory=list)  # their ids, of which the list names a hundred
    older: list[str] = field(default_factory=list)  # the same, of those whose revision is older than the one we have


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done, as `plan` found it: counts of absences."""

    FILE: ClassVar[str] = "planned"
    waiting: int = 0
    cancelled: int = 0  # of them
    held: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a run did in calendars: counts of events. `said`: why it stopped, if it did."""

    FILE: ClassVar[str] = "written"
    added: int = 0
    replaced: int = 0
    deleted: int = 0
    failed: int = 0  # absences that have failed, those of earlier runs too
    waiting: int = 0
    held: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """What 照合 found in calendars: counts of events."""

    FILE: ClassVar[str] = "compared"
    asked: int = 0
    missing: int = 0  # deleted by hand
    changed: int = 0
    left: int = 0  # for the next 照合
    strays: int = 0  # events of ours that no absence stands for
    removed: int = 0  # of them
    of: str = ""  # a digest of just these differences


@dataclass(frozen=True, slots=True)
class ToldDifferences:
    """The differences that somebody has heard of last; kept in the tenant's folder."""

    of: str  # as `Compared.of`
    at: Moment


@dataclass(frozen=True, slots=True)
class Job(job.Job[Mode, Mapping]):
    """One run: what it was asked, and where its rows are."""

    start: RunStart


def today(now: dt.datetime) -> dt.date:
    return now.astimezone(TOKYO).date()
