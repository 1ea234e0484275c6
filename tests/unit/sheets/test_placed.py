"""The file in the mappings folder: whole at every moment, and replaced only where it is what the page saw (S2)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renkei.sheets import placed as module
from renkei.sheets.compiled import digest_of
from renkei.sheets.placed import ChangedMeanwhileError, NotPlacedError, lock_folder, place, placed
from renkei.sheets.tenant_files import tenants
from tests.harness.fuse import Died

OLD, NEW = b"old: 1\n", b"new: 1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def test_s2_a_sheet_is_replaced_under_its_name_and_mode(file: Path) -> None:
    """S2: whatever the uploaded file was called; nothing else is left in the folder."""
    place(file.parent, "acme", ".yml", NEW, digest_of(OLD))
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (NEW, 0o640)
    assert os.listdir(file.parent) == ["acme.yaml"]


def test_s2_a_first_sheet_takes_the_tenants_name(tmp_path: Path) -> None:
    """S2: where none was there, and none came meanwhile."""
    place(tmp_path, "acme", ".xlsx", NEW, "")
    assert placed(tmp_path, "acme").digest == digest_of(NEW)
    with pytest.raises(ChangedMeanwhileError):
        place(tmp_path, "acme", ".xlsx", OLD, "")


def test_s2_what_was_changed_by_hand_is_not_overwritten(file: Path) -> None:
    """S2: neither before, nor while the new file was being written."""
    with pytest.raises(ChangedMeanwhileError):
        place(file.parent, "acme", ".yaml", NEW, digest_of(b"seen"))
    by_hand = b"by: hand\n"
    with pytest.raises(ChangedMeanwhileError):
        place(file.parent, "acme", ".yaml", NEW, digest_of(OLD), lambda: file.write_bytes(by_hand) and None)
    assert (file.read_bytes(), os.listdir(file.parent)) == (by_hand, ["acme.yaml"])


def test_s2_another_form_would_be_a_second_file(file: Path) -> None:
    """S2, L5: with two files of a tenant neither is used."""
    with pytest.raises(NotPlacedError, match=r"使用中のシートは\.yaml"):
        place(file.parent, "acme", ".xlsx", NEW, digest_of(OLD))
    assert os.listdir(file.parent) == ["acme.yaml"]


def test_l4_who_dies_leaves_a_whole_file_and_the_next_one_sweeps(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: the half-written one is hidden, no sheet of anybody's, and gone with the next change."""

    def die() -> None:
        raise Died

    with monkeypatch.context() as patch:  # as a killed process, which removes nothing
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        with pytest.raises(Died):
            place(file.parent, "acme", ".yaml", NEW, digest_of(OLD), die)
    assert (file.read_bytes(), len(os.listdir(file.parent))) == (OLD, 2)
    assert [one.path for one in tenants(file.parent)] == [file]
    place(file.parent, "acme", ".yaml", NEW, digest_of(OLD))
    assert os.listdir(file.parent) == ["acme.yaml"]


def test_s2_what_no_page_can_change_says_why(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: a folder that is read-only, a link to where another program keeps the sheets, two files of one tenant."""
    with monkeypatch.context() as patch:
        patch.setattr(module.os, "access", lambda *_: False)
        assert "読み取り専用" in placed(file.parent, "acme").fault
    linked = file.parent / "beta.yaml"
    linked.symlink_to(file)
    assert "リンク" in placed(file.parent, "beta").fault
    (file.parent / "acme.xlsx").write_bytes(b"")
    assert "2つ以上" in placed(file.parent, "acme").fault
    with pytest.raises(NotPlacedError):
        place(file.parent, "acme", ".yaml", NEW, digest_of(OLD))
    assert placed(file.parent / "nowhere", "acme").fault


def test_s2_a_full_disk_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S2: the message is for the page."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(NotPlacedError, match="書き込めません"):
        place(file.parent, "acme", ".yaml", NEW, digest_of(OLD))
    assert file.read_bytes() == OLD


def test_s2_one_at_a_time(tmp_path: Path) -> None:
    """S2: who waits too long is told so."""
    with lock_folder(tmp_path), pytest.raises(NotPlacedError, match="ほかの人"), lock_folder(tmp_path, wait_s=0):
        pass
    with lock_folder(tmp_path, wait_s=0):
        pass
