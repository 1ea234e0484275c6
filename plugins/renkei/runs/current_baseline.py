"""Where the tenant stands in the store: its baseline, and the tables of the run that made it (L3, E31)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.errors import BaselineError
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import Loaded, RunRecord, T
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class CurrentBaseline:
    """The current baseline with its run's record; both None before the first link."""

    baseline: Baseline | None
    record: RunRecord | None

    @property
    def generation(self) -> int:
        return self.baseline.generation if self.baseline else 0

    @property
    def run(self) -> str:
        """The run that made the baseline; empty before the first link. No two baselines have the same."""
        return self.record.run if self.record else ""

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame | None:
        """A table of the baseline's run; None before the first link.

        Raises:
            BaselineError: the baseline names a run whose tables are gone: a lost baseline (E31).
        """
        return self._of_record(name, lambda record: record.table(name, columns))

    def rows(
        self, name: str, wanted: Mapping[str, Iterable[str]], columns: Sequence[str] | None = None
    ) -> pd.DataFrame | None:
        """Those rows of such a table that hold one of the texts wanted (`Store.find_rows`); raises as `table`."""
        return self._of_record(name, lambda record: record.rows(name, wanted, columns))

    def _of_record(self, name: str, read: Callable[[RunRecord], pd.DataFrame]) -> pd.DataFrame | None:
        if self.record is None:
            return None
        try:
            return read(self.record)
        except MissingKeyError as error:
            raise BaselineError(
                f"前回データ（{self.record.run} の {name}）が保存先にありません。前回データが失われた状態では"
                "削除対象を判断できないため、何も書き込みません。保存先を復元してください。"
            ) from error

    def read(self, model: type[T], name: str) -> T | None:
        """A record of the baseline's run, `name` in Japanese; None before the first link.

        Raises:
            BaselineError: it is gone.
        """
        if self.record is None:
            return None
        found = self.record.read_or_none(model)
        if found is None:
            raise BaselineError(
                f"前回データの{name}が保存先にありません。何も書き込みません。保存先を復元してください。"
            )
        return found


def current_baseline(folder: TenantFolder) -> CurrentBaseline:
    """Where the tenant stands now."""
    current = Baselines(folder).current()
    return CurrentBaseline(current, RunRecord(folder, current.run) if current else None)


def was_linked(record: RunRecord) -> bool:
    """Whether the store's history, this run's own load among it, says that this tenant was loaded before (E31)."""
    return any(record.sibling(run).has(Loaded) for run in record.store.names(record.tenant_folder.runs))
