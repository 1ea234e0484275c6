"""What a run of this link is: it looks after what punching needs. Punches themselves are no run's work, but the pump's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from renkei.links.lineworks_kot.accounts import Accounts
from renkei.links.lineworks_kot.mode import Mode
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.storage.database.database import Database
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord


@dataclass(frozen=True, slots=True)
class RunStart:
    """What a run was asked to do; kept, so that every task of it, however often, does that."""

    FILE: ClassVar[str] = "run"
    run_id: str  # Airflow's
    mode: Mode
    started_at: Moment
    mapping: Mapping  # of the sheet as it was then
    sheet_digest: str = ""
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
class Noticed:
    """What somebody should look at that is no difference between the two systems."""

    FILE: ClassVar[str] = "noticed"
    said: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """One run: what it was asked, and where its rows are."""

    database: Database
    record: RunRecord
    start: RunStart

    @property
    def mapping(self) -> Mapping:
        return self.start.mapping

    @property
    def tenant(self) -> str:
        return self.mapping.tenant

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.database, self.record.store, self.tenant)


Now = Callable[[], dt.datetime]
