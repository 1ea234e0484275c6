"""One load at a time into an account."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.store import Store
from renkei.storage.tenant_folder import AccountFolder

NOW = dt.datetime(2026, 4, 1, 4, 31, tzinfo=dt.timezone(dt.timedelta(hours=9)))
MINE = PendingImport("acme", "r1", "acme.key1", "digest", 3, NOW.isoformat())
OTHER = PendingImport("beta", "r1", "beta.key1", "digest", 3, NOW.isoformat())


@pytest.fixture
def lock(shared_store: Store) -> ImportLock:
    return ImportLock(AccountFolder(shared_store, "smarthr_emc", "group"))


def test_e27_a_free_lock_is_acquired_by_one(lock: ImportLock) -> None:
    """The import that acquired it can be read by whoever comes next."""
    assert lock.pending() is None
    assert lock.acquire(MINE) is True
    assert lock.pending() == MINE


def test_e27_nobody_acquires_a_lock_that_is_held(lock: ImportLock) -> None:
    """Neither another tenant nor the same one again."""
    lock.acquire(MINE)
    assert lock.acquire(OTHER) is False
    assert lock.acquire(MINE) is False
    assert lock.pending() == MINE


def test_l4_releasing_can_be_repeated(lock: ImportLock) -> None:
    """Done twice is done once."""
    lock.acquire(MINE)
    lock.release(MINE)
    lock.release(MINE)
    assert lock.pending() is None
    assert lock.acquire(OTHER) is True


@pytest.mark.parametrize("stranger", [OTHER, dataclasses.replace(MINE, import_key="acme.key2")])
def test_e27_nobody_releases_the_lock_of_another(lock: ImportLock, stranger: PendingImport) -> None:
    """Not another tenant's, and not another load of the same one."""
    lock.acquire(MINE)
    lock.release(stranger)
    assert lock.pending() == MINE


def test_e27_accounts_have_their_own_lock(shared_store: Store, lock: ImportLock) -> None:
    """Loads into different accounts may overlap."""
    lock.acquire(MINE)
    assert ImportLock(AccountFolder(shared_store, "smarthr_emc", "elsewhere")).acquire(OTHER) is True


def test_e27_of_many_at_once_one_acquires_it(lock: ImportLock) -> None:
    """Twenty loads, one lock."""
    barrier = Barrier(20)

    def attempt(number: int) -> bool:
        barrier.wait(60)
        return lock.acquire(dataclasses.replace(MINE, import_key=f"k{number}"))

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(attempt, range(20)))
    pending = lock.pending()
    assert won.count(True) == 1
    assert pending is not None
    assert pending.import_key == f"k{won.index(True)}"


@pytest.mark.parametrize(("later", "expired"), [(0, False), (119, False), (120, False), (121, True)])
def test_l4_an_intent_outlives_its_writer_for_the_lease(later: int, expired: bool) -> None:
    """Minutes since it was written, against a lease of two hours; the zone of the clock does not matter."""
    now = (NOW + dt.timedelta(minutes=later)).astimezone(dt.UTC)
    assert MINE.expired(now, dt.timedelta(hours=2)) is expired
