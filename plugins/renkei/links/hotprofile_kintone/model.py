"""What a run of this link is, wherever it stands."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.runs import job


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
    def reads(self) -> bool:
        """Whether it reads what changed."""
        return self not in (Mode.TEST_ONE, Mode.RECONCILE)


@dataclass(frozen=True, slots=True)
class RunStart(job.RunStart[Mode, Mapping]):
    """What a run was asked to do."""

    mode: Mode
    mapping: Mapping
    since: dt.date | None = None  # of 初期連携
    data_set: str = ""  # of 1件テスト
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Job(job.Job[Mode, Mapping]):
    """One run: what it was asked, and where its rows are."""

    start: RunStart

    @property
    def data_sets(self) -> tuple[DataSet, ...]:
        """Those that this run works on: of a test the one that is tested, whether it is enabled or not."""
        if self.mode is Mode.TEST_ONE:
            return tuple(one for one in self.mapping.data_sets if one.name == self.start.data_set)
        return self.mapping.enabled


Now = Callable[[], dt.datetime]


def host_of(mapping: Mapping) -> str:
    """kintone's domain as the quota knows it: one, whether by a client certificate (`.s.`) or with HTTPS' own port."""
    host = mapping.domain.partition("://")[2].lower().removesuffix(":443")
    return re.sub(r"^([^.]+)\.s\.", r"\1.", host)
