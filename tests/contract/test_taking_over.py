"""Records that are not only ours: a first link that takes over what EMC has, and people with 保有権限 (E31, E36, E41)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.errors import HoldError
from renkei.links.smarthr_emc import affected, stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages.job import Job
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import NOW, counts, warned
from tests.harness.world import World, ids

ADMIN = {"氏名": "管理者", "氏名(ヨミ)": "カンリシャ", "保有権限3": "システム管理者"}


def kinds(job: Job) -> list[str]:
    return [hold["kind"] for hold in job.record.json("hold")["holds"]]


def named(job: Job) -> dict[str, set[str]]:
    """Who the question names, by the heading."""
    return {group.title: {one.user_id for one in group.people} for group in affected.held(job.record, 100)}


def is_stopped(world: World, job: Job) -> None:
    """Nothing is written until somebody lets the plan through; then it is, whole."""
    before = world.state()
    with pytest.raises(HoldError):
        world.tenant.load(job)
    assert world.state() == before
    stages.approve.decide(job, True, "運用", "確認した", NOW)
    assert world.tenant.load(job) == "loaded"


def test_e31_a_first_link_that_takes_records_over_waits_and_names_them(world: World) -> None:
    """People by user and crew id, departments by theirs; nobody else of EMC's is spoken of, or touched (E28)."""
    known = ids(world.active())[:3]
    for user_id in (*known, "kanrisha"):
        world.somebody(user_id)
    code = world.smarthr.sim("GET", "companies/acme/departments")[0]["code"]
    world.by_hand("POST", "departments", 部署ID=code, 部署名="手作り")
    job = world.tenant.plan()
    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"]) == ("adopt", 4)
    assert f"社員3件・部署1件（{code}）" in hold["text"]
    assert named(job) == {"EMCに既に登録があり、更新として取り込む社員": set(known)}
    assert len(warned(job, "adopted")) == 3
    is_stopped(world, job)
    assert set(world.users()) == {*ids(world.active()), "kanrisha"}
    assert world.users()["kanrisha"]["氏名"] == "手入力"
    assert counts(job)["deleted"] == 0


def test_e31_a_first_link_into_an_empty_emc_waits_for_nobody(world: World) -> None:
    """Nor one beside records that it does not touch."""
    world.somebody("kanrisha", **ADMIN)
    job = world.tenant.plan()
    assert kinds(job) == []
    assert world.tenant.load(job) == "loaded"


def test_e31_without_a_baseline_relink_takes_over_only_by_a_persons_word(linked: World) -> None:
    """A lost baseline: 再連携 finds its own people in EMC, and whoever else has their ids."""
    for name in linked.store.files("smarthr_emc/tenants/acme/baselines"):
        linked.store.delete(name)
    assert kinds(linked.tenant.plan(Mode.RELINK)) == ["adopt"]


@pytest.mark.parametrize("first", [True, False], ids=["first link", "any day"])
def test_e41_an_administrator_made_by_hand_is_not_taken_over_unseen(world: World, first: bool) -> None:
    """An id that collides with EMC's own `admin`: held and named, whether it is one of many or the only one."""
    if not first:
        world.tenant.run()
        (crew_id,) = world.day(joiners=1)["joiners"]
    else:
        crew_id = world.active()[0]["id"]
    world.patch(crew_id, emp_code="admin")
    world.somebody("admin", **ADMIN)
    job = world.tenant.plan()
    assert kinds(job) == ["administrators", "adopt"][: 2 if first else 1]
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、更新として取り込む社員"] == {"admin"}
    assert warned(job, "admin_adopted") == {crew_id}
    is_stopped(world, job)


def leaves(world: World, crew_id: str) -> None:
    world.smarthr.sim("DELETE", f"companies/acme/crews/{crew_id}")


def is_renumbered(world: World, crew_id: str) -> None:
    world.patch(crew_id, emp_code="new-number")


def is_retired(world: World, crew_id: str) -> None:
    world.patch(crew_id, emp_status="retired")


@pytest.mark.parametrize("change", [leaves, is_renumbered, is_retired])
def test_e41_an_administrator_is_not_deleted_unseen(linked: World, change: Any) -> None:
    """The role was given in EMC, which the sheet knows nothing of: one deletion, far below every limit."""
    one, other = linked.active()[:2]
    linked.by_hand("PATCH", "users", one["emp_code"], 保有権限1="管理者")
    leaves(linked, other["id"])
    change(linked, one["id"])
    job = linked.tenant.plan()
    assert kinds(job) == ["administrators"]
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、削除する社員"] == {one["emp_code"]}
    is_stopped(linked, job)
    assert one["emp_code"] not in linked.users()


def test_e41_relink_names_the_administrators_it_replaces(linked: World) -> None:
    """Deleted and made anew they would have lost what was given them by hand."""
    one = linked.active()[0]
    linked.by_hand("PATCH", "users", one["emp_code"], 保有権限1="管理者")
    job = linked.tenant.plan(Mode.RELINK)
    assert "administrators" in kinds(job)
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、削除する社員"] == {one["emp_code"]}


def test_e41_nobody_with_a_role_changes_hands_on_an_ordinary_day(linked: World) -> None:
    """An administrator who stays is updated as anybody; a leaver without a role goes as ever."""
    one, other = linked.active()[:2]
    linked.by_hand("PATCH", "users", one["emp_code"], 保有権限1="管理者")
    leaves(linked, other["id"])
    assert linked.tenant.run() == "loaded"


def test_e41_where_emc_cannot_be_asked_what_was_written_counts(world: World) -> None:
    """A file drop: a role that the sheet gives is known from the baseline."""
    world.tenant.target = DropFolder(LocalFiles(world.folder / "drop"))
    role = {"保有権限1": ("役職1", "登録", "登録しない", "更新", "更新")}
    world.tenant.mapping = full_mapping(SHEET | role, loader="FILE_DROP")
    one = world.active()[0]
    for crew in world.active():
        world.patch(crew["id"], positions=[])
    world.patch(one["id"], positions=[{"id": "p1", "name": "管理者"}])
    job = world.tenant.plan()
    assert world.tenant.load(job) == "waiting"
    (key,) = {path.name.split(".ready")[0] for path in (world.folder / "drop").glob("*.ready")}
    world.tenant.target.confirm(key, "committed", "運用")
    leaves(world, one["id"])
    job = world.tenant.plan()
    assert kinds(job) == ["administrators"]
    assert warned(job, "admin_deleted") == {one["id"]}
