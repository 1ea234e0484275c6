"""Whole runs of one tenant without Airflow, from a running SmartHR into a running EMC: what is written."""

from __future__ import annotations

import pytest

from renkei.errors import (
    HoldError,
    LinkStateError,
    RecordError,
)
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.sheet.mapping import LinkState
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import NOW, counts, warned
from tests.harness.world import World, ids


def test_e31_a_first_link_is_everybody(world: World) -> None:
    """All valid people and all departments are in EMC afterwards, with what the sheet says, and counted as 新規."""
    job = world.tenant.plan()
    assert world.tenant.load(job) == "loaded"

    active = world.active()
    assert sorted(world.users()) == ids(active)
    assert sorted(world.emc.export("departments")) == sorted(
        department["code"] for department in world.smarthr.sim("GET", "companies/acme/departments")
    )
    assert counts(job) == {"created": len(active), "updated": 0, "deleted": 0}
    one, user = active[0], world.users()[active[0]["emp_code"]]
    assert user["氏名"] == f"{one['last_name']}　{one['first_name']}"
    assert user["所属部署コード"] == one["departments"][0]["code"]
    assert (user["緊急連絡1 媒体"], user["緊急連絡1 アドレス"]) == ("メールアドレス", one["email"])
    assert world.tenant.generation() == 1


def test_e31_a_first_link_is_never_scheduled(world: World) -> None:
    """A scheduled run without a baseline writes nothing and says how to begin."""
    with pytest.raises(LinkStateError, match=r"初回連携.*手動"):
        world.tenant.run(manual=False)

    assert world.users() == {}
    assert world.opened() == 0


def test_e14_a_quiet_day_writes_nothing(linked: World) -> None:
    """変化なし: no import is opened and the baseline stays."""
    before = linked.state()

    assert linked.tenant.run(manual=False) == "unchanged"
    assert linked.state() == before
    assert linked.opened() == 0


def test_e14_write_all_writes_although_nothing_changed(linked: World) -> None:
    """全件書き込み puts right what somebody changed in EMC by hand, departments included."""
    user_id = ids(linked.active())[0]
    department = next(iter(linked.emc.export("departments")))
    before = linked.users()
    linked.by_hand("PATCH", "users", user_id, 氏名="別人")
    linked.by_hand("DELETE", "departments", department)

    assert linked.tenant.run(Mode.WRITE_ALL) == "loaded"
    assert linked.users() == before
    assert department in linked.emc.export("departments")
    assert linked.tenant.generation() == 2


def test_e14_only_the_changed_record_set_is_written(linked: World) -> None:
    """A move of one person: all users are written, no department is."""
    linked.day(moves=1)
    job = linked.tenant.plan()
    linked.tenant.load(job)

    assert (job.record.json("plan")["departments"], job.record.json("plan")["users"]) == (False, True)
    assert counts(job)["updated"] == len(linked.active())


def test_e14_a_change_of_the_sheet_is_a_change(linked: World) -> None:
    """The same people by another rule are written again."""
    linked.tenant.mapping = full_mapping(SHEET | {"検索ワード1:勤務地": "雇用形態"})

    assert linked.tenant.run(manual=False) == "loaded"
    one = linked.active()[0]
    assert linked.users()[one["emp_code"]]["検索ワード1"] == one["employment_type"]["name"]


def test_e3_check_only_plans_and_writes_nothing(linked: World) -> None:
    """確認のみ: the plan is there to be read; EMC and baseline are as before."""
    linked.day(joiners=1, leavers=1)
    before = linked.state()
    job = linked.tenant.plan(Mode.CHECK_ONLY)

    assert linked.tenant.load(job) == "checked"
    assert counts(job)["created"] == 1
    assert linked.state() == before
    assert linked.opened() == 0


def test_e6_e8_e12_an_ordinary_day(linked: World) -> None:
    """Joiners come, the gone, the retired, the renumbered and those without a number go, each for its own reason."""
    before = {crew["id"]: crew["emp_code"] for crew in linked.active()}
    touched = linked.day(joiners=3, leavers=1, retirements=1, renumbered=1, lost_codes=1)
    job = linked.tenant.plan(manual=False)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    assert counts(job) == {"created": 4, "updated": len(before) - 4, "deleted": 4}
    (renumbered,) = touched["renumbered"]
    new = linked.crews()[renumbered]["emp_code"]
    assert [tuple(row) for row in job.record.json("warnings")["id_changes"]] == [(renumbered, before[renumbered], new)]
    assert warned(job, "lost_id") == set(touched["lost_codes"])
    diff = job.record.table("users_diff").set_index("id")["reason"]
    gone, retired = touched["leavers"][0], touched["retirements"][0]
    assert (diff[before[gone]], diff[before[retired]]) == ("gone", "retired")
    assert linked.tenant.run() == "unchanged"


def test_e7_somebody_on_leave_stays(linked: World) -> None:
    """休職中 and a date of resignation do not delete anybody."""
    one = linked.active()[0]
    linked.patch(one["id"], emp_status="absent", resigned_at="2026-01-31")
    linked.day(moves=1)
    linked.tenant.run()

    assert one["emp_code"] in linked.users()


def test_e13_departments_come_and_go_with_their_people(linked: World) -> None:
    """A reorganised company: new, renamed and moved departments; a deleted one goes after its people have left it."""
    linked.day(reorganised=2)
    linked.tenant.run()
    linked.dissolve()
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    left = linked.smarthr.sim("GET", "companies/acme/departments")
    assert {i: d["部署名"] for i, d in linked.emc.export("departments").items()} == {d["code"]: d["name"] for d in left}
    assert {i: d.get("親部署ID") for i, d in linked.emc.export("departments").items()} == {
        d["code"]: (d["parent"] or {}).get("code") for d in left
    }
    assert counts(job, "departments")["deleted"] == 1


def test_l2_e30_one_bad_row_loads_nothing(linked: World) -> None:
    """A blank name among joiners, leavers and new departments: nothing of it is written, and the crew is named."""
    touched = linked.day(blank_names=1, joiners=2, leavers=1, reorganised=1)
    before = linked.state()
    with pytest.raises(RecordError, match="1件"):
        linked.tenant.run(run_id="bad", manual=False)

    assert linked.state() == before
    assert linked.opened() == 0
    problems = linked.tenant.record("bad").table("problems")
    assert problems["crew_id"].tolist() == touched["blank_names"]
    assert problems["item"].tolist() == ["full_name"]
    assert not linked.tenant.note()


def test_e25_a_changed_prefix_is_refused(linked: World) -> None:
    """ID付与コード cannot be changed in place; the message names 再連携."""
    before = linked.state()
    linked.tenant.change(id_prefix="new-")
    with pytest.raises(LinkStateError, match="再連携"):
        linked.tenant.run()

    assert linked.state() == before


def test_e32_relink_shows_then_waits_then_replaces_everybody(linked: World) -> None:
    """確認のみ writes nothing; the run is held for a person; then the old ids are gone and the new ones there, at once."""
    old, before = ids(linked.active()), linked.state()
    linked.tenant.change(id_prefix="new-")
    check = linked.tenant.plan(Mode.RELINK_CHECK)
    assert counts(check) == {"created": len(old), "updated": 0, "deleted": len(old)}
    assert linked.tenant.load(check) == "checked"
    assert linked.state() == before

    job = linked.tenant.plan(Mode.RELINK)
    assert stages.approve.is_held(job)
    with pytest.raises(HoldError):
        linked.tenant.load(job)
    assert linked.state() == before
    stages.approve.decide(job, True, "tanaka", "prefix changed", NOW)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == [f"new-{user_id}" for user_id in old]
    assert all(department.startswith("new-") for department in linked.emc.export("departments"))
    assert linked.opened() == 1
    assert linked.tenant.run() == "unchanged"


def test_e32_relink_with_the_same_ids_deletes_and_adds_them(linked: World) -> None:
    """One D followed by one A of the same id in one file replaces the user: nothing of the old record is left."""
    user_id = ids(linked.active())[0]
    linked.by_hand("PATCH", "users", user_id, 検索ワード5="手で入れた値")
    job = linked.tenant.plan(Mode.RELINK)
    stages.approve.decide(job, True, "tanaka", "start over", NOW)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    assert "検索ワード5" not in linked.users()[user_id]
    assert linked.opened() == 1


def test_e32_a_frozen_link_writes_nothing(linked: World) -> None:
    """連携解除 leaves EMC as it is, however the run is started."""
    linked.day(leavers=1)
    before = linked.state()
    linked.tenant.change(state=LinkState.FROZEN)
    for mode in (Mode.NORMAL, Mode.RELINK, Mode.WRITE_ALL):
        with pytest.raises(LinkStateError, match="連携解除中"):
            linked.tenant.run(mode)

    assert linked.state() == before


def test_e31_a_user_deleted_by_hand_is_created_again(linked: World) -> None:
    """Even a quiet day brings the person back, with a password; nothing is blocked."""
    user_id, crew_id = ids(linked.active())[0], linked.active()[0]["id"]
    linked.by_hand("DELETE", "users", user_id)
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    assert warned(job, "recreated") == {crew_id}
    assert linked.by_hand("GET", "users", user_id)["password_sha256"]
    assert counts(job)["created"] == 0  # 新規 is said of SmartHR's people, not of EMC's records


def test_e8_a_leaver_whom_somebody_deleted_by_hand_blocks_nothing(linked: World) -> None:
    """The delete finds nobody, and that is what was wanted."""
    one = linked.active()[0]
    linked.smarthr.sim("DELETE", f"companies/acme/crews/{one['id']}")
    linked.by_hand("DELETE", "users", one["emp_code"])

    assert linked.tenant.run() == "loaded"
    assert sorted(linked.users()) == ids(linked.active())


def test_e31_a_joiner_whom_emc_has_already_is_adopted(linked: World) -> None:
    """The joiner's record becomes ours as an update: values by the sheet, password and the rest as they were."""
    (crew_id,) = linked.day(joiners=1)["joiners"]
    user_id = linked.crews()[crew_id]["emp_code"]
    linked.somebody(user_id, 検索ワード5="残る")
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    found = linked.by_hand("GET", "users", user_id)
    assert warned(job, "adopted") == {crew_id}
    assert found["values"]["検索ワード5"] == "残る"
    assert found["values"]["氏名"] == "　".join(
        (linked.crews()[crew_id]["last_name"], linked.crews()[crew_id]["first_name"])
    )
    assert not found["password_sha256"]


def test_e27_another_tenant_s_id_is_refused_by_name(linked: World) -> None:
    """The second company of the account numbers its people alike: its run stops and names the first one."""
    before = linked.state()
    second = linked.join("beta", seed=8, size=5)
    with pytest.raises(RecordError):
        second.run(run_id="clash")

    problems = second.record("clash").table("problems")
    assert set(problems["kind"]) == {"other_tenant"}
    assert problems["detail"].str.contains("acme").all()
    assert linked.state() == before
    second.change(id_prefix="b-")
    assert second.run() == "loaded"
    assert sorted(linked.users()) == sorted([*ids(linked.active()), *(f"b-{i}" for i in ids(linked.active("beta")))])


def test_e27_two_first_links_at_once_cannot_both_take_an_id(world: World) -> None:
    """Both were validated before either was loaded: the second is stopped in front of EMC, and leaves no note."""
    second = world.join("beta", seed=8, size=5)
    first_job, second_job = world.tenant.plan(), second.plan()
    world.tenant.load(first_job)
    before = world.state()
    with pytest.raises(RecordError, match="別テナント"):
        second.load(second_job)

    assert world.state() == before
    assert second.generation() == 0
    assert not second.note()


def test_e28_a_tenant_deletes_only_its_own(linked: World) -> None:
    """The neighbour's people and those kept by hand survive this tenant's leavers and its 再連携."""
    linked.join("beta", seed=8, size=5, id_prefix="b-").run()
    linked.somebody("kanrisha")
    linked.day(leavers=2)
    linked.tenant.run()
    linked.tenant.change(id_prefix="a-")
    job = linked.tenant.plan(Mode.RELINK)
    stages.approve.decide(job, True, "tanaka", "", NOW)
    linked.tenant.load(job)

    others = {user_id for user_id in linked.users() if not user_id.startswith("a-")}
    assert others == {"kanrisha", *(f"b-{user_id}" for user_id in ids(linked.active("beta")))}
