"""A tenant's rows in a database of their own, and a store with a key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.inbox import lease
from renkei.links.lineworks_kot.accounts import Accounts
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import Database, open_database
from renkei.storage.store import Store
from tests.harness.punching import World


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/renkei.db")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path / "store"), Cipher(base64.urlsafe_b64encode(bytes(32)).decode()))


@pytest.fixture
def accounts(database: Database, store: Store) -> Accounts:
    return Accounts(database, store, "acme")


@pytest.fixture
def no_lease_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
