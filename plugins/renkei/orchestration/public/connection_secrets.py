"""A tenant's secret from its Airflow Connection, for `public/secrets`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import renkei
from renkei import settings
from renkei.errors import ConnectionError_
from renkei.orchestration.connections import extra_of, find_connection
from renkei.public.secrets import NoSecretError
from renkei.sheets.tenant_files import has_sheet

DAG_FILE = str(Path(renkei.__file__).parents[2] / "dags" / "public.py")  # what default paths are beside of


def from_connection(link: str, system: str, name: str, label: str) -> Callable[[str], str | None]:
    """Reads the field `name` in Extra of the Connection `<system>__<tenant>`; `label` is what people call the field.

    Only a tenant with a sheet of the link is looked up. While the folder of sheets or Airflow cannot be read, that is an
    error, not a no.
    """

    def read(tenant: str) -> str | None:
        folder = settings.mappings_folder(DAG_FILE, link)
        try:
            if not has_sheet(folder, tenant):
                os.scandir(folder).close()  # one that is away says nothing about who is a tenant
                return None
        except OSError as error:
            raise ConnectionError_(
                f"連携設定シートのフォルダ {folder} を読み取れません（{error.strerror}）。"
            ) from None
        conn_id = f"{system}__{tenant}"
        try:
            connection = find_connection(conn_id, label)
        except ConnectionError_ as error:
            raise NoSecretError(str(error)) if _is_nowhere(conn_id) else error from None
        secret = str(extra_of(connection).get(name) or "").strip()
        if not secret:
            raise NoSecretError(f"Airflowの接続「{conn_id}」に{label}（Extra {name}）がありません。")
        return secret

    return read


def _is_nowhere(conn_id: str) -> bool:
    """Whether each place where Airflow looks says so itself: find_connection passes over those that are away."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    try:
        return all(place.get_connection(conn_id=conn_id) is None for place in ensure_secrets_backend_loaded())
    except Exception:  # whatever a backend's own library raises
        return False
