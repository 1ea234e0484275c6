"""Versions of a sheet: numbered, created once, sealed (S2, L6)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.cipher import Cipher
from renkei.storage.store import DamagedFileError, Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import DRAFTS_KEPT, Move, MoveEnd, Origin, Version, Versions

AT = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)


def of(content: bytes, at: dt.datetime = AT) -> Version:
    digest = hashlib.sha256(content).hexdigest()
    return Version(digest, "acme.yaml", len(content), at, "yuki", "雪", Origin.UPLOAD)


def move(version: int, content: bytes) -> Move:
    return Move(version, hashlib.sha256(content).hexdigest(), "", AT, "yuki", "雪", "理由")


@pytest.fixture
def versions(shared_store: Store) -> Versions:
    return Versions(TenantFolder(shared_store, "smarthr_emc", "acme"))


def test_s2_of_many_who_keep_a_version_at_once_each_is_kept(versions: Versions) -> None:
    """S2: none takes another's number."""
    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(lambda n: versions.add(of(b"%d" % n), b"%d" % n), range(12)))
    assert numbers == set(range(1, 13))
    assert {versions.content(versions.read(number)) for number in numbers} == {b"%d" % n for n in range(12)}


def test_s2_one_move_follows_another(versions: Versions) -> None:
    """S2: of two who saw the same move, one makes the next; the first end counts."""
    number = versions.add(of(b"a"), b"a")
    assert versions.begin_move(move(number, b"a"), 0) == 1
    assert versions.begin_move(move(number, b"a"), 0) is None
    versions.end_move(1, MoveEnd(AT, True))
    versions.end_move(1, MoveEnd(AT, False))
    assert versions.last_move() == next(versions.moves())
    assert next(versions.moves()).done


def test_s2_the_content_is_sealed_and_proven(tmp_path: Path) -> None:
    """S2, L6: nothing of a sheet lies open in the store, and what was changed there is not given out."""
    store = Store(LocalFileSystem(), str(tmp_path), Cipher(base64.b64encode(bytes(range(32))).decode()))
    versions = Versions(TenantFolder(store, "smarthr_emc", "acme"))
    versions.add(of(b"secret sheet"), b"secret sheet")
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    store.write(f"smarthr_emc/tenants/acme/sheets/contents/{of(b'secret sheet').digest}", b"another")
    with pytest.raises(DamagedFileError):
        versions.content(versions.read(1))


def test_s2_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    """S2: it is left out of the list, and its number is not given again."""
    store = Store(LocalFileSystem(), str(tmp_path))
    versions = Versions(TenantFolder(store, "smarthr_emc", "acme"))
    for content in (b"a", b"b"):
        versions.add(of(content), content)
    store.write("smarthr_emc/tenants/acme/sheets/versions/00000002.json", b"{torn")
    assert [number for number, _ in versions.listed(10)] == [1]
    assert versions.add(of(b"c"), b"c") == 3


def test_s2_the_errors_of_a_version_are_those_of_the_last_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: and they go with it. A look that finds as many writes nothing."""
    store = Store(LocalFileSystem(), str(tmp_path))
    versions, old = Versions(TenantFolder(store, "smarthr_emc", "acme")), AT - DRAFTS_KEPT - dt.timedelta(days=1)
    for content in (b"a", b"b"):
        versions.add(of(content, old), content)
    for errors in (2, 0):
        versions.note_errors(1, errors)
    with monkeypatch.context() as unwritable:
        unwritable.setattr(store, "write", lambda *_: pytest.fail("written again"))
        versions.note_errors(1, 0)
    assert [versions.errors(number) for number in (1, 2)] == [0, None]
    versions.tidy(AT)
    assert versions.errors(1) is None


def test_s2_old_drafts_go_and_what_was_in_force_stays(tmp_path: Path) -> None:
    """S2: any version that was in force can be gone back to, for good; bytes go with the last version that has them."""
    store = Store(LocalFileSystem(), str(tmp_path))
    versions, old = Versions(TenantFolder(store, "smarthr_emc", "acme")), AT - DRAFTS_KEPT - dt.timedelta(days=1)
    for content, at in ((b"used", old), (b"draft", old), (b"both", old), (b"both", AT), (b"new", old)):
        versions.add(of(content, at), content)
    versions.begin_move(move(1, b"used"), 0)
    assert [versions.tidy(AT) for _ in range(2)] == [2, 0]
    assert versions.numbers() == [5, 4, 1]
    assert {versions.content(versions.read(number)) for number in (1, 4, 5)} == {b"used", b"both", b"new"}
    assert len(store.names("smarthr_emc/tenants/acme/sheets/contents")) == 3
