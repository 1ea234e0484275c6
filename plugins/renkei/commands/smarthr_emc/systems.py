"""Clients of SmartHR and EMC by the Connections that the Dags use, and what else a rehearsal gets from Airflow."""

from __future__ import annotations

from renkei import settings
from renkei.commands.context import DAG_FILE, as_airflow
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.systems.emc.file_format import EmcFormat, load_format
from renkei.systems.smarthr.client import SmartHRClient


def emc_format() -> EmcFormat:
    return load_format(settings.emc_format_file(DAG_FILE))


def smarthr_client(tenant: str, url: str, requests_per_second: int = 10) -> SmartHRClient:
    """SmartHR, as the tenant's runs reach it; raises as `hooks.smarthr_client`."""
    as_airflow()
    from renkei.orchestration.smarthr_emc import hooks

    return hooks.smarthr_client(tenant, url, requests_per_second)


def emc_target(mapping: Mapping) -> Target:
    """EMC, by the Connection `emc__<account>`; raises as `smarthr_client`."""
    as_airflow()
    from renkei.orchestration.smarthr_emc.connections import emc_target

    return emc_target(mapping)


def disaster_freeze(tenant: str) -> bool:
    """Whether 災害時凍結 is on for this tenant."""
    as_airflow()
    from renkei.orchestration.smarthr_emc.connections import disaster_freeze

    return disaster_freeze(tenant)
