"""Whole values or none, created once, readable by their owner alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from renkei.errors import StoreError
from renkei.storage.store import MissingKeyError, Store

PLUGINS = Path(__file__).parents[3] / "plugins"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


@pytest.fixture
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A local store, or one on a file system that has no links and modes."""
    if request.param == "local":
        return Store(LocalFileSystem(), str(tmp_path))
    MemoryFileSystem.store.clear()
    return Store(MemoryFileSystem(), "/root")


BOTH = pytest.mark.parametrize("any_store", ["local", "memory"], indirect=True)

# Two values that no mixture of them equals; the writer swaps them as fast as it can.
WRITER = """
import sys
from fsspec.implementations.local import LocalFileSystem
from renkei.storage.store import Store
store = Store(LocalFileSystem(), sys.argv[1])
values = [b"a" * 300_000, b"b" * 200_000]
store.write("x/y/value", values[0])
print("READY", flush=True)
while True:
    for value in values:
        store.write("x/y/value", value)
"""


def whole(value: bytes) -> bool:
    return value in (b"a" * 300_000, b"b" * 200_000)


def test_l4_a_reader_never_sees_half_of_a_value(store: Store) -> None:
    """Writers that are killed at any moment leave the old value or the new one."""
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    for pause_s in (0.0, 0.005, 0.02, 0.031):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, store.root], stdout=subprocess.PIPE, env=environment
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"READY\n"
            end = time.monotonic() + pause_s
            while time.monotonic() < end:
                assert whole(store.read("x/y/value"))
            writer.kill()
            writer.wait(10)
        assert whole(store.read("x/y/value"))
        assert store.names("x/y") == ["value"]  # leftovers are not listed


def test_l3_create_is_won_by_exactly_one_thread(store: Store) -> None:
    """Of twenty writers at once one gets True, and its value stands."""
    barrier = Barrier(20)

    def attempt(number: int) -> bool:
        barrier.wait(10)
        return store.create("tenants/acme/baselines/1.json", f"{number}".encode())

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(attempt, range(20)))
    assert won.count(True) == 1
    assert store.read("tenants/acme/baselines/1.json") == f"{won.index(True)}".encode()
    assert store.names("tenants/acme/baselines") == ["1.json"]
    assert len(os.listdir(f"{store.root}/tenants/acme/baselines")) == 1  # losers tidy up


CREATOR = """
import sys
from fsspec.implementations.local import LocalFileSystem
from renkei.storage.store import Store
print("READY", flush=True)
sys.stdin.readline()
print(Store(LocalFileSystem(), sys.argv[1]).create("k", sys.argv[2].encode()), flush=True)
"""


def test_l3_create_is_won_by_exactly_one_process(store: Store) -> None:
    """Processes share nothing but the disk."""
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATOR, store.root, f"{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for n in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=20)[0].strip() for process in processes]
    assert sorted(answers) == ["False", "False", "False", "True"]
    assert store.read("k") == f"{answers.index('True')}".encode()


def test_l6_local_files_are_readable_by_their_owner_alone(store: Store) -> None:
    """0600 for written, replaced and created files, whatever the umask; folders are closed, too."""
    before = os.umask(0)
    try:
        store.write("a/b/written", b"1")
        store.write("a/b/written", b"2")
        store.create("a/b/created", b"1")
        store.write_json("a/b/record.json", {})
        store.write_table("a/b/table.parquet", pd.DataFrame({"x": ["1"]}))
    finally:
        os.umask(before)
    for name in store.names("a/b"):
        assert stat.S_IMODE(os.stat(store.path(f"a/b/{name}")).st_mode) == 0o600, name
    assert stat.S_IMODE(os.stat(store.path("a/b")).st_mode) == 0o700


@BOTH
def test_l4_create_write_read_delete(any_store: Store) -> None:
    """Create leaves what is there, write replaces it, delete can be done again."""
    assert any_store.create("f/k", b"1") is True
    assert any_store.create("f/k", b"2") is False
    assert any_store.read("f/k") == b"1"
    any_store.write("f/k", b"3")
    assert any_store.read("f/k") == b"3"
    assert any_store.exists("f/k")
    any_store.delete("f/k")
    any_store.delete("f/k")
    assert not any_store.exists("f/k")
    assert any_store.create("f/k", b"4") is True


@BOTH
def test_l1_what_is_missing_is_told_apart_from_what_cannot_be_read(any_store: Store) -> None:
    """A missing key is an error of its own, and a store error as well."""
    with pytest.raises(MissingKeyError, match="no/such") as caught:
        any_store.read("no/such")
    assert isinstance(caught.value, StoreError)


@BOTH
def test_e31_names_are_sorted_and_a_missing_folder_has_none(any_store: Store) -> None:
    """Only what lies directly below."""
    for key in ("f/b", "f/a", "f/sub/c"):
        any_store.write(key, b"")
    assert any_store.names("f") == ["a", "b", "sub"]
    assert any_store.names("g") == []


def test_l1_a_store_that_cannot_be_written_is_a_store_error(store: Store) -> None:
    """With the key and the reason, in Japanese, and no value."""
    store.write("f", b"a file where a folder should be")
    with pytest.raises(StoreError, match="f/k") as caught:
        store.write("f/k", b"secret")
    assert "secret" not in str(caught.value)


@BOTH
def test_l6_json_keeps_japanese_and_types(any_store: Store) -> None:
    """What is written is what is read."""
    value = {"名": "髙﨑𠮷", "n": 1, "none": None, "list": [True, 1.5]}
    any_store.write_json("j", value)
    assert any_store.read_json("j") == value
    assert any_store.create_json("j", {}) is False


@BOTH
def test_e14_tables_keep_texts_blanks_missing_cells_and_types(any_store: Store) -> None:
    """Leading zeros stay, "" is not missing, numbers and booleans are themselves."""
    frame = pd.DataFrame(
        {
            "id": pd.Series(["001", "髙", ""], dtype="str"),
            "cell": pd.Series(["x", None, ""], dtype="str"),
            "never": pd.Series([None, None, None], dtype="str"),
            "line": [1, 2, 3],
            "valid": [True, False, True],
        }
    )
    any_store.write_table("t", frame)
    pd.testing.assert_frame_equal(any_store.read_table("t"), frame)
    assert any_store.read_table("t", ["line", "id"]).columns.tolist() == ["line", "id"]


def test_e13_tables_without_rows_keep_their_types(store: Store) -> None:
    """Text columns stay text when there is nothing in them."""
    frame = pd.DataFrame({"id": pd.Series([], dtype="str"), "line": pd.Series([], dtype="int64")})
    store.write_table("t", frame)
    pd.testing.assert_frame_equal(store.read_table("t"), frame)


def test_e14_a_filtered_table_is_kept_without_its_old_index(store: Store) -> None:
    """Rows are counted from 0 again when they are read."""
    frame = pd.DataFrame({"id": ["a", "b", "c"]}, dtype="str")
    store.write_table("t", frame[frame["id"] != "a"])
    assert store.read_table("t").to_dict() == {"id": {0: "b", 1: "c"}}
