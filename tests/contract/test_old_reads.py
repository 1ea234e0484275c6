"""A read that is older than the baseline is never compared or planned anew, whichever task is cleared (L3)."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.errors import BaselineError, RefusedFetchError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages.job import Job, resume
from tests.harness.tenant import FORMAT, NOW
from tests.harness.world import World, ids

OLD = "古いため、比較も登録もしません.*手動で新しく実行"
# How far the older run had come, and the modes in which it is cleared.
REACHED = ("fetched", "snapshot", "diff", "validate", "load")
MODES = (Mode.NORMAL, Mode.WRITE_ALL, Mode.CHECK_ONLY, Mode.RELINK_CHECK)


def older_run(world: World, reached: str, mode: Mode = Mode.NORMAL) -> Job:
    """A run that came so far and no further, on a day with a joiner."""
    world.day(joiners=1)
    tenant = world.tenant
    job = tenant.open(mode)
    client = tenant.client()
    stages.fetch.fetch_departments(job, client, "read", NOW)
    if reached == "fetched":
        return job
    stages.fetch.fetch_users(job, client, NOW)
    stages.snapshot.take_snapshot(job)
    if reached == "snapshot":
        return job
    stages.diff.make_diff(job, tenant.target, NOW)
    if reached == "diff":
        return job
    stages.validate.validate(job, tenant.target, FORMAT, NOW)
    if reached == "load":
        assert tenant.load(job) == "loaded"
    return job


@pytest.mark.parametrize("reached", REACHED)
def test_l3_no_stage_goes_on_with_a_read_older_than_the_baseline(linked: World, reached: str) -> None:
    """Whatever task is cleared or late, it stops before it compares, plans, asks or loads; joiners stay in EMC."""
    job = older_run(linked, reached)
    linked.day(joiners=1)
    linked.tenant.run()
    before = linked.state()
    with pytest.raises(BaselineError, match=OLD):
        resume(job.record, linked.tenant.mapping)
    if reached != "fetched":  # the first task, too: it would find the snapshot
        with pytest.raises(BaselineError, match=OLD):
            linked.tenant.open(run_id=job.start.run_id)
    assert linked.state() == before


@pytest.mark.parametrize("mode", MODES)
def test_l3_every_mode_is_stopped_alike(linked: World, mode: Mode) -> None:
    """全件書き込み cleared would delete who joined since; 確認のみ would tell what is not true."""
    job = older_run(linked, "validate", mode)
    linked.tenant.run()
    with pytest.raises(BaselineError, match=OLD):
        linked.tenant.open(mode, run_id=job.start.run_id)


def test_l3_a_restore_is_planned_against_the_baseline_of_its_day(linked: World) -> None:
    """復元 takes what is old on purpose; once the baseline has moved its plan is old, too."""
    linked.day(joiners=1)
    linked.tenant.run()
    job = linked.tenant.open(Mode.RESTORE)
    stages.snapshot.take_snapshot(job)
    assert resume(job.record, linked.tenant.mapping).is_frozen
    linked.day(joiners=1)
    linked.tenant.run()
    with pytest.raises(BaselineError, match=OLD):
        resume(job.record, linked.tenant.mapping)


def test_e3_a_run_that_froze_nothing_reads_afresh_when_it_is_cleared(linked: World) -> None:
    """Cleared from its first task, a run whose read never ended does all of its work on today's people."""
    job = older_run(linked, "fetched")
    linked.day(joiners=1)
    linked.tenant.run()
    linked.day(joiners=1)
    again = linked.tenant.open(run_id=job.start.run_id)
    linked.tenant.read(again)
    stages.diff.make_diff(resume(again.record, linked.tenant.mapping), linked.tenant.target, NOW)
    stages.validate.validate(resume(again.record, linked.tenant.mapping), linked.tenant.target, FORMAT, NOW)
    assert linked.tenant.load(again) == "loaded"
    assert set(linked.users()) == set(ids(linked.active()))


@pytest.mark.parametrize("hours", [7, 24 * 9])
def test_e3_people_are_never_read_beside_the_departments_of_another_day(linked: World, hours: int) -> None:
    """Cleared from fetch_users although the baseline has not moved; from fetch_departments all of it is read anew."""
    job = older_run(linked, "fetched")
    later = NOW + dt.timedelta(hours=hours)
    with pytest.raises(RefusedFetchError, match=r"部署は古い.*fetch_departments から"):
        stages.fetch.fetch_users(resume(job.record, linked.tenant.mapping), linked.tenant.client(), later)
    again = linked.tenant.open(run_id=job.start.run_id)
    stages.fetch.fetch_departments(again, linked.tenant.client(), "anew", later)
    assert stages.fetch.fetch_users(again, linked.tenant.client(), later + dt.timedelta(hours=5))


def test_l4_the_run_that_made_the_baseline_is_done_when_it_is_cleared(linked: World) -> None:
    """Cleared from any task it finds its work done, and writes nothing again."""
    job = older_run(linked, "load")
    linked.day(joiners=1)
    before = linked.state()
    again = resume(linked.tenant.open(run_id=job.start.run_id).record, linked.tenant.mapping)
    linked.tenant.read(again)
    stages.diff.make_diff(again, linked.tenant.target, NOW)
    stages.validate.validate(again, linked.tenant.target, FORMAT, NOW)
    assert linked.tenant.load(again) == "already"
    assert linked.state() == before


def test_l3_a_first_link_does_not_go_on_beside_another(world: World) -> None:
    """Two first links at once, in two Airflows on one store: who comes second must read again."""
    job = world.tenant.open()
    world.tenant.read(job)
    world.day(joiners=1)
    world.tenant.run()
    with pytest.raises(BaselineError, match=OLD):
        resume(job.record, world.tenant.mapping)
