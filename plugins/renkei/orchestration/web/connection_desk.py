"""The Connections of one company, for the console: which there are to be, and what Airflow has of them (L7, S2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from renkei.channel import Channel, Service
from renkei.orchestration.connection_kinds import OF_SERVICE, kind_of
from renkei.orchestration.line.connection import conn_id as line_login
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.web import registering, state
from renkei.orchestration.web.sheets import tenant_of
from renkei.sheets.grants import is_own
from renkei.web.connection_facts import ConnectionKind, ConnectionState


class ConnectionDesk:
    """The part of `renkei.web.services.Knowledge` on Connections (`renkei.web.connection_facts.Connections`)."""

    def connection_states(self, dag_id: str) -> Sequence[ConnectionState]:
        tenant = tenant_of(state.dags()[dag_id])
        return [state_of_connection(name, kind, tenant.name) for name, kind in _needed(tenant).items()]

    def connection_state(self, dag_id: str, name: str) -> ConnectionState | None:
        tenant = tenant_of(state.dags()[dag_id])
        kinds = {line_login(tenant.name): kind_of(line_login(tenant.name)), **_needed(tenant)}
        return state_of_connection(name, kinds[name], tenant.name) if name in kinds else None


def _needed(tenant: Tenant) -> dict[str, ConnectionKind]:
    """By name: what the systems need, then the channels."""
    mapping: Any = tenant.sheet.mapping
    view = tenant.link.console() if tenant.link.console else None
    names = view.connections(mapping) if view and mapping is not None else ()
    channels: Sequence[Channel] = [one for one in tenant.sheet.channels if one.connection]
    found = {name: kind_of(name) for name in names}
    if view and mapping is not None:
        found = {name: _without(kind, view.needless(mapping, name)) for name, kind in found.items()}
    for channel in channels:
        found.setdefault(channel.connection, OF_SERVICE[channel.service])
    if any(kind.service is Service.LINE for kind in found.values()):
        found.setdefault(name := line_login(tenant.name), kind_of(name))
    return found


def _without(kind: ConnectionKind, needless: Collection[str]) -> ConnectionKind:
    """The type, of which these fields may stay blank."""
    fields = (replace(one, required=False) if one.key in needless else one for one in kind.fields)
    return replace(kind, fields=tuple(fields)) if needless else kind


def state_of_connection(name: str, kind: ConnectionKind, tenant: str) -> ConnectionState:
    shared = not is_own(name, tenant)
    if said := registering.overriding_place(name):
        return ConnectionState(name, kind, registered=True, fault=said, shared=shared)
    found = registering.stored(name)
    if found is None:
        return ConnectionState(name, kind, shared=shared)
    if found.type != kind.type:
        said = (
            f"Airflowの接続「{name}」の種類が「{found.type}」です。この画面では「{kind.type}」だけを変えられます。"
            "運用担当者が、Airflowの「管理 > 接続」で確認してください。"
        )
        return ConnectionState(name, kind, registered=True, fault=said, shared=shared)
    texts = {
        one.key: str((found.extra.get(one.key) if one.place == "extra" else found.values[one.place]) or "")
        for one in kind.fields
    }
    secrets = {one.key for one in kind.fields if one.secret}
    return ConnectionState(
        name,
        kind,
        True,
        {key: text for key, text in texts.items() if key not in secrets},
        frozenset(key for key in secrets if texts[key]),
        shared=shared,
        digest=registering.digest_of(found),
    )
