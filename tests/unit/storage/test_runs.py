"""The folder of one run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.runs import RunRecord, is_run_key, run_key
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder

RUN_IDS = [
    "scheduled__2026-04-01T19:30:00+00:00",
    "scheduled__2026-04-01T19:30:00-00:00",
    "scheduled__2026-04-01T19:30:00.00:00",
    "manual__2026-04-01T19:30:00+00:00",
    "manual run",
    "manual-run",
    "manual/run",
    "../../etc",
    "手動実行",
    "手動 確認",
    "x" * 250,
    "x" * 251,
    "...",
]


@dataclass(frozen=True, slots=True)
class Begun:
    """A file of a run."""

    FILE: ClassVar[str] = "run"
    started: int


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def test_l4_run_keys_are_distinct_and_stable() -> None:
    """Different runs never share a folder, ids that came back among them; the same run always has the same."""
    runs = [(run_id, identity) for run_id in RUN_IDS for identity in ("a", "b")]
    assert len({run_key(*run) for run in runs}) == len(runs)
    assert [run_key(*run) for run in runs] == [run_key(*run) for run in runs]


def test_l4_run_keys_can_be_read() -> None:
    """An operator finds the run by its date."""
    assert run_key(RUN_IDS[0], "a").startswith("scheduled__2026-04-01T19-30-00-00-00.")


@pytest.mark.parametrize("run_id", RUN_IDS)
def test_l4_run_keys_are_plain_folder_names_that_the_store_lists(run_id: str, store: Store) -> None:
    """One path segment, of harmless characters, short, and not hidden: E31 looks for earlier runs."""
    key = run_key(run_id, "a")
    assert re.fullmatch(r"[0-9A-Za-z_.-]{1,100}", key)
    RunRecord(TenantFolder(store, "smarthr_emc", "acme"), key).write_json("load", {})
    assert store.names("smarthr_emc/tenants/acme/runs") == [key]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "r",
        ".0123456789ab",
        ".r.0123456789ab",
        "../r.0123456789ab",
        "a/r.0123456789ab",
        "r.0123456789ab/../../beta",
        "r.0123456789ab\n",
        None,
        1,
    ],
)
def test_l5_no_text_but_a_run_s_own_name_leads_to_a_folder(name: object) -> None:
    """What Airflow has kept may have been edited there, and must not lead out of the tenant's runs."""
    assert is_run_key(run_key("scheduled__2026-04-01T19:30:00+00:00", "a"))
    assert not is_run_key(name)


def test_l4_records_and_tables_lie_in_the_runs_own_folder(store: Store) -> None:
    """Another run of the tenant has its own."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "r1")
    record.write_json("diff", {"n": 1})
    record.write_table("users", pd.DataFrame({"user_id": ["1"]}, dtype="str"))
    assert store.names("smarthr_emc/tenants/acme/runs/r1") == ["diff.json", "users.parquet"]
    assert record.json("diff") == {"n": 1}
    assert record.table("users", ["user_id"])["user_id"].tolist() == ["1"]
    assert record.sibling("r2").json_or_none("diff") is None
    with pytest.raises(MissingKeyError):
        record.sibling("r2").table("users")


def test_l4_a_record_that_is_created_once_stays(store: Store) -> None:
    """The start of a run is never overwritten by its second attempt."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "r1")
    assert record.create(Begun(1)) is True
    assert record.create(Begun(2)) is False
    assert record.read(Begun) == Begun(1)
    record.write(Begun(3))
    assert (record.has(Begun), record.read_or_none(Begun)) == (True, Begun(3))
    record.delete(Begun)
    assert (record.has(Begun), record.read_or_none(Begun)) == (False, None)


def test_l4_a_table_can_be_deleted_again(store: Store) -> None:
    """Done twice is done once."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "r1")
    record.write_table("fetched_users", pd.DataFrame({"x": ["1"]}))
    record.delete_table("fetched_users")
    record.delete_table("fetched_users")
    assert not store.exists("smarthr_emc/tenants/acme/runs/r1/fetched_users.parquet")
