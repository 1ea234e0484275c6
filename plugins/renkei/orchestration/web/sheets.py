"""What the console shows of the sheets, without compiling or keeping them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.sdk import conf

from renkei import settings
from renkei.notifications.monitor.silence import Expected
from renkei.orchestration.link import Link
from renkei.orchestration.monitor.scan import expected_of
from renkei.orchestration.tenant import Tenant, find_tenant
from renkei.orchestration.web.state import DagFacts
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import Grants, read_grants
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import TenantFile, tenants


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """A few of a sheet's lines: a thousand whole mappings would fill the server's memory."""

    company: str
    expected: Expected
    side_runs: Sequence[dt.time]
    pending: bool
    broken: bool
    unlinked: bool
    warnings: int
    digest: str
    channels: frozenset[str]  # their names


class SheetFactsCache:
    """The facts of every sheet of every link; a file that did not change is not read again."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, int], Grants, SheetFacts]] = {}
        self._lock = threading.Lock()

    def facts(self, link: Link, dag_file: str) -> Mapping[str, SheetFacts]:
        """By tenant. A folder that cannot be read has no sheets: then all of them are gone, and shown to be."""
        folder, grants = settings.mappings_folder(dag_file, link.name), read_grants(settings.operator_file(dag_file))
        try:
            files = tenants(folder)
        except OSError:
            files = []
        with self._lock:
            new, found = [], {}
            for file in files:
                kept, given = self._kept.get(file.path), grants.of(file.tenant)
                if kept and kept[:2] == (_signature(file.path), given):
                    found[file.tenant] = kept[2]
                else:
                    new.append((file, given, _signature(file.path)))
            loaded = _load(link, [file for file, _, _ in new])
            for (file, given, signature), sheet in zip(new, loaded, strict=True):
                found[file.tenant] = facts = _facts(link, link.check_grants()(sheet, given, file.name))
                if not facts.pending:
                    self._kept[file.path] = signature, given, facts
            return found


def _load(link: Link, files: list[TenantFile]) -> list[Compiled[Any]]:
    """As the Dag processor has compiled them; what it has not is pending."""
    return load_all(link.sheets(), files, settings.index_folder(), settings.allowed_hosts(), patience_s=0)


def _signature(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _facts(link: Link, sheet: Compiled[Any]) -> SheetFacts:
    broken = sheet.mapping is None and not sheet.pending
    return SheetFacts(
        sheet.company,
        expected_of(link, sheet),
        [one.at for one in sheet.side_runs],
        sheet.pending,
        broken,
        unlinked=sheet.mapping is not None and not sheet.scheduled,
        warnings=len(sheet.warnings),
        digest=sheet.digest,
        channels=frozenset(one.name for one in sheet.channels),
    )


def dag_file_of(link: Link, dags: Any) -> str:
    """Where the link's Dag file is, beside which its sheets lie."""
    known = next((one.dag_file for one in dags if one.dag_file), "")
    return known or str(Path(conf.get("core", "dags_folder")) / f"{link.name}.py")


def tenant_of(dag: DagFacts) -> Tenant:
    """A company with its sheet as the Dag processor has compiled it."""
    return find_tenant(dag.link, dag.tenant, dag.dag_file or dag_file_of(dag.link, ()), patience_s=0)
