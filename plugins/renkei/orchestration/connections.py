"""What Airflow keeps for everybody: the store and the Connections."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook, Connection, ObjectStoragePath
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from renkei import settings
from renkei.errors import ConnectionError_, StoreError
from renkei.storage.cipher import Cipher
from renkei.storage.store import Store


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
    """The keys in the password of the Connection RENKEI_STORE_KEY_CONN_ID; None for no Connection, or the word `plain`."""
    conn_id = settings.store_key_conn_id()
    if conn_id is None:
        return None
    try:
        keys = find_connection(conn_id, "保存先の暗号化の鍵、RENKEI_STORE_KEY_CONN_ID").password or ""
        return None if keys == "plain" else Cipher(keys)
    except ConnectionError_ as error:
        raise StoreError(str(error)) from None
    except ValueError:
        raise StoreError(
            f"Airflowの接続「{conn_id}」のPasswordが暗号化の鍵ではありません（RENKEI_STORE_KEY_CONN_ID）。"
            "32バイトのURL-safe base64（44文字）の鍵を、複数あればコンマ区切りで登録してください。"
        ) from None


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
            "環境変数（AIRFLOW_CONN_…）などで登録済みの場合は、読み取れない書き方です。JSONまたはURIの形を確認してください。"
        ) from error


def extra_of(connection: Connection) -> dict[str, Any]:
    """Extra as a mapping.

    Raises:
        ConnectionError_: it is other JSON, on which Airflow's hooks fail with exceptions of no kind.
    """
    extra: Any = connection.extra_dejson
    if not isinstance(extra, dict):
        raise ConnectionError_(
            f'Airflowの接続「{connection.conn_id}」のExtraを、{{"名前": "値"}} の形のJSONにしてください。'
        )
    return extra
