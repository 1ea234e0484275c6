"""What a run of this link is, wherever it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.storage.database.database import Database
from renkei.storage.records import Moment
from renkei.storage.runs import RunRecord


class Mode(StrEnum):
    """実行方法."""

    NORMAL = "NORMAL"  # 通常
    CHECK_ONLY = "CHECK_ONLY"  # 確認のみ
    TEST_ONE = "TEST_ONE"  # 1件テスト
    RETRY_FAILED = "RETRY_FAILED"  # 失敗分の再連携
    ESTIMATE = "ESTIMATE"  # 初期連携の見積もり
    INITIAL = "INITIAL"  # 初期連携
    FROM_NOW = "FROM_NOW"  # 今から: what changed while it was off stays behind (K3)
    RECONCILE = "RECONCILE"  # 照合

    @property
    def writes(self) -> bool:
        return self not in (Mode.CHECK_ONLY, Mode.TEST_ONE, Mode.ESTIMATE, Mode.RECONCILE)

    @property
    def plans(self) -> bool:
        """Whether it reads what changed."""
        return self not in (Mode.TEST_ONE, Mode.RECONCILE)


@dataclass(frozen=True, slots=True)
class RunStart:
    """What a run was asked to do; kept, so that every task of it, however often, does that."""

    FILE: ClassVar[str] = "run"
    run_id: str  # Airflow's
    mode: Mode
    started_at: Moment
    sheet_digest: str = ""
    since: dt.date | None = None  # of 初期連携
    data_set: str = ""  # of 1件テスト
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One run: what it was asked, with the tenant's sheet and where its rows are."""

    database: Database
    record: RunRecord
    mapping: Mapping
    start: RunStart

    @property
    def tenant(self) -> str:
        return self.mapping.tenant

    @property
    def mode(self) -> Mode:
        return self.start.mode


Now = Callable[[], dt.datetime]


def host_of(mapping: Mapping) -> str:
    """kintone's domain as the quota knows it."""
    return mapping.domain.partition("://")[2].lower()


def asked_of(mapping: Mapping, name: str) -> DataSet:
    """A data set that the sheet has, by its name of DATA_SETS."""
    found = mapping.data_set(name)
    assert found is not None
    return found
