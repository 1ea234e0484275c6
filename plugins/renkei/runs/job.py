"""A run of a link whose work lies in rows: what it was asked to do, and where its rows are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

from renkei.storage.database.database import Database
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord


class TenantMapping(Protocol):
    """A link's mapping: what it says beside its tenant is the link's own."""

    @property
    def tenant(self) -> str: ...


M = TypeVar("M", bound=TenantMapping, covariant=True)
W = TypeVar("W", bound=StrEnum, covariant=True)  # 実行方法


@dataclass(frozen=True, slots=True)
class RunStart(Generic[W, M]):
    """What a run was asked to do; kept, so that every task of it, however often, does that.

    A link's own names `mode` and `mapping` once more: what reads the file goes by the types that stand in the class.
    """

    FILE: ClassVar[str] = "run"
    run_id: str  # Airflow's
    mode: W
    started_at: Moment
    mapping: M  # of the sheet as it was then
    sheet_digest: str = ""


@dataclass(frozen=True, slots=True)
class Job(Generic[W, M]):
    """One run: what it was asked, and where its rows are."""

    database: Database
    record: RunRecord
    start: RunStart[W, M]

    @property
    def mapping(self) -> M:
        return self.start.mapping

    @property
    def tenant(self) -> str:
        return self.mapping.tenant

    @property
    def mode(self) -> W:
        return self.start.mode
