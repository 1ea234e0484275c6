"""What takes too long for a page: リハーサル, and why somebody is (not) in EMC by SmartHR as it is now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from renkei import settings
from renkei.clock import utcnow
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.people.explain import Explanation
from renkei.links.smarthr_emc.people.live import explain_now
from renkei.links.smarthr_emc.rehearsal import Rehearsal, rehearse
from renkei.links.smarthr_emc.sheet.mapping import Mapping as SheetMapping
from renkei.orchestration.sheet_review import with_version
from renkei.orchestration.smarthr_emc.connections import disaster_freeze, emc_target, smarthr_client
from renkei.orchestration.tenant import Tenant
from renkei.storage.store import Store
from renkei.systems.emc.file_format import EmcFormat, load_format

Progress = Callable[[str, int, int], None]
PERSON, REHEARSAL = "person", "rehearsal"
LIVE, STORED = "live", "stored"


def person(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> Explanation:
    return explain_now(*_what(tenant), asked["who"], **_systems(tenant, live=True), progress=progress)


def rehearsal(tenant: Tenant, asked: Mapping[str, str], progress: Progress) -> Rehearsal:
    if version := asked.get("version"):  # of the sheet, in place of the one in force
        tenant = with_version(tenant, int(version))
    systems = _systems(tenant, live=asked["read"] == LIVE)
    return rehearse(*_what(tenant), **systems, mode=Mode(asked["mode"]), progress=progress)


def _what(tenant: Tenant) -> tuple[Store, str, SheetMapping, EmcFormat, dt.datetime]:
    """Raises MappingError, SheetPendingError: the sheet cannot be used."""
    mapping, emc_format = tenant.mapping, load_format(settings.emc_format_file(tenant.dag_file))
    return tenant.folder().store, tenant.link.name, mapping, emc_format, utcnow()


def _systems(tenant: Tenant, *, live: bool) -> dict[str, Any]:
    """SmartHR and EMC where they are to be asked, and whether 災害時凍結 is on."""
    frozen = {"disaster": disaster_freeze(tenant.name)}
    if not live:
        return frozen
    return frozen | {"source": smarthr_client(tenant.mapping), "target": emc_target(tenant.mapping)}


JOBS = {PERSON: person, REHEARSAL: rehearsal}
