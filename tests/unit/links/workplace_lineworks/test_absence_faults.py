"""One absence or member that is at fault, an outage, a limit: the others go on (C3, C8, C10, C11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from renkei.errors import LoadError
from renkei.links.workplace_lineworks import history
from renkei.links.workplace_lineworks.model import Mode, Written
from renkei.links.workplace_lineworks.stages.finish import finish
from renkei.links.workplace_lineworks.stages.write_calendar import TRIES, Writer, write_calendar
from renkei.links.workplace_lineworks.tables import EVENT
from renkei.systems.lineworks.calendar import CalendarEvent, MemberState
from renkei.systems.workplace.client import Period, Unit
from tests.harness.workplace_lineworks import NOON, SATO, SUZUKI, AbsenceWorld, away, day


def test_c10_a_bad_absence_is_skipped_and_listed_and_the_others_go_on(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05", "2026-12-01"))
    world.workplace.put("A-2", day("2026-12-05"))
    world.mapping = replace(world.mapping, morning=None)
    world.workplace.put("A-3", Period(Unit.MORNING, "2026-12-05", "2026-12-05"))
    job = world.run()
    assert world.states() == {"A-1": "failed END_FIRST", "A-2": "written", "A-3": "failed NO_HOURS"}
    assert job.record.read(Written).failed == 2
    world.mapping = replace(world.mapping, morning=(dt.time(9), dt.time(12)))  # the sheet is mended
    world.workplace.put("A-1", day("2026-12-01"))
    world.run()
    assert set(world.states().values()) == {"written"}


@pytest.mark.parametrize("end", ["2036-12-01", "9999-12-31"])
def test_c10_an_absence_of_ten_years_or_without_end_is_listed_and_the_others_go_on(
    world: AbsenceWorld, end: str
) -> None:
    world.workplace.put("A-1", day("2026-12-01", end))
    world.workplace.put("A-2", day("2026-12-05"))
    world.workplace.put("A-3", day("2026-12-05", "2029-12-04"))  # 育児休業
    world.run()
    assert world.states() == {"A-1": "failed TOO_LONG", "A-2": "written", "A-3": "written"}


def test_c10_one_that_is_listed_and_malformed_is_no_missing_one(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-12-05"))
    world.run()
    world.workplace.hidden, world.workplace.malformed = {"A-1"}, ["A-1"]
    world.run()
    assert (world.workplace.asked, len(world.calendar.events)) == ([], 2)


def test_c10_one_that_is_malformed_when_it_is_asked_for_stops_nothing(world: AbsenceWorld) -> None:
    """It was gone and is back so; or it is in calendars, and not in the list."""
    for number in ("A-1", "A-2", "A-3"):
        world.workplace.put(number, day("2026-12-05"))
    world.run()
    del world.workplace.all["A-1"]
    world.run()
    world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.broken = {"A-1", "A-2"}
    world.workplace.hidden = {"A-2"}
    world.workplace.put("B-1", day("2026-12-08"))
    world.run()
    assert (world.states()["B-1"], len(world.calendar.events)) == ("written", 3)


@pytest.mark.parametrize(
    ("state", "code"),
    [(MemberState.NONE, "NO_MEMBER"), (MemberState.OTHER_CASE, "NO_MEMBER"), (MemberState.SUSPENDED, "SUSPENDED")],
)
def test_c3_a_member_who_is_not_there_is_listed_and_tried_again_the_next_day(
    world: AbsenceWorld, state: MemberState, code: str
) -> None:
    world.calendar.members[SATO] = state
    world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-12-05"), user_id=SUZUKI)
    world.run()
    assert world.states() == {"A-1": f"failed {code}", "A-2": "written"}
    (failed,) = history.failed(world.database, "acme", 10)
    assert ("大文字・小文字が違います" in failed.cause) == (state is MemberState.OTHER_CASE)
    with world.database.reading() as connection:
        assert [row.absence_id for row in connection.execute(select(EVENT))] == ["A-2"]
    world.calendar.members[SATO] = MemberState.ACTIVE
    world.run()
    assert world.states()["A-1"] == f"failed {code}"
    world.clock += dt.timedelta(days=1)
    world.run()
    assert set(world.states().values()) == {"written"}


def test_c10_失敗分の再連携_tries_at_once(world: AbsenceWorld) -> None:
    world.calendar.members[SATO] = MemberState.NONE
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.members[SATO] = MemberState.ACTIVE
    world.run(Mode.RETRY_FAILED)
    assert world.states() == {"A-1": "written"}


def test_c11_the_nearest_start_comes_first_and_what_is_over_last(world: AbsenceWorld) -> None:
    for number, start in enumerate(["2027-03-01", "2026-11-20", "2026-12-01", "2026-11-29"]):
        world.workplace.put(f"A-{number}", day(start))
    job = world.job()
    fetch, plan, *_ = world.steps(job)
    fetch()
    plan()
    taken = Writer(job, world.calendar, world.now)._next()
    assert [str(row.first_day) for row in taken] == ["2026-11-29", "2026-12-01", "2027-03-01", "2026-11-20"]


def test_c11_an_outage_ends_the_run_and_the_next_one_goes_on(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.calendar.after = away  # it was written, and nobody heard of it
    with pytest.raises(LoadError, match="接続できません"):
        world.run()
    assert (world.states(), len(world.calendar.written)) == ({"A-1": "waiting"}, TRIES)
    world.calendar.after = lambda: None
    world.run()
    assert len(world.calendar.events) == 1
    assert world.states() == {"A-1": "written"}


def test_c8_what_was_lost_is_not_followed_by_something_newer_in_the_same_run(world: AbsenceWorld) -> None:
    """LINE WORKS may yet carry out what it never answered."""
    world.workplace.put("A-1", day("2026-12-05"))
    doubts: list[str] = []
    job = world.job()
    fetch, plan, *_ = world.steps(job)
    fetch()
    plan()

    def lost() -> None:
        if world.clock == NOON:  # once: another run reads something newer meanwhile
            world.clock += dt.timedelta(minutes=1)
            world.workplace.put("A-1", day("2026-12-06"))
            fetch()
            away()

    world.calendar.after = lost
    write_calendar(job, world.calendar, world.now, lambda: doubts.append("lost"))
    assert (doubts, world.calendar.written, world.states()) == (["lost"], ["2026-12-05"], {"A-1": "waiting"})
    with pytest.raises(LoadError, match="接続できません"):
        finish(job, world.now)
    world.run()
    assert world.calendar.shown() == [("年次有給休暇", "2026-12-06", "2026-12-07")]


def test_c10_c11_one_for_which_line_works_never_answers_keeps_no_other_waiting(world: AbsenceWorld) -> None:
    for number in range(200):
        world.workplace.put(f"A-{number:03}", day("2026-12-05"), user_id=SUZUKI if number == 0 else SATO)
    put = world.calendar.put

    def broken(user_id: str, event: CalendarEvent, *, is_new: bool = False) -> bool:
        if user_id == SUZUKI:
            away()
        return put(user_id, event, is_new=is_new)

    world.calendar.put = broken  # type: ignore[method-assign]
    with pytest.raises(LoadError, match="接続できません"):
        world.run()
    assert (len(world.calendar.events), world.states()["A-000"]) == (199, "waiting")
