"""Everything a task gets from Airflow: store, clients, secrets, mail. One function each.

Hooks are imported where they are used: every task process pays for what is imported above.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook, Connection, ObjectStoragePath
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from renkei import settings
from renkei.errors import ConnectionError_, StoreError
from renkei.links.smarthr_emc.notify import Mail
from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.storage.store import Store
from renkei.systems.emc.drop import DropFolder, Files, LocalFiles

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.load import Target
    from renkei.systems.smarthr.client import SmartHRClient


def open_store() -> Store:
    """The object store of RENKEI_STORE."""
    try:
        path = ObjectStoragePath(settings.store_url(), conn_id=settings.store_conn_id())
        return Store(path.fs, path.path)
    except (ImportError, ValueError) as error:
        raise StoreError(f"保存先(RENKEI_STORE)を開けません（{error}）。") from error


def smarthr_client(mapping: Mapping) -> SmartHRClient:
    """SmartHR of one tenant: Connection `smarthr__<tenant>`."""
    from renkei.orchestration.hooks import SmartHRHook

    return SmartHRHook(f"smarthr__{mapping.tenant}").client(mapping.smarthr_url, mapping.requests_per_second)


def emc_target(mapping: Mapping) -> Target:
    """EMC of one account: Connection `emc__<account>`, or `emc_drop__<account>` for a file drop."""
    if mapping.loader is Loader.HTTP:
        from renkei.orchestration.hooks import EmcHook

        return EmcHook(f"emc__{mapping.emc_account}").client()
    return drop_folder(mapping)


def drop_folder(mapping: Mapping) -> DropFolder:
    """Where files for upload go: a Connection of type `fs` (extra `path`) or `sftp` (extra `remote_path`)."""
    conn_id = f"emc_drop__{mapping.emc_account}"
    connection = _connection(conn_id, "EMC取込フォルダ")
    files: Files
    if connection.conn_type == "sftp":
        from renkei.orchestration.sftp import SftpFiles

        files = SftpFiles(conn_id, connection.extra_dejson.get("remote_path", "."))
    else:
        path = connection.extra_dejson.get("path")
        if not path:
            raise ConnectionError_(f"Airflowの接続「{conn_id}」のExtraに path（フォルダ）がありません。")
        files = LocalFiles(Path(path))
    return DropFolder(files)


def secret(name: str) -> str:
    """The text behind 秘密:NAME: the password of the Airflow Connection NAME (L7)."""
    value = _connection(name, "連携設定シートの「秘密:」").password
    if not value:
        raise ConnectionError_(f"Airflowの接続「{name}」にPasswordがありません（連携設定シートの「秘密:{name}」）。")
    return value


def _connection(conn_id: str, label: str) -> Connection:
    try:
        return BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise ConnectionError_(
            f"Airflowの接続「{conn_id}」（{label}）がありません。Admin > Connections で登録してください。"
        ) from error


def send_mail(letter: Mail) -> None:
    """Send through the SMTP Connection `smtp_default`."""
    from renkei.orchestration.plain_mail import PlainMailHook

    hook = PlainMailHook()
    with hook:
        hook.send_text(letter)
