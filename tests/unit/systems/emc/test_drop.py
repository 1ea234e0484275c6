"""The import as files for upload by hand or by SFTP: never half there, never guessed (E38, L1, L4, L6)."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from renkei.errors import LoadError, RetriableLoadError
from renkei.systems.emc.drop import DropFolder, LocalFiles
from renkei.systems.emc.encode import ImportFile

DEPARTMENTS, USERS = ImportFile(b"d", 1), ImportFile(b"u", 2)


class Recorder(LocalFiles):
    """A folder that remembers in which order it was written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.order: list[str] = []

    def write(self, name: str, content: bytes) -> None:
        self.order.append(name)
        super().write(name, content)


def answer(folder: Path, key: str, **changes: Any) -> None:
    body = {"id": "imp_1", "key": key, "state": "committed", **changes}
    (folder / f"{key}.result.json").write_text(json.dumps(body), encoding="utf-8")


def test_e38_the_ready_mark_is_written_last(tmp_path: Path) -> None:
    """Whoever sees the mark finds both files whole; until there is a result the import is under way."""
    files = Recorder(tmp_path / "drop")
    found = DropFolder(files).submit("k1", "acme", "digest", DEPARTMENTS, USERS)

    assert files.order == ["k1.departments.csv", "k1.users.csv", "k1.ready"]
    assert (tmp_path / "drop/k1.users.csv").read_bytes() == b"u"
    assert (found.key, found.state) == ("k1", "applying")
    mark = json.loads((tmp_path / "drop/k1.ready").read_text())
    assert (mark["key"], mark["source"], mark["plan_digest"]) == ("k1", "acme", "digest")


def test_e14_an_unchanged_record_set_has_no_file(tmp_path: Path) -> None:
    """What is not to be touched is not there."""
    DropFolder(LocalFiles(tmp_path)).submit("k1", "acme", "digest", None, USERS)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["k1.ready", "k1.users.csv"]


def test_l6_files_are_their_owner_s_alone(tmp_path: Path) -> None:
    """Files hold people and first passwords: 0600 in a folder that is 0700, whatever the umask."""
    before = os.umask(0)
    try:
        DropFolder(LocalFiles(tmp_path / "drop")).submit("k1", "acme", "digest", DEPARTMENTS, USERS)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "drop").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "drop").iterdir()} == {0o600}


def test_l4_outcome_of_what_was_never_complete_is_none(tmp_path: Path) -> None:
    """Files without the mark were never handed over."""
    files = LocalFiles(tmp_path)
    files.write("k1.users.csv", b"u")

    assert DropFolder(files).find_import("k1") is None


def test_l4_outcome_waits_for_the_result(tmp_path: Path) -> None:
    """Under way while the mark stands alone; decided once there is a result, with or without the mark."""
    drop = DropFolder(LocalFiles(tmp_path))
    drop.submit("k1", "acme", "digest", None, USERS)
    waiting = drop.find_import("k1")
    answer(tmp_path, "k1", state="rejected", error_count=1, errors=[problem()])
    (tmp_path / "k1.ready").unlink()
    found = drop.find_import("k1")

    assert waiting is not None
    assert waiting.state == "applying"
    assert found is not None
    assert (found.state, found.error_count, found.errors[0].code) == ("rejected", 1, "UNKNOWN_ID")


def problem() -> dict[str, Any]:
    return {"file": "users", "line": 3, "item": None, "code": "UNKNOWN_ID", "message": "…"}


def test_e38_a_result_that_is_already_there_is_the_answer(tmp_path: Path) -> None:
    """A repeated hand-over of an import that was confirmed meanwhile does not start it again as open."""
    drop = DropFolder(LocalFiles(tmp_path))
    drop.submit("k1", "acme", "digest", None, USERS)
    answer(tmp_path, "k1")

    assert drop.submit("k1", "acme", "digest", None, USERS).state == "committed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"id": "1", "key": "k1"}',
        b'{"id": "1", "key": "k1", "state": "ok"}',
        b"\xff",
    ],
)
def test_l1_a_result_that_cannot_be_understood_is_no_confirmation(tmp_path: Path, content: bytes) -> None:
    """The file is named; the outcome stays open."""
    (tmp_path / "k1.result.json").write_bytes(content)

    with pytest.raises(RetriableLoadError, match=r"k1\.result\.json"):
        DropFolder(LocalFiles(tmp_path)).find_import("k1")


def test_l1_a_result_of_another_import_is_no_confirmation(tmp_path: Path) -> None:
    """A copied result file confirms only the import whose key is in it."""
    answer(tmp_path, "k2")
    (tmp_path / "k2.result.json").rename(tmp_path / "k1.result.json")

    with pytest.raises(RetriableLoadError, match=r"k1\.result\.json"):
        DropFolder(LocalFiles(tmp_path)).find_import("k1")


def test_e38_an_operator_s_word_is_a_result_and_names_the_operator(tmp_path: Path) -> None:
    """Confirmation by hand leaves the same file that an upload would, with who vouched."""
    drop = DropFolder(LocalFiles(tmp_path))
    drop.submit("k1", "acme", "digest", None, USERS)
    drop.confirm("k1", "committed", "tanaka")
    found = drop.find_import("k1")

    assert found is not None
    assert found.state == "committed"
    assert json.loads((tmp_path / "k1.result.json").read_text())["confirmed_by"] == "tanaka"


def test_e38_a_result_that_stands_is_not_overruled(tmp_path: Path) -> None:
    """What the upload reported is the truth; a later click changes nothing."""
    answer(tmp_path, "k1", state="rejected")
    DropFolder(LocalFiles(tmp_path)).confirm("k1", "committed", "tanaka")
    found = DropFolder(LocalFiles(tmp_path)).find_import("k1")

    assert found is not None
    assert found.state == "rejected"


def test_withdrawn_files_are_gone(tmp_path: Path) -> None:
    """The mark goes first, so that nobody uploads what is being taken back."""
    drop = DropFolder(LocalFiles(tmp_path))
    found = drop.submit("k1", "acme", "digest", DEPARTMENTS, USERS)
    drop.withdraw(found)
    drop.withdraw(found)

    assert list(tmp_path.iterdir()) == []
    assert drop.find_import("k1") is None


def test_l4_a_writer_that_dies_leaves_no_half_file_under_the_file_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Died between writing and naming: nothing that an upload would take."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        LocalFiles(tmp_path).write("k1.users.csv", b"u")

    assert not (tmp_path / "k1.users.csv").exists()
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]


def test_l8_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    """A file in the folder's place, a full disk, missing rights: one message for the operator."""
    (tmp_path / "drop").write_text("a file")

    with pytest.raises(LoadError, match="取込フォルダの権限と空き容量"):
        LocalFiles(tmp_path / "drop").write("k1.ready", b"")


def test_files_know_nothing_of_emc_s_content(tmp_path: Path) -> None:
    """`find` and `export` answer None, not an empty list: that would mean that EMC has nobody."""
    drop = DropFolder(LocalFiles(tmp_path))

    assert drop.find("users", ["u1"], ["ユーザID"]) is None
    assert drop.export("users", ["ユーザID"]) is None
    assert drop.ever_committed("acme") is False


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"5",
        b"null",
        b'"committed"',
        b"[]",
        b'{"state": "committed", "key": "k", "id": NaN}',
        b'{"state": "committed", "key": "k", "id": "k", "errors": [{"line": "x"}]}',
        b"\xff\xfe",
        b" " * 200_000,
    ],
    ids=lambda content: repr(content[:20]),
)
def test_l1_result_file_that_is_none_is_no_outcome(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lies there: the baseline waits, and the file is named."""
    monkeypatch.setattr("renkei.systems.emc.drop.MAX_RESULT", 150_000)
    (tmp_path / "k.result.json").write_bytes(content)
    with pytest.raises(RetriableLoadError, match=r"k\.result\.json"):
        DropFolder(LocalFiles(tmp_path)).find_import("k")
