"""The pump with what it needs of Airflow: sheets, Connections, the store (docs/decisions/0017)."""

from __future__ import annotations

import datetime as dt
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

import renkei
from renkei import settings
from renkei.inbox.drain import Tenancy, Worker
from renkei.inbox.lease import Leases
from renkei.inbox.pump import Pump
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS, dag_id
from renkei.orchestration.stopping import ParentProcesses
from renkei.orchestration.tenant import find_tenant
from renkei.sheets.tenant_files import TenantFile, tenants
from renkei.storage.database.database import open_database

PATIENCE_S = 60.0  # for a sheet that nobody has compiled yet
LOOKS_EVERY_S = 30.0  # for new code


class TenantSource:
    """The tenants of all links that have an inbox, as far as they are this shard's; a `Source`."""

    def __init__(self, dag_file: str, shard: int = 0, shards: int = 1) -> None:
        self._dag_file, self._shard, self._shards = dag_file, shard, shards

    def versions(self) -> Mapping[Tenancy, str]:
        """The state of each one's sheet, and of the operator's file, which grants it things."""
        granted = _state(settings.operator_file(self._dag_file))
        return {
            (link.name, file.tenant): f"{granted} {_state(file.path)}"
            for link in LINKS.values()
            if link.drain
            for file in tenants(settings.mappings_folder(self._dag_file, link.name))
            if self._is_ours(link.name, file)
        }

    def open(self, tenancy: Tenancy, leases: Leases) -> Worker:
        """Raises RenkeiError: the sheet, or a Connection, is to be mended."""
        link = LINKS[tenancy[0]]
        assert link.drain is not None
        return link.drain()(find_tenant(link, tenancy[1], self._dag_file, PATIENCE_S), leases)

    def _is_ours(self, link: str, file: TenantFile) -> bool:
        return zlib.crc32(dag_id(link, file.tenant).encode()) % self._shards == self._shard


def pump(dag_file: str, shard: int = 0, shards: int = 1) -> Pump:
    """Raises StoreError: the store or the database cannot be opened."""
    return Pump(open_database(settings.database_url()), open_store(), TenantSource(dag_file, shard, shards))


def run(pump: Pump, lasts: dt.timedelta) -> None:
    """For so long, until Renkei's code is another one, which the next run has, or until the worker is to stop."""
    until, looks_at, code = time.monotonic() + lasts.total_seconds(), 0.0, _code()
    above = ParentProcesses()

    def is_over() -> bool:
        nonlocal looks_at
        now = time.monotonic()
        if now >= looks_at:
            looks_at = now + LOOKS_EVERY_S
            if _code() != code:
                return True
        return now >= until or above.wants_end()

    pump.run(is_over)


def _code() -> int:
    return hash(tuple(sorted((str(file), _state(file)) for file in Path(renkei.__file__).parent.rglob("*.py"))))


def _state(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}"
