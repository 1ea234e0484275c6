"""Where the tenant stands in the store: its baseline, and the tables of the run that made it (L3, E31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.errors import BaselineError
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.snapshot import SetSummary
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Standing:
    """The current baseline with its run's record; both None before the first link."""

    baseline: Baseline | None
    record: RunRecord | None

    @property
    def generation(self) -> int:
        return self.baseline.generation if self.baseline else 0

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame | None:
        """A table of the baseline's run; None before the first link.

        Raises:
            BaselineError: the baseline names a run whose tables are gone: a lost baseline (E31).
        """
        if self.record is None:
            return None
        try:
            return self.record.table(name, columns)
        except MissingKeyError as error:
            raise BaselineError(
                f"前回データ（{self.record.run} の {name}）が保存先にありません。前回データが失われた状態では"
                "削除対象を判断できないため、何も書き込みません。保存先を復元してください。"
            ) from error

    def summary(self, record_set: RecordSet) -> SetSummary | None:
        if self.record is None:
            return None
        summary = self.record.json_or_none("snapshot")
        if summary is None:
            raise BaselineError("前回データの要約が保存先にありません。何も書き込みません。保存先を復元してください。")
        return SetSummary(**summary["sets"][record_set.value])


def baselines_of(record: RunRecord) -> Baselines:
    return Baselines(record.store, record.link, record.tenant)


def standing(record: RunRecord) -> Standing:
    """Where this run's tenant stands now."""
    current = baselines_of(record).current()
    return Standing(current, record.sibling(current.run) if current else None)


def was_linked(record: RunRecord) -> bool:
    """Whether the store's history says that this tenant was loaded before (E31)."""
    runs = record.store.names(f"{record.link}/tenants/{record.tenant}/runs")
    return any(record.sibling(run).json_or_none("load") is not None for run in runs if run != record.run)
