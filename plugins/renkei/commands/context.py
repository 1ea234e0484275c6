"""What the commands get from Airflow: the store, the sheets, the channels, all by the Connections that the Dags use."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import renkei
from renkei import settings
from renkei.channel import OPERATOR, Channel, result_mail
from renkei.commands.output import wrong_usage
from renkei.notifications.state import ChannelState
from renkei.notifications.trial import Step
from renkei.orchestration.link import LINKS, Link, dag_id, split_dag_id
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import AllGrants, read_grants
from renkei.sheets.load import load
from renkei.sheets.tenant_files import OPERATOR_FILE, TenantFile, tenants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import tenants_folder

if TYPE_CHECKING:
    from renkei.orchestration.connection_trial import Trial

DAG_FILE = str(Path(renkei.__file__).parents[2] / "dags" / "renkei_watch.py")  # what default paths are beside of


def grants() -> AllGrants:
    """What the operator's file gives to tenants (E41)."""
    return read_grants(settings.operator_file(DAG_FILE))


def neighbours(link: Link, path: Path) -> list[Path]:
    """The other tenants' sheets: those beside this one, and those that Airflow runs."""
    folders = dict.fromkeys([path.resolve().parent, _folder(link).resolve()])
    found = [file.path for folder in folders for file in tenants(folder) if not file.problem]
    return [other for other in found if other.stem != path.stem]


def link_of_file(path: Path) -> Link:
    """The link of a sheet: the folder says it in which it lies, as that is called like the link; else it is the first."""
    return LINKS.get(path.resolve().parent.name) or next(iter(LINKS.values()))


def link_of(name: str) -> tuple[Link, str]:
    """The link of a tenant, and the tenant. Where two links have one of this name, its Dag's name (`LINK__TENANT`) says which.

    A tenant without a sheet is the link's that has something of it in the store, or the first one's.

    Raises:
        typer.Exit: several links have one.
    """
    if named := split_dag_id(name):
        return LINKS[named[0]], named[1]
    found = [link for link in LINKS.values() if name in {file.tenant for file in tenants(_folder(link))}]
    if not found and len(LINKS) > 1:
        store = open_store()
        found = [link for link in LINKS.values() if name in store.names(tenants_folder(link.name))]
    if len(found) > 1:
        names = "、".join(dag_id(link.name, name) for link in found)
        raise wrong_usage(f"「{name}」は複数の連携にあります。{names} のどれかで指定してください。", f"one of {names}?")
    return (found or [*LINKS.values()])[0], name


def _folder(link: Link) -> Path:
    return settings.mappings_folder(DAG_FILE, link.name)


def as_airflow() -> None:
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
    as_airflow()
    from renkei.orchestration.connections import open_store

    return open_store()


def channels(tenant: str) -> tuple[tuple[Channel, ...], tuple[str, ...]] | None:
    """The channels of a tenant of the mappings folder, and the problems of its sheet; None where it has no sheet.

    `operator` stands for the operator's own (RENKEI_OPERATOR).
    """
    if tenant == OPERATOR_FILE:
        as_airflow()
        from renkei.orchestration.monitor.operator_channels import operator_channels

        own, faults = operator_channels(settings.operator_file(DAG_FILE))
        return own, tuple(faults)
    link, name = link_of(tenant)
    file = next((file for file in tenants(_folder(link)) if file.tenant == name and not file.problem), None)
    if file is None:
        return None
    sheet = _sheet(link, file, grants())
    return (*result_mail(sheet.result_addresses), *sheet.channels), tuple(map(str, sheet.problems))


def channel_state(tenant: str, channel: Channel) -> tuple[ChannelState, str]:
    """A channel's state, and what is wrong with its registration.

    Raises:
        StoreError: the store cannot be read.
    """
    as_airflow()
    from renkei.orchestration.channel_connections import current_state

    return current_state(*_owner(tenant), channel)


def try_channels(tenant: str, chosen: Sequence[Channel]) -> Iterator[tuple[Channel, Step]]:
    """Each step of a test of each channel, as it is done (N5)."""
    as_airflow()
    from renkei.orchestration.channel_connections import try_channels

    yield from try_channels(*_owner(tenant), chosen)


def sheets() -> dict[str, tuple[Link, Compiled[Any]]]:
    """The sheets of the mappings folder, by tenant; where two links have one of a name, by its Dag's name."""
    given = grants()
    files = [(link, file) for link in LINKS.values() for file in tenants(_folder(link))]
    often = Counter(file.tenant for _, file in files)
    return {
        file.tenant if often[file.tenant] == 1 else dag_id(link.name, file.tenant): (
            link,
            Compiled(file.tenant, "", None, (file.problem,)) if file.problem else _sheet(link, file, given),
        )
        for link, file in files
    }


def try_connections(link: Link, mapping: Any, channels: Sequence[Channel]) -> Iterator[Trial]:
    """Whether each Connection that the sheet needs is there and works."""
    as_airflow()
    from renkei.orchestration.connection_trial import Trial, try_channels

    if mapping is None:
        yield Trial("-", False, "連携設定シートに誤りがあるため、試せません。renkei check で確認してください。")
    else:
        yield from link.try_systems()(mapping, DAG_FILE)
        yield from try_channels(channels)


def refused(link: Link, mapping: Any, channels: Sequence[Channel]) -> list[Trial]:
    """Those of them that cannot be used."""
    return [trial for trial in try_connections(link, mapping, channels) if not trial.well]


def _sheet(link: Link, file: TenantFile, given: AllGrants) -> Compiled[Any]:
    """A sheet as its Dag has it."""
    sheet = load(link.sheets(), file.path, file.tenant, settings.index_folder(), settings.allowed_hosts())
    return link.check_grants()(sheet, given.of(file.tenant), file.name)


def _owner(tenant: str) -> tuple[str, str]:
    """The link, and the name under which the store keeps the states of the channels."""
    if tenant == OPERATOR_FILE:
        return next(iter(LINKS)), OPERATOR
    link, name = link_of(tenant)
    return link.name, name
