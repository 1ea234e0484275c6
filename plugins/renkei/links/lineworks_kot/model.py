"""What a run of this link is: it looks after what punching needs. Punches themselves are no run's work, but the pump's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from renkei.links.lineworks_kot.accounts import Accounts
from renkei.links.lineworks_kot.mode import Mode
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.runs import job


@dataclass(frozen=True, slots=True)
class RunStart(job.RunStart[Mode, Mapping]):
    """What a run was asked to do."""

    mode: Mode
    mapping: Mapping
    division: str = ""  # of 初回メッセージ送信; empty: all
    type: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to, in numbers and sentences that name nobody."""

    FILE: ClassVar[str] = "figures"
    employees: int = 0
    gone: int = 0
    accounts: dict[str, int] = field(default_factory=dict)  # by AccountState
    said: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # kinds that are told once (runs/troubles.py)


@dataclass(frozen=True, slots=True)
class Observations:
    """What somebody should look at that is no difference between the two systems."""

    FILE: ClassVar[str] = "noticed"
    said: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job(job.Job[Mode, Mapping]):
    """One run: what it was asked, and where its rows are."""

    start: RunStart

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.database, self.record.store, self.tenant)


Now = Callable[[], dt.datetime]
