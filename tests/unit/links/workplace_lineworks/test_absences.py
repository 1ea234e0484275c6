"""Runs of one tenant over memory: what the calendars have after each (C3–C5, C8–C11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from renkei.errors import HoldError, LoadError
from renkei.links.workplace_lineworks import history
from renkei.links.workplace_lineworks.model import Compared, Fetched, Mode, Planned, Written
from renkei.links.workplace_lineworks.stages.approve import decide, is_asked
from renkei.links.workplace_lineworks.stages.finish import finish
from renkei.links.workplace_lineworks.stages.plan import is_too_much
from renkei.links.workplace_lineworks.stages.write_calendar import Writer, write_calendar
from renkei.links.workplace_lineworks.tables import EVENT
from renkei.links.workplace_lineworks.wording import doubts
from renkei.runs.hold import Approval
from renkei.runs.outcome import End
from renkei.systems.lineworks.calendar import CalendarEvent, Standing
from renkei.systems.workplace.client import Period, Status, Unit
from tests.harness.workplace_lineworks import NOON, SATO, SUZUKI, AbsenceWorld, away, day


@pytest.fixture
def world(tmp_path: Path) -> AbsenceWorld:
    return AbsenceWorld(tmp_path / "world")


def test_c4_c5_an_absence_is_applied_for_approved_moved_and_cancelled(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"), status=Status.APPLIED)
    world.run()
    assert world.calendar.shown() == []
    world.workplace.put("A-1")
    world.run()
    assert world.calendar.shown() == [("年次有給休暇", "2026-12-05", "2026-12-06")]
    world.workplace.put("A-1", day("2026-12-07", "2026-12-08"), day("2026-12-10"))
    job = world.run()
    assert world.calendar.shown() == [
        ("年次有給休暇", "2026-12-07", "2026-12-09"),
        ("年次有給休暇", "2026-12-10", "2026-12-11"),
    ]
    assert job.record.read(Written) == Written(added=1, replaced=1)
    world.workplace.put("A-1", day("2026-12-07"))
    world.run()
    assert world.calendar.shown() == [("年次有給休暇", "2026-12-07", "2026-12-08")]
    world.workplace.put("A-1", status=Status.CANCELLED)
    job = world.run()
    assert world.calendar.shown() == []
    assert job.record.read(Written) == Written(deleted=1)
    assert job.record.read(End).result == "loaded"


def test_c5_what_is_as_it_was_costs_no_request(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.before = away
    world.run()


def test_c5_another_member_s_absence_leaves_the_first_one_s_calendar(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.workplace.put("A-1", user_id=SUZUKI)
    world.run()
    assert (world.calendar.shown(SATO), len(world.calendar.shown(SUZUKI))) == ([], 1)


def test_c5_a_member_who_got_another_user_id_does_not_have_an_absence_twice(world: AbsenceWorld) -> None:
    """In both systems: the calendar, and our event in it, are under the new one."""
    renamed = "tanaka@acme.example"
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.events = {(renamed, number): one for (_, number), one in world.calendar.events.items()}
    world.calendar.members = {renamed: Standing.ACTIVE}
    world.workplace.put("A-1", user_id=renamed)
    world.run()
    assert world.calendar.shown(renamed) == [("年次有給休暇", "2026-12-05", "2026-12-06")]


def test_c5_what_somebody_has_deleted_by_hand_is_deleted(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.events.clear()
    world.workplace.put("A-1", status=Status.CANCELLED)
    job = world.run()
    assert job.record.read(Written) == Written()
    assert world.states() == {"A-1": "written"}


def test_c8_an_older_revision_never_overwrites_a_newer_one(world: AbsenceWorld) -> None:
    older = world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-1", day("2026-12-09"))
    world.run()
    world.workplace.all["A-1"] = older
    job = world.run()
    assert "前に受信した版より古い不在が 1件あります（A-1）" in "".join(doubts(job.record.read(Fetched)))
    assert world.calendar.shown() == [("年次有給休暇", "2026-12-09", "2026-12-10")]


@pytest.mark.parametrize("newest", [Status.APPROVED, Status.CANCELLED, None])
@pytest.mark.parametrize("slow", [Status.APPROVED, Status.CANCELLED])
def test_c8_a_process_that_was_slow_does_not_leave_what_is_older(
    world: AbsenceWorld, slow: Status, newest: Status | None
) -> None:
    """It sends when another one has written something newer already; None: gone for good, which is no revision."""
    world.workplace.put("A-0", day("2026-12-05"))
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.workplace.put("A-1", day("2026-12-06"), status=slow)
    job = world.job()
    fetch, plan, write, _ = world.steps(job)
    fetch()
    plan()

    def meanwhile() -> None:
        world.calendar.before = lambda: None
        if newest:
            world.workplace.put("A-1", day("2026-12-09"), status=newest)
        else:
            del world.workplace.all["A-1"]
        world.run()

    world.calendar.before = meanwhile
    write()
    world.run()
    moved = [("年次有給休暇", "2026-12-09", "2026-12-10")] if newest is Status.APPROVED else []
    assert world.calendar.shown() == [("年次有給休暇", "2026-12-05", "2026-12-06"), *moved]


def test_c8_only_our_own_events_are_touched(world: AbsenceWorld) -> None:
    own = {"summary": "歯医者", "start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}
    world.calendar.events[SATO, "a person's own"] = own
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.workplace.put("A-1", status=Status.CANCELLED)
    world.run()
    assert world.calendar.events == {(SATO, "a person's own"): own}


@pytest.mark.parametrize("hidden", [{"A-1"}, {"A-1", "A-2"}])
def test_c9_a_torn_or_empty_read_deletes_nothing(world: AbsenceWorld, hidden: set[str]) -> None:
    for number in ("A-1", "A-2"):
        world.workplace.put(number, day("2026-12-05"))
    world.run()
    world.workplace.hidden, world.workplace.is_torn = hidden, True
    job = world.run()
    assert (len(world.calendar.events), world.workplace.asked) == (2, [])
    assert job.record.read(Fetched).suspicious == len(hidden)
    world.workplace.is_torn = False  # "proven", and yet it lacks what WORKPLACE has
    world.run()
    assert len(world.calendar.events) == 2


def test_c9_one_that_workplace_has_no_more_is_asked_for_before_its_event_goes(world: AbsenceWorld) -> None:
    for number in ("A-1", "A-2"):
        world.workplace.put(number, day("2026-12-05"))
    world.run()
    del world.workplace.all["A-1"]
    job = world.run()
    assert (len(world.calendar.events), world.workplace.asked) == (1, ["A-1"])
    assert job.record.read(Fetched).gone == 1
    world.workplace.put("A-1", day("2026-12-05"))  # and is back, as it was
    world.run()
    assert len(world.calendar.events) == 2


def test_c8_a_list_that_is_older_than_its_end_does_not_bring_an_absence_back(world: AbsenceWorld) -> None:
    old = world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-12-05"))
    world.run()
    del world.workplace.all["A-1"]
    world.run()
    world.workplace.stale = [old]
    world.run()
    assert (len(world.calendar.events), world.states()["A-1"]) == (1, "written")


def test_c9_a_great_many_that_are_not_listed_are_not_even_asked_for(world: AbsenceWorld) -> None:
    for number in range(102):
        world.workplace.put(f"A-{number:03}", day("2026-12-05"))
    world.run()
    for number in range(101):
        del world.workplace.all[f"A-{number:03}"]
    job = world.run()
    assert (job.record.read(Fetched).suspicious, world.workplace.asked) == (101, [])
    assert len(world.calendar.events) == 102


@pytest.mark.parametrize(
    ("count", "known", "percent", "held"),
    [(4, 4, 10, False), (5, 50, 10, False), (5, 49, 10, True), (5, 5, 100, False), (501, 100_000, 10, True)],
)
def test_c9_how_many_cancellations_are_too_many(count: int, known: int, percent: int, held: bool) -> None:
    assert is_too_much(count, known, percent) is held


def cancelled_en_masse(world: AbsenceWorld) -> None:
    for number in range(10):
        world.workplace.put(f"A-{number}", day(f"2026-12-{number + 1:02}"))
    world.run()
    for number in range(6):
        world.workplace.put(f"A-{number}", status=Status.CANCELLED)


def test_c9_mass_cancellation_is_held_and_everything_else_goes_on(world: AbsenceWorld) -> None:
    cancelled_en_masse(world)
    world.workplace.put("A-9", day("2027-01-05"))
    world.workplace.put("B-1", day("2026-12-20"))
    job = world.run()
    assert job.record.read(Planned) == Planned(waiting=2, held=6)
    assert len(world.calendar.events) == 11
    assert ("年次有給休暇", "2027-01-05", "2027-01-06") in world.calendar.shown()
    assert not is_asked(job)
    assert world.run().record.read(Written).held == 6
    world.workplace.put("A-0", day("2026-12-01"))  # one is approved again, and five wait
    world.run()
    assert sorted(world.states().values()).count("held") == 5


def test_c9_a_mass_of_absences_that_are_moved_into_the_past_and_cancelled_is_held_too(world: AbsenceWorld) -> None:
    """What is in the calendars counts, not what WORKPLACE says last."""
    cancelled_en_masse(world)
    for number in range(6):
        world.workplace.put(f"A-{number}", day("2026-11-20"), status=Status.CANCELLED)
    assert (world.run().record.read(Planned).held, len(world.calendar.events)) == (6, 10)


def test_c9_what_is_held_waits_for_a_person_however_many_absences_come_after_it(world: AbsenceWorld) -> None:
    cancelled_en_masse(world)
    world.run()
    for number in range(60):
        world.workplace.put(f"B-{number}", day("2026-12-20"))
    world.run()
    job = world.run()
    assert (job.record.read(Written).held, len(world.calendar.events)) == (6, 70)


def test_c9_a_newer_revision_of_a_cancellation_that_is_held_is_held_with_it(world: AbsenceWorld) -> None:
    """However many absences there are by then, and also when WORKPLACE deletes it for good."""
    cancelled_en_masse(world)
    world.run()
    for number in range(60):
        world.workplace.put(f"B-{number}", day("2026-12-20"))
    world.run()
    world.workplace.put("A-0", day("2026-12-02"), status=Status.CANCELLED)
    del world.workplace.all["A-1"]
    assert world.run().record.read(Planned).held == 6
    assert len(world.calendar.events) == 70
    world.workplace.put("A-0", day("2026-12-02"), status=Status.APPROVED)
    assert world.run().record.read(Planned).held == 5


def test_c9_what_was_let_through_and_came_back_is_held_again(world: AbsenceWorld) -> None:
    for number in range(10):
        world.workplace.put(f"A-{number}", day("2026-12-05"))
    world.run()
    some = {number: world.workplace.all[number] for number in ("A-1", "A-2", "A-3", "A-4", "A-5")}
    for released in (True, False):
        for name in some:
            del world.workplace.all[name]
        job = world.job(Mode.RELEASE)
        fetch, plan, write, _ = world.steps(job)
        fetch()
        plan()
        assert is_asked(job)
        if released:
            decide(job, True, "hanako", "", world.clock)
            write()
            assert len(world.calendar.events) == 5
            world.workplace.all |= some
            world.run()
    assert len(world.calendar.events) == 10


def test_c9_a_person_lets_exactly_the_held_cancellations_through(world: AbsenceWorld) -> None:
    cancelled_en_masse(world)
    world.run()
    job = world.job(Mode.RELEASE)
    fetch, plan, write, finish = world.steps(job)
    fetch()
    plan()
    assert is_asked(job)
    decide(job, True, "hanako", "退職者の整理", world.clock)
    world.workplace.put("A-6", status=Status.CANCELLED)  # later than the question
    write()
    finish()
    assert len(world.calendar.events) == 4
    assert job.record.read(Approval).by == "hanako"
    world.run()
    assert len(world.calendar.events) == 3


def test_c9_what_is_refused_or_changed_meanwhile_stays(world: AbsenceWorld) -> None:
    cancelled_en_masse(world)
    world.run()
    job = world.job(Mode.RELEASE)
    fetch, plan, *_ = world.steps(job)
    fetch()
    plan()
    with pytest.raises(HoldError, match="そのまま残しています"):
        decide(job, False, "hanako", "", world.clock)
    world.workplace.put("A-6", status=Status.CANCELLED)
    world.run()
    with pytest.raises(HoldError, match="内容が変わりました"):
        decide(job, True, "hanako", "", world.clock)
    assert len(world.calendar.events) == 10


def test_c9_what_was_let_through_is_not_asked_about_again(world: AbsenceWorld) -> None:
    """The process dies after the approval: the next run deletes them."""
    cancelled_en_masse(world)
    job = world.job(Mode.RELEASE)
    fetch, plan, *_ = world.steps(job)
    fetch()
    plan()
    decide(job, True, "hanako", "", world.clock)
    assert world.run().record.read(Planned).held == 0
    assert len(world.calendar.events) == 4


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
    ("standing", "code"),
    [(Standing.NONE, "NO_MEMBER"), (Standing.OTHER_CASE, "NO_MEMBER"), (Standing.SUSPENDED, "SUSPENDED")],
)
def test_c3_a_member_who_is_not_there_is_listed_and_tried_again_the_next_day(
    world: AbsenceWorld, standing: Standing, code: str
) -> None:
    world.calendar.members[SATO] = standing
    world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-12-05"), user_id=SUZUKI)
    world.run()
    assert world.states() == {"A-1": f"failed {code}", "A-2": "written"}
    (failed,) = history.failed(world.database, "acme", 10)
    assert ("大文字・小文字が違います" in failed.cause) == (standing is Standing.OTHER_CASE)
    with world.database.reading() as connection:
        assert [row.absence_id for row in connection.execute(select(EVENT))] == ["A-2"]
    world.calendar.members[SATO] = Standing.ACTIVE
    world.run()
    assert world.states()["A-1"] == f"failed {code}"
    world.clock += dt.timedelta(days=1)
    world.run()
    assert set(world.states().values()) == {"written"}


def test_c10_失敗分の再連携_tries_at_once(world: AbsenceWorld) -> None:
    world.calendar.members[SATO] = Standing.NONE
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.members[SATO] = Standing.ACTIVE
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
    assert world.states() == {"A-1": "waiting"}
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


def test_c8_a_change_by_hand_is_found_and_put_back(world: AbsenceWorld) -> None:
    for number in ("A-1", "A-2", "A-3"):
        world.workplace.put(number, day("2026-12-05"))
    world.run()
    first, second, third = list(world.calendar.events)
    whole = dict(world.calendar.events)
    del world.calendar.events[first]
    world.calendar.events[second] = {**world.calendar.events[second], "summary": "休みではない"}
    world.calendar.events[third] = {**world.calendar.events[third], "reminders": [{"method": "DISPLAY"}]}
    job = world.run(Mode.RECONCILE)
    found = job.record.read(Compared)
    assert (found.asked, found.missing, found.changed) == (3, 1, 1)
    assert job.record.read(End).result == "differs"
    assert {key: one["summary"] for key, one in world.calendar.events.items()} == {
        key: one["summary"] for key, one in whole.items()
    }
    assert "reminders" in world.calendar.events[third], "what is a person's own stays"
    assert world.run(Mode.RECONCILE).record.read(End).result == "compared"


def test_c8_or_left_as_it_is(world: AbsenceWorld) -> None:
    world.mapping = replace(world.mapping, restore=False)
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.events.clear()
    job = world.run(Mode.RECONCILE)
    assert job.record.read(Compared).missing == 1
    assert world.calendar.events == {}


def test_c4_確認のみ_writes_nothing_and_counts_what_would_be(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    job = world.run(Mode.CHECK_ONLY)
    assert (world.calendar.events, job.record.read(Planned).waiting) == ({}, 1)
    assert job.record.read(End).result == "checked"


def test_c7_another_sheet_writes_the_coming_events_anew(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-11-20"))
    world.run()
    world.mapping = replace(world.mapping, kinds_shown=False)
    world.run()
    assert [title for title, *_ in world.calendar.shown()] == ["不在", "年次有給休暇"]


def test_l6_who_is_absent_is_sealed(world: AbsenceWorld) -> None:
    world.workplace.put("A-1", day("2026-12-05"), kind="病気休暇")
    world.run()
    content = b"".join(path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
    assert "病気休暇".encode() not in content
    assert b"sato" not in content
