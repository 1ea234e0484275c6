"""A sheet changed by pages: crashes at every step, two at once, and a hand edit in between (S2, L4)."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import Problem, StoreError
from renkei.sheets import placed as placing
from renkei.sheets.compiled import digest_of
from renkei.sheets.placed import ChangedMeanwhileError, NotPlacedError
from renkei.sheets.review import Review
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Origin
from renkei.web.tenant_sheet import Actor, TenantSheet, note_review, shown_name
from tests.harness.fuse import Died, Fuse

AT = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
YUKI, KEN = Actor("yuki", "雪"), Actor("ken", "健")
OLD, NEW = b"old: 1\n", b"new: 1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "mappings"
    folder.mkdir()
    path = folder / "acme.yaml"
    path.write_bytes(OLD)
    return path


@pytest.fixture
def sheet(tmp_path: Path, file: Path) -> TenantSheet:
    return TenantSheet(
        TenantFolder(Store(LocalFileSystem(), str(tmp_path / "store")), "smarthr_emc", "acme"), file.parent
    )


def upload(sheet: TenantSheet, content: bytes = NEW, by: Actor = YUKI) -> int:
    return sheet.keep(content, "新しい シート.yaml", Origin.UPLOAD, by, AT)


def test_s2_the_file_that_was_there_is_the_first_version(sheet: TenantSheet) -> None:
    """S2: once, however often somebody looks."""
    assert [sheet.notice(AT).number for _ in range(3)] == [1, 1, 1]
    (only,) = sheet.versions.listed(10)
    assert (only[1].origin, only[1].by, sheet.versions.content(only[1])) == (Origin.OUTSIDE, "", OLD)


def test_s2_a_version_is_enabled_and_the_earlier_one_again(sheet: TenantSheet, file: Path) -> None:
    """S2: who, when, why, and what it replaces; going back is a new version."""
    sheet.notice(AT)
    number = upload(sheet)
    assert sheet.versions.read(number).replaces == digest_of(OLD)
    assert file.read_bytes() == OLD
    moved = sheet.enable(number, digest_of(OLD), YUKI, "部署が変わった", AT)
    assert (file.read_bytes(), moved.move.why, moved.move.replaces) == (NEW, "部署が変わった", digest_of(OLD))
    assert sheet.notice(AT).number == number
    back = sheet.again(1, KEN, AT)
    sheet.enable(back, digest_of(NEW), KEN, "誤り", AT)
    assert (back, file.read_bytes(), sheet.versions.read(back).of) == (3, OLD, 1)
    assert [one.move.by for one in sheet.versions.moves()] == ["ken", "yuki", ""]


def test_s2_of_two_pages_one_wins_and_the_other_is_told_who(sheet: TenantSheet, file: Path) -> None:
    """S2: compare-and-swap by the digest that the page showed."""
    sheet.notice(AT)
    mine, yours = upload(sheet), upload(sheet, b"other: 1\n", KEN)
    sheet.enable(yours, digest_of(OLD), KEN, "理由", AT)
    with pytest.raises(ChangedMeanwhileError, match="健さんが先に"):
        sheet.enable(mine, digest_of(OLD), YUKI, "理由", AT)
    assert file.read_bytes() == b"other: 1\n"


def test_s2_of_many_pages_at_once_one_wins(sheet: TenantSheet, file: Path) -> None:
    """S2: in threads, as the API server has them."""
    sheet.notice(AT)
    numbers = [upload(sheet, b"n: %d\n" % n) for n in range(8)]

    def enable(number: int) -> bool:
        try:
            return sheet.enable(number, digest_of(OLD), YUKI, "理由", AT).done
        except ChangedMeanwhileError:
            return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(enable, numbers))
    assert sum(won) == 1
    winner = numbers[won.index(True)]
    assert file.read_bytes() == sheet.versions.content(sheet.versions.read(winner))
    assert sheet.notice(AT).number == winner


def test_s2_what_was_changed_by_hand_is_a_version_of_its_own(sheet: TenantSheet, file: Path) -> None:
    """S2: 外部で変更; nothing of it is lost when somebody then enables another one."""
    sheet.notice(AT)
    number = upload(sheet)
    file.write_bytes(b"by: hand\n")
    with pytest.raises(ChangedMeanwhileError, match="画面を開いた後に"):
        sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
    current = sheet.notice(AT)
    assert (current.number, sheet.versions.read(3).origin) == (3, Origin.OUTSIDE)
    sheet.enable(number, digest_of(b"by: hand\n"), YUKI, "理由", AT)
    assert sheet.versions.content(sheet.versions.read(3)) == b"by: hand\n"


def test_s2_a_hand_that_puts_an_earlier_file_back_is_noted(sheet: TenantSheet, file: Path) -> None:
    """S2: of the same bytes, with no second copy of them."""
    sheet.notice(AT)
    sheet.enable(upload(sheet), digest_of(OLD), YUKI, "理由", AT)
    file.write_bytes(OLD)
    current = sheet.notice(AT)
    assert (current.number, current.moved and current.moved.move.outside) == (1, True)
    assert len(sheet.versions.numbers()) == 2


def test_s2_the_sheet_in_force_is_not_enabled_again(sheet: TenantSheet) -> None:
    """S2: a second press changes nothing and makes no move."""
    sheet.notice(AT)
    number = upload(sheet)
    sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
    with pytest.raises(NotPlacedError, match="既に使用中"):
        sheet.enable(number, digest_of(NEW), YUKI, "理由", AT)
    assert len(list(sheet.versions.moves())) == 2


def _fused(fuse: Fuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step that others can see: records made, files written and replaced."""
    for name in ("replace", "link"):
        real = getattr(os, name)

        def step(*args: Any, real: Any = real, name: str = name, **named: Any) -> Any:
            return fuse.around(name, lambda: real(*args, **named))

        monkeypatch.setattr(os, name, step)
    write = placing._write
    monkeypatch.setattr(placing, "_write", lambda *args: fuse.around("write", lambda: write(*args)))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(5))
def test_l4_who_dies_while_enabling_leaves_a_whole_file_and_a_record_that_says_which(
    sheet: TenantSheet, file: Path, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    """L4: the next look settles it; done again, it ends as it would have."""
    sheet.notice(AT)
    number, fuse = upload(sheet), Fuse(at, after)
    with monkeypatch.context() as patch:
        _fused(fuse, patch)
        try:
            sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
        except Died:
            pass
        else:
            assert at >= len(fuse.seen)
    assert file.read_bytes() in (OLD, NEW)
    current = sheet.notice(AT)
    assert current.number == (number if file.read_bytes() == NEW else 1)
    assert all(one.end is not None for one in sheet.versions.moves())
    assert [one.origin for _, one in sheet.versions.listed(9)] == [Origin.UPLOAD, Origin.OUTSIDE]
    if file.read_bytes() == OLD:
        sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
    assert (file.read_bytes(), sheet.notice(AT).number) == (NEW, number)


def test_s2_what_cannot_be_placed_is_on_record_as_not_done(
    sheet: TenantSheet, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2: and the next one can be."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    sheet.notice(AT)
    number = upload(sheet)
    with monkeypatch.context() as patch:
        patch.setattr(placing, "_write", full)
        with pytest.raises(NotPlacedError):
            sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
    assert (file.read_bytes(), sheet.versions.last_move().done) == (OLD, False)  # type: ignore[union-attr]
    sheet.enable(number, digest_of(OLD), YUKI, "理由", AT)
    assert file.read_bytes() == NEW


@pytest.mark.parametrize("torn", ["moves", "ends"])
def test_s2_a_damaged_record_of_a_move_stops_nobody(sheet: TenantSheet, file: Path, tmp_path: Path, torn: str) -> None:
    """S2: what is in force is noted anew, and the next version can be enabled."""
    sheet.notice(AT)
    sheet.enable(upload(sheet), digest_of(OLD), YUKI, "理由", AT)
    (tmp_path / f"store/smarthr_emc/tenants/acme/sheets/{torn}/00000002.json").write_text("{torn")
    assert sheet.notice(AT).number == 2
    moves = len(list(sheet.versions.moves()))
    sheet.notice(AT)
    assert len(list(sheet.versions.moves())) == moves
    sheet.enable(upload(sheet, b"third: 1\n"), digest_of(NEW), YUKI, "理由", AT)
    assert file.read_bytes() == b"third: 1\n"


def test_l4_a_first_sheet_is_placed_where_there_was_none(sheet: TenantSheet, file: Path) -> None:
    """L4: of a tenant whose file is gone."""
    sheet.notice(AT)
    number = upload(sheet)
    file.unlink()
    assert sheet.notice(AT).number == 0
    sheet.enable(number, "", YUKI, "理由", AT)
    assert (file.read_bytes(), sheet.notice(AT).number) == (NEW, number)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.xlsx", "passwd.xlsx"),
        ("C:\\temp\\シート.xlsx", "シート.xlsx"),
        ("a\n\u202eb.xlsx", "ab.xlsx"),
        ("長" * 500 + ".xlsx", "長" * 120 + ".xlsx"),
        ("", ""),
    ],
)
def test_s2_a_files_name_is_a_line_and_no_path(name: str, shown: str) -> None:
    """S2: it is an attacker's, too."""
    assert shown_name(name) == shown


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(8))
def test_l4_who_dies_while_a_company_is_added_leaves_one_version_to_be_taken_up(
    sheet: TenantSheet, file: Path, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    """L4, S2: sent again it ends as it would have, with one version and one file."""
    file.unlink()
    fuse = Fuse(at, after)
    with monkeypatch.context() as patch:
        _fused(fuse, patch)
        try:
            sheet.begin(NEW, "acme.yaml", Origin.FORM, YUKI, "追加", AT)
        except Died:
            pass
        else:
            assert at >= len(fuse.seen)
    assert sheet.begin(NEW, "acme.yaml", Origin.FORM, YUKI, "追加", AT)[0] == 1
    assert (file.read_bytes(), sheet.versions.numbers(), sheet.notice(AT).number) == (NEW, [1], 1)
    with pytest.raises(ChangedMeanwhileError, match="既にシートがあります"):
        sheet.begin(OLD, "acme.yaml", Origin.FORM, KEN, "追加", AT)
    assert sheet.versions.numbers() == [1]


def test_s2_of_many_who_add_one_company_one_does(sheet: TenantSheet, file: Path) -> None:
    """S2: a double click, in threads as the API server has them."""
    file.unlink()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: sheet.begin(NEW, "acme.yaml", Origin.FORM, YUKI, "追加", AT), range(8)))
    assert sorted(done) == [(1, False)] * 7 + [(1, True)]
    assert sheet.versions.numbers() == [1]


@pytest.mark.parametrize("is_read", [True, False])
def test_s5_only_what_was_read_says_how_many_errors_a_version_has(sheet: TenantSheet, is_read: bool) -> None:
    """S5: a look that took too long knows of no error of the customer's."""
    found = Review("acme", None, (Problem("a", "b", "c"),), (), OLD, is_read=is_read)
    note_review(sheet.versions, 1, found)
    assert sheet.versions.errors(1) == (1 if is_read else None)


def test_s5_a_store_that_takes_nothing_costs_nobody_the_look(
    sheet: TenantSheet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """S5: it may be read-only for the service that looks."""

    def refuse(*_: object) -> None:
        raise StoreError("read-only")

    monkeypatch.setattr(sheet.versions, "note_errors", refuse)
    note_review(sheet.versions, 1, Review("acme", None, (), (), OLD))
    assert "StoreError" in caplog.text
