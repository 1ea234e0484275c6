"""What a Connection has already, for who adds to it: Airflow's API gives no secret, and takes Extra only as a whole.

Only Airflow's API server may use its database like this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.configuration import ensure_secrets_loaded
from airflow.models.connection import Connection
from airflow.secrets.metastore import MetastoreBackend
from airflow.utils.session import create_session
from sqlalchemy import select

from renkei.web.services import Refused


@dataclass(frozen=True, slots=True)
class Stored:
    """A Connection in Airflow's database, secrets and all."""

    type: str
    values: Mapping[str, str] = field(repr=False)  # host, login, password, port; empty where blank
    extra: Mapping[str, Any] = field(repr=False)


def elsewhere(name: str) -> str:
    """Why the Connection cannot be changed in Airflow's database, in Japanese: another place comes before it. Else empty."""
    for place in ensure_secrets_loaded():
        if not isinstance(place, MetastoreBackend) and place.get_connection(conn_id=name) is not None:
            return (
                f"Airflowの接続「{name}」は、環境変数かシークレットバックエンドで決められているため、この画面では変えられません。"
                "運用担当者が、そこで変更してください。"
            )
    return ""


def stored(name: str) -> Stored | None:
    """None where Airflow's database has none."""
    with create_session() as session:
        found = session.scalar(select(Connection).where(Connection.conn_id == name))
        if found is None:
            return None
        values = {place: str(getattr(found, place) or "") for place in ("host", "login", "password", "port")}
        extra: Any = found.extra_dejson
        return Stored(str(found.conn_type or ""), values, extra if isinstance(extra, dict) else {})


def extra_of(name: str) -> dict[str, Any] | None:
    """Extra of the Connection; None where there is none.

    Raises:
        Refused: the Connection is not in Airflow's database, where alone it can be changed.
    """
    if said := elsewhere(name):
        raise Refused(said)
    found = stored(name)
    return None if found is None else dict(found.extra)
