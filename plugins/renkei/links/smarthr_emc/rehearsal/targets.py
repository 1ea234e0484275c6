"""EMC for a rehearsal: asked as in a run, or not asked at all; never written to (L1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from renkei.errors import LoadError, RetriableLoadError
from renkei.links.smarthr_emc.load import Target
from renkei.systems.emc.encode import ImportFile
from renkei.systems.emc.payloads import Import

log = logging.getLogger(__name__)


class ReadOnlyTarget:
    """A target that answers and takes nothing.

    Settling an earlier load removes its traces (`withdraw`, `forget`): here they are left to the next real run, and
    the rehearsal goes on as if they were removed.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        raise LoadError("リハーサルではEMCに書き込みません。")

    def withdraw(self, found: Import) -> None:
        log.debug("rehearsal: the import is left as it is")

    def forget(self, key: str) -> None:
        log.debug("rehearsal: the files of the import are left as they are")

    def find_import(self, key: str) -> Import | None:
        return self._target.find_import(key)

    def forgotten(self) -> list[Import]:
        return self._target.forgotten()

    def find(
        self, record_set: Literal["departments", "users"], ids: Sequence[str], fields: Sequence[str]
    ) -> list[dict[str, str]] | None:
        return self._target.find(record_set, ids, fields)

    def export(self, record_set: Literal["departments", "users"], fields: Sequence[str]) -> pd.DataFrame | None:
        return self._target.export(record_set, fields)

    def ever_committed(self, source: str) -> bool:
        return self._target.ever_committed(source)


class OfflineTarget:
    """EMC that nobody asks: it has what it confirmed last, so there is nothing to find out (as of a file drop)."""

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        raise LoadError("リハーサルではEMCに書き込みません。")

    def withdraw(self, found: Import) -> None:
        return None

    def forget(self, key: str) -> None:
        return None

    def find_import(self, key: str) -> Import | None:
        """Nobody knows: to guess here would be to rehearse against another baseline than the run has.

        Raises:
            RetriableLoadError: always.
        """
        raise RetriableLoadError(
            "前回の取込の結果がまだ確認できていません。EMCに問い合わせてリハーサルするか（--live）、次の実行の後にもう一度行ってください。"
        )

    def forgotten(self) -> list[Import]:
        return []

    def find(self, record_set: Literal["departments", "users"], ids: Sequence[str], fields: Sequence[str]) -> None:
        return None

    def export(self, record_set: Literal["departments", "users"], fields: Sequence[str]) -> None:
        return None

    def ever_committed(self, source: str) -> bool:
        return False
