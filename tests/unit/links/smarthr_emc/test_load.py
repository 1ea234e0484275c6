"""What a load finds of an earlier one; how it dies and goes on is tried in tests/contract/test_load_crashes.py."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RetriableLoadError
from renkei.links.smarthr_emc.load import Target, settle
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import AccountFolder, TenantFolder
from renkei.systems.emc.payloads import Import

LINK, NOW = "smarthr_emc", dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("hours", [0, 9])
def test_l4_an_import_that_is_being_applied_is_waited_for(tmp_path: Path, hours: int) -> None:
    """However long: sent again it might be applied twice, and forgotten nobody would ever know what became of it."""
    store = Store(LocalFileSystem(), str(tmp_path))
    lock, target = ImportLock(AccountFolder(store, LINK, "acme")), create_autospec(Target, instance=True)
    note = PendingImport("acme", "then", "key", "digest", 0, NOW.isoformat())
    lock.acquire(note)
    target.find_import.return_value = Import("1", "key", "applying")
    with pytest.raises(RetriableLoadError, match="まだ確認できていません"):
        settle(lock, target, RunRecord(TenantFolder(store, LINK, "acme"), "now"), NOW + dt.timedelta(hours=hours))
    assert lock.pending() == note
    target.forget.assert_not_called()
    target.withdraw.assert_not_called()
