"""What is kept of one run: a folder of small JSON records and parquet tables.

Layout below the store's root (docs/store.md):

    <link>/tenants/<tenant>/runs/<run>/        every file of one run, written once or rewritten alike
    <link>/tenants/<tenant>/baselines/         see baselines.py
    <link>/accounts/<account>/pending.json     see gate.py
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei.storage.store import MissingKeyError, Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The folder of one run. `name` is a file name without its ending."""

    store: Store
    link: str
    tenant: str
    run: str

    @property
    def folder(self) -> str:
        return f"{self.link}/tenants/{self.tenant}/runs/{self.run}"

    def sibling(self, run: str) -> RunRecord:
        """Another run of the same tenant."""
        return RunRecord(self.store, self.link, self.tenant, run)

    def json(self, name: str) -> dict[str, Any]:
        return self.store.read_json(f"{self.folder}/{name}.json")

    def json_or_none(self, name: str) -> dict[str, Any] | None:
        try:
            return self.json(name)
        except MissingKeyError:
            return None

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        self.store.write_json(f"{self.folder}/{name}.json", value)

    def create_json(self, name: str, value: dict[str, Any]) -> bool:
        return self.store.create_json(f"{self.folder}/{name}.json", value)

    def delete_table(self, name: str) -> None:
        self.store.delete(f"{self.folder}/{name}.parquet")

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        return self.store.read_table(f"{self.folder}/{name}.parquet", columns)

    def write_table(self, name: str, frame: pd.DataFrame) -> None:
        self.store.write_table(f"{self.folder}/{name}.parquet", frame)


def run_key(run_id: str) -> str:
    """A folder name for an Airflow run id: readable, and different for different ids."""
    readable = re.sub(r"[^0-9A-Za-z_.-]+", "-", run_id).strip("-.")[:80]
    return f"{readable or 'run'}.{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"
