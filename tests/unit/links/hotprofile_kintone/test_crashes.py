"""A run that dies before or after any request and any transaction, and is repeated, ends as if nothing had happened (L4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.model import Job
from tests.harness.fuse import Died
from tests.harness.hotprofile_kintone import LinkWorld
from tests.harness.moments import Moments, die, watched

RECORDS = 230  # three batches


@contextmanager
def fused(world: LinkWorld, fuse: Moments) -> Iterator[None]:
    """Moments are: before a transaction is committed, after it, before a request is answered, after it was."""

    sound = world.database
    world.database = watched(sound, fuse)
    world.kintone.before = world.kintone.fault = fuse
    try:
        yield
    finally:
        world.database = sound
        world.kintone.before = world.kintone.fault = lambda: None


def prepared(folder: Path) -> LinkWorld:
    """Something to add, to change, to replace, to refuse, and nothing to do for the rest."""
    world = LinkWorld(folder)
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    world.start()
    for number in range(10):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    world.run()
    world.wait(minutes=30)
    for number in range(RECORDS):
        world.hotprofile.put(number + 5, f"新{number + 5}")
    world.hotprofile.put(99, "名前が十文字より長い会社")
    del world.hotprofile.entries["1"]
    world.hotprofile.put(1001, items=[{"label": "旧会社ID", "value": "1"}])
    world.wait(minutes=5)
    return world


def expected(world: LinkWorld) -> dict[str, str]:
    return {number: one["name"] for number, one in world.hotprofile.entries.items() if number != "99"}


def again(world: LinkWorld, job: Job) -> None:
    """As Airflow repeats a run that has failed: from its first task on."""
    for step in world.steps(Job(world.database, job.record, job.start)):
        step()


def anew(world: LinkWorld, job: Job) -> None:
    """Nobody repeats it: the next run finds what it left."""
    world.wait(minutes=5)
    world.run()


@pytest.mark.parametrize("repeat", [again, anew])
def test_l4_a_run_that_dies_anywhere_loses_nothing_and_doubles_nothing(
    repeat: Callable[[LinkWorld, Any], None], tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    whole, at = prepared(tmp_path / "whole"), 0
    whole.database.engine.dispose()  # its file is to be copied
    while True:
        at += 1
        world = whole.copy(tmp_path / str(at))
        fuse = Moments(at, die)
        job = world.job()
        try:
            with fused(world, fuse):
                for step in world.steps(Job(world.database, job.record, job.start)):
                    step()
        except Died:
            pass
        if not fuse.is_dead:
            break
        repeat(world, job)
        assert world.kintone.by_key() == expected(world), f"killed at moment {at}"
        assert world.failed() == {"99": "VALUE"}, f"killed at moment {at}"
        status = history.data_set_statuses(world.database, "acme")["companies"]
        assert (status.waiting, status.written) == (0, len(expected(world))), f"killed at moment {at}"
        (used,) = history.requests_by_day(world.database, "acme.cybozu.com", "1")
        assert used[1] >= world.kintone.requests, f"killed at moment {at}: a request was sent that was not reserved"
    assert at > 25
