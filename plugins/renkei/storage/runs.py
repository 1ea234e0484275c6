"""What is kept of one run: a folder of small JSON records and parquet tables.

Every file is written once, or rewritten alike (docs/store.md).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeGuard, TypeVar

from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder

if TYPE_CHECKING:
    import pandas as pd


class RunFile(Protocol):
    """A dataclass that is kept in a run's folder as `<FILE>.json`."""

    FILE: ClassVar[str]


@dataclass(frozen=True, slots=True)
class CommonRunStart:
    """What every link's `run.json` says, whatever else it has."""

    FILE: ClassVar[str] = "run"
    run_id: str
    started_at: Moment
    sheet_digest: str = ""  # of the sheet's file
    disaster: bool = False  # 災害時凍結 was on


@dataclass(frozen=True, slots=True)
class Loaded:
    """What every link's `load.json` says."""

    FILE: ClassVar[str] = "load"
    confirmed_at: Moment


T = TypeVar("T", bound=RunFile)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The folder of one run. `name` is a file name without its ending."""

    tenant_folder: TenantFolder
    run: str

    @property
    def store(self) -> Store:
        return self.tenant_folder.store

    @property
    def tenant(self) -> str:
        return self.tenant_folder.tenant

    @property
    def folder(self) -> str:
        return f"{self.tenant_folder.runs}/{self.run}"

    def sibling(self, run: str) -> RunRecord:
        """Another run of the same tenant."""
        return RunRecord(self.tenant_folder, run)

    def read(self, model: type[T]) -> T:
        """Raises MissingKeyError and ValueError, as `records.read`."""
        return records.read(self.store, self._key(model), model)

    def read_or_none(self, model: type[T]) -> T | None:
        return records.read_or_none(self.store, self._key(model), model)

    def has(self, model: type[RunFile]) -> bool:
        return self.store.exists(self._key(model))

    def write(self, value: RunFile) -> None:
        records.write(self.store, self._key(type(value)), value)

    def create(self, value: RunFile) -> bool:
        """Write it only if the run has none yet; False when it has."""
        return records.create(self.store, self._key(type(value)), value)

    def delete(self, *models: type[RunFile]) -> None:
        for model in models:
            self.store.delete(self._key(model))

    def _key(self, model: type[RunFile]) -> str:
        return f"{self.folder}/{model.FILE}.json"

    def json(self, name: str) -> dict[str, Any]:
        return self.store.read_json(f"{self.folder}/{name}.json")

    def json_or_none(self, name: str) -> dict[str, Any] | None:
        try:
            return self.json(name)
        except MissingKeyError:
            return None

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        self.store.write_json(f"{self.folder}/{name}.json", value)

    def delete_table(self, name: str) -> None:
        self.store.delete(f"{self.folder}/{name}.parquet")

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        return self.store.read_table(f"{self.folder}/{name}.parquet", columns)

    def parts(self, name: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """A table in parts, as `Store.table_parts`."""
        return self.store.table_parts(f"{self.folder}/{name}.parquet", columns)

    def page(self, name: str, start: int, stop: int) -> tuple[pd.DataFrame, int]:
        """A few rows of a table, as `Store.table_page`."""
        return self.store.table_page(f"{self.folder}/{name}.parquet", start, stop)

    def rows(
        self, name: str, wanted: Mapping[str, Iterable[str]], columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Those rows of a table that hold one of the texts wanted, as `Store.find_rows`."""
        return self.store.find_rows(f"{self.folder}/{name}.parquet", wanted, columns)

    def write_table(self, name: str, frame: pd.DataFrame) -> None:
        self.store.write_table(f"{self.folder}/{name}.parquet", frame)


def run_key(run_id: str, identity: str) -> str:
    """A folder name for one run: readable, and another one for every other run.

    `identity` tells apart what has the same `run_id`: ids come back, when a run is deleted and triggered again, when
    Airflow's database is new and the store is not, when two Airflows share a store.
    """
    readable = re.sub(r"[^0-9A-Za-z_.-]+", "-", run_id).strip("-.")[:80]
    digest = hashlib.sha256(f"{run_id}\n{identity}".encode()).hexdigest()
    return f"{readable or 'run'}.{digest[:12]}"


def is_run_key(value: object) -> TypeGuard[str]:
    """Whether it is such a name: what Airflow has kept may have been edited there, and is no way into other folders."""
    return isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z_-][0-9A-Za-z_.-]*\.[0-9a-f]{12}", value) is not None


def date_in(run: str) -> dt.datetime | None:
    """The date that Airflow puts into run ids, in UTC: the run begins after it. None where there is none."""
    found = re.search(r"(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)", run)
    if found is None:
        return None
    try:
        return dt.datetime.fromisoformat("{}T{}:{}:{}+00:00".format(*found.groups()))
    except ValueError:
        return None
