"""What is not listed any more, and a great many cancellations at once (C9)."""

from __future__ import annotations

import pytest

from renkei.errors import HoldError
from renkei.links.workplace_lineworks.model import Fetched, Mode, Planned, Written
from renkei.links.workplace_lineworks.stages.approve import decide, is_asked
from renkei.links.workplace_lineworks.stages.plan import is_too_much
from renkei.runs.hold import Approval
from renkei.systems.workplace.client import Status
from tests.harness.workplace_lineworks import AbsenceWorld, day


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


def test_c9_an_empty_list_cancels_nothing_however_surely_it_is_told(world: AbsenceWorld) -> None:
    """WORKPLACE has lost them all: it says so of each that it is asked for, too."""
    for number in ("A-1", "A-2"):
        world.workplace.put(number, day("2026-12-05"))
    world.run()
    world.workplace.all.clear()
    job = world.run()
    assert (len(world.calendar.events), world.workplace.asked) == (2, [])
    assert job.record.read(Fetched).suspicious == 2


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


def test_c9_one_that_is_held_stays_so_when_workplace_has_it_no_more(world: AbsenceWorld) -> None:
    """Applied for anew, they are not to be seen; six at once wait for a person, and one of them is then deleted."""
    cancelled_en_masse(world)
    for number in range(6):
        world.workplace.put(f"A-{number}", status=Status.APPLIED)
    world.run()
    for number in range(60):
        world.workplace.put(f"B-{number}", day("2026-12-20"))
    world.run()
    del world.workplace.all["A-1"]
    assert world.run().record.read(Planned).held == 6
    assert (len(world.calendar.events), world.workplace.asked) == (70, ["A-1"])


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
