"""L5: what one sheet may cost is bounded from outside; its neighbours never notice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from renkei.links.smarthr_emc.sheet import BY_FILE, SHEETS, compile
from renkei.sheets import bounded
from renkei.sheets import load as module
from renkei.sheets.beside import compile_beside
from renkei.sheets.bounded import Compiler, NotCompiledError, environment
from renkei.sheets.compiled import Compiled
from renkei.sheets.load import load, load_all
from renkei.sheets.tenant_files import TenantFile, tenants
from tests.conftest import ROOT
from tests.harness import warm
from tests.harness.patience import stretch, within
from tests.unit.links.smarthr_emc.sheet.excel.books import book, content
from tests.unit.links.smarthr_emc.sheet.hostile import slow_text, slow_workbook

SOUND = content(book())


@pytest.fixture(scope="module")
def slow() -> bytes:
    return slow_workbook()


@pytest.fixture(autouse=True)
def no_child_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither running nor as a zombie; and none was there from an earlier test."""
    monkeypatch.setattr(warm, "MOST", 0)
    before = {child.pid for child in psutil.Process().children()}
    yield
    assert [child for child in psutil.Process().children() if child.pid not in before] == []


@pytest.mark.parametrize("name", ["acme.xlsx", "acme.yaml"])
def test_l5_a_sheet_that_takes_too_long_is_ended_and_told(name: str) -> None:
    """The next one gets a fresh process; L8: the remedy can be done by whoever filled it in."""
    content = slow_workbook() if name.endswith("xlsx") else slow_text()
    with within(30), Compiler(SHEETS, cpu_s=1) as compiler:  # four seconds on an idle machine
        compiled, judged = compiler.compile(name, content, "acme")
        sound, _ = compiler.compile("beta.xlsx", SOUND, "beta")

    (problem,) = compiled.problems
    assert (problem.where, problem.found) == (name, "読み取りに時間がかかりすぎます(1秒で終わりません)")
    assert "値として貼り付けて" in problem.remedy
    assert judged is None
    assert sound.mapping is not None


@pytest.mark.parametrize(
    ("where", "raised", "told"),
    [
        ("links.smarthr_emc.sheet.compile.compile_sheet", MemoryError(), "中身が多すぎて読み取れません"),
        ("sheets.workbook.grid._choose", MemoryError(), "中身が多すぎて読み取れません"),
        ("sheets.workbook.container._survey", MemoryError(), "中身が多すぎて読み取れません"),
        (
            "links.smarthr_emc.sheet.compile.compile_sheet",
            RecursionError("a quotation"),
            "予期しないエラーで読み取れません(RecursionError)",
        ),
    ],
)
def test_l5_what_is_raised_in_reading_is_one_tenants(
    where: str, raised: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer, and no crash; a workbook for which the memory is not enough is not called damaged."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(f"renkei.{where}", fail)
    assert bounded._answer(compile.compile_sheet, "acme.xlsx", SOUND, "acme", ()) == (told, None)


def test_l5_a_child_that_the_machine_killed_says_nothing_of_the_sheet(slow: bytes) -> None:
    """The kernel's memory killer, a container that stops: the sheet may be sound."""
    others = set(psutil.Process().children())  # of the whole process: the simulators of other tests
    with Compiler(SHEETS) as compiler:
        compiler.compile("beta.xlsx", SOUND, "beta")
        (child,) = set(psutil.Process().children()) - others
        threading.Timer(0.5, child.kill).start()
        with pytest.raises(NotCompiledError):
            compiler.compile("acme.xlsx", slow, "acme")
        assert compiler.compile("beta.xlsx", SOUND, "beta")[0].mapping is not None


def test_l5_a_child_that_does_not_start_costs_no_more_than_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow gives up a Dag file after 30 seconds, and with it every tenant's Dag."""
    files = _folder(tmp_path, sound=2, hostile=0)
    never = tmp_path / "python"
    never.write_text("#!/bin/sh\nexec sleep 100\n")
    never.chmod(0o700)
    monkeypatch.setattr(bounded.sys, "executable", str(never))
    with within(20):
        sheets = load_all(SHEETS, files, tmp_path / "index", (), patience_s=0.5)
    assert [sheet.pending for sheet in sheets] == [True, True]


def test_l5_a_child_ends_with_its_parent(slow: bytes, tmp_path: Path) -> None:
    """Even in the middle of a sheet, and however the parent ends."""
    (tmp_path / "acme.xlsx").write_bytes(slow)
    code = (
        "import pathlib; from renkei.links.smarthr_emc.sheet import SHEETS; from renkei.sheets.load import load;"
        f"load(SHEETS, pathlib.Path({str(tmp_path / 'acme.xlsx')!r}), 'acme')"
    )
    parent = psutil.Popen([sys.executable, "-c", code], env=environment())
    child = _wait_for(lambda: next(iter(parent.children()), None))
    time.sleep(0.3)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_l7_a_child_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIRFLOW_CONN_SMARTHR__ACME", "AIRFLOW__CORE__FERNET_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in environment().values()


def _folder(tmp_path: Path, sound: int, hostile: int) -> list[TenantFile]:
    folder = tmp_path / "sheets"
    folder.mkdir()
    for number in range(hostile):
        (folder / f"a{number:02d}.xlsx").write_bytes(slow_workbook() + bytes(number))
    for number in range(sound):
        (folder / f"s{number:02d}.xlsx").write_bytes(SOUND)
    return tenants(folder)


def test_l5_many_slow_sheets_keep_no_other_from_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the alphabet's beginning take their turns; what is not read in time is pending."""
    files = _folder(tmp_path, sound=5, hostile=3)
    endless = dataclasses.replace(SHEETS, compiles="tests.unit.sheets.endless.compile_sheet")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # where the child finds it

    sheets = load_all(endless, files, tmp_path / "index", (), patience_s=6 * stretch())  # all of it is waited for

    assert [sheet.pending for sheet in sheets] == [True] * 3 + [False] * 5
    assert all(sheet.mapping is not None for sheet in sheets[3:])
    assert [sheet.problems[0].found for sheet in sheets[:3]] == ["連携設定シートを確認中です"] * 3
    assert not any(sheet.scheduled for sheet in sheets[:3])


def test_l5_the_verdict_is_kept(tmp_path: Path, slow: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes are not tried again: no process is started for them."""
    path = tmp_path / "acme.xlsx"
    path.write_bytes(slow)
    with Compiler(SHEETS, cpu_s=1) as compiler:
        first = load(SHEETS, path, "acme", tmp_path / "index", (), compiler)
    monkeypatch.setattr(Compiler, "_started", lambda self: pytest.fail("a process was started"))
    assert load(SHEETS, path, "acme", tmp_path / "index") == first


def test_e1_a_changed_sheet_keeps_its_dags_time_until_it_is_read(tmp_path: Path, slow: bytes) -> None:
    """L1: and nothing else of what it said before, whatever version of Renkei wrote that down."""
    path = tmp_path / "acme.xlsx"
    path.write_bytes(SOUND)
    before = load(SHEETS, path, "acme", tmp_path / "index")
    path.write_bytes(slow)

    (pending,) = load_all(SHEETS, [TenantFile(path, "acme")], tmp_path / "index", (), patience_s=0.2)

    assert (pending.pending, pending.mapping, pending.scheduled) == (True, None, True)
    assert (pending.run_at, pending.link_start_on) == (before.run_at, before.link_start_on)
    assert pending.company_name == before.company_name != ""  # pages go on calling the company by it
    assert (pending.result_addresses, pending.channels) == ((), ())


def test_e1_a_note_of_an_older_version_is_read(tmp_path: Path, slow: bytes) -> None:
    """An upgrade compiles every sheet anew: until then the Dags keep their time, and those of files all their tasks."""
    path = tmp_path / "acme.xlsx"
    path.write_bytes(SOUND)
    load(SHEETS, path, "acme", tmp_path / "index")
    (note,) = (tmp_path / "index" / "last").iterdir()
    note.write_text('{"run_at": "04:30:00", "link_start_on": null, "scheduled": true, "by_file": true}')
    path.write_bytes(slow)

    (pending,) = load_all(SHEETS, [TenantFile(path, "acme")], tmp_path / "index", (), patience_s=0.2)

    assert (pending.run_at, pending.link_start_on) == (dt.time(4, 30), None)
    assert (pending.scheduled, pending.shape) == (True, (BY_FILE,))


def test_l5_a_sheet_is_compiled_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several that look at the same time wait for the first of them."""
    files = _folder(tmp_path, sound=4, hostile=0)
    monkeypatch.setattr(module, "QUICK_S", 60)  # a busy machine is no slow sheet
    compiled = []
    original = Compiler.compile

    def counted(self, name, *args, **kwargs):
        compiled.append(name)
        return original(self, name, *args, **kwargs)

    monkeypatch.setattr(Compiler, "compile", counted)
    found: list[list[Compiled]] = []
    lookers = [
        threading.Thread(target=lambda: found.append(load_all(SHEETS, files, tmp_path / "index"))) for _ in range(4)
    ]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()

    assert sorted(compiled) == sorted(file.path.name for file in files)
    assert all(sheet.mapping is not None for sheets in found for sheet in sheets)
    assert list((tmp_path / "index").glob("*.lock")) == []


def test_l5_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = _folder(tmp_path, sound=3, hostile=0)
    assert all(sheet.mapping is not None for sheet in load_all(SHEETS, files, tmp_path / "file" / "index"))


def test_l5_a_child_that_cannot_start_says_nothing_of_the_sheets(tmp_path: Path, monkeypatch) -> None:
    """They stay pending, and nothing is kept of them."""
    files = _folder(tmp_path, sound=2, hostile=0)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert all(sheet.pending for sheet in load_all(SHEETS, files, tmp_path / "index"))
    assert list((tmp_path / "index").glob("*.json")) == []
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert all(sheet.pending for sheet in load_all(SHEETS, files, tmp_path / "index"))


def test_l5_what_is_new_is_compiled_beside(tmp_path: Path) -> None:
    """By one process that is nobody's child, and ends when all is compiled, a slow sheet with its verdict."""
    files = _folder(tmp_path, sound=6, hostile=0)
    folder, cache = tmp_path / "sheets", tmp_path / "index"

    with within(20):
        assert compile_beside(SHEETS, folder, cache, ())
        assert not compile_beside(SHEETS, folder, cache, ())  # one is at it
    _wait_for(lambda: len(list(cache.glob("*.json"))) == 6)
    _wait_for(lambda: compile_beside(SHEETS, folder, cache, ()))  # it has ended, and another finds nothing to do

    assert all(sheet.mapping is not None for sheet in load_all(SHEETS, files, cache, patience_s=0))


def _wait_for(seen, seconds: float = 120):
    deadline = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_l5_without_an_index_of_its_own_there_is_one_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only mapping: otherwise nothing would ever be compiled for longer than a moment."""
    from renkei import settings

    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "file" / "index"))
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    own = tmp_path / "temporary" / f"renkei-index-{os.getuid()}"

    assert settings.index_folder() == own
    own.chmod(0o777)  # somebody else's, perhaps: what is read from it would be believed
    assert settings.index_folder() == tmp_path / "file" / "index"
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "new" / "index"))
    assert settings.index_folder() == tmp_path / "new" / "index"


def test_l5_the_command_line_ends_at_once_beside_a_slow_sheet(tmp_path: Path) -> None:
    """`renkei check` of a sound sheet reads its neighbours for a few seconds at most."""
    _folder(tmp_path, sound=1, hostile=3)
    environment = {**os.environ, "RENKEI_INDEX": str(tmp_path / "index"), "RENKEI_MAPPINGS": str(tmp_path)}
    command = [str(Path(sys.executable).with_name("renkei")), "check", str(tmp_path / "sheets" / "s00.xlsx")]
    with within(20):
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("s00.xlsx:"), done.stderr


def test_what_only_a_review_needs_is_not_handed_over_for_a_compiled_form() -> None:
    """It is ten times as much, and thousands of sheets are compiled one after the other."""
    with Compiler(SHEETS) as compiler:
        reviewed = compiler.compile("acme.xlsx", SOUND, "acme")
        compiled = compiler.compile("acme.xlsx", SOUND, "acme", only_compiled=True)
    assert reviewed[1] is not None
    assert compiled == (reviewed[0], None)
