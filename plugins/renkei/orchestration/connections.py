"""Everything a task gets from Airflow: store, clients, secrets. One function each.

Hooks are imported where they are used: every task process pays for what is imported above.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook, Connection, ObjectStoragePath, Variable
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from renkei import settings
from renkei.errors import ConnectionError_, StoreError
from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store
from renkei.systems.emc.drop import DropFolder, Files, LocalFiles

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.load import Target
    from renkei.systems.smarthr.client import SmartHRClient

DISASTER_FREEZE = "renkei_disaster_freeze"


def open_store() -> Store:
    """The object store of RENKEI_STORE, encrypted if RENKEI_STORE_KEY_CONN_ID says so.

    Raises:
        StoreError: it cannot be opened, or its key is missing; it is never opened without the key asked for (L1).
    """
    cipher = _store_cipher()
    try:
        path = ObjectStoragePath(settings.store_url(), conn_id=settings.store_conn_id())
        return Store(path.fs, path.path, cipher)
    except (ImportError, ValueError) as error:
        raise StoreError(f"保存先(RENKEI_STORE)を開けません（{error}）。") from error


def _store_cipher() -> Cipher | None:
    """The keys in the password of the Connection RENKEI_STORE_KEY_CONN_ID; None when no Connection is named."""
    conn_id = settings.store_key_conn_id()
    if conn_id is None:
        return None
    try:
        return Cipher(find_connection(conn_id, "保存先の暗号化の鍵、RENKEI_STORE_KEY_CONN_ID").password or "")
    except ConnectionError_ as error:
        raise StoreError(str(error)) from None
    except ValueError:
        raise StoreError(
            f"Airflowの接続「{conn_id}」のPasswordが暗号化の鍵ではありません（RENKEI_STORE_KEY_CONN_ID）。"
            "32バイトのURL-safe base64（44文字）の鍵を、複数あればコンマ区切りで登録してください。"
        ) from None


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
    connection = find_connection(conn_id, "EMC取込フォルダ")
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


def disaster_freeze(tenant: str) -> bool:
    """災害時凍結: whether the Variable `renkei_disaster_freeze` names this tenant, or `all` (comma list).

    Raises:
        StoreError: Airflow does not answer; whether to delete is not a thing to guess (L1).
    """
    try:
        value = Variable.get(DISASTER_FREEZE, default="")
    except AirflowRuntimeError as error:
        raise StoreError(f"Airflowの変数「{DISASTER_FREEZE}」（災害時凍結）を読み取れません。") from error
    names = {name.strip().lower() for name in str(value).split(",")}
    return not names.isdisjoint({"all", tenant})


def secret(name: str) -> str:
    """The text behind 秘密:NAME: the password of the Airflow Connection NAME (L7)."""
    value = find_connection(name, "連携設定シートの「秘密:」").password
    if not value:
        raise ConnectionError_(f"Airflowの接続「{name}」にPasswordがありません（連携設定シートの「秘密:{name}」）。")
    return value


def find_connection(conn_id: str, label: str) -> Connection:
    """The Airflow Connection; `label` says in Japanese what it is for.

    Raises:
        ConnectionError_: there is none.
    """
    try:
        return BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise ConnectionError_(
            f"Airflowの接続「{conn_id}」（{label}）がありません。Admin > Connections で登録してください。"
        ) from error
