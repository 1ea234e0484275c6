"""What of a sheet is the operator's to give, and whether it is given (E41)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from renkei.channel import Channel
from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.mapping import FieldRule, Loader, Mapping, Secret
from renkei.notifications.services import SYSTEMS
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import (
    PASSWORDS_IN_FILES,
    Grants,
    Place,
    grant_instruction,
    granted_channels,
    is_own,
    ungranted_channels,
)


@dataclass(frozen=True, slots=True)
class RequiredGrants:
    """What a sheet asks for that is the operator's to give."""

    tenant: str
    emc_account: str
    secrets: tuple[str, ...]
    in_files: bool  # 取込方式 is ファイル
    channels: tuple[Channel, ...]


def uses_of(mapping: Mapping) -> RequiredGrants:
    in_files = mapping.loader is Loader.FILE_DROP
    return RequiredGrants(mapping.tenant, mapping.emc_account, secrets_of(mapping.users), in_files, mapping.channels)


def secrets_of(rules: Iterable[FieldRule]) -> tuple[str, ...]:
    """The names of 秘密:NAME; only パスワード may have any (checks/users.py)."""
    terms = (term for rule in rules for term in rule.source.terms)
    return tuple(dict.fromkeys(term.name for term in terms if isinstance(term, Secret)))


def check_grants(compiled: Compiled[Mapping], grants: Grants, file: str) -> Compiled[Mapping]:
    """The sheet as far as it keeps to what its tenant has been given: with anything else in it, it cannot be used."""
    own = granted_channels(compiled.channels, compiled.tenant, grants)
    if compiled.mapping is None:
        return dataclasses.replace(compiled, channels=own)

    def place(what: str) -> str:
        known = {"emc_account": "連携情報 EMCアカウント", "password": "ユーザデータ パスワード"}
        return f"{file} {known.get(what, f'通知「{what}」')}"

    uses = uses_of(compiled.mapping)
    if problems := tuple(ungranted(uses, grants, place)):
        return dataclasses.replace(compiled, mapping=None, problems=problems, channels=own, side_runs=())
    return dataclasses.replace(compiled, warnings=(*compiled.warnings, *file_warnings(uses, grants, place)))


def ungranted(uses: RequiredGrants, grants: Grants, place: Place) -> Iterator[Problem]:
    """Everything that the operator has not given to this tenant."""
    tenant, account = uses.tenant, uses.emc_account
    if account not in (tenant, *grants.emc_accounts):
        found = f"EMCアカウント「{account}」は、この会社（{tenant}）に許可されていません"
        ask = grant_instruction(grants, tenant, f"emc_accounts: [{account}]")
        remedy = f"この会社だけのEMCなら空白にしてください。ほかの会社と同じEMCなら、{ask}"
        yield Problem(place("emc_account"), found, remedy)
    for name in uses.secrets:
        if not (_is_own_secret(name, tenant) or name in grants.secrets):
            found = f"「秘密:{name}」は、この会社（{tenant}）に許可されていません"
            remedy = f"「秘密:first_password__{tenant}」のように「__{tenant}」で終わる名前にするか、"
            yield Problem(place("password"), found, remedy + grant_instruction(grants, tenant, f"secrets: [{name}]"))
    if uses.secrets and uses.in_files and not grants.passwords_in_files:
        ask = grant_instruction(grants, tenant, f"{PASSWORDS_IN_FILES}: true")
        remedy = f"パスワードをSmartHRの項目にするか、ファイルに書かれてよい場合は、{ask}"
        yield Problem(place("password"), _in_files(uses), remedy)
    yield from ungranted_channels(uses.channels, tenant, grants, place)


def file_warnings(uses: RequiredGrants, grants: Grants, place: Place) -> Iterator[Problem]:
    """What the operator has agreed to, and a customer should know."""
    if uses.secrets and uses.in_files and grants.passwords_in_files:
        remedy = "取込フォルダを見られる人を限り、パスワード強制変更をTにすることをお勧めします"
        yield Problem(place("password"), _in_files(uses), remedy)


def _in_files(uses: RequiredGrants) -> str:
    return f"取込方式がファイルなので、「秘密:{uses.secrets[0]}」の値が取込ファイルに文字のまま書かれます"


def _is_own_secret(name: str, tenant: str) -> bool:
    return is_own(name, tenant) and name.removesuffix(f"__{tenant}").lower() not in SYSTEMS
