"""Of two revisions of an absence the newer one stays, whoever was slow (C8)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.workplace_lineworks import calendar_events
from renkei.links.workplace_lineworks.model import Fetched
from renkei.links.workplace_lineworks.stages import plan
from renkei.links.workplace_lineworks.wording import doubts
from renkei.systems.workplace.client import Status
from tests.harness.workplace_lineworks import AbsenceWorld, day


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


def test_c8_a_list_that_is_older_than_its_end_does_not_bring_an_absence_back(world: AbsenceWorld) -> None:
    old = world.workplace.put("A-1", day("2026-12-05"))
    world.workplace.put("A-2", day("2026-12-05"))
    world.run()
    del world.workplace.all["A-1"]
    world.run()
    world.workplace.stale = [old]
    world.run()
    assert (len(world.calendar.events), world.states()["A-1"]) == (1, "written")


def test_c10_a_fault_is_not_noted_of_the_revision_that_has_mended_it(
    world: AbsenceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process reads the newer one while this one looks the older one through."""
    world.workplace.put("A-1", day("2026-12-05", "2026-12-04"))
    job = world.job()
    fetch, make_plan, *_ = world.steps(job)
    fetch()

    def meanwhile(*asked: Any) -> Any:
        world.workplace.put("A-1", day("2026-12-09"))
        fetch()
        return calendar_events.wanted(*asked)

    monkeypatch.setattr(plan, "wanted", meanwhile)
    make_plan()
    assert world.states() == {"A-1": "waiting"}
