"""復元 goes back to an applied snapshot by a plan that is shown first; 照合 compares and writes nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.errors import HoldError, LinkStateError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages.job import Job
from renkei.runs.notes import LastComparison
from renkei.storage import records
from renkei.storage.baselines import Baselines
from tests.harness.tenant import FORMAT, counts
from tests.harness.world import World

NOW = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)


def planned(world: World, generation: int = 0) -> Job:
    """A 復元 up to the question that it asks."""
    tenant = world.tenant
    job = tenant.open(Mode.RESTORE, generation=generation)
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, tenant.target, NOW)
    stages.validate.validate(job, tenant.target, FORMAT, NOW)
    return job


def without_password(users: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {
        user_id: {name: value for name, value in row.items() if name != "パスワード"} for user_id, row in users.items()
    }


def test_e36_restore_shows_its_plan_and_waits(linked: World) -> None:
    """Nothing is written before a person has seen what would be deleted, added and updated."""
    linked.day(joiners=2, leavers=1, moves=1)
    linked.tenant.run()
    before = linked.state()
    job = planned(linked)

    assert stages.approve.is_held(job)
    assert counts(job)["deleted"] == 2
    assert counts(job)["created"] == 1
    with pytest.raises(HoldError):
        linked.tenant.load(job)
    assert linked.state() == before


def test_l4_restore_brings_emc_back_to_what_it_had(linked: World) -> None:
    """People, departments and values are those of that generation, across several days, cleared values included."""
    one = linked.active()[0]
    linked.patch(one["id"], tel_number=None)
    linked.tenant.run()
    then = (without_password(linked.users()), linked.emc.export("departments"))
    wanted = linked.tenant.generation()
    linked.patch(one["id"], tel_number="090-1111-2222", email="new@example.jp")
    linked.day(joiners=3, leavers=2, moves=2, renumbered=1)
    linked.tenant.run()
    linked.dissolve()
    linked.day(joiners=1)
    job = linked.tenant.plan()
    stages.approve.decide(job, True, "tanto", "", NOW)  # many people had that department: the sheet's guard asks
    linked.tenant.load(job)
    job = planned(linked, wanted)
    stages.approve.decide(job, True, "tanto", "誤った異動を戻す", NOW)
    assert linked.tenant.load(job) == "loaded"

    assert (without_password(linked.users()), linked.emc.export("departments")) == then
    assert linked.tenant.generation() == wanted + 3


def test_l3_the_day_after_a_restore_is_an_ordinary_day(linked: World) -> None:
    """The baseline is what was restored: SmartHR's present state is a difference from it, and is written."""
    linked.day(joiners=2, leavers=1)
    linked.tenant.run()
    today = without_password(linked.users())
    job = planned(linked)
    stages.approve.decide(job, True, "tanto", "", NOW)
    linked.tenant.load(job)
    job = linked.tenant.plan(manual=False)
    linked.tenant.load(job)

    assert counts(job)["created"] == 2
    assert counts(job)["deleted"] == 1
    assert without_password(linked.users()) == today


def test_e31_restore_needs_a_generation_that_was_applied(linked: World) -> None:
    """There is none before the first link, the current one is no way back, and a removed record says so."""
    with pytest.raises(LinkStateError, match="前の世代がありません"):
        linked.tenant.open(Mode.RESTORE)
    first = linked.store.read_json("smarthr_emc/tenants/acme/baselines/00000001.json")["run"]
    linked.day(joiners=1)
    linked.tenant.run()
    for wanted in (2, 9):
        with pytest.raises(LinkStateError, match=r"指定できるのは 第1世代（\d{4}/\d\d/\d\d \d+:\d\d に登録、社員\d+名"):
            linked.tenant.open(Mode.RESTORE, generation=wanted)
    linked.store.delete(f"smarthr_emc/tenants/acme/runs/{first}/snapshot.json")
    with pytest.raises(LinkStateError, match="保存期間"):
        linked.tenant.open(Mode.RESTORE, generation=1)


def test_l1_restore_under_the_freeze_removes_nobody(linked: World) -> None:
    """Who left is back; who joined since stays."""
    linked.day(joiners=2, leavers=1)
    before = set(linked.users())
    linked.tenant.run()
    during = set(linked.users())
    linked.tenant.disaster = True
    job = planned(linked)
    stages.approve.decide(job, True, "tanto", "", NOW)
    linked.tenant.load(job)

    assert set(linked.users()) == before | during


def test_l1_reconcile_reports_what_was_changed_by_hand_and_writes_nothing(linked: World) -> None:
    """照合: one gone, one more, one changed; EMC, baseline and imports are as before."""
    first, second, *_ = [crew["emp_code"] for crew in linked.active()]
    linked.by_hand("DELETE", "users", first)
    linked.by_hand("PATCH", "users", second, 氏名="別人")
    linked.emc.sim("POST", "accounts/acme/users", [{"ユーザID": "BYHAND", "氏名": "手で登録"}])
    before = linked.state()
    job = linked.tenant.open(Mode.RECONCILE)
    figures = stages.diff.compare(job, linked.tenant.target, FORMAT, NOW)

    assert {kind: getattr(figures["users"], kind) for kind in ("missing", "differs", "extra")} == {
        "missing": 1,
        "differs": 1,
        "extra": 1,
    }
    text = "\n".join(job.record.json("compare")["lines"])
    assert all(name in text for name in (first, second, "BYHAND"))
    assert "別人" not in text
    assert stages.validate.validate(job, linked.tenant.target, FORMAT, NOW) == []
    assert stages.approve.is_held(job) is False
    assert linked.tenant.load(job) == "differs"
    assert linked.state() == before
    assert linked.opened() == 0


def test_e44_the_last_comparison_names_its_baseline_and_what_differs(linked: World) -> None:
    """One key says when EMC was last compared, with which baseline; the next comparison takes its place."""
    linked.by_hand("DELETE", "users", linked.active()[0]["emp_code"])
    for at, missing in ((NOW, 1), (NOW + dt.timedelta(days=1), 0)):
        job = linked.tenant.open(Mode.RECONCILE)
        stages.diff.compare(job, linked.tenant.target, FORMAT, at)
        folder = job.record.tenant_folder
        note, baseline = records.read(folder.store, folder.last_comparison, LastComparison), Baselines(folder).current()

        assert baseline is not None
        assert (note.run, note.folder, note.at) == (job.start.run_id, job.record.run, at)
        assert (note.generation, note.digest) == (baseline.generation, baseline.plan_digest)
        assert note.differences == {"missing": missing, "differs": 0, "extra": 0}
        assert note.agrees is (missing == 0)
        linked.tenant.run()
