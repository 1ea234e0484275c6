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
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from renkei.errors import StoreError
from renkei.storage import parquet
from renkei.storage.cipher import MAGIC, Cipher
from renkei.storage.parquet import PART
from renkei.storage.store import MissingKeyError, Store
from tests.harness.s3 import s3_store

PLUGINS = Path(__file__).parents[3] / "plugins"
KEY, OTHER = "A" * 43 + "=", "B" * 42 + "A="


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


@pytest.fixture
def any_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A local store, or one on a file system that has no links and modes, or at s3://; each plain or encrypted."""
    where, _, how = request.param.partition(" ")
    cipher = Cipher(KEY) if how else None
    if where == "s3":
        return s3_store(request.getfixturevalue("s3_url"), monkeypatch, KEY if how else "")
    if where == "local":
        return Store(LocalFileSystem(), str(tmp_path), cipher)
    MemoryFileSystem.store.clear()
    return Store(MemoryFileSystem(), "/root", cipher)


PLACES = ["local", "memory", "s3"]
BOTH = pytest.mark.parametrize("any_store", [*PLACES, *(f"{place} encrypted" for place in PLACES)], indirect=True)

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
            try:
                while time.monotonic() < end:
                    assert whole(store.read("x/y/value"))
            finally:
                writer.kill()  # also where a half was seen: nobody waits for a writer that never ends
        assert whole(store.read("x/y/value"))
        assert store.names("x/y") == ["value"]  # leftovers are not listed


def race(store: Store, writers: int) -> None:
    """Of that many at once one gets True, and its value stands."""
    barrier = Barrier(writers)

    def attempt(number: int) -> bool:
        barrier.wait(60)
        return store.create("tenants/acme/baselines/1.json", f"{number}".encode())

    with ThreadPoolExecutor(writers) as pool:
        won = list(pool.map(attempt, range(writers)))
    assert won.count(True) == 1
    assert store.read("tenants/acme/baselines/1.json") == f"{won.index(True)}".encode()
    assert store.names("tenants/acme/baselines") == ["1.json"]


def test_l3_create_is_won_by_exactly_one_thread(store: Store) -> None:
    """Of twenty writers at once one gets True, and its value stands."""
    race(store, 20)
    assert len(os.listdir(f"{store.root}/tenants/acme/baselines")) == 1  # losers tidy up


@pytest.mark.parametrize("any_store", ["s3"], indirect=True)
def test_l3_create_in_an_object_store_is_won_by_exactly_one(any_store: Store) -> None:
    """Twenty races; what decides is the store's own conditional write."""
    for _ in range(20):
        race(any_store, 8)
        any_store.delete("tenants/acme/baselines/1.json")


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


@pytest.mark.parametrize("umask", [0, 0o022])
def test_l6_local_files_are_readable_by_their_owner_alone(tmp_path: Path, umask: int) -> None:
    """0600 for written, replaced and created files, whatever the umask; every folder on the way is closed, too."""
    store = Store(LocalFileSystem(), str(tmp_path / "srv/store"))
    before = os.umask(umask)
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
    folders = [tmp_path / "srv", tmp_path / "srv/store", *(tmp_path / "srv/store").rglob("*/")]
    assert {str(f.relative_to(tmp_path)): stat.S_IMODE(f.stat().st_mode) for f in folders if f.is_dir()} == {
        "srv": 0o700,
        "srv/store": 0o700,
        "srv/store/a": 0o700,
        "srv/store/a/b": 0o700,
    }


def test_l4_many_writers_make_the_same_folders_at_once(store: Store) -> None:
    """Whoever is late finds the folder made."""
    barrier = Barrier(16)

    def attempt(number: int) -> None:
        barrier.wait(10)
        store.write(f"a/b/c/d/{number}", b"1")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(attempt, range(16)))
    assert len(store.names("a/b/c/d")) == 16


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


class Remembering(MemoryFileSystem):
    """Lists a folder once, as file systems of object stores do, until it is told to forget what it has seen."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[tuple[str, bool], Any] = {}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        if (path, detail) not in self.seen:
            self.seen[path, detail] = super().ls(path, detail=detail)
        return self.seen[path, detail]

    def invalidate_cache(self, path: str | None = None) -> None:
        self.seen.clear()


def test_l3_what_another_worker_wrote_meanwhile_is_listed() -> None:
    """The newest baseline is found by its name: a listing of before would make an older one current."""
    MemoryFileSystem.store.clear()
    store, other = Store(Remembering(), "/root"), Store(MemoryFileSystem(), "/root")
    other.write("f/a", b"")
    assert store.names("f") == ["a"]
    other.write("f/b", b"")
    assert store.names("f") == ["a", "b"]
    other.write("f/c", b"")
    assert store.files("f") == ["f/a", "f/b", "f/c"]


def test_l1_what_is_there_and_cannot_be_read_is_not_called_missing(store: Store) -> None:
    """A missing baseline would be a first link: a folder in its place, like a right that is lacking, is a fault."""
    store.write("f/k", b"1")
    for touch in (store.read, lambda key: store.write(key, b"2")):
        with pytest.raises(StoreError, match="「f」") as caught:
            touch("f")
        assert not isinstance(caught.value, MissingKeyError)


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


def test_e10_rows_are_found_by_any_of_the_texts_asked_for(store: Store) -> None:
    """In one column or another, in their order, part by part; a blank is nobody's key, a missing column finds nobody."""
    rows = PART + 3
    ids, crews = [f"{n}" for n in range(rows)], ["", *(f"c{n}" for n in range(1, rows))]
    store.write_table("t", pd.DataFrame({"id": ids, "crew_id": crews, "n": range(rows)}).astype({"id": "str"}))

    def found(**wanted: list[str]) -> list[int]:
        return store.find_rows("t", wanted, ["n"])["n"].tolist()

    assert found(id=[f"{PART + 1}", "7"], crew_id=["c2", ""]) == [2, 7, PART + 1]
    assert (found(crew_id=[""]), found(id=["x"]), found(other=["1"]), found()) == ([], [], [], [])
    assert list(store.find_rows("t", {"id": ["x"]}).columns) == ["id", "crew_id", "n"]
    assert list(store.find_rows("t", {"id": ["x"]}, ["n", "other", "id"]).columns) == ["n", "id"]
    assert list(store.read_table("t", ["n", "other", "id"]).columns) == ["n", "id"]
    assert [len(part) for part in store.table_parts("t", ["n"])] == [PART, 3]
    for start, stop, wanted in (
        (0, 2, [0, 1]),
        (PART - 1, PART + 2, [PART - 1, PART, PART + 1]),
        (rows - 1, rows + 9, [rows - 1]),
        (rows, rows + 9, []),
    ):
        page, count = store.table_page("t", start, stop)
        assert (page["n"].tolist(), count) == (wanted, rows)


def test_e10_rows_are_found_in_every_group_of_a_large_table(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 2)
    store.write_table("t", pd.DataFrame({"id": [f"{n}" for n in range(5)]}, dtype="str"))
    assert store.find_rows("t", {"id": ["4", "1", "2"]})["id"].tolist() == ["1", "2", "4"]


def test_e14_a_filtered_table_is_kept_without_its_old_index(store: Store) -> None:
    """Rows are counted from 0 again when they are read."""
    frame = pd.DataFrame({"id": ["a", "b", "c"]}, dtype="str")
    store.write_table("t", frame[frame["id"] != "a"])
    assert store.read_table("t").to_dict() == {"id": {0: "b", 1: "c"}}


def stored(store: Store) -> dict[str, bytes]:
    """Every file as it lies there."""
    return {key: store.fs.cat_file(store.path(key)) for key in store.files("a")}


FRAME = pd.DataFrame({"name": ["山田 太郎", "佐藤 花子"]}, dtype="str")


def fill(store: Store) -> None:
    """One value by each way of writing."""
    store.write("a/written", "山田 太郎".encode())
    store.create("a/created", "山田 太郎".encode())
    store.write_json("a/json", {"name": "山田 太郎"})
    store.create_json("a/json-created", {"name": "山田 太郎"})
    store.write_table("a/table", FRAME)


def check(store: Store) -> None:
    assert store.read("a/written") == store.read("a/created") == "山田 太郎".encode()
    assert store.read_json("a/json") == store.read_json("a/json-created") == {"name": "山田 太郎"}
    pd.testing.assert_frame_equal(store.read_table("a/table"), FRAME)


@pytest.mark.parametrize("any_store", ["local encrypted", "memory encrypted"], indirect=True)
def test_l6_with_a_key_nothing_readable_lies_in_the_store(any_store: Store) -> None:
    """JSON and tables, written and created; keys stay readable, and no two files are alike."""
    fill(any_store)
    check(any_store)
    found = stored(any_store)
    assert sorted(found) == ["a/created", "a/json", "a/json-created", "a/table", "a/written"]
    assert all(content.startswith(MAGIC) for content in found.values())
    assert [word for word in ("山田".encode(), b"name", b"PAR1") for c in found.values() if word in c] == []
    assert len(set(found.values())) == 5


def test_l6_a_plain_store_stays_readable_when_encryption_is_switched_on(store: Store) -> None:
    """Old values as they are, new ones encrypted, and a value that is there is still not created again."""
    fill(store)
    encrypted = Store(LocalFileSystem(), store.root, Cipher(KEY))
    check(encrypted)
    assert encrypted.create("a/created", b"2") is False
    check(encrypted)
    encrypted.write_json("a/json", {"name": "山田 太郎"})
    assert stored(store)["a/json"].startswith(MAGIC)
    check(encrypted)


@pytest.mark.parametrize(
    ("cipher", "message"),
    [
        (None, "a/json.*鍵が設定されていません。.*RENKEI_STORE_KEY_CONN_ID"),
        (Cipher(OTHER), "a/json.*設定されている鍵は.*RENKEI_STORE_KEY_CONN_ID"),
    ],
    ids=["none", "wrong"],
)
def test_l1_without_its_key_a_value_is_neither_read_nor_taken_for_missing(
    store: Store, cipher: Cipher | None, message: str
) -> None:
    """A missing key (E31: no baseline) is another error; the message has the file and what to do, and no value."""
    fill(Store(LocalFileSystem(), store.root, Cipher(KEY)))
    locked = Store(LocalFileSystem(), store.root, cipher)
    for read in (locked.read, locked.read_json, locked.read_table):
        with pytest.raises(StoreError, match=message if read == locked.read_json else None) as caught:
            read("a/json")
        assert not isinstance(caught.value, MissingKeyError)
        assert "山田" not in str(caught.value)
    assert locked.create("a/json", b"") is False
    assert locked.names("a") == ["created", "json", "json-created", "table", "written"]


@BOTH
def test_l6_files_are_found_at_any_depth(any_store: Store) -> None:
    """Of this folder alone, half-written ones of dead writers too."""
    for key in ("r/1/b", "r/1/a/c", "r/1/.b.0123456789ab", "r/10/x"):
        any_store.write(key, b"")
    assert any_store.files("r/1") == ["r/1/.b.0123456789ab", "r/1/a/c", "r/1/b"]
    assert any_store.files("none") == []
    changed = any_store.modified("r/1/b")
    assert changed is not None
    assert abs(changed.timestamp() - time.time()) < 3600
    assert any_store.modified("r/1/none") is None


@BOTH
def test_l6_a_folder_goes_only_when_it_is_empty(any_store: Store) -> None:
    """And is no longer listed then; done twice is done once."""
    any_store.write("r/1/a", b"")
    any_store.write("r/2/a", b"")
    any_store.delete("r/1/a")
    any_store.remove_folder("r/1")
    any_store.remove_folder("r/1")
    assert any_store.names("r") == ["2"]


def test_l6_a_folder_with_files_is_not_removed(store: Store) -> None:
    """A store error, and nothing lost."""
    store.write("r/1/a", b"1")
    with pytest.raises(StoreError, match="r/1"):
        store.remove_folder("r/1")
    assert store.read("r/1/a") == b"1"


def test_l1_what_cannot_be_looked_at_is_not_called_absent(tmp_path: Path) -> None:
    """L1: a run that was frozen would be read anew."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match="確認できません"):
        Store(LocalFileSystem(), str(tmp_path)).exists("loop/snapshot.json")


class EndpointConnectionError(Exception):
    """As botocore's, which is no OSError."""


class Away(MemoryFileSystem):
    """An object store that is not there."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise EndpointConnectionError("https://s3.example.jp/?X-Amz-Credential=SECRET")

    cat_file = pipe_file = rm_file = info = ls = find = modified = rm = _refuse


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.read("a/b"),
        lambda store: store.write("a/b", b"x"),
        lambda store: store.create("a/b", b"x"),
        lambda store: store.delete("a/b"),
        lambda store: store.exists("a/b"),
        lambda store: store.names("a"),
        lambda store: store.files("a"),
        lambda store: store.modified("a/b"),
    ],
    ids=["read", "write", "create", "delete", "exists", "names", "files", "modified"],
)
def test_l1_l7_a_store_that_is_away_is_told_as_such_by_every_way(use: Any) -> None:
    """L1, L7: whatever kind its error is of, runs and pages know it as the store's; its text is not quoted."""
    with pytest.raises(StoreError, match="EndpointConnectionError") as caught:
        use(Store(Away(), "/root"))
    assert "SECRET" not in str(caught.value)
