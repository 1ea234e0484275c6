"""What a Connection has already, for who adds to it: Airflow's API gives no secret, and takes Extra only as a whole.

Whoever fills in a form sends the digest of what it was drawn over; where something else stands by now, nothing is
written. Airflow's API knows no such condition, so forms take turns: looking and writing are one step to each other.
Only Airflow's API server may use its database like this.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from airflow.configuration import ensure_secrets_loaded
from airflow.models.connection import Connection
from airflow.sdk import conf
from airflow.secrets.metastore import MetastoreBackend
from airflow.utils.session import create_session
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from renkei.clock import utcnow
from renkei.orchestration.connections import open_store
from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import DamagedFileError, Store
from renkei.web.connection_facts import CHANGED
from renkei.web.services import Refused

BUSY = "この接続を、ほかの人が変更しています。少し待ってから、画面を開き直して確認してください。"
MAX_HELD = dt.timedelta(seconds=60)  # then its holder must be dead: a write takes less than a second
PATIENCE_S, LOOK_AGAIN_S = 20.0, 0.05


@dataclass(frozen=True, slots=True)
class Stored:
    """A Connection in Airflow's database, secrets and all."""

    type: str
    values: Mapping[str, str] = field(repr=False)  # host, login, password, port; empty where blank
    extra: Mapping[str, Any] = field(repr=False)


def overriding_place(name: str) -> str:
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
    if said := overriding_place(name):
        raise Refused(said)
    found = stored(name)
    return None if found is None else dict(found.extra)


def digest_of(found: Stored | None) -> str:
    """What stands in a Connection, as hex digits that tell nothing of it; empty where there is none."""
    if found is None:
        return ""
    plain = json.dumps([found.type, found.values, found.extra], sort_keys=True)
    key = conf.get_mandatory_value("api", "secret_key").encode()
    return hmac.new(key, b"renkei-connection\0" + plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def digest(name: str) -> str:
    """Of the Connection as it is now."""
    return digest_of(stored(name))


@dataclass(frozen=True, slots=True)
class _FormLock:
    """Who writes a Connection, and since when; kept in the store while he does."""

    holder: str
    at: Moment


@asynccontextmanager
async def form_lock(name: str, drawn_over: str) -> AsyncIterator[None]:
    """Lock the Connection against all other forms.

    Raises:
        Refused: another than `drawn_over` stands there; or somebody else is at it.
    """
    store, key = open_store(), f"console/registering/{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
    lock = _FormLock(secrets.token_hex(8), utcnow())
    await run_in_threadpool(_lock, store, key, lock)
    try:
        if await run_in_threadpool(digest, name) != drawn_over:
            raise Refused(CHANGED)
        yield
    finally:  # who gave up waiting for the answer, and cancels again and again, keeps nobody out
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _unlock, store, key, lock))


def _lock(store: Store, key: str, lock: _FormLock) -> None:
    until = time.monotonic() + PATIENCE_S
    while not records.create(store, key, lock):
        try:
            other = records.read_or_none(store, key, _FormLock)
        except DamagedFileError:  # nobody's, and nobody else would delete it
            store.delete(key)
            continue
        if other and abs(lock.at - other.at) > MAX_HELD:  # a clock that was wrong, too
            _unlock(store, key, other)
        elif time.monotonic() > until:
            raise Refused(BUSY)
        else:
            time.sleep(LOOK_AGAIN_S)


def _unlock(store: Store, key: str, lock: _FormLock) -> None:
    with suppress(DamagedFileError):
        if records.read_or_none(store, key, _FormLock) == lock:
            store.delete(key)
