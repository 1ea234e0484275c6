"""What the commands get from Airflow: the store, clients of SmartHR and EMC, all by the Connections that the Dags use."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import renkei
from renkei import settings
from renkei.links.smarthr_emc.sheet.index import OPERATOR_FILE, load, tenants
from renkei.notifications.channel import OPERATOR, Channel, result_mail
from renkei.systems.emc.file_format import EmcFormat, load_format

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.load import Target
    from renkei.links.smarthr_emc.sheet.mapping import Mapping
    from renkei.notifications.state import ChannelState
    from renkei.notifications.trial import Step
    from renkei.storage.store import Store
    from renkei.systems.smarthr.client import SmartHRClient

LINK = "smarthr_emc"
DAG_FILE = str(Path(renkei.__file__).parents[2] / "dags" / f"{LINK}.py")  # what default paths are beside of


def emc_format() -> EmcFormat:
    return load_format(settings.emc_format_file(DAG_FILE))


def neighbours(path: Path) -> list[Path]:
    """The other tenants' sheets: those beside this one, and those that Airflow runs."""
    folders = dict.fromkeys([path.resolve().parent, settings.mappings_folder(DAG_FILE, LINK).resolve()])
    found = [file.path for folder in folders for file in tenants(folder) if not file.problem]
    return [other for other in found if other.stem != path.stem]


def _as_airflow() -> None:
    """Connections are found as `airflow connections get` finds them: environment, secrets backend, database."""
    # Airflow's own commands set it (airflow/cli/commands/connection_command.py).
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    # Its log would stand among the results; what is wrong comes as an exception.
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
    logging.disable(logging.WARNING)


def open_store() -> Store:
    """The store of RENKEI_STORE.

    Raises:
        StoreError: it cannot be opened.
    """
    _as_airflow()
    from renkei.orchestration.connections import open_store

    return open_store()


def smarthr_client(tenant: str, url: str, requests_per_second: int = 10) -> SmartHRClient:
    """SmartHR, by the Connection `smarthr__<tenant>`.

    Raises:
        ConnectionError_: it is missing, or belongs to another SmartHR.
    """
    _as_airflow()
    from renkei.orchestration.hooks import SmartHRHook

    return SmartHRHook(f"smarthr__{tenant}").client(url, requests_per_second)


def emc_target(mapping: Mapping) -> Target:
    """EMC, by the Connection `emc__<account>`; raises as `smarthr_client`."""
    _as_airflow()
    from renkei.orchestration.connections import emc_target

    return emc_target(mapping)


def disaster_freeze(tenant: str) -> bool:
    """Whether 災害時凍結 is on for this tenant."""
    _as_airflow()
    from renkei.orchestration.connections import disaster_freeze

    return disaster_freeze(tenant)


def channels(tenant: str) -> tuple[tuple[Channel, ...], tuple[str, ...]] | None:
    """The channels of a tenant of the mappings folder, and the problems of its sheet; None where it has no sheet.

    `operator` stands for the operator's own (RENKEI_OPERATOR).
    """
    if tenant == OPERATOR_FILE:
        _as_airflow()
        from renkei.orchestration.watching.operator_channels import operator_channels

        own, faults = operator_channels(settings.operator_file(DAG_FILE))
        return own, tuple(faults)
    folder = settings.mappings_folder(DAG_FILE, LINK)
    file = next((file for file in tenants(folder) if file.tenant == tenant and not file.problem), None)
    if file is None:
        return None
    sheet = load(file.path, tenant, settings.index_folder(), settings.allowed_hosts())
    return (*result_mail(sheet.result_addresses), *sheet.channels), tuple(map(str, sheet.problems))


def channel_state(tenant: str, channel: Channel) -> tuple[ChannelState, str]:
    """A channel's state, and what is wrong with its registration.

    Raises:
        StoreError: the store cannot be read.
    """
    _as_airflow()
    from renkei.orchestration.telling import current_state

    return current_state(LINK, _owner(tenant), channel)


def try_channels(tenant: str, chosen: Sequence[Channel]) -> Iterator[tuple[Channel, Step]]:
    """Each step of a test of each channel, as it is done (N5)."""
    _as_airflow()
    from renkei.orchestration.telling import try_channels

    yield from try_channels(LINK, _owner(tenant), chosen)


def _owner(tenant: str) -> str:
    """Under which name the store keeps the states of the channels."""
    return OPERATOR if tenant == OPERATOR_FILE else tenant
