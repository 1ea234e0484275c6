"""What one writer alone may win is tried where it is decided: on a disk and in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.store import Store
from tests.harness.s3 import s3_store


@pytest.fixture(params=["local", "s3"])
def shared_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store that several workers could share."""
    if request.param == "s3":
        return s3_store(request.getfixturevalue("s3_url"), monkeypatch)
    return Store(LocalFileSystem(), str(tmp_path))
