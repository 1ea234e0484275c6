"""The お客様ページ of two companies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.customer.world import OURS, CustomerWorld


@pytest.fixture
def world(mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CustomerWorld:
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)
    monkeypatch.setenv("RENKEI_PUBLIC_URL", OURS)
    return CustomerWorld(tmp_path)
