"""What a sheet may use, and what the operator must have given it first (E41).

A sheet is written by a customer; EMC accounts, secrets and Connections are the operator's. A tenant has as its own the
EMC account of its own name, and the Connections that end in `__<tenant>`. Everything else stands in the operator's file:

    tenants:
      sakura: {emc_accounts: [group], secrets: [first_password], connections: [slack_all], passwords_in_files: true}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renkei.channel import Channel
from renkei.errors import Problem
from renkei.sheets.compiled import Compiled, MappingT
from renkei.sheets.operator_file import read_operator_file
from renkei.sheets.tenant_files import is_tenant

PASSWORDS_IN_FILES = "passwords_in_files"
_LISTS = ("emc_accounts", "secrets", "connections")
Place = Callable[[str], str]  # where a setting or a channel, by its name, stands in the sheet


@dataclass(frozen=True, slots=True)
class Grants:
    """What the operator has given one tenant beside its own; by default nothing."""

    emc_accounts: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()  # of 秘密:NAME
    connections: frozenset[str] = frozenset()  # of 通知
    passwords_in_files: bool = False  # a secret may be written into the files of 取込方式 ファイル
    file: str = "operator.yaml"  # where to enter more
    fault: str = ""  # why nothing can be read from it


NOTHING = Grants()


@dataclass(frozen=True, slots=True)
class AllGrants:
    """The operator's word on every tenant."""

    file: str = "operator.yaml"
    by_tenant: dict[str, Grants] = dataclasses.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fault: str = ""  # of the file as a whole

    def of(self, tenant: str) -> Grants:
        """A tenant's; what could not be read gives nothing (L1)."""
        return self.by_tenant.get(tenant) or Grants(file=self.file, fault=self.fault)


def read_grants(path: Path) -> AllGrants:
    """The part `tenants` of the operator's file. A line with a fault gives nothing; the others stand."""
    loaded, problems = read_operator_file(path)
    fault = str(problems[0]) if problems and not loaded else ""
    lines = loaded.get("tenants") or {}
    if not isinstance(lines, dict):
        problems.append(
            Problem(f"{path.name} tenants", "会社ごとの並びではありません", "「会社名: {…}」と記入してください")
        )
        lines, fault = {}, str(problems[-1])
    by_tenant: dict[str, Grants] = {}
    if not all(map(is_tenant, lines)):  # not quoted: who knows what it is (L7)
        remedy = "連携設定シートのファイル名から拡張子を除いたものを記入してください"
        problems.append(Problem(f"{path.name} tenants", "会社の名前でないものがあります", remedy))
        fault = str(problems[-1])
    for tenant, line in lines.items():
        wrong = list(_faults(f"{path.name} tenants.{tenant}", line)) if is_tenant(tenant) else []
        problems += wrong
        if wrong:
            by_tenant[tenant] = Grants(file=path.name, fault=str(wrong[0]))
        elif is_tenant(tenant):
            given: dict[str, Any] = {key: frozenset(line[key]) for key in _LISTS if key in line}
            by_tenant[tenant] = Grants(
                passwords_in_files=line.get(PASSWORDS_IN_FILES) == "true", file=path.name, **given
            )
    return AllGrants(path.name, by_tenant, tuple(problems), fault)


def _faults(where: str, line: object) -> Iterator[Problem]:
    keys = "、".join((*_LISTS, PASSWORDS_IN_FILES))
    if not isinstance(line, dict) or set(line) - {*_LISTS, PASSWORDS_IN_FILES}:
        yield Problem(where, "使えない記入があります", f"{{…}} の中に {keys} を記入してください")
        return
    for key in _LISTS:
        value = line.get(key, [])
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            yield Problem(f"{where}.{key}", "一覧ではありません", "[名前, 名前] の形で記入してください")
    if line.get(PASSWORDS_IN_FILES, "false") not in ("true", "false"):
        yield Problem(f"{where}.{PASSWORDS_IN_FILES}", "true でも false でもありません", "どちらかを記入してください")


def check_channels(compiled: Compiled[MappingT], grants: Grants, file: str) -> Compiled[MappingT]:
    """The sheet as far as its channels keep to what its tenant has been given: with another one, it cannot be used."""
    own = granted_channels(compiled.channels, compiled.tenant, grants)
    if compiled.mapping is None or own == compiled.channels:
        return dataclasses.replace(compiled, channels=own)
    problems = ungranted_channels(compiled.channels, compiled.tenant, grants, lambda name: f"{file} 通知「{name}」")
    return dataclasses.replace(compiled, mapping=None, problems=tuple(problems), channels=own)


def granted_channels(channels: Iterable[Channel], tenant: str, grants: Grants) -> tuple[Channel, ...]:
    """Those of a sheet's channels that its tenant has a right to."""
    return tuple(one for one in channels if _has_connection(one, tenant, grants))


def ungranted_channels(channels: Iterable[Channel], tenant: str, grants: Grants, place: Place) -> Iterator[Problem]:
    """What a tenant's sheet names of Connections that are not its own."""
    for channel in channels:
        if not _has_connection(channel, tenant, grants):
            found = f"接続「{channel.connection}」は、この会社（{tenant}）に許可されていません"
            remedy = f"空白にするか「__{tenant}」で終わる名前にするか、"
            ask = grant_instruction(grants, tenant, f"connections: [{channel.connection}]")
            yield Problem(place(channel.name), found, remedy + ask)


def is_own(name: str, tenant: str) -> bool:
    return name.endswith(f"__{tenant}")  # no other tenant's: their names hold no `__`, and none begins with `_`


def _has_connection(channel: Channel, tenant: str, grants: Grants) -> bool:
    return not channel.connection or is_own(channel.connection, tenant) or channel.connection in grants.connections


def grant_instruction(grants: Grants, tenant: str, line: str) -> str:
    fault = f"（いまは読み取れません: {grants.fault}）" if grants.fault else ""
    return f"運用担当者が {grants.file} の「tenants:」の下に「{tenant}: {{{line}}}」と書き足します{fault}"
