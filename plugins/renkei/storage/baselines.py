"""The baseline of a tenant: which run's snapshot the target last confirmed (L3).

Baselines are numbered files that are only ever created. The highest number is current, so moving
the baseline is one exclusive create: of two that compared against generation 7, one makes 8.
"""

from __future__ import annotations

from dataclasses import dataclass

from renkei.errors import BaselineError
from renkei.storage import records
from renkei.storage.tenant_folder import TenantFolder


@dataclass(frozen=True, slots=True)
class Baseline:
    """A confirmed snapshot. `run` names the run whose folder holds the tables."""

    generation: int  # 1 for the first link
    run: str
    plan_digest: str
    import_key: str
    confirmed_at: str  # ISO 8601
    users: int  # people in it
    departments: int


class Baselines:
    """The chain of one tenant's baselines."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder.baselines

    def current(self) -> Baseline | None:
        """The newest baseline, or None when there never was one."""
        generations = self.generations()
        return self.read(generations[-1]) if generations else None

    def generations(self) -> list[int]:
        return [int(name.removesuffix(".json")) for name in self._store.names(self._folder) if name.endswith(".json")]

    def read(self, generation: int) -> Baseline:
        try:
            return records.read(self._store, self._key(generation), Baseline)
        except ValueError as error:
            raise BaselineError(
                f"前回データの記録（第{generation}世代）が壊れています。書き込みを中止しました。"
                "運用担当者は保存先の baselines を確認してください。"
            ) from error

    def promote(self, baseline: Baseline) -> None:
        """Make `baseline` the current one, if it is the next generation; done twice is done once.

        Raises:
            BaselineError: another baseline has taken that generation.
        """
        if records.create(self._store, self._key(baseline.generation), baseline):
            return
        existing = self.read(baseline.generation)
        if existing.import_key != baseline.import_key:
            raise BaselineError(
                f"前回データは既に別の処理（{existing.run}）で更新されています。"
                "この処理の結果は前回データにしません。手動実行で再度取り込んでください。"
            )

    def _key(self, generation: int) -> str:
        return f"{self._folder}/{generation:08d}.json"


def generation_of(baseline: Baseline | None) -> int:
    """The generation a plan was made against; 0 when there was no baseline."""
    return baseline.generation if baseline else 0
