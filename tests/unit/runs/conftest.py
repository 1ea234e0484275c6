"""A run of a tenant."""

from __future__ import annotations

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder


@pytest.fixture
def record() -> RunRecord:
    """Of a run that has left nothing yet."""
    MemoryFileSystem.store.clear()
    return RunRecord(TenantFolder(Store(MemoryFileSystem(), "/root"), "smarthr_emc", "acme"), "today")
