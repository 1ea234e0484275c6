"""Jobs of a company: one at a time, each begun once, and never "running" for ever."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.jobs.records import (
    KEPT,
    LASTS,
    SETTLES,
    WAITS,
    BusyError,
    ConsoleJob,
    Jobs,
    JobState,
    NotToBeginError,
    Progress,
)
from renkei.storage.cipher import Cipher
from renkei.storage.store import DamagedFileError, MissingKeyError, Store, StoreError
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ASKED = {"who": "小鳥遊"}


@dataclass
class Found:
    name: str


def works(_: str) -> bool:
    return True


def over(_: str) -> bool:
    return False


def unknown(_: str) -> None:
    return None


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


@pytest.fixture
def jobs(store: Store) -> Jobs:
    return Jobs(TenantFolder(store, "smarthr_emc", "acme"))


def ask(jobs: Jobs, kind: str = "person", now: dt.datetime = NOW, works_on: object = works, **asked: str) -> ConsoleJob:
    return jobs.ask(kind, asked or ASKED, "u1", "yuki", now, works_on)[0]  # type: ignore[arg-type]


def test_l4_of_many_clicks_at_once_one_makes_the_job(jobs: Jobs) -> None:
    """L4: all the others find it."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: jobs.ask("person", ASKED, "u1", "yuki", NOW, works), range(20)))
    assert [new for _, new in found].count(True) == 1
    assert {(job.number, job.request.run) for job, _ in found} == {(1, found[0][0].request.run)}


def test_l4_a_job_whose_folder_is_there_before_its_request_is_no_job_yet(jobs: Jobs, tmp_path: Path) -> None:
    """L4: whoever looks just then passes it by at his peril: two jobs of one company would run at once."""
    first, _ = jobs.ask("person", ASKED, "u1", "yuki", NOW, works)
    (request,) = tmp_path.rglob("request.json")
    request.unlink()
    again, new = jobs.ask("person", ASKED, "u1", "yuki", NOW, works)
    assert (again.number, new) == (first.number, True)
    assert jobs.ask("person", ASKED, "u2", "ken", NOW, works) == (again, False)


def test_l5_another_job_waits_for_the_one_under_way(jobs: Jobs) -> None:
    """L5: no company takes two places; another company's is none of its business."""
    ask(jobs)
    for kind, asked in (("person", {"who": "2"}), ("rehearsal", ASKED)):
        with pytest.raises(BusyError, match="yukiさんが始めた別の作業が実行中です"):
            ask(jobs, kind, **asked)
    jobs.fail(1, "だめでした。", NOW)
    assert ask(jobs, "rehearsal").number == 2


def test_a_job_comes_from_waiting_to_its_result(jobs: Jobs) -> None:
    job = ask(jobs)
    assert job.state(NOW, works) is JobState.WAITING
    assert jobs.begin(1, job.request.run, NOW).asked == ASKED
    jobs.tell(1, Progress("読んでいます", 3, 10))
    assert jobs.read(1).state(NOW, works) is JobState.RUNNING
    assert jobs.read(1).progress == Progress("読んでいます", 3, 10)
    jobs.finish(1, Found("小鳥遊"), NOW)
    assert jobs.read(1).state(NOW + KEPT, over) is JobState.DONE
    assert jobs.result(1, Found) == Found("小鳥遊")
    assert ask(jobs).number == 2, "asked again, it is done again"


def test_l4_a_job_is_done_although_the_mark_that_outlives_it_cannot_be_written(
    jobs: Jobs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, write = ask(jobs).number, store.write

    def fails(key: str, content: bytes) -> None:
        if "/done/" in key:
            raise StoreError("no")
        write(key, content)

    monkeypatch.setattr(store, "write", fails)
    jobs.finish(number, Found("小鳥遊"), NOW)
    assert jobs.read(number).state(NOW, over) is JobState.DONE
    assert not jobs.was_done("person")


@pytest.mark.parametrize(
    ("begun", "age", "airflow", "state"),
    [
        (False, SETTLES, unknown, JobState.WAITING),  # the page asks Airflow for the run only now
        (False, SETTLES + SECOND, unknown, JobState.LOST),  # the API server died before it asked
        (False, SECOND, over, JobState.LOST),
        (False, WAITS, works, JobState.WAITING),
        (False, WAITS + SECOND, works, JobState.LOST),  # a Dag that is switched off
        (True, SECOND, over, JobState.LOST),  # the worker died
        (True, SETTLES + SECOND, unknown, JobState.LOST),  # the run was deleted
        (True, LASTS + SETTLES, works, JobState.RUNNING),
        (True, LASTS + SETTLES + SECOND, works, JobState.LOST),
    ],
)
def test_l8_a_job_that_nobody_works_on_says_so(
    jobs: Jobs, begun: bool, age: dt.timedelta, airflow: object, state: JobState
) -> None:
    """L8: by Airflow's word, and by the clock where Airflow says nothing; the next one can be started then."""
    job = ask(jobs)
    if begun:
        jobs.begin(1, job.request.run, NOW)
    found = jobs.read(1).state(NOW + age, airflow)  # type: ignore[arg-type]
    assert found is state
    if state.is_over:
        assert ask(jobs, now=NOW + age, works_on=airflow).number == 2


def test_l4_a_job_is_begun_once_and_by_its_own_run(jobs: Jobs) -> None:
    """L4: a run that is cleared, made by hand, or late by hours does nothing."""
    job = ask(jobs)
    for run, now, said in (
        ("manual__1", NOW, "別の実行"),
        (job.request.run, NOW + WAITS + SECOND, "待ち時間が長すぎた"),
    ):
        with pytest.raises(NotToBeginError, match=said):
            jobs.begin(1, run, now)
    jobs.begin(1, job.request.run, NOW)
    with pytest.raises(NotToBeginError, match="やり直せません"):
        jobs.begin(1, job.request.run, NOW)
    with pytest.raises(NotToBeginError, match="記録がありません"):
        jobs.begin(2, job.request.run, NOW)


def test_l6_jobs_go_after_a_week_whole(jobs: Jobs, store: Store) -> None:
    """L6: nothing of an old one is left; a folder that was left half deleted goes as it ages; the younger ones stay."""
    for days in (8, 7, 0):
        job = ask(jobs, now=NOW - dt.timedelta(days=days))
        jobs.begin(job.number, job.request.run, job.request.at)
        jobs.finish(job.number, Found("小鳥遊"), job.request.at)
    rest = store.path("smarthr_emc/tenants/acme/jobs/00000009")
    store.write("smarthr_emc/tenants/acme/jobs/00000009/result.json", b"{}")
    old = (NOW - KEPT - dt.timedelta(hours=1)).timestamp()
    os.utime(rest, (old, old))
    assert jobs.tidy(NOW) == 2
    assert jobs.numbers() == [3, 2]
    assert not [key for key in store.files("smarthr_emc") if "00000001" in key or "00000009" in key]
    with pytest.raises(MissingKeyError):
        jobs.read(1)


def test_l1_a_torn_record_stops_no_other_job_and_goes_in_time(jobs: Jobs, store: Store) -> None:
    """L1: what cannot be read is not done; what another version wrote is no result."""
    job = ask(jobs)
    jobs.begin(1, job.request.run, NOW)
    jobs.finish(1, Progress("別の版"), NOW)
    with pytest.raises(DamagedFileError):
        jobs.result(1, Found)
    key = "smarthr_emc/tenants/acme/jobs/00000001/request.json"
    store.write(key, b"{")
    assert ask(jobs).number == 2
    os.utime(store.path(key), (0, 0))
    assert jobs.tidy(NOW) == 1


def test_l7_records_are_encrypted_as_all_others(tmp_path: Path) -> None:
    """L7: with a key no name stands in a file; without the key nothing is guessed."""
    locked = Store(LocalFileSystem(), str(tmp_path), Cipher("A" * 43 + "="))
    ask(Jobs(TenantFolder(locked, "smarthr_emc", "acme")))
    (path,) = [path for path in tmp_path.rglob("*.json")]
    assert path.read_bytes().startswith(b"RENKEI1:")
    with pytest.raises(StoreError, match="鍵"):
        ask(Jobs(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme")))
