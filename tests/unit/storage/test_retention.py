"""Which runs are kept, and how the others go."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from renkei.errors import BaselineError, StoreError
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.cipher import Cipher
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.retention import Ongoing, Pruned, prune, tenants_and_accounts
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import AccountFolder, TenantFolder

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 2, 3, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))
KEEP = dt.timedelta(days=400)
FILES = ("sheet.json", "snapshot.json", "diff.json", "plan.json", "users.parquet", "mail.json")
KEY = "A" * 43 + "="


@pytest.fixture(params=["local", "memory", "local encrypted"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        MemoryFileSystem.store.clear()
        return Store(MemoryFileSystem(), "/root")
    return Store(LocalFileSystem(), str(tmp_path), Cipher(KEY) if "encrypted" in request.param else None)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def ago(days: float) -> str:
    return (NOW - dt.timedelta(days=days)).isoformat()


def add_run(store: Store, run: str, days: float, *, loaded: float | None = None, tenant: str = "acme") -> RunRecord:
    """A whole run that began so many days ago."""
    record = RunRecord(TenantFolder(store, LINK, tenant), run)
    record.write_json("run", {"run_id": f"id of {run}", "started_at": ago(days)})
    for name in FILES:
        store.write(f"{record.folder}/{name}", b"{}")
    if loaded is not None:
        record.write_json("load", {"confirmed_at": ago(loaded)})
    return record


def add_baseline(store: Store, generation: int, run: str, days: float) -> None:
    baseline = Baseline(generation, run, "digest", f"key {generation}", ago(days), 1, 1)
    Baselines(TenantFolder(store, LINK, "acme")).promote(baseline)


def never(run_id: str) -> bool:
    return False


def pruned(store: Store, *accounts: str, now: dt.datetime = NOW, ongoing: Ongoing = never) -> Pruned:
    return prune(TenantFolder(store, LINK, "acme"), accounts, now, KEEP, ongoing)


def runs(store: Store) -> list[str]:
    return store.names(f"{LINK}/tenants/acme/runs")


def test_l6_runs_go_when_they_are_older_than_the_limit(store: Store) -> None:
    """By the run's own start; the rest of the store stays, and so do others' runs."""
    for run, days in (("a", 400.1), ("b", 399.9), ("c", 1), ("d", 4000), ("e", 400)):
        add_run(store, run, days)
    add_run(store, "a", 900, tenant="beta")
    store.write(f"{LINK}/accounts/acme/tenants/acme.json", b"{}")
    assert pruned(store) == Pruned(deleted=2, kept=3, doubtful=())
    assert runs(store) == ["b", "c", "e"]
    assert store.files(f"{LINK}/tenants/acme/runs/a") == []
    assert len(store.files(f"{LINK}/tenants/acme/runs/b")) == 1 + len(FILES)
    assert store.names(f"{LINK}/tenants/beta/runs") == ["a"]
    assert store.exists(f"{LINK}/accounts/acme/tenants/acme.json")
    assert pruned(store) == Pruned(0, 3, ())


def test_l3_e31_runs_of_the_last_two_baselines_stay(store: Store) -> None:
    """However old: the next run compares with the first, undoing the last load needs the second. Baselines all stay."""
    for generation, run, days in ((1, "a", 900), (2, "b", 800), (3, "c", 700), (4, "d", 600)):
        add_run(store, run, days, loaded=days - 0.1)
        add_baseline(store, generation, run, days - 0.1)
    add_run(store, "e", 500)
    assert pruned(store) == Pruned(deleted=3, kept=2, doubtful=())
    assert runs(store) == ["c", "d"]
    assert Baselines(TenantFolder(store, LINK, "acme")).generations() == [1, 2, 3, 4]
    for run in ("c", "d"):
        assert len(store.files(f"{LINK}/tenants/acme/runs/{run}")) == 2 + len(FILES)


def test_l4_a_run_whose_load_is_not_settled_stays(store: Store) -> None:
    """The note at the import lock of any of its accounts names it; another tenant's note keeps nothing here."""
    for run in ("a", "b", "c"):
        add_run(store, run, 500)
    ImportLock(AccountFolder(store, LINK, "one")).acquire(PendingImport("beta", "a", "k", "d", 0, ago(500)))
    ImportLock(AccountFolder(store, LINK, "two")).acquire(PendingImport("acme", "b", "k", "d", 0, ago(500)))
    assert pruned(store, "one", "two", "three") == Pruned(2, 1, ())
    assert runs(store) == ["b"]


class SettledMeanwhile(Store):
    """Whoever lists the baselines here has not seen the last one: it is made right afterwards, and the note goes."""

    def names(self, prefix: str) -> list[str]:
        found = super().names(prefix)
        note = ImportLock(AccountFolder(self, LINK, "one")).pending()
        if prefix.endswith("/baselines") and note:
            add_baseline(self, 2, "b", 1)
            ImportLock(AccountFolder(self, LINK, "one")).release(note)
        return found


def test_l4_a_run_that_is_settled_while_pruning_stays(local: Store) -> None:
    """It turns from an unsettled load into the baseline, and is never neither."""
    store = SettledMeanwhile(LocalFileSystem(), local.root)
    add_run(store, "a", 600, loaded=600)
    add_baseline(store, 1, "a", 600)
    add_run(store, "b", 500)
    ImportLock(AccountFolder(store, LINK, "one")).acquire(PendingImport("acme", "b", "key 2", "d", 1, ago(500)))
    assert pruned(store, "one") == Pruned(0, 2, ())
    assert Baselines(TenantFolder(local, LINK, "acme")).generations() == [1, 2]
    assert pruned(store, "one") == Pruned(0, 2, ())


def test_l4_a_run_on_which_airflow_works_stays(store: Store) -> None:
    """An old run that somebody cleared, or that waits for a person; asked for by its run id."""
    for run in ("a", "b"):
        add_run(store, run, 500)
    assert pruned(store, ongoing=lambda run_id: run_id == "id of a") == Pruned(1, 1, ())
    assert runs(store) == ["a"]


def test_l6_the_date_in_a_runs_name_spares_reading_it(store: Store) -> None:
    """A year of runs would else be read every night. Only a past date counts: a run is not older than that."""
    young, old, future = (
        "scheduled__2026-10-01T19-30-00-00-00.00",
        "manual__2025-01-01T19-30-00.1-00-00.00",
        "x.2099-01-01T00-00-00",
    )
    store.write(f"{LINK}/tenants/acme/runs/{young}/run.json", b"not read")
    add_run(store, old, 500)
    add_run(store, future, 500)
    # It began hours after that date, and more than the limit ago.
    add_run(store, "scheduled__2025-09-27T06-00-00-00-00.00", 400.1)
    assert pruned(store) == Pruned(3, 1, ())
    assert runs(store) == [young]


@pytest.mark.parametrize(
    ("run", "changed", "stays"),
    [
        ("scheduled__2025-09-01T19-30-00-00-00.00", 500, False),
        ("scheduled__2025-09-01T19-30-00-00-00.00", 300, True),
        ("by-hand", 500, False),
        ("by-hand", 300, True),
        ("x.2025-13-41T99-00-00", 500, False),
    ],
)
def test_l6_a_run_without_a_start_is_as_old_as_its_newest_date(
    local: Store, run: str, changed: float, stays: bool
) -> None:
    """A run that fails at once leaves no run.json; the date in its name and those of its files are known."""
    key = f"{LINK}/tenants/acme/runs/{run}/mail.json"
    local.write(key, b"{}")
    at = (NOW - dt.timedelta(days=changed)).timestamp()
    os.utime(local.path(key), (at, at))
    assert pruned(local) == Pruned(int(not stays), int(stays), ())
    assert runs(local) == [run] * stays


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"run_id": "r", "started_at": "2020-01-01T00:00:00"}'])
def test_l1_a_run_whose_age_cannot_be_told_is_kept_and_named(store: Store, content: bytes) -> None:
    """Damaged, or a date without its zone; the others go all the same."""
    add_run(store, "a", 500)
    store.write(f"{LINK}/tenants/acme/runs/b/run.json", content)
    assert pruned(store) == Pruned(1, 1, ("b",))
    assert runs(store) == ["b"]


def test_e31_the_loads_after_a_lost_baseline_are_kept_and_named(store: Store) -> None:
    """Newer than what is now the newest baseline, they tell of a lost one, and may be all that is left to restore."""
    for run, days in (("a", 900), ("b", 800), ("c", 700), ("d", 600)):
        add_run(store, run, days, loaded=days - 0.1)
    add_run(store, "e", 500)
    for generation, run, since in ((1, "a", 899.9), (2, "b", 799.9)):
        add_baseline(store, generation, run, since)
    assert pruned(store) == Pruned(1, 4, ("c", "d"))
    assert runs(store) == ["a", "b", "c", "d"]


def test_e31_without_baselines_every_load_is_kept_and_named(store: Store) -> None:
    """`was_linked` stays true: a lost baseline never becomes a first link by pruning."""
    add_run(store, "a", 900, loaded=900)
    add_run(store, "b", 800)
    assert pruned(store) == Pruned(1, 1, ("a",))
    assert runs(store) == ["a"]


def test_l6_what_a_dead_writer_left_goes_too(local: Store) -> None:
    """Half-written files are not listed, but they hold people."""
    record = add_run(local, "a", 500)
    Path(local.path(f"{record.folder}/.users.parquet.0123456789ab")).write_bytes(b"half")
    assert pruned(local).deleted == 1
    assert not Path(local.path(record.folder)).exists()


def test_l4_half_a_run_is_never_usable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan goes first, so that nothing loads it; then the snapshot; what tells the age goes last."""
    add_run(store, "a", 500, loaded=499)
    add_run(store, "b", 400.5, loaded=400.4)
    for generation, run in ((1, "a"), (2, "b"), (3, "b")):
        add_baseline(store, generation, run, 400)
    order: list[str] = []
    delete = Store.delete

    def watched(self: Store, key: str) -> None:
        order.append(key.rsplit("/", 1)[-1])
        delete(self, key)

    monkeypatch.setattr(Store, "delete", watched)
    assert pruned(store).deleted == 1
    assert order[:2] == ["plan.json", "snapshot.json"]
    assert order[-1] == "run.json"
    assert sorted(order) == sorted([*FILES, "load.json", "run.json"])


def test_l4_an_empty_folder_goes_once_no_writer_can_be_about_to_fill_it(local: Store) -> None:
    """What a pruning leaves that died before its last step."""
    folder = Path(local.path(f"{LINK}/tenants/acme/runs/by-hand"))
    folder.mkdir(parents=True)
    changed = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    assert pruned(local, now=changed + dt.timedelta(minutes=59)) == Pruned(0, 1, ())
    assert pruned(local, now=changed + dt.timedelta(minutes=61)) == Pruned(1, 0, ())
    assert not folder.exists()


def test_l1_nothing_goes_when_the_baseline_cannot_be_read(store: Store) -> None:
    """Nobody knows then which runs are needed."""
    add_run(store, "a", 500)
    add_baseline(store, 1, "a", 500)
    store.write(f"{LINK}/tenants/acme/baselines/00000002.json", b"{")
    with pytest.raises(BaselineError):
        pruned(store)
    assert runs(store) == ["a"]


def test_l1_nothing_goes_without_the_key(local: Store) -> None:
    """Neither baselines nor dates can be read."""
    encrypted = Store(LocalFileSystem(), local.root, Cipher(KEY))
    add_run(encrypted, "a", 500)
    with pytest.raises(StoreError, match="RENKEI_STORE_KEY_CONN_ID"):
        pruned(local)
    assert len(local.files(f"{LINK}/tenants/acme/runs")) == 1 + len(FILES)


def test_l1_nothing_goes_when_a_note_cannot_be_read(store: Store) -> None:
    """It may name any of the runs."""
    add_run(store, "a", 500)
    store.write(f"{LINK}/accounts/one/pending.json", b"{")
    with pytest.raises(StoreError, match=r"pending\.json が壊れています"):
        pruned(store, "one")
    assert runs(store) == ["a"]


def test_e27_every_tenant_of_the_store_is_found_with_its_accounts(store: Store) -> None:
    """Whether or not its sheet is still there; a tenant that moved has two."""
    for tenant in ("acme", "beta", "gone"):
        add_run(store, "a", 1, tenant=tenant)
    for account, tenant in (("one", "acme"), ("two", "acme"), ("one", "beta")):
        store.write(f"{LINK}/accounts/{account}/tenants/{tenant}.json", b"{}")
    note = PendingImport("acme", "a", "k", "d", 0, ago(1))
    ImportLock(AccountFolder(store, LINK, "one")).acquire(note)
    assert tenants_and_accounts(store, LINK) == {"acme": ["one", "two"], "beta": ["one"], "gone": []}
    assert store.read_json(f"{LINK}/accounts/one/pending.json") == asdict(note)
    assert tenants_and_accounts(Store(store.fs, f"{store.root}/none"), LINK) == {}
