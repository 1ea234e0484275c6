"""Where things lie in the store: every key of one tenant of one link, and of one target account (docs/store.md)."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.storage.store import Store


@dataclass(frozen=True, slots=True)
class TenantFolder:
    """The folder of one tenant of one link. Each property is the key of a file or of a folder below it."""

    store: Store
    link: str
    tenant: str

    @property
    def path(self) -> str:
        return f"{tenants_folder(self.link)}/{self.tenant}"

    @property
    def runs(self) -> str:
        return f"{self.path}/runs"

    @property
    def baselines(self) -> str:
        return f"{self.path}/baselines"

    @property
    def last_result(self) -> str:
        return f"{self.path}/last_result.json"

    @property
    def last_real(self) -> str:
        return f"{self.path}/last_real.json"

    @property
    def last_comparison(self) -> str:
        return f"{self.path}/last_comparison.json"

    @property
    def begun(self) -> str:
        return f"{self.path}/begun.json"

    @property
    def waiting(self) -> str:
        return f"{self.path}/waiting.json"

    @property
    def channels(self) -> str:
        return f"{self.path}/channels"

    @property
    def members(self) -> str:
        return f"{self.path}/members.parquet"

    @property
    def members_line(self) -> str:
        return f"{self.path}/members_line"

    @property
    def members_line_ids(self) -> str:
        return f"{self.path}/members_line_ids"

    @property
    def line_invitations(self) -> str:
        return f"{self.path}/line_invitations"

    @property
    def jobs(self) -> str:
        return f"{self.path}/jobs"

    @property
    def start_steps(self) -> str:
        """連携開始までの流れ, as far as somebody has seen it done."""
        return f"{self.path}/way.json"

    @property
    def imports(self) -> str:
        return f"{self.path}/imports"

    @property
    def sheets(self) -> str:
        return f"{self.path}/sheets"

    @property
    def line_logins(self) -> str:
        return f"{self.path}/line_logins"

    @property
    def source_grants(self) -> str:
        return f"{self.path}/source_grants"

    @property
    def source_logins(self) -> str:
        return f"{self.path}/source_logins"


@dataclass(frozen=True, slots=True)
class AccountFolder:
    """The folder of one account of the target, which several tenants may load into."""

    store: Store
    link: str
    account: str

    @property
    def pending(self) -> str:
        return f"{accounts_folder(self.link)}/{self.account}/pending.json"

    @property
    def tenants(self) -> str:
        return f"{accounts_folder(self.link)}/{self.account}/tenants"


def tenants_folder(link: str) -> str:
    return f"{link}/tenants"


def accounts_folder(link: str) -> str:
    return f"{link}/accounts"


def void_grants_folder(link: str) -> str:
    """A file for each tenant whose grant was found void: one question tells of all."""
    return f"{link}/void_grants"


def watch_folder(link: str) -> str:
    """What the watch knows and has told."""
    return f"{link}/watch"


def customer_acts_folder(link: str) -> str:
    """A file for each thing that a customer did and of which the operator has not been told."""
    return f"{link}/customer_acts"
