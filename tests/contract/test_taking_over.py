"""Records that are not only ours: a first link that takes over what EMC has, and people with 保有権限 (E31, E36, E41)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.errors import HoldError
from renkei.links.smarthr_emc import affected, stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages.job import Job
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.contract.rig import NOW, SHEET, mapping_of
from tests.contract.stage import Stage, ids, warned

ADMIN = {"氏名": "管理者", "氏名(ヨミ)": "カンリシャ", "保有権限3": "システム管理者"}


def by_hand(stage: Stage, *user_ids: str, **values: str) -> None:
    """Users that somebody made on EMC's screen."""
    rows = [{"ユーザID": one, "氏名": "仮", "氏名(ヨミ)": "カリ", **values} for one in user_ids]
    stage.emc.sim("POST", "/accounts/acme/users", json=rows)


def kinds(job: Job) -> list[str]:
    return [hold["kind"] for hold in job.record.json("hold")["holds"]]


def named(job: Job) -> dict[str, set[str]]:
    """Who the question names, by the heading."""
    return {group.title: {one.user_id for one in group.people} for group in affected.held(job.record, 100)}


def is_stopped(stage: Stage, job: Job) -> None:
    """Nothing is written until somebody lets the plan through; then it is, whole."""
    before = stage.state()
    with pytest.raises(HoldError):
        stage.tenant.load(job)
    assert stage.state() == before
    stages.approve.decide(job, True, "運用", "確認した", NOW)
    assert stage.tenant.load(job) == "loaded"


def test_e31_a_first_link_that_takes_records_over_waits_and_names_them(stage: Stage) -> None:
    """People by user and crew id, departments by theirs; nobody else of EMC's is spoken of."""
    known = ids(stage.active())[:3]
    by_hand(stage, *known, "kanrisha")
    code = stage.smarthr.sim("GET", "companies/acme/departments")[0]["code"]
    stage.emc.sim("POST", "/accounts/acme/departments", json={"部署ID": code, "部署名": "手作り"})
    job = stage.tenant.plan()
    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"]) == ("adopt", 4)
    assert f"社員3件・部署1件（{code}）" in hold["text"]
    assert named(job) == {"EMCに既に登録があり、更新として取り込む社員": set(known)}
    assert len(warned(job, "adopted")) == 3
    is_stopped(stage, job)
    assert set(stage.users()) == {*ids(stage.active()), "kanrisha"}


def test_e31_a_first_link_into_an_empty_emc_waits_for_nobody(stage: Stage) -> None:
    """Nor one beside records that it does not touch."""
    by_hand(stage, "kanrisha", **ADMIN)
    job = stage.tenant.plan()
    assert kinds(job) == []
    assert stage.tenant.load(job) == "loaded"


def test_e31_without_a_baseline_relink_takes_over_only_by_a_persons_word(linked: Stage) -> None:
    """A lost baseline: 再連携 finds its own people in EMC, and whoever else has their ids."""
    for name in linked.store.files("smarthr_emc/tenants/acme/baselines"):
        linked.store.delete(name)
    assert kinds(linked.tenant.plan(Mode.RELINK)) == ["adopt"]


@pytest.mark.parametrize("first", [True, False], ids=["first link", "any day"])
def test_e41_an_administrator_made_by_hand_is_not_taken_over_unseen(stage: Stage, first: bool) -> None:
    """An id that collides with EMC's own `admin`: held and named, whether it is one of many or the only one."""
    if not first:
        stage.tenant.run()
        (crew_id,) = stage.day(joiners=1)["joiners"]
    else:
        crew_id = stage.active()[0]["id"]
    stage.patch(crew_id, emp_code="admin")
    by_hand(stage, "admin", **ADMIN)
    job = stage.tenant.plan()
    assert kinds(job) == ["administrators", "adopt"][: 2 if first else 1]
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、更新として取り込む社員"] == {"admin"}
    assert warned(job, "admin_adopted") == {crew_id}
    is_stopped(stage, job)


def leaves(stage: Stage, crew_id: str) -> None:
    stage.smarthr.sim("DELETE", f"companies/acme/crews/{crew_id}")


def is_renumbered(stage: Stage, crew_id: str) -> None:
    stage.patch(crew_id, emp_code="new-number")


def is_retired(stage: Stage, crew_id: str) -> None:
    stage.patch(crew_id, emp_status="retired")


@pytest.mark.parametrize("change", [leaves, is_renumbered, is_retired])
def test_e41_an_administrator_is_not_deleted_unseen(linked: Stage, change: Any) -> None:
    """The role was given in EMC, which the sheet knows nothing of: one deletion, far below every limit."""
    one, other = linked.active()[:2]
    linked.emc.sim("PATCH", f"/accounts/acme/users/{one['emp_code']}", json={"保有権限1": "管理者"})
    leaves(linked, other["id"])
    change(linked, one["id"])
    job = linked.tenant.plan()
    assert kinds(job) == ["administrators"]
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、削除する社員"] == {one["emp_code"]}
    is_stopped(linked, job)
    assert one["emp_code"] not in linked.users()


def test_e41_relink_names_the_administrators_it_replaces(linked: Stage) -> None:
    """Deleted and made anew they would have lost what was given them by hand."""
    one = linked.active()[0]
    linked.emc.sim("PATCH", f"/accounts/acme/users/{one['emp_code']}", json={"保有権限1": "管理者"})
    job = linked.tenant.plan(Mode.RELINK)
    assert "administrators" in kinds(job)
    assert named(job)["EMCで保有権限を持つ（管理者などの）ユーザで、削除する社員"] == {one["emp_code"]}


def test_e41_nobody_with_a_role_changes_hands_on_an_ordinary_day(linked: Stage) -> None:
    """An administrator who stays is updated as anybody; a leaver without a role goes as ever."""
    one, other = linked.active()[:2]
    linked.emc.sim("PATCH", f"/accounts/acme/users/{one['emp_code']}", json={"保有権限1": "管理者"})
    leaves(linked, other["id"])
    assert linked.tenant.run() == "loaded"


def test_e41_where_emc_cannot_be_asked_what_was_written_counts(stage: Stage) -> None:
    """A file drop: a role that the sheet gives is known from the baseline."""
    stage.tenant.target = DropFolder(LocalFiles(stage.folder / "drop"))
    role = {"保有権限1": ("役職1", "登録", "登録しない", "更新", "更新")}
    stage.tenant.mapping = mapping_of(SHEET | role, loader="FILE_DROP")
    one = stage.active()[0]
    for crew in stage.active():
        stage.patch(crew["id"], positions=[])
    stage.patch(one["id"], positions=[{"id": "p1", "name": "管理者"}])
    job = stage.tenant.plan()
    assert stage.tenant.load(job) == "waiting"
    (key,) = {path.name.split(".ready")[0] for path in (stage.folder / "drop").glob("*.ready")}
    stage.tenant.target.confirm(key, "committed", "運用")
    leaves(stage, one["id"])
    job = stage.tenant.plan()
    assert kinds(job) == ["administrators"]
    assert warned(job, "admin_deleted") == {one["id"]}
