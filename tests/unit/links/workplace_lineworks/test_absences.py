"""Runs of one tenant over memory: what the calendars have after each (C3–C8)."""

from __future__ import annotations

from dataclasses import replace

from renkei.links.workplace_lineworks.model import Compared, Mode, Planned, Written
from renkei.runs.outcome import End
from renkei.systems.lineworks.calendar import MemberState
from renkei.systems.workplace.client import Status
from tests.harness.workplace_lineworks import SATO, SUZUKI, AbsenceWorld, away, day


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
    world.calendar.members = {renamed: MemberState.ACTIVE}
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


def test_c8_only_our_own_events_are_touched(world: AbsenceWorld) -> None:
    own = {"summary": "歯医者", "start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}
    world.calendar.events[SATO, "a person's own"] = own
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.workplace.put("A-1", status=Status.CANCELLED)
    world.run()
    assert world.calendar.events == {(SATO, "a person's own"): own}


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


def test_c8_a_calendar_that_cannot_be_seen_just_now_lacks_nothing(world: AbsenceWorld) -> None:
    """A member who is suspended: of the events nothing is known, so nothing is written again."""
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    world.calendar.members[SATO] = MemberState.SUSPENDED
    job = world.run(Mode.RECONCILE)
    assert (job.record.read(Compared).asked, job.record.read(Compared).missing) == (1, 0)
    assert job.record.read(End).result == "compared"


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


def test_c5_at_no_moment_does_anybody_have_an_absence_twice(world: AbsenceWorld) -> None:
    """It passes to another member: first the one event goes, then the other comes."""
    world.workplace.put("A-1", day("2026-12-05"))
    world.run()
    there: list[int] = []
    world.calendar.after = lambda: there.append(len(world.calendar.events))
    world.workplace.put("A-1", user_id=SUZUKI)
    world.run()
    assert there == [0, 1]
    assert [len(world.calendar.shown(member)) for member in (SATO, SUZUKI)] == [0, 1]
