"""A store on top of another one, which stays as it is."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.cipher import Cipher
from renkei.storage.overlay import Overlay
from renkei.storage.store import MissingKeyError, Store
from renkei.storage.tenant_folder import TenantFolder

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def digest(root: Path) -> str:
    """Every file below `root` with its bytes, its rights and when it was last written."""
    sha = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        about = path.stat()
        sha.update(f"{path.relative_to(root)} {about.st_mode} {about.st_mtime_ns}\n".encode())
        sha.update(path.read_bytes() if path.is_file() else b"")
    return sha.hexdigest()


@pytest.fixture
def real(tmp_path: Path) -> Store:
    store = Store(LocalFileSystem(), str(tmp_path))
    store.write("tenants/acme/runs/r1/run.json", b"{}")
    store.write("tenants/acme/baselines/00000001.json", b"one")
    return store


def test_l1_nothing_of_the_real_store_changes(real: Store, tmp_path: Path) -> None:
    """Write, replace, create, delete and close: every byte, right and time of the root is as before."""
    before = digest(tmp_path)
    with Overlay(real) as overlay:
        overlay.write("tenants/acme/runs/r2/run.json", b"new")
        overlay.write("tenants/acme/runs/r1/run.json", b"replaced")
        assert overlay.create("tenants/acme/baselines/00000002.json", b"two")
        overlay.delete("tenants/acme/baselines/00000001.json")
        overlay.write_json("a/b.json", {"a": 1})
        overlay.write_table("a/c.parquet", pd.DataFrame({"x": ["1"]}, dtype="str"))
        overlay.delete("not/there")
        overlay.remove_folder("tenants/acme/runs/r1")
        assert digest(tmp_path) == before
    assert digest(tmp_path) == before


def test_l1_reads_see_what_was_written_over_the_real_one(real: Store) -> None:
    """A key reads as the overlay has it, else as the real store has it."""
    overlay = Overlay(real)
    assert overlay.read("tenants/acme/runs/r1/run.json") == b"{}"
    overlay.write("tenants/acme/runs/r1/run.json", b"replaced")
    assert overlay.read("tenants/acme/runs/r1/run.json") == b"replaced"
    real.write("tenants/acme/later", b"by another run")
    assert overlay.read("tenants/acme/later") == b"by another run"


def test_l3_create_sees_the_real_store_and_the_overlay(real: Store) -> None:
    """What stands in either cannot be created; what was deleted can, once."""
    overlay = Overlay(real)
    key = "tenants/acme/baselines/00000001.json"
    assert not overlay.create(key, b"mine")
    assert overlay.read(key) == b"one"
    overlay.delete(key)
    assert not overlay.exists(key)
    assert overlay.create(key, b"mine")
    assert not overlay.create(key, b"again")
    assert overlay.read(key) == b"mine"


def test_l3_a_deleted_key_is_missing(real: Store) -> None:
    """Reading it says so as the real store would, and it is in no list."""
    overlay = Overlay(real)
    overlay.delete("tenants/acme/runs/r1/run.json")
    with pytest.raises(MissingKeyError, match=r"run\.json"):
        overlay.read("tenants/acme/runs/r1/run.json")
    assert overlay.files("tenants/acme/runs") == []
    assert overlay.names("tenants/acme/runs/r1") == []
    with pytest.raises(MissingKeyError):
        overlay.read("never/there")


def test_lists_are_of_both(real: Store) -> None:
    """Names and files below a folder: the real ones and the new ones, sorted, each once."""
    overlay = Overlay(real)
    overlay.write("tenants/acme/runs/r0/run.json", b"")
    overlay.write("tenants/acme/runs/r1/plan.json", b"")
    assert overlay.names("tenants/acme/runs") == ["r0", "r1"]
    assert overlay.names("tenants/acme") == ["baselines", "runs"]
    assert overlay.names("nowhere") == []
    assert overlay.exists("tenants/acme/runs/r0")
    assert overlay.files("tenants/acme/runs/r1") == ["tenants/acme/runs/r1/plan.json", "tenants/acme/runs/r1/run.json"]


def test_closing_forgets(real: Store) -> None:
    """Afterwards it reads as the real store alone."""
    overlay = Overlay(real)
    overlay.write("secret", b"personal")
    overlay.delete("tenants/acme/runs/r1/run.json")
    overlay.close()
    assert not overlay.exists("secret")
    assert overlay.read("tenants/acme/runs/r1/run.json") == b"{}"


def test_l6_an_encrypted_store_is_read_and_nothing_is_put_on_disk(tmp_path: Path) -> None:
    """Values of the real one are decrypted; what is written here is kept in memory, and not below the root."""
    real = Store(LocalFileSystem(), str(tmp_path), Cipher(KEY))
    real.write_table("people.parquet", pd.DataFrame({"name": ["山田"]}, dtype="str"))
    before = digest(tmp_path)
    overlay = Overlay(real)
    overlay.write_table("more.parquet", overlay.read_table("people.parquet"))
    assert overlay.read_table("more.parquet")["name"].tolist() == ["山田"]
    assert digest(tmp_path) == before


def test_l3_baselines_move_in_the_overlay_alone(real: Store, tmp_path: Path) -> None:
    """A chain of baselines over it counts the real ones, and what is promoted stays here."""
    chain = Baselines(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "link", "beta"))
    chain.promote(Baseline(1, "r1", "d", "k1", "2026-04-01", 1, 1))
    before = digest(tmp_path)
    overlay = Overlay(real)
    Baselines(TenantFolder(overlay, "link", "beta")).promote(Baseline(2, "r2", "d", "k2", "2026-04-02", 2, 1))
    current = Baselines(TenantFolder(overlay, "link", "beta")).current()
    assert current is not None
    assert current.generation == 2
    found = chain.current()
    assert found is not None
    assert found.generation == 1
    assert digest(tmp_path) == before


def test_l1_no_way_around_it() -> None:
    """Every method of a store that touches its file system is the overlay's own."""
    harmless = {
        "path",
        "read_json",
        "write_json",
        "create_json",
        "read_table",
        "table_parts",
        "table_page",
        "find_rows",
        "write_table",
        "seal",
        "is_sealed_as_now",
        "unseal",
    }  # go through read and write, or touch no file
    public = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert public - harmless <= set(vars(Overlay))
