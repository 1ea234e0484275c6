"""Who owns which ids in an EMC account that several SmartHR tenants share (E24, E27, E28)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.runs.current_baseline import CurrentBaseline, current_baseline
from renkei.storage import records
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import AccountFolder


@dataclass(frozen=True, slots=True)
class TenantEntry:
    """What a tenant's file in the account's folder says of it."""

    id_prefix: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another tenant that has loaded into the same account."""

    tenant: str
    id_prefix: str


def register(record: RunRecord, mapping: Mapping) -> None:
    """Make this tenant known to the others of its account; before its first load."""
    records.write(record.store, f"{_folder(record, mapping)}/{record.tenant}.json", TenantEntry(mapping.id_prefix))


def neighbours(record: RunRecord, mapping: Mapping) -> list[Neighbour]:
    folder = _folder(record, mapping)
    names = [name.removesuffix(".json") for name in record.store.names(folder)]
    return [
        Neighbour(name, records.read(record.store, f"{folder}/{name}.json", TenantEntry).id_prefix)
        for name in names
        if name != record.tenant
    ]


def owned_ids(record: RunRecord, others: list[Neighbour], record_set: RecordSet) -> dict[str, frozenset[str]]:
    """The ids in each neighbour's baseline.

    Nobody else is loading when this is asked for the last time (load.apply), so baselines tell all.
    """
    owned = {}
    for other in others:
        where: CurrentBaseline = current_baseline(replace(record.tenant_folder, tenant=other.tenant))
        table = where.table(record_set.value, [record_set.id_column])
        if table is not None:
            owned[other.tenant] = frozenset(table[record_set.id_column]) - {""}
    return owned


def clashing_prefixes(others: list[Neighbour], mapping: Mapping) -> list[str]:
    """Tenants whose ID付与コード begins ours, or is begun by it."""
    mine = mapping.id_prefix
    return sorted(o.tenant for o in others if o.id_prefix.startswith(mine) or mine.startswith(o.id_prefix))


def _folder(record: RunRecord, mapping: Mapping) -> str:
    return AccountFolder(record.store, record.tenant_folder.link, mapping.emc_account).tenants
