"""A run that dies before or after any request and any transaction, and is repeated, ends as if nothing had happened (L4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from renkei.links.workplace_lineworks.stages import write_calendar
from renkei.systems.workplace.client import Status
from tests.harness.fuse import Died
from tests.harness.moments import Moments, die, watched
from tests.harness.workplace_lineworks import SATO, SUZUKI, AbsenceWorld, day, hours


@contextmanager
def fused(world: AbsenceWorld, fuse: Moments) -> Iterator[None]:
    """Moments are: before a transaction is committed, after it, before a request is carried out, after it was."""

    sound = world.database
    world.database = watched(sound, fuse)
    world.calendar.before = world.calendar.after = fuse
    try:
        yield
    finally:
        world.database = sound
        world.calendar.before = world.calendar.after = lambda: None


def prepared(folder: Path) -> AbsenceWorld:
    """Something to add, to move, to hand over, to cancel, to refuse; and nothing to do for the rest."""
    world = AbsenceWorld(folder)
    for number in range(6):
        world.workplace.put(f"A-{number}", day(f"2026-12-0{number + 1}"))
    world.run()
    world.workplace.put("A-0", day("2026-12-20"), hours("2026-12-22T10:00", "2026-12-22T11:00"))
    world.workplace.put("A-1", user_id=SUZUKI)
    world.workplace.put("A-2", status=Status.CANCELLED)
    del world.workplace.all["A-3"]
    world.workplace.put("B-1", day("2026-12-09"))
    world.workplace.put("B-2", day("2026-12-09", "2026-12-08"))
    return world


EXPECTED = {
    SATO: [
        *(("2026-12-05", "2026-12-06"), ("2026-12-06", "2026-12-07"), ("2026-12-09", "2026-12-10")),
        *(("2026-12-20", "2026-12-21"), ("2026-12-22T10:00:00", "2026-12-22T11:00:00")),
    ],
    SUZUKI: [("2026-12-02", "2026-12-03")],
}


def check(world: AbsenceWorld) -> None:
    found: dict[str, Any] = {
        member: [tuple(times) for _, *times in world.calendar.shown(member)] for member in (SATO, SUZUKI)
    }
    assert found == EXPECTED
    assert world.states()["B-2"] == "failed END_FIRST"
    assert set(world.states().values()) == {"written", "failed END_FIRST"}


def test_l4_a_run_killed_at_any_moment_and_repeated_ends_alike(tmp_path: Path, monkeypatch: Any) -> None:
    """Each task is repeated as Airflow repeats it, from where it died; and once more as a new run."""
    monkeypatch.setattr(write_calendar, "AT_ONCE", 1)  # so that a moment is the same one every time
    monkeypatch.setattr(write_calendar, "BATCH", 2)
    start = prepared(tmp_path / "start")
    at = 0
    while True:
        at += 1
        world = start.copy(tmp_path / f"at{at}")
        fuse = Moments(at, die)
        job = world.job()
        for number in range(4):
            with fused(world, fuse):
                try:
                    world.steps(world.job(run=job.record.run))[number]()
                except Died:
                    fuse.at, fuse.is_dead = 0, False
                    repeat = True
                else:
                    repeat = False
            if repeat:
                world.steps(world.job(run=job.record.run))[number]()
        check(world)
        world.run()
        check(world)
        if fuse.at:  # the whole run had fewer moments
            break
    assert at > 30


def test_l4_a_run_that_is_never_repeated_is_made_good_by_the_next_one(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(write_calendar, "AT_ONCE", 1)
    monkeypatch.setattr(write_calendar, "BATCH", 2)
    start = prepared(tmp_path / "start")
    for at in range(1, 60, 3):
        world = start.copy(tmp_path / f"at{at}")
        with fused(world, Moments(at, die)), suppress(Died):
            world.run()
        world.run()
        check(world)
