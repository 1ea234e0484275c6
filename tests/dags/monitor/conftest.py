"""A watched folder, and in it a tenant, acme, that was linked."""

from __future__ import annotations

from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.store import Store
from tests.dags.monitor.looks import SLACK, World, at


@pytest.fixture
def world(mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """No tenant, an empty store where Renkei looks for it, and one channel of the operator."""
    operator = tmp_path / "operator.yaml"
    operator.write_text("channels:\n- {name: 運用, service: slack_webhook, connection: ops}\n", encoding="utf-8")
    monkeypatch.setenv("RENKEI_OPERATOR", str(operator))
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    return World(mappings, Store(LocalFileSystem(), str(tmp_path / "store")), operator)


@pytest.fixture
def acme(world: World) -> World:
    """A tenant that was linked long ago, and spoke yesterday."""
    world.sheet("acme", channels=(SLACK,))
    world.link("acme")
    world.known("acme")
    world.result("acme", at("21 4:38"))
    return world
