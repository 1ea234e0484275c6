"""災害時凍結: while it lasts nobody and nothing disappears from EMC; what is new still gets in."""

from __future__ import annotations

import dataclasses

import pytest

from renkei.errors import HoldError, LinkStateError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from tests.harness.tenant import FORMAT, NOW, counts, warned
from tests.harness.world import World, ids


def test_l1_nobody_disappears_while_the_freeze_lasts_and_joiners_get_in(linked: World) -> None:
    """The gone, the retired, the renumbered and those without a number stay; joiners and new numbers are added."""
    before = set(linked.users())
    linked.tenant.disaster = True
    linked.day(joiners=3, leavers=2, retirements=1, renumbered=1, lost_codes=1)
    job = linked.tenant.plan(manual=False)
    assert stages.approve.is_held(job) is False
    assert linked.tenant.load(job) == "loaded"

    there = set(linked.users())
    assert before < there
    assert there == before | set(ids(linked.active()))
    assert counts(job) == {"created": 4, "updated": len(before), "deleted": 0}
    assert len([1 for kind, _, _ in job.record.json("warnings")["people"] if kind == "kept"]) == 5


def test_l3_the_run_after_the_freeze_deletes_whom_it_kept(linked: World) -> None:
    """What was held back is done by the next run, on a day on which nothing else happened, with its reason."""
    linked.tenant.disaster = True
    linked.day(joiners=1, leavers=1, retirements=1)
    linked.tenant.run()
    linked.tenant.disaster = False
    job = linked.tenant.plan(manual=False)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    reasons = job.record.table("users_diff").query("operation == 'DELETE'")["reason"]
    assert sorted(reasons) == ["gone", "retired"]


def test_e14_a_quiet_day_under_the_freeze_writes_nothing(linked: World) -> None:
    """Those who are kept do not make every day a changed one."""
    linked.tenant.disaster = True
    linked.day(leavers=2)
    linked.tenant.run()

    assert linked.tenant.run(manual=False) == "unchanged"


def test_e35_no_value_is_cleared_while_the_freeze_lasts(linked: World) -> None:
    """A mail address that SmartHR has no more stays in EMC, a new phone number gets in; both are right afterwards."""
    one = next(crew for crew in linked.active() if crew["email"])
    before = linked.users()[one["emp_code"]]
    linked.tenant.disaster = True
    linked.patch(one["id"], email=None, tel_number="090-0000-1234")
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    during = linked.users()[one["emp_code"]]
    assert (during["緊急連絡1 媒体"], during["緊急連絡1 アドレス"]) == (
        before["緊急連絡1 媒体"],
        before["緊急連絡1 アドレス"],
    )
    assert during["緊急連絡2 アドレス"] == "090-0000-1234"
    assert warned(job, "kept_values") == {one["id"]}
    linked.tenant.disaster = False
    assert linked.tenant.run(manual=False) == "loaded"
    assert "緊急連絡1 アドレス" not in linked.users()[one["emp_code"]]


def test_e13_departments_stay_while_the_freeze_lasts(linked: World) -> None:
    """A department that SmartHR dissolved is in EMC until the freeze ends."""
    before = set(linked.emc.export("departments"))
    linked.tenant.disaster = True
    dissolved = linked.dissolve()
    linked.tenant.run()
    assert before <= set(linked.emc.export("departments"))
    linked.tenant.disaster = False
    job = linked.tenant.plan()
    stages.approve.decide(job, True, "tanto", "", NOW)  # many people had that department: the sheet's guard asks
    linked.tenant.load(job)
    assert set(linked.emc.export("departments")) == before - {dissolved}


def test_l1_a_freeze_that_begins_in_the_middle_of_a_run_stops_what_removes(linked: World) -> None:
    """The plan was made before: with a leaver it is not written; with joiners alone it is."""
    linked.day(leavers=1)
    job, before = linked.tenant.plan(), linked.state()
    with pytest.raises(HoldError, match="災害時凍結"):
        stages.load.apply(job, linked.tenant.target, FORMAT, lambda name: "secret", NOW, disaster_now=True)
    assert linked.state() == before

    linked.tenant.run()
    linked.day(joiners=1)
    job = linked.tenant.plan()
    done = stages.load.apply(job, linked.tenant.target, FORMAT, lambda name: "secret", NOW, disaster_now=True)
    assert done == "loaded"


def test_e32_relink_is_refused_while_the_freeze_lasts(linked: World) -> None:
    """再連携 deletes everybody first."""
    linked.tenant.disaster = True
    with pytest.raises(LinkStateError, match="災害時凍結"):
        linked.tenant.open(Mode.RELINK)


def test_e34_a_mass_deletion_under_the_freeze_deletes_nobody(linked: World) -> None:
    """Limits of the sheet that would let a mass deletion pass do not matter."""
    open_guards = dataclasses.replace(
        linked.tenant.mapping.guards, delete_users_percent=100.0, delete_users_most=10_000
    )
    linked.tenant.change(guards=open_guards)
    before = set(linked.users())
    linked.tenant.disaster = True
    linked.day(leavers=20)
    linked.tenant.run()

    assert set(linked.users()) == before


def test_e12_ids_kept_without_a_crew_are_no_id_change_of_each_other(linked: World) -> None:
    """Two people get new numbers; on the next day of the freeze nobody's changes, and nobody has taken one over."""
    linked.tenant.disaster = True
    changed = linked.day(renumbered=2)["renumbered"]
    first = linked.tenant.plan(manual=False)
    assert {crew_id for crew_id, _, _ in first.record.json("warnings")["id_changes"]} == set(changed)
    assert warned(first, "taken_over") == set()
    linked.tenant.load(first)

    linked.day(joiners=1)
    second = linked.tenant.plan(manual=False)
    assert second.record.json("warnings")["id_changes"] == []
    assert warned(second, "taken_over") == set()
    assert counts(second)["created"] == 1


def test_l4_restore_adds_ids_that_were_kept_without_a_crew(linked: World) -> None:
    """Ids that the freeze kept are added again: each has a first password of its own row, not of crew ""."""
    linked.tenant.disaster = True
    linked.day(renumbered=2)
    linked.tenant.run()
    wanted, then = linked.tenant.generation(), linked.users()
    linked.tenant.disaster = False
    linked.tenant.run()
    job = linked.tenant.open(Mode.RESTORE, generation=wanted)
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, linked.tenant.target, NOW)
    stages.validate.validate(job, linked.tenant.target, FORMAT, NOW)
    stages.approve.decide(job, True, "tanto", "", NOW)
    assert linked.tenant.load(job) == "loaded"
    assert set(linked.users()) == set(then)
