"""One company: its sheet, its folder of the store, its channels, and what can be claimed of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from airflow.sdk import BaseHook

from renkei.channel import Event, result_mail
from renkei.errors import BaselineError, StoreError
from renkei.notifications.monitor.expiry import Waiting
from renkei.notifications.services import SPEC
from renkei.orchestration.channel_connections import states_now
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import split_dag_id
from renkei.orchestration.monitor.scan import READERS
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.web import state
from renkei.orchestration.web.connection_changes import connection_changes
from renkei.orchestration.web.sheets import tenant_of
from renkei.orchestration.web.state import DagFacts
from renkei.storage import records
from renkei.storage.baselines import Baselines
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import ChannelFact, ConnectionChange, Details, Evidence, Generation, RunChoice


class OneCompany:
    """The part of `renkei.web.services.Knowledge` on one company beside its runs."""

    _now: Callable[[], dt.datetime]

    def details(self, dag_id: str) -> Details:
        tenant = tenant_of(state.dags()[dag_id])
        sheet, folder = tenant.sheet, None
        view = tenant.link.console() if tenant.link.console else None
        fault, current, until, figures = "", None, None, None
        try:
            folder = tenant.folder()
            current, until = Baselines(folder).current(), _answer_until(folder)
            figures = view.figures(folder) if view and view.figures else None
        except (StoreError, BaselineError) as error:
            fault = str(error)
        broken = sheet.mapping is None and not sheet.pending
        return Details(
            tenant.sheet_file,
            sheet.problems if broken else (),
            sheet.warnings,
            current.users if current else None,
            current.departments if current else None,
            dt.datetime.fromisoformat(current.confirmed_at) if current else None,
            until,
            _channels(tenant, None if fault else folder),
            fault,
            figures,
        )

    def mapping(self, dag_id: str) -> Any:
        return tenant_of(state.dags()[dag_id]).sheet.mapping

    def folder(self, dag_id: str) -> TenantFolder:
        named = split_dag_id(dag_id)
        assert named is not None
        return TenantFolder(open_store(), *named)

    def evidence(self, dag_ids: Sequence[str]) -> Mapping[str, Evidence]:
        dags = state.dags()
        wanted = {one: dags[one] for one in dag_ids}
        try:
            store = open_store()
        except StoreError as error:
            return dict.fromkeys(wanted, Evidence(fault=str(error)))
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(wanted, readers.map(partial(_evidence, store), wanted.values()), strict=True))

    def modes(self, dag_id: str) -> Sequence[RunChoice]:
        form = state.dags()[dag_id].link.form()
        offered = [mode for mode in form.modes.values() if mode.on_console]
        first = [form.looking, form.daily]
        return [
            RunChoice(mode.value, mode.label, mode.note, mode.writes)
            for mode in (*first, *(mode for mode in offered if mode not in first))
        ]

    def connection_changes(self, dag_id: str, since: dt.datetime) -> Sequence[ConnectionChange]:
        tenant = tenant_of(state.dags()[dag_id])
        view, mapping = tenant.link.console() if tenant.link.console else None, tenant.sheet.mapping
        own = view.connections(mapping) if view and mapping is not None else ()
        named = {*own, *(one.connection for one in tenant.sheet.channels if one.connection)}
        return connection_changes(tenant.name, named, since)

    def connections(self, dag_id: str) -> Mapping[str, bool]:
        """As the API server finds them: its environment, a secrets backend, Airflow's database."""
        tenant = tenant_of(state.dags()[dag_id])
        view, mapping = tenant.link.console() if tenant.link.console else None, tenant.sheet.mapping
        names = dict.fromkeys(view.connections(mapping)) if view and mapping is not None else {}
        of = view.granted if view and names else None
        granted = of(self.folder(dag_id), mapping, self._now()) if of else {}
        return {name: granted[name] if name in granted else _is_registered(name) for name in names}

    def generations(self, dag_id: str) -> Sequence[Generation]:
        link = state.dags()[dag_id].link
        of = link.console().generations if link.console else None
        return of(self.folder(dag_id)) if of else ()


def _is_registered(name: str) -> bool:
    try:
        BaseHook.get_connection(name)
    except Exception:  # not found, or a backend that fails: nobody can claim that it is there
        return False
    return True


def _answer_until(folder: TenantFolder) -> dt.datetime | None:
    try:
        return records.read(folder.store, folder.waiting, Waiting).until
    except (MissingKeyError, ValueError):
        return None


def _evidence(store: Store, dag: DagFacts) -> Evidence:
    of = dag.link.console().evidence if dag.link.console else None
    if of is None:
        return Evidence(fault="この連携は、証明に使う記録を残しません。")
    try:
        return of(TenantFolder(store, dag.link.name, dag.tenant))
    except (StoreError, BaselineError) as error:
        return Evidence(fault=str(error))
    except ValueError:  # a record of another version, or one that was edited
        return Evidence(fault="記録を読み取れません。")


def _channels(tenant: Tenant, folder: TenantFolder | None) -> list[ChannelFact]:
    found = []
    channels = [*result_mail(tenant.sheet.result_addresses), *tenant.sheet.channels]
    states = states_now(folder, channels) if folder else {}
    for channel in channels:
        kept = states.get(channel)
        found.append(
            ChannelFact(
                channel.name,
                SPEC[channel.service].label,
                channel.connection,
                [event.label for event in Event if event in channel.events],
                channel.muted,
                (kept.disabled_at or None) if kept else None,
                kept.failures if kept else 0,
                (kept.at or None) if kept else None,
                kept.last.accepted if kept and kept.last else None,
            )
        )
    return found
