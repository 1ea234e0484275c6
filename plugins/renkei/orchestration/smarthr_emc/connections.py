"""What a task gets from Airflow: SmartHR, EMC, secrets, 災害時凍結. One function each."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from renkei.errors import ConnectionError_, RenkeiError, SettingError
from renkei.links.smarthr_emc.sheet.grants import secrets_of
from renkei.links.smarthr_emc.sheet.items import PASSWORD
from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.notifications.services import SYSTEMS
from renkei.orchestration.connections import extra_of, find_connection
from renkei.orchestration.disaster_freeze import frozen_tenants
from renkei.orchestration.smarthr_emc import hooks
from renkei.orchestration.smarthr_emc.hooks import EmcHook
from renkei.runs.freeze import ALL
from renkei.systems.emc.client import EmcClient
from renkei.systems.emc.drop import DropFolder, LocalFiles
from renkei.systems.smarthr.client import SmartHRClient
from renkei.texts import trim


def smarthr_client(mapping: Mapping) -> SmartHRClient:
    """SmartHR of one tenant; raises as `hooks.smarthr_client`."""
    return hooks.smarthr_client(mapping.tenant, mapping.smarthr_url, mapping.requests_per_second)


def emc_target(mapping: Mapping) -> EmcClient | DropFolder:
    """EMC of one account: Connection `emc__<account>`, or `emc_drop__<account>` for a file drop."""
    if mapping.loader is Loader.HTTP:
        return EmcHook(f"emc__{mapping.emc_account}").client()
    return drop_folder(mapping)


def emc_address(mapping: Mapping, target: EmcClient | DropFolder) -> str:
    """The Connection to EMC, a blank, and the URL that it leads to; empty for files, which lead to nothing to compare."""
    return f"emc__{mapping.emc_account} {target.address}" if isinstance(target, EmcClient) else ""


def leads_elsewhere(address: str) -> bool:
    """Whether the Connection of such an address has another URL now, or cannot be used."""
    conn_id, _, url = address.partition(" ")
    try:
        return EmcHook(conn_id).client().address != url
    except RenkeiError:
        return True


def connection_names(mapping: Mapping) -> list[str]:
    """The Connections to both systems, and those that hold a secret of the sheet."""
    emc = "emc" if mapping.loader is Loader.HTTP else "emc_drop"
    return [f"smarthr__{mapping.tenant}", f"{emc}__{mapping.emc_account}", *secrets_of(mapping.users)]


def drop_folder(mapping: Mapping) -> DropFolder:
    """Where files for upload go: a Connection of type `fs` (extra `path`) or `sftp` (extra `remote_path`)."""
    conn_id = f"emc_drop__{mapping.emc_account}"
    connection = find_connection(conn_id, "EMC取込フォルダ")
    extra = extra_of(connection)
    if connection.conn_type == "sftp":
        from renkei.orchestration.smarthr_emc.sftp import SftpFiles  # paramiko, which few need

        return DropFolder(SftpFiles(conn_id, str(extra.get("remote_path") or ".").strip()))
    if connection.conn_type != "fs":  # another service's files would come to lie on the worker itself
        raise ConnectionError_(f"Airflowの接続「{conn_id}」の種類を「File (path)」か「SFTP」にしてください。")
    path = str(extra.get("path") or "").strip()
    if not path:
        raise ConnectionError_(f"Airflowの接続「{conn_id}」のExtraに path（フォルダ）がありません。")
    if not path.startswith("/"):
        raise ConnectionError_(
            f"Airflowの接続「{conn_id}」のExtraの path は、「/」から始まるフォルダ（絶対パス）にしてください。"
        )
    return DropFolder(LocalFiles(Path(path)))


def disaster_freeze(tenant: str) -> bool:
    """災害時凍結: whether the Variable names this tenant, or `all`; raises as `frozen_tenants`."""
    return not frozen_tenants().isdisjoint({ALL, tenant})


def secret(name: str) -> str:
    """The text behind 秘密:NAME: the password of the Airflow Connection NAME (L7).

    Raises:
        ConnectionError_: there is none, EMC would refuse it, or it opens a system: a token would become somebody's
            password (E41).
    """
    connection = find_connection(name, "連携設定シートの「秘密:」")
    if connection.conn_type in SYSTEMS:
        raise ConnectionError_(
            f"Airflowの接続「{name}」は種類が「{connection.conn_type}」なので、連携設定シートの「秘密:{name}」に使えません。"
            "初期パスワードだけを入れた接続（種類 Generic）を別に登録し、その名前を記入してください。"
        )
    value = trim(connection.password or "")
    if not value:
        raise ConnectionError_(f"Airflowの接続「{name}」にPasswordがありません（連携設定シートの「秘密:{name}」）。")
    if not re.fullmatch(PASSWORD, value):
        raise ConnectionError_(
            f"接続「{name}」のPasswordに、EMCのパスワードに使えない文字があります。半角の英数字と記号だけにしてください。"
        )
    return value


def before_load(mapping: Mapping, *, passwords: bool = True) -> None:
    """Tries what only the load needs, so that nobody reads, approves and waits for a plan that cannot be loaded (L8).

    Without `passwords` the plan has nobody who gets a first one, and no secret is looked up.

    Raises:
        RenkeiError: with all that is missing or refused.
    """
    needed: list[Callable[[], object]] = [lambda: emc_target(mapping).check()]
    needed += [partial(secret, name) for name in (secrets_of(mapping.users) if passwords else ())]
    faults: list[RenkeiError] = []
    for ask in needed:
        try:
            ask()
        except RenkeiError as error:
            faults.append(error)
    if len(faults) > 1:
        raise SettingError("\n".join(map(str, faults)))
    if faults:
        raise faults[0]
