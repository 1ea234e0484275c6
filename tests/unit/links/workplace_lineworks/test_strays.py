"""Events of ours that no absence stands for, as after a lost database (C8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from renkei.errors import LoadError
from renkei.links.workplace_lineworks.calendar_events import mark
from renkei.links.workplace_lineworks.model import Compared, Mode
from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT
from renkei.runs.outcome import End
from renkei.systems.workplace.client import Status
from tests.harness.workplace_lineworks import MAPPING, SATO, SUZUKI, AbsenceWorld, away, day


@pytest.fixture
def world(tmp_path: Path) -> AbsenceWorld:
    return begun_anew(AbsenceWorld(tmp_path / "world"))


def begun_anew(world: AbsenceWorld) -> AbsenceWorld:
    """Written; then the database is lost, one absence is cancelled and one deleted, and a run has begun anew."""
    for number in range(60):
        world.workplace.put(f"A-{number:02}", day("2026-12-05"))
    world.workplace.put("B-1", day("2026-12-10"), user_id=SUZUKI)
    world.run()
    lose_database(world)
    world.workplace.put("A-00", status=Status.CANCELLED)
    del world.workplace.all["A-01"]
    world.calendar.events[SATO, "a person's own"] = {"summary": "歯医者", "start": {"date": "1"}, "end": {"date": "2"}}
    world.calendar.events[SATO, f"{mark('other')}00"] = world.calendar.events[SATO, "a person's own"]
    world.run()
    assert len(world.calendar.events) == 63
    return world


def lose_database(world: AbsenceWorld) -> None:
    with world.database.writing() as connection:
        for table in (ABSENCE, EVENT):
            connection.execute(delete(table))


def compared(world: AbsenceWorld) -> tuple[int, int, int]:
    found = world.run(Mode.RECONCILE).record.read(Compared)
    return found.strays, found.removed, len(world.calendar.events)


def test_c8_what_no_absence_stands_for_goes_and_nothing_else_does(world: AbsenceWorld) -> None:
    job = world.run(Mode.RECONCILE)
    assert (job.record.read(Compared).strays, job.record.read(End).result) == (2, "differs")
    assert compared(world) == (0, 0, 61)
    assert {(SATO, "a person's own"), (SATO, f"{mark('other')}00")} < world.calendar.events.keys()


def test_c8_or_stays_where_the_sheet_says_残す(world: AbsenceWorld) -> None:
    world.mapping = replace(MAPPING, restore=False)
    assert [compared(world), compared(world)] == [(2, 0, 63)] * 2


@pytest.mark.parametrize("doubt", ["torn", "malformed", "not listed"])
def test_c9_nothing_goes_for_a_list_that_is_in_doubt(world: AbsenceWorld, doubt: str) -> None:
    world.workplace.is_torn = doubt != "malformed"
    world.workplace.malformed = ["A-77"] if doubt == "malformed" else []
    world.workplace.hidden = {"A-05"} if doubt == "not listed" else set()
    assert compared(world) == (2, 0, 63)


def test_c9_nor_are_very_many_deleted(world: AbsenceWorld) -> None:
    for number in range(2, 12):
        del world.workplace.all[f"A-{number:02}"]
    lose_database(world)
    world.run()
    assert compared(world) == (12, 0, 63)


def test_c8_what_a_living_absence_may_have_written_is_none(world: AbsenceWorld) -> None:
    """It waits for its turn, or has been changed so that no event can be made of it."""
    lose_database(world)
    world.workplace.put("A-02", day("2026-12-05", "2026-12-01"))
    assert compared(world) == (2, 2, 61)


def test_l4_what_was_deleted_before_an_outage_is_counted(world: AbsenceWorld) -> None:
    job = world.job(Mode.RECONCILE)
    fetch, plan, look, *_ = world.steps(job)
    fetch()
    plan()
    world.calendar.after = away  # the first one is deleted, and nobody hears of it
    with pytest.raises(LoadError):
        look()
    world.calendar.after = lambda: None
    look()
    found = job.record.read(Compared)
    assert (found.strays, found.removed, len(world.calendar.events)) == (2, 2, 61)
