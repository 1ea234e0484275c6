"""A store at s3://, opened as Renkei opens it in production: by an Airflow Connection."""

from __future__ import annotations

import json
import uuid

import pytest

from renkei.storage.store import Store
from tests.harness.program import Program


class ObjectStore(Program):
    module = "tests.harness.s3_server"


def s3_store(url: str, monkeypatch: pytest.MonkeyPatch, key: str = "") -> Store:
    """An empty one, in a bucket of its own; encrypted with `key`, if there is one."""
    from renkei.orchestration.connections import open_store

    connection = {"conn_type": "aws", "login": "key", "password": "secret"}
    connection["extra"] = {"endpoint_url": url, "region_name": "us-east-1"}
    monkeypatch.setenv("AIRFLOW_CONN_OBJECT_STORE", json.dumps(connection))
    monkeypatch.setenv("RENKEI_STORE_CONN_ID", "object_store")
    monkeypatch.setenv("RENKEI_STORE", f"s3://bucket-{uuid.uuid4()}/renkei")
    if key:
        monkeypatch.setenv("AIRFLOW_CONN_STORE_KEY", json.dumps({"conn_type": "generic", "password": key}))
        monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")
    store = open_store()
    store.fs.mkdir(store.root.split("/")[0])
    return store
