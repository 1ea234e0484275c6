"""A tenant's secret from its Airflow Connection, for `public/secrets`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import renkei
from renkei import settings
from renkei.errors import ConnectionError_
from renkei.orchestration.connections import extra_of, find_connection
from renkei.sheets.tenant_files import has_sheet

_DAG_FILE = str(Path(renkei.__file__).parents[2] / "dags" / "public.py")  # what default paths are beside of


def from_connection(link: str, system: str, name: str, label: str) -> Callable[[str], str | None]:
    """Reads the field `name` in Extra of the Connection `<system>__<tenant>`; `label` is what people call the field.

    Only a tenant with a sheet of the link is looked up. What Airflow does not find it may merely not reach, so a
    missing secret is an error, not a no.
    """

    def read(tenant: str) -> str | None:
        if not has_sheet(settings.mappings_folder(_DAG_FILE, link), tenant):
            return None
        conn_id = f"{system}__{tenant}"
        secret = str(extra_of(find_connection(conn_id, label)).get(name) or "").strip()
        if not secret:
            raise ConnectionError_(f"Airflowの接続「{conn_id}」に{label}（Extra {name}）がありません。")
        return secret

    return read
