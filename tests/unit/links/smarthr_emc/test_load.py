"""What a load finds of an earlier one; how it dies and goes on is tried in tests/contract/test_load_crashes.py."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import BaselineError, BusyAccountError, RejectedLoadError, RetriableLoadError
from renkei.links.smarthr_emc import load
from renkei.links.smarthr_emc.records import LoadConfirmation, Plan
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import AccountFolder, TenantFolder
from renkei.systems.emc.client import ImportBusyError
from renkei.systems.emc.payloads import Import

LINK, NOW = "smarthr_emc", dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC)
PLAN = Plan("digest", 0, True, True, 1, 1)


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    return RunRecord(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), LINK, "acme"), "now")


@pytest.fixture
def lock(record: RunRecord) -> ImportLock:
    return ImportLock(AccountFolder(record.store, LINK, "acme"))


@pytest.fixture
def target() -> Any:
    return create_autospec(load.Target, instance=True)


@pytest.mark.parametrize("hours", [0, 9])
def test_l4_an_import_that_is_being_applied_is_waited_for(
    record: RunRecord, lock: ImportLock, target: Any, hours: int
) -> None:
    """However long: sent again it might be applied twice, and forgotten nobody would ever know what became of it."""
    note = PendingImport("acme", "then", "key", "digest", 0, NOW.isoformat())
    lock.acquire(note)
    target.find_import.return_value = Import("1", "key", "applying")
    with pytest.raises(RetriableLoadError, match="まだ確認できていません"):
        load.settle(lock, target, record, NOW + dt.timedelta(hours=hours))
    assert lock.pending() == note
    target.forget.assert_not_called()
    target.withdraw.assert_not_called()


@pytest.mark.parametrize("generation", [0, 1, 3])
def test_l3_a_plan_against_another_baseline_is_not_sent(
    record: RunRecord, lock: ImportLock, target: Any, generation: int
) -> None:
    """Whoever is missing in it may have come with the run that moved the baseline."""
    for number in (1, 2):
        baseline = Baseline(number, f"run {number}", "digest", f"key {number}", NOW.isoformat(), 1, 1)
        Baselines(record.tenant_folder).promote(baseline)
    plan = replace(PLAN, generation=generation)
    with pytest.raises(BaselineError, match="古い計画は書き込みません"):
        load.apply(record, plan, lock, target, lambda: (None, None), lambda: None, NOW)
    assert lock.pending() is None
    target.submit.assert_not_called()


def test_e27_of_two_that_find_the_account_free_one_loads(record: RunRecord, lock: ImportLock, target: Any) -> None:
    """A neighbour's note comes while this one prepares its files."""
    theirs = PendingImport("beta", "then", "key", "digest", 0, NOW.isoformat())

    def encode_files() -> tuple[None, None]:
        assert lock.acquire(theirs)
        return None, None

    with pytest.raises(BusyAccountError):
        load.apply(record, PLAN, lock, target, encode_files, lambda: None, NOW)
    assert lock.pending() == theirs
    target.submit.assert_not_called()


def test_l4_an_import_that_came_too_late_for_its_own_attempt_is_aborted(
    record: RunRecord, lock: ImportLock, target: Any
) -> None:
    """Else it would keep the account shut for ever: the note is ours, so that nobody of Renkei's loads."""
    late = Import("7", "acme.0123456789abcdef.0123456789ab", "open")
    target.submit.side_effect = ImportBusyError("busy")
    target.forgotten.return_value = [late]
    with pytest.raises(ImportBusyError):
        load.apply(record, PLAN, lock, target, lambda: (None, None), lambda: None, NOW)
    target.withdraw.assert_called_once_with(late)


def test_l5_what_emc_refuses_before_it_is_an_import_shuts_the_account_for_nobody(
    record: RunRecord, lock: ImportLock, target: Any
) -> None:
    target.submit.side_effect = RejectedLoadError("too large")
    target.find_import.return_value = None
    with pytest.raises(RejectedLoadError):
        load.apply(record, PLAN, lock, target, lambda: (None, None), lambda: None, NOW)
    assert lock.pending() is None


def test_l4_what_emc_has_committed_is_noted_before_anything_of_it_is_forgotten(
    record: RunRecord, lock: ImportLock, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The confirmation tells of a lost baseline (E31), the note of a baseline that has yet to move: each goes after what
    needs it, wherever the process dies.
    """
    note = PendingImport("acme", "now", "key", "digest", 0, NOW.isoformat())
    record.write(PLAN)
    lock.acquire(note)
    order, promote = [], Baselines.promote

    def promoting(baselines: Baselines, baseline: Baseline) -> None:
        order.append(("baseline", record.has(LoadConfirmation), lock.pending() == note))
        promote(baselines, baseline)

    def forgetting(key: str) -> None:
        order.append(("forget", Baselines(record.tenant_folder).generations() == [1], lock.pending() == note))

    monkeypatch.setattr(Baselines, "promote", promoting)
    target.forget.side_effect = forgetting
    load.finish(record, note, lock, target, Import("1", "key", "committed"), NOW)
    assert order == [("baseline", True, True), ("forget", True, True)]
    assert lock.pending() is None
