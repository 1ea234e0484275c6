"""What a Connection has already, for who adds to it: Airflow's API gives no secret, and takes Extra only as a whole.

Only Airflow's API server may use its database like this.
"""

from __future__ import annotations

from typing import Any

from airflow.configuration import ensure_secrets_loaded
from airflow.models.connection import Connection
from airflow.secrets.metastore import MetastoreBackend
from airflow.utils.session import create_session
from sqlalchemy import select

from renkei.web.services import Refused


def extra_of(name: str) -> dict[str, Any] | None:
    """Extra of the Connection; None where there is none.

    Raises:
        Refused: the Connection is not in Airflow's database, where alone it can be changed.
    """
    for place in ensure_secrets_loaded():
        if not isinstance(place, MetastoreBackend) and place.get_connection(conn_id=name) is not None:
            raise Refused(
                f"Airflowの接続「{name}」は、環境変数かシークレットバックエンドで決められているため、この画面では変えられません。"
                "運用担当者が、そこで変更してください。"
            )
    with create_session() as session:
        found = session.scalar(select(Connection).where(Connection.conn_id == name))
        if found is None:
            return None
        extra: Any = found.extra_dejson
    return extra if isinstance(extra, dict) else {}
