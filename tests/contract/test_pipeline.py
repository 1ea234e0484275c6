"""Whole runs of one tenant without Airflow, from a running SmartHR into a running EMC."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import (
    BaselineError,
    HoldError,
    IncompleteReadError,
    LinkStateError,
    RecordError,
    RejectedLoadError,
    RetriableLoadError,
)
from renkei.links.smarthr_emc import pipeline
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.pipeline import Job
from renkei.links.smarthr_emc.sheet.mapping import LinkState
from renkei.storage.store import Store
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.contract.conftest import Simulator
from tests.contract.emc_client import Emc
from tests.contract.rig import FORMAT, LINK, NOW, SHEET, Tenant, counts, mapping_of

SIZE = 40


class Stage:
    """Company and EMC account `acme` with one tenant between them."""

    def __init__(self, emc: Emc, smarthr: Simulator, folder: Path) -> None:
        self.emc = emc
        self.smarthr = smarthr
        self.folder = folder
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        self.tenants: list[Tenant] = []
        self.tenant = self.join("acme", seed=4, size=SIZE)

    def join(self, name: str, seed: int, size: int, **settings: Any) -> Tenant:
        """Another company that shares the EMC account."""
        self.smarthr.sim("POST", "companies", {"name": name, "seed": seed, "size": size})
        sheet = settings.pop("sheet", None)
        tenant = Tenant.over_http(
            self.store, mapping_of(sheet, tenant=name, **settings), self.smarthr.url, self.emc.url
        )
        self.tenants.append(tenant)
        return tenant

    def day(self, name: str = "acme", **changes: int) -> dict[str, Any]:
        found: dict[str, Any] = self.smarthr.sim("POST", f"companies/{name}/day", changes)
        return found

    def crews(self, name: str = "acme") -> dict[str, dict[str, Any]]:
        """Everybody whom SmartHR has, by crew id."""
        return {crew["id"]: crew for crew in self.smarthr.sim("GET", f"companies/{name}/crews")}

    def patch(self, crew_id: str, **values: Any) -> None:
        self.smarthr.sim("PATCH", f"companies/acme/crews/{crew_id}", values)

    def active(self, name: str = "acme") -> list[dict[str, Any]]:
        """The valid crews, by user id."""
        crews = [c for c in self.crews(name).values() if c["emp_status"] != "retired" and c["emp_code"]]
        return sorted(crews, key=lambda crew: crew["emp_code"])

    def users(self) -> dict[str, dict[str, str]]:
        return self.emc.export("users")

    def state(self) -> tuple[Any, Any, int]:
        """What must not move when a run writes nothing."""
        return self.users(), self.emc.export("departments"), self.tenant.generation()

    def opened(self) -> int:
        """Imports that were opened, by anybody."""
        return int(self.emc.sim("GET", "/requests").json().get("POST /api/v1/imports", 0))


@pytest.fixture
def stage(emc_sim: Emc, smarthr_bare: Simulator, memory_path: Path) -> Iterator[Stage]:
    found = Stage(emc_sim, smarthr_bare, memory_path)
    yield found
    for tenant in found.tenants:
        tenant.close()


@pytest.fixture
def linked(stage: Stage) -> Stage:
    """After a first link."""
    assert stage.tenant.run(run_id="first") == "loaded"
    stage.emc.sim("DELETE", "/requests")
    return stage


def ids(crews: list[dict[str, Any]]) -> list[str]:
    return [crew["emp_code"] for crew in crews]


def warned(job: Job, kind: str) -> set[str]:
    """Crew ids that the run warns of."""
    return {crew_id for found, _, crew_id in job.record.json("warnings")["people"] if found == kind}


def test_e31_a_first_link_is_everybody(stage: Stage) -> None:
    """All valid people and all departments are in EMC afterwards, with what the sheet says, and counted as 新規."""
    job = stage.tenant.plan()
    assert stage.tenant.load(job) == "loaded"

    active = stage.active()
    assert sorted(stage.users()) == ids(active)
    assert sorted(stage.emc.export("departments")) == sorted(
        department["code"] for department in stage.smarthr.sim("GET", "companies/acme/departments")
    )
    assert counts(job) == {"created": len(active), "updated": 0, "deleted": 0}
    one, user = active[0], stage.users()[active[0]["emp_code"]]
    assert user["氏名"] == f"{one['last_name']}　{one['first_name']}"
    assert user["所属部署コード"] == one["departments"][0]["code"]
    assert (user["緊急連絡1 媒体"], user["緊急連絡1 アドレス"]) == ("メールアドレス", one["email"])
    assert stage.tenant.generation() == 1


def test_e31_a_first_link_is_never_scheduled(stage: Stage) -> None:
    """A scheduled run without a baseline writes nothing and says how to begin."""
    with pytest.raises(LinkStateError, match=r"初回連携.*手動"):
        stage.tenant.run(manual=False)

    assert stage.users() == {}
    assert stage.opened() == 0


def test_e14_a_quiet_day_writes_nothing(linked: Stage) -> None:
    """変化なし: no import is opened and the baseline stays."""
    before = linked.state()

    assert linked.tenant.run(manual=False) == "unchanged"
    assert linked.state() == before
    assert linked.opened() == 0


def test_e14_write_all_writes_although_nothing_changed(linked: Stage) -> None:
    """全件書き込み puts right what somebody changed in EMC by hand, departments included."""
    user_id = ids(linked.active())[0]
    department = next(iter(linked.emc.export("departments")))
    before = linked.users()
    linked.emc.sim("PATCH", f"/accounts/acme/users/{user_id}", json={"氏名": "別人"})
    linked.emc.sim("DELETE", f"/accounts/acme/departments/{department}")

    assert linked.tenant.run(Mode.WRITE_ALL) == "loaded"
    assert linked.users() == before
    assert department in linked.emc.export("departments")
    assert linked.tenant.generation() == 2


def test_e14_only_the_changed_record_set_is_written(linked: Stage) -> None:
    """A move of one person: all users are written, no department is."""
    linked.day(moves=1)
    job = linked.tenant.plan()
    linked.tenant.load(job)

    assert (job.record.json("plan")["departments"], job.record.json("plan")["users"]) == (False, True)
    assert counts(job)["updated"] == len(linked.active())


def test_e14_a_change_of_the_sheet_is_a_change(linked: Stage) -> None:
    """The same people by another rule are written again."""
    linked.tenant.mapping = mapping_of(SHEET | {"検索ワード1:勤務地": "雇用形態"})

    assert linked.tenant.run(manual=False) == "loaded"
    one = linked.active()[0]
    assert linked.users()[one["emp_code"]]["検索ワード1"] == one["employment_type"]["name"]


def test_e3_check_only_plans_and_writes_nothing(linked: Stage) -> None:
    """確認のみ: the plan is there to be read; EMC and baseline are as before."""
    linked.day(joiners=1, leavers=1)
    before = linked.state()
    job = linked.tenant.plan(Mode.CHECK_ONLY)

    assert linked.tenant.load(job) == "checked"
    assert counts(job)["created"] == 1
    assert linked.state() == before
    assert linked.opened() == 0


def test_e6_e8_e12_an_ordinary_day(linked: Stage) -> None:
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


def test_e7_somebody_on_leave_stays(linked: Stage) -> None:
    """休職中 and a date of resignation do not delete anybody."""
    one = linked.active()[0]
    linked.patch(one["id"], emp_status="absent", resigned_at="2026-01-31")
    linked.day(moves=1)
    linked.tenant.run()

    assert one["emp_code"] in linked.users()


def test_e13_departments_come_and_go_with_their_people(linked: Stage) -> None:
    """A reorganised company: new, renamed and moved departments; a deleted one goes after its people have left it."""
    linked.day(reorganised=2)
    linked.tenant.run()
    departments = linked.smarthr.sim("GET", "companies/acme/departments")
    parents = {department["parent"]["id"] for department in departments if department["parent"]}
    leaf = next(department for department in departments if department["id"] not in parents)
    linked.smarthr.sim("DELETE", f"companies/acme/departments/{leaf['id']}")
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    left = linked.smarthr.sim("GET", "companies/acme/departments")
    assert {i: d["部署名"] for i, d in linked.emc.export("departments").items()} == {d["code"]: d["name"] for d in left}
    assert {i: d.get("親部署ID") for i, d in linked.emc.export("departments").items()} == {
        d["code"]: (d["parent"] or {}).get("code") for d in left
    }
    assert counts(job, "departments")["deleted"] == 1


def test_l2_e30_one_bad_row_loads_nothing(linked: Stage) -> None:
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


def test_e25_a_changed_prefix_is_refused(linked: Stage) -> None:
    """ID付与コード cannot be changed in place; the message names 再連携."""
    before = linked.state()
    linked.tenant.change(id_prefix="new-")
    with pytest.raises(LinkStateError, match="再連携"):
        linked.tenant.run()

    assert linked.state() == before


def test_e32_relink_shows_then_waits_then_replaces_everybody(linked: Stage) -> None:
    """確認のみ writes nothing; the run is held for a person; then the old ids are gone and the new ones there, at once."""
    old, before = ids(linked.active()), linked.state()
    linked.tenant.change(id_prefix="new-")
    check = linked.tenant.plan(Mode.RELINK_CHECK)
    assert counts(check) == {"created": len(old), "updated": 0, "deleted": len(old)}
    assert linked.tenant.load(check) == "checked"
    assert linked.state() == before

    job = linked.tenant.plan(Mode.RELINK)
    assert pipeline.is_held(job)
    with pytest.raises(HoldError):
        linked.tenant.load(job)
    assert linked.state() == before
    pipeline.decide(job, True, "tanaka", "prefix changed", NOW)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == [f"new-{user_id}" for user_id in old]
    assert all(department.startswith("new-") for department in linked.emc.export("departments"))
    assert linked.opened() == 1
    assert linked.tenant.run() == "unchanged"


def test_e32_relink_with_the_same_ids_deletes_and_adds_them(linked: Stage) -> None:
    """One D followed by one A of the same id in one file replaces the user: nothing of the old record is left."""
    user_id = ids(linked.active())[0]
    linked.emc.sim("PATCH", f"/accounts/acme/users/{user_id}", json={"検索ワード5": "手で入れた値"})
    job = linked.tenant.plan(Mode.RELINK)
    pipeline.decide(job, True, "tanaka", "start over", NOW)
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    assert "検索ワード5" not in linked.users()[user_id]
    assert linked.opened() == 1


def test_e32_a_frozen_link_writes_nothing(linked: Stage) -> None:
    """連携解除 leaves EMC as it is, however the run is started."""
    linked.day(leavers=1)
    before = linked.state()
    linked.tenant.change(state=LinkState.FROZEN)
    for mode in (Mode.NORMAL, Mode.RELINK, Mode.WRITE_ALL):
        with pytest.raises(LinkStateError, match="連携解除中"):
            linked.tenant.run(mode)

    assert linked.state() == before


def test_e31_a_user_deleted_by_hand_is_created_again(linked: Stage) -> None:
    """A quiet day leaves EMC alone; the next change brings the person back, with a password, and blocks nothing."""
    user_id, crew_id = ids(linked.active())[0], linked.active()[0]["id"]
    linked.emc.sim("DELETE", f"/accounts/acme/users/{user_id}")
    assert linked.tenant.run() == "unchanged"
    mover = linked.active()[1]
    linked.patch(mover["id"], tel_number="090-0000-0001")
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    assert sorted(linked.users()) == ids(linked.active())
    assert warned(job, "recreated") == {crew_id}
    assert linked.emc.sim("GET", f"/accounts/acme/users/{user_id}").json()["password_sha256"]
    assert counts(job)["created"] == 0  # 新規 is said of SmartHR's people, not of EMC's records


def test_e8_a_leaver_whom_somebody_deleted_by_hand_blocks_nothing(linked: Stage) -> None:
    """The delete finds nobody, and that is what was wanted."""
    one = linked.active()[0]
    linked.smarthr.sim("DELETE", f"companies/acme/crews/{one['id']}")
    linked.emc.sim("DELETE", f"/accounts/acme/users/{one['emp_code']}")

    assert linked.tenant.run() == "loaded"
    assert sorted(linked.users()) == ids(linked.active())


def test_e31_a_joiner_whom_emc_has_already_is_adopted(linked: Stage) -> None:
    """The joiner's record becomes ours as an update: values by the sheet, password and the rest as they were."""
    (crew_id,) = linked.day(joiners=1)["joiners"]
    user_id = linked.crews()[crew_id]["emp_code"]
    linked.emc.sim(
        "POST",
        "/accounts/acme/users",
        json={"ユーザID": user_id, "氏名": "仮", "氏名(ヨミ)": "カリ", "検索ワード5": "残る"},
    )
    job = linked.tenant.plan()
    assert linked.tenant.load(job) == "loaded"

    found = linked.emc.sim("GET", f"/accounts/acme/users/{user_id}").json()
    assert warned(job, "adopted") == {crew_id}
    assert found["values"]["検索ワード5"] == "残る"
    assert found["values"]["氏名"] == "　".join(
        (linked.crews()[crew_id]["last_name"], linked.crews()[crew_id]["first_name"])
    )
    assert not found["password_sha256"]


def test_e31_a_first_link_adopts_and_deletes_nobody(stage: Stage) -> None:
    """EMC has been kept by hand so far: known ids are taken over, unknown ones are nobody's business of ours (E28)."""
    known = ids(stage.active())[:5]
    stage.emc.sim(
        "POST",
        "/accounts/acme/users",
        json=[{"ユーザID": i, "氏名": "仮", "氏名(ヨミ)": "カリ"} for i in [*known, "kanrisha"]],
    )
    job = stage.tenant.plan()
    assert stage.tenant.load(job) == "loaded"

    assert sorted(stage.users()) == sorted([*ids(stage.active()), "kanrisha"])
    assert stage.users()["kanrisha"]["氏名"] == "仮"
    assert counts(job)["deleted"] == 0


def test_e27_another_tenant_s_id_is_refused_by_name(linked: Stage) -> None:
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


def test_e27_two_first_links_at_once_cannot_both_take_an_id(stage: Stage) -> None:
    """Both were validated before either was loaded: the second is stopped in front of EMC, and leaves no note."""
    second = stage.join("beta", seed=8, size=5)
    first_job, second_job = stage.tenant.plan(), second.plan()
    stage.tenant.load(first_job)
    before = stage.state()
    with pytest.raises(RecordError, match="別テナント"):
        second.load(second_job)

    assert stage.state() == before
    assert second.generation() == 0
    assert not second.note()


def test_e28_a_tenant_deletes_only_its_own(linked: Stage) -> None:
    """The neighbour's people and those kept by hand survive this tenant's leavers and its 再連携."""
    linked.join("beta", seed=8, size=5, id_prefix="b-").run()
    linked.emc.sim("POST", "/accounts/acme/users", json={"ユーザID": "kanrisha", "氏名": "仮", "氏名(ヨミ)": "カリ"})
    linked.day(leavers=2)
    linked.tenant.run()
    linked.tenant.change(id_prefix="a-")
    job = linked.tenant.plan(Mode.RELINK)
    pipeline.decide(job, True, "tanaka", "", NOW)
    linked.tenant.load(job)

    others = {user_id for user_id in linked.users() if not user_id.startswith("a-")}
    assert others == {"kanrisha", *(f"b-{user_id}" for user_id in ids(linked.active("beta")))}


LOSSES: dict[str, Callable[[Path], None]] = {
    "its baselines": lambda tenant: shutil.rmtree(tenant / "baselines"),
    "everything of the tenant": shutil.rmtree,
    "the tables": lambda tenant: [table.unlink() for table in tenant.glob("runs/*/*.parquet")],  # type: ignore[func-returns-value]
    "the users": lambda tenant: [table.unlink() for table in tenant.glob("runs/*/users.parquet")],  # type: ignore[func-returns-value]
    "the sheet": lambda tenant: [sheet.unlink() for sheet in tenant.glob("runs/*/sheet.json")],  # type: ignore[func-returns-value]
    "the summary": lambda tenant: [one.unlink() for one in tenant.glob("runs/*/snapshot.json")],  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_e31_a_lost_baseline_stops_the_run(linked: Stage, lose: Callable[[Path], None]) -> None:
    """What the store has lost is no first link: EMC or the history knows better, and nothing is written."""
    before = linked.users()
    linked.day(leavers=1, joiners=1)
    lose(linked.folder / "store" / LINK / "tenants" / "acme")
    with pytest.raises(BaselineError):
        linked.tenant.run()

    assert linked.users() == before
    assert linked.opened() == 0


def test_e31_a_broken_baseline_stops_the_run(linked: Stage) -> None:
    """A baseline file that cannot be read names what an operator has to look at."""
    (path,) = (linked.folder / "store" / LINK / "tenants" / "acme" / "baselines").iterdir()
    path.write_text("{")

    with pytest.raises(BaselineError, match="baselines"):
        linked.tenant.run()


def test_e33_an_attribute_that_is_gone_for_everybody_stops_the_run(linked: Stage) -> None:
    """The token lost a permission: nobody's mail address is cleared, and the item is named."""
    before = linked.state()
    linked.smarthr.sim("PATCH", "companies/acme", {"hidden_fields": ["email"]})
    with pytest.raises(IncompleteReadError, match="メールアドレス"):
        linked.tenant.run()

    assert linked.state() == before


def test_e3_two_reads_are_never_mixed(linked: Stage) -> None:
    """Departments read again by a cleared task do not go with the people of before."""
    job = linked.tenant.open()
    linked.tenant.read(job)
    fetched = job.record.json("fetched_users")
    job.record.store.delete(f"{job.record.folder}/snapshot.json")
    job.record.write_json("fetched_users", fetched | {"read_id": "another"})

    with pytest.raises(IncompleteReadError, match="別々の受信"):
        pipeline.take_snapshot(job)


def test_e3_a_cleared_run_keeps_its_own_snapshot(linked: Stage) -> None:
    """After the snapshot SmartHR may change: the run repeats what it has read."""
    linked.day(joiners=1)
    job = linked.tenant.plan()
    planned = job.record.json("plan")["digest"]
    linked.day(joiners=2)
    again = linked.tenant.open(run_id=job.start.run_id)
    linked.tenant.read(again)
    pipeline.make_diff(again, linked.tenant.target)
    pipeline.validate(again, linked.tenant.target, FORMAT)

    assert again.record.json("plan")["digest"] == planned


def test_l3_of_two_runs_planned_against_one_baseline_the_second_is_refused(linked: Stage) -> None:
    """An older plan does not overwrite what came after it."""
    linked.day(joiners=1)
    older = linked.tenant.plan()
    linked.day(joiners=1)
    linked.tenant.run()
    before = linked.state()
    with pytest.raises(BaselineError):
        linked.tenant.load(older)

    assert linked.state() == before
    assert not linked.tenant.note()


def test_l2_what_emc_refuses_is_kept_and_mended_by_a_clear(linked: Stage) -> None:
    """EMC got the joiner's id by hand after the plan: nothing is applied, the reason is on record, a new diff adopts."""
    (crew_id,) = linked.day(joiners=1)["joiners"]
    user_id = linked.crews()[crew_id]["emp_code"]
    job = linked.tenant.plan()
    linked.emc.sim("POST", "/accounts/acme/users", json={"ユーザID": user_id, "氏名": "仮", "氏名(ヨミ)": "カリ"})
    before = linked.state()
    with pytest.raises(RejectedLoadError, match="1件"):
        linked.tenant.load(job)
    assert linked.state() == before
    assert not linked.tenant.note()
    assert [p["code"] for p in job.record.json("emc_problems")["problems"]] == ["DUPLICATE_ID"]

    pipeline.make_diff(job, linked.tenant.target)
    pipeline.validate(job, linked.tenant.target, FORMAT)
    assert linked.tenant.load(job) == "loaded"
    assert sorted(linked.users()) == ids(linked.active())


def test_e27_while_somebody_else_imports_the_run_waits(linked: Stage) -> None:
    """An import opened in EMC by other hands: this run can be repeated, and nothing is lost."""
    linked.day(joiners=1)
    job = linked.tenant.plan()
    linked.emc.open(None, b'"a"\r\n', key="by hand")
    with pytest.raises(RetriableLoadError):
        linked.tenant.load(job)
    (other,) = linked.emc.call("GET", "/imports?key=by hand").json()["imports"]
    linked.emc.call("DELETE", f"/imports/{other['id']}")

    assert linked.tenant.load(job) == "loaded"
    assert sorted(linked.users()) == ids(linked.active())


def held(stage: Stage) -> Job:
    """A run that would delete six of forty people."""
    stage.day(leavers=6)
    job = stage.tenant.plan(manual=False)
    assert pipeline.is_held(job)
    return job


def test_e34_a_guard_holds_and_names_the_figures(linked: Stage) -> None:
    """Too many deletions: nothing is written, and the record says how many of how many."""
    before, people = linked.state(), len(linked.active())
    job = held(linked)
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"], hold["of"]) == ("delete_users", 6, people)
    assert linked.state() == before
    assert linked.opened() == 0


def test_e36_approval_lets_exactly_that_plan_through(linked: Stage) -> None:
    """Approved, it is loaded once, and who approved it and why is on record."""
    job = held(linked)
    pipeline.decide(job, True, "tanaka", "人事異動", NOW)

    assert linked.tenant.load(job) == "loaded"
    assert linked.tenant.load(job) == "already"
    assert sorted(linked.users()) == ids(linked.active())
    approval = job.record.json("approval")
    assert (approval["by"], approval["why"], approval["approved"]) == ("tanaka", "人事異動", True)
    assert linked.tenant.generation() == 2


def test_e36_an_approval_is_not_for_another_plan(linked: Stage) -> None:
    """Cleared from diff after EMC has changed, the run has another plan: it is held again."""
    job = held(linked)
    approved = job.record.json("plan")["digest"]
    pipeline.decide(job, True, "tanaka", "", NOW)
    linked.emc.sim("DELETE", f"/accounts/acme/users/{ids(linked.active())[0]}")
    before = linked.state()
    pipeline.make_diff(job, linked.tenant.target)
    pipeline.validate(job, linked.tenant.target, FORMAT)
    assert job.record.json("plan")["digest"] != approved
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    assert linked.state() == before


def test_e36_an_approval_is_not_for_the_next_run(linked: Stage) -> None:
    """The same six leavers on the next day are asked about again."""
    job = held(linked)
    pipeline.decide(job, True, "tanaka", "", NOW)
    tomorrow = linked.tenant.plan(manual=False)

    with pytest.raises(HoldError):
        linked.tenant.load(tomorrow)


def test_e36_a_refusal_fails_the_run_and_stays(linked: Stage) -> None:
    """Refused is refused: also when the load is tried all the same."""
    before = linked.state()
    job = held(linked)
    with pytest.raises(HoldError, match="承認されませんでした"):
        pipeline.decide(job, False, "tanaka", "誤り", NOW)
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    assert linked.state() == before
    assert job.record.json("approval")["by"] == "tanaka"


def test_e35_losing_the_last_contact_of_many_is_held(linked: Stage) -> None:
    """Six people without mail address and telephone number cannot be reached in an earthquake."""
    for crew in linked.active()[:6]:
        linked.patch(crew["id"], email=None, tel_number=None)
    job = linked.tenant.plan(manual=False)

    assert "lost_contact" in {hold["kind"] for hold in job.record.json("hold")["holds"]}
    with pytest.raises(HoldError):
        linked.tenant.load(job)


def test_l6_passwords_are_nowhere_but_in_emc(stage: Stage) -> None:
    """The first password goes from Airflow to EMC; no table and no record of the run has it."""
    stage.tenant.mapping = mapping_of(SHEET | {"パスワード": "秘密:first"})
    job = stage.tenant.plan()
    pipeline.apply(job, stage.tenant.target, FORMAT, {"first": "Hatsu-8f3a"}.__getitem__, NOW)

    for path in Path(stage.store.root).rglob("*"):
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            assert "password" not in table.columns, path.name
            assert not table.isin(["Hatsu-8f3a"]).any().any(), path.name
        elif path.is_file():
            assert b"Hatsu-8f3a" not in path.read_bytes(), path.name


@pytest.fixture
def dropping(stage: Stage) -> Stage:
    """The tenant hands over files."""
    stage.tenant.mapping = mapping_of(loader="FILE_DROP")
    stage.tenant.target = DropFolder(LocalFiles(stage.folder / "drop"))
    return stage


def the_key(stage: Stage) -> str:
    (ready,) = (stage.folder / "drop").glob("*.ready")
    return ready.name.removesuffix(".ready")


def test_e38_a_file_drop_waits_for_its_confirmation(dropping: Stage) -> None:
    """Files and mark are there; the baseline moves when the result is, not before."""
    tenant = dropping.tenant
    job = tenant.plan()
    assert tenant.load(job) == "waiting"
    key = the_key(dropping)
    users = (dropping.folder / "drop" / f"{key}.users.csv").read_bytes().decode("cp932")
    assert users.count("\r\n") == len(dropping.active()) + 1
    assert pipeline.confirm(job, tenant.target, NOW) is None
    assert tenant.generation() == 0
    result = {"id": "1", "key": key, "state": "committed", "counts": {"users": {"added": len(dropping.active())}}}
    (dropping.folder / "drop" / f"{key}.result.json").write_text(json.dumps(result))
    found = pipeline.confirm(job, tenant.target, NOW)

    assert found is not None
    assert found.state == "committed"
    assert tenant.generation() == 1
    assert not tenant.note()
    assert pipeline.confirm(job, tenant.target, NOW) is None
    assert tenant.run() == "unchanged"


def test_e38_an_unconfirmed_drop_blocks_the_next_load(dropping: Stage) -> None:
    """The next run does not begin, says which import is open, and leaves the folder alone."""
    job = dropping.tenant.plan()
    dropping.tenant.load(job)
    key = the_key(dropping)
    dropping.day(joiners=1)
    with pytest.raises(RetriableLoadError, match=rf"{key}.*確認できていません"):
        dropping.tenant.run(manual=False)
    with pytest.raises(RetriableLoadError, match="確認"):
        dropping.tenant.load(job)
    assert len(list((dropping.folder / "drop").iterdir())) == 3
    assert isinstance(dropping.tenant.target, DropFolder)
    dropping.tenant.target.confirm(key, "committed", "tanaka")

    assert dropping.tenant.run(manual=False) == "waiting"
    assert dropping.tenant.generation() == 1


def test_e38_a_rejected_drop_leaves_the_baseline(dropping: Stage) -> None:
    """The result file has EMC's reasons: they are on record, and the run may be repeated."""
    job = dropping.tenant.plan()
    dropping.tenant.load(job)
    key = the_key(dropping)
    error = {"file": "users", "line": 1, "item": "氏名", "code": "TOO_LONG", "message": "…"}
    result = {"id": "1", "key": key, "state": "rejected", "errors": [error], "error_count": 1}
    (dropping.folder / "drop" / f"{key}.result.json").write_text(json.dumps(result))
    with pytest.raises(RejectedLoadError):
        pipeline.confirm(job, dropping.tenant.target, NOW)

    assert dropping.tenant.generation() == 0
    assert [p["code"] for p in job.record.json("emc_problems")["problems"]] == ["TOO_LONG"]
    assert not dropping.tenant.note()


def test_e38_dropped_files_are_what_the_other_side_takes(
    dropping: Stage, smarthr_bare: Simulator, memory_path: Path
) -> None:
    """An EMC that watches the folder imports the files as they are, and its result file confirms them."""
    drop = memory_path / "drop"
    watching = Emc("--drop", str(drop), "--drop-account", "acme")
    try:
        job = dropping.tenant.plan()
        dropping.tenant.load(job)
        found, deadline = None, time.monotonic() + 5
        while found is None and time.monotonic() < deadline:
            time.sleep(0.1)
            found = pipeline.confirm(job, dropping.tenant.target, NOW)

        assert found is not None
        assert found.state == "committed"
        assert sorted(watching.export("users")) == ids(dropping.active())
    finally:
        watching.stop()
    assert dropping.tenant.generation() == 1
