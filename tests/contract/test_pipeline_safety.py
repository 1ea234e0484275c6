"""Whole runs of one tenant without Airflow: what stops them, holds them, or waits for a confirmation."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from renkei.errors import (
    BaselineError,
    HoldError,
    IncompleteReadError,
    RecordError,
    RejectedLoadError,
    RetriableLoadError,
    SettingError,
)
from renkei.links.smarthr_emc import notify, stages, validate
from renkei.links.smarthr_emc.connecting import sees_fewer
from renkei.links.smarthr_emc.report import body
from renkei.links.smarthr_emc.stages.job import Job, forget_end
from renkei.runs.outcome import Outcome
from renkei.storage.source_grants import Grant, GrantEvent
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.harness.emc import Emc
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.tenant import FORMAT, LINK, NOW
from tests.harness.world import World, ids

LOSSES: dict[str, Callable[[Path], None]] = {
    "its baselines": lambda tenant: shutil.rmtree(tenant / "baselines"),
    "the tables": lambda tenant: [table.unlink() for table in tenant.glob("runs/*/*.parquet")],  # type: ignore[func-returns-value]
    "the users": lambda tenant: [table.unlink() for table in tenant.glob("runs/*/users.parquet")],  # type: ignore[func-returns-value]
    "the sheet": lambda tenant: [sheet.unlink() for sheet in tenant.glob("runs/*/sheet.json")],  # type: ignore[func-returns-value]
    "the summary": lambda tenant: [one.unlink() for one in tenant.glob("runs/*/snapshot.json")],  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_e31_a_lost_baseline_stops_the_run(linked: World, lose: Callable[[Path], None]) -> None:
    """What the store has lost is no first link: EMC or the history knows better, and nothing is written."""
    before = linked.users()
    linked.day(leavers=1, joiners=1)
    lose(linked.folder / "store" / LINK / "tenants" / "acme")
    with pytest.raises(BaselineError):
        linked.tenant.run()

    assert linked.users() == before
    assert linked.opened() == 0


def test_e31_a_lost_store_stops_the_run(world: World) -> None:
    """The store knows nothing of the tenant at all; EMC remembers its imports."""
    world.tenant.run()
    before = world.users()
    shutil.rmtree(world.store.root)
    world.day(leavers=1)
    with pytest.raises(BaselineError, match="前回データが保存先にありません"):
        world.tenant.run()

    assert world.users() == before


def test_e31_a_broken_baseline_stops_the_run(linked: World) -> None:
    """A baseline file that cannot be read names what an operator has to look at."""
    (path,) = (linked.folder / "store" / LINK / "tenants" / "acme" / "baselines").iterdir()
    path.write_text("{")

    with pytest.raises(BaselineError, match="baselines"):
        linked.tenant.run()


def test_e33_an_attribute_that_is_gone_for_everybody_stops_the_run(linked: World) -> None:
    """The token lost a permission: nobody's mail address is cleared, and the item is named."""
    before = linked.state()
    linked.smarthr.sim("PATCH", "companies/acme", {"hidden_fields": ["email"]})
    with pytest.raises(IncompleteReadError, match="メールアドレス"):
        linked.tenant.run()

    assert linked.state() == before


def test_e33_what_nobody_has_is_told_when_it_is_first_read(world: World) -> None:
    """A token that may not see an attribute may get null for it: at a first link, and when the sheet asks for more."""
    world.smarthr.sim("PATCH", "companies/acme", {"hidden_fields": ["departments", "positions"], "hidden_as": "null"})

    def told(shown: str) -> bool:
        job = world.tenant.plan()
        report = notify.collect(job.record, "https://acme.smarthr.jp", Outcome.OK, "", NOW, NOW)
        world.tenant.load(job)
        return f"注意: SmartHRの項目{shown}は、受信した全員が空白です。" in body(report)

    assert told("「部署1(コード)」、「部署2(コード)」、「部署3(コード)」")
    world.tenant.mapping = full_mapping(SHEET | {"検索ワード3:役職": ("役職1", "SET", "SKIP", "SET", "SKIP")})
    assert told("「役職1」")
    assert not told("「役職1」")


def test_e34_everybody_retired_is_held_and_named(linked: World) -> None:
    """A valid read: nothing is written before a person has seen that all would go; then all go."""
    people, before = len(linked.users()), linked.state()
    for crew in linked.active():
        linked.patch(crew["id"], emp_status="retired")
    job = linked.tenant.plan()
    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"], hold["of"]) == ("delete_users", people, people)
    assert f"社員{people}人が全員EMCから削除されます" in hold["text"]
    with pytest.raises(HoldError):
        linked.tenant.load(job)
    assert linked.state() == before

    stages.approve.decide(job, True, "tanto", "解散", NOW)
    assert linked.tenant.load(job) == "loaded"
    assert linked.users() == {}


def test_e3_two_reads_are_never_mixed(linked: World) -> None:
    """Departments read again by a cleared task do not go with the people of before."""
    job = linked.tenant.open()
    linked.tenant.read(job)
    fetched = job.record.json("fetched_users")
    job.record.store.delete(f"{job.record.folder}/snapshot.json")
    job.record.write_json("fetched_users", fetched | {"read_id": "another"})

    with pytest.raises(IncompleteReadError, match="別々の受信"):
        stages.snapshot.take_snapshot(job)


def test_e3_a_cleared_run_keeps_its_own_snapshot(linked: World) -> None:
    """After the snapshot SmartHR may change: the run repeats what it has read."""
    linked.day(joiners=1)
    job = linked.tenant.plan()
    planned = job.record.json("plan")["digest"]
    linked.day(joiners=2)
    again = linked.tenant.open(run_id=job.start.run_id)
    linked.tenant.read(again)
    stages.diff.make_diff(again, linked.tenant.target, dt.datetime.now(dt.UTC))
    stages.validate.validate(again, linked.tenant.target, FORMAT, dt.datetime.now(dt.UTC))

    assert again.record.json("plan")["digest"] == planned


def test_l3_of_two_runs_planned_against_one_baseline_the_second_is_refused(linked: World) -> None:
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


def test_l2_a_run_with_errors_leaves_nothing_to_approve_or_to_load(linked: World) -> None:
    """However its later tasks come to run: many would be deleted, one name is blank, and there is no plan."""
    linked.day(leavers=12, blank_names=1)
    before = linked.state()
    with pytest.raises(RecordError):
        linked.tenant.plan(run_id="bad")

    job = linked.tenant.open(run_id="bad")
    with pytest.raises(MissingKeyError):
        stages.approve.is_held(job)
    with pytest.raises(MissingKeyError):
        stages.approve.decide(job, True, "tanaka", "", NOW)
    with pytest.raises(MissingKeyError):
        linked.tenant.load(job)
    assert linked.state() == before
    assert linked.opened() == 0


def test_e30_a_plan_that_was_checked_is_none_any_more_once_a_later_check_fails(
    linked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleared after an upgrade that finds more, and then marked as done by hand: the plan of before is not loaded."""
    linked.day(joiners=1)
    job = linked.tenant.plan()
    monkeypatch.setattr(validate, "MAIL", "stricter")
    before = linked.state()
    with pytest.raises(RecordError):
        stages.validate.validate(job, linked.tenant.target, FORMAT, NOW)
    with pytest.raises(MissingKeyError):
        linked.tenant.load(job)
    assert linked.state() == before
    monkeypatch.undo()
    stages.validate.validate(job, linked.tenant.target, FORMAT, NOW)
    assert linked.tenant.load(job) == "loaded"


def test_l2_what_emc_refuses_is_kept_and_mended_by_a_clear(linked: World) -> None:
    """EMC got the joiner's id by hand after the plan: nothing is applied, the reason is on record, a new diff adopts."""
    (crew_id,) = linked.day(joiners=1)["joiners"]
    user_id = linked.crews()[crew_id]["emp_code"]
    job = linked.tenant.plan()
    linked.somebody(user_id)
    before = linked.state()
    with pytest.raises(RejectedLoadError, match="1件"):
        linked.tenant.load(job)
    assert linked.state() == before
    assert not linked.tenant.note()
    assert [p["code"] for p in job.record.json("emc_problems")["problems"]] == ["DUPLICATE_ID"]

    forget_end(job.record)
    assert job.record.json_or_none("emc_problems") is None, "no reason of what fails from now on"
    stages.diff.make_diff(job, linked.tenant.target, dt.datetime.now(dt.UTC))
    stages.validate.validate(job, linked.tenant.target, FORMAT, dt.datetime.now(dt.UTC))
    assert linked.tenant.load(job) == "loaded"
    assert sorted(linked.users()) == ids(linked.active())


def test_l8_what_emc_refuses_is_on_record_by_its_id(linked: World) -> None:
    """EMC names lines of files that nobody keeps: the record says which department and which person they were."""
    new = linked.smarthr.sim("POST", "companies/acme/departments", {"name": "新設部", "code": "X1"})["id"]
    linked.tenant.run()
    (joiner,) = linked.day(joiners=1)["joiners"]
    linked.smarthr.sim("DELETE", f"companies/acme/departments/{new}")
    job = linked.tenant.plan()
    user_id = linked.crews()[joiner]["emp_code"]
    for one in (user_id, "kanrisha"):
        linked.somebody(one, 所属部署コード="X1")
    with pytest.raises(RejectedLoadError):
        linked.tenant.load(job)

    found = {p["code"]: (p["id"], p["crew_id"]) for p in job.record.json("emc_problems")["problems"]}
    assert found == {"DUPLICATE_ID": (user_id, joiner), "DEPARTMENT_IN_USE": ("X1", "")}


def test_e27_while_somebody_else_imports_the_run_waits(linked: World) -> None:
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


def held(world: World) -> Job:
    """A run that would delete six of forty people."""
    world.day(leavers=6)
    job = world.tenant.plan(manual=False)
    assert stages.approve.is_held(job)
    return job


def test_e34_a_guard_holds_and_names_the_figures(linked: World) -> None:
    """Too many deletions: nothing is written, and the record says how many of how many."""
    before, people = linked.state(), len(linked.active())
    job = held(linked)
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"], hold["of"]) == ("delete_users", 6, people)
    assert linked.state() == before
    assert linked.opened() == 0


def test_e34_people_whom_another_log_in_does_not_see_are_held_and_told(linked: World) -> None:
    """Somebody with fewer rights allowed us SmartHR anew: many are held, and of few the page of the connection tells."""
    before, everybody = linked.state(), list(linked.crews())
    folder = TenantFolder(linked.store, LINK, "acme")

    def allowed(people: int | None) -> Grant:
        return Grant(GrantEvent.ALLOWED, NOW, "sato", "佐藤", people=people)

    assert sees_fewer(folder, allowed(len(everybody))) is None
    assert sees_fewer(folder, allowed(None)) is None, "SmartHR does not say"
    assert sees_fewer(folder, allowed(len(everybody) - 1)) == (len(everybody) - 1, len(everybody))
    unseen = [crew["id"] for crew in linked.active()[:6]]
    linked.smarthr.sim("PATCH", "companies/acme", {"hidden_crews": unseen})
    job = linked.tenant.plan(manual=False)
    assert stages.approve.is_held(job)
    with pytest.raises(HoldError):
        linked.tenant.load(job)
    assert linked.state() == before
    linked.smarthr.sim("PATCH", "companies/acme", {"hidden_crews": []})
    linked.tenant.run()
    assert linked.state() == before, "who sees everybody again deletes nobody"


def test_e36_approval_lets_exactly_that_plan_through(linked: World) -> None:
    """Approved, it is loaded once, and who approved it and why is on record."""
    job = held(linked)
    stages.approve.decide(job, True, "tanaka", "人事異動", NOW)

    assert linked.tenant.load(job) == "loaded"
    assert linked.tenant.load(job) == "already"
    assert sorted(linked.users()) == ids(linked.active())
    approval = job.record.json("approval")
    assert (approval["by"], approval["why"], approval["approved"]) == ("tanaka", "人事異動", True)
    assert linked.tenant.generation() == 2


def test_e36_an_approval_is_not_for_another_plan(linked: World) -> None:
    """Cleared from diff after EMC has changed, the run has another plan: it is held again."""
    job = held(linked)
    approved = job.record.json("plan")["digest"]
    stages.approve.decide(job, True, "tanaka", "", NOW)
    linked.by_hand("DELETE", "users", ids(linked.active())[0])
    before = linked.state()
    stages.diff.make_diff(job, linked.tenant.target, dt.datetime.now(dt.UTC))
    stages.validate.validate(job, linked.tenant.target, FORMAT, dt.datetime.now(dt.UTC))
    assert job.record.json("plan")["digest"] != approved
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    assert linked.state() == before


def test_e36_an_approval_is_not_for_the_next_run(linked: World) -> None:
    """The same six leavers on the next day are asked about again."""
    job = held(linked)
    stages.approve.decide(job, True, "tanaka", "", NOW)
    tomorrow = linked.tenant.plan(manual=False)

    with pytest.raises(HoldError):
        linked.tenant.load(tomorrow)


def test_e36_a_refusal_fails_the_run_and_stays(linked: World) -> None:
    """Refused is refused: also when the load is tried all the same."""
    before = linked.state()
    job = held(linked)
    with pytest.raises(HoldError, match="承認されませんでした"):
        stages.approve.decide(job, False, "tanaka", "誤り", NOW)
    with pytest.raises(HoldError):
        linked.tenant.load(job)

    assert linked.state() == before
    assert job.record.json("approval")["by"] == "tanaka"


def test_e35_losing_the_last_contact_of_many_is_held(linked: World) -> None:
    """Six people without mail address and telephone number cannot be reached in an earthquake."""
    for crew in linked.active()[:6]:
        linked.patch(crew["id"], email=None, tel_number=None)
    job = linked.tenant.plan(manual=False)

    assert "lost_contact" in {hold["kind"] for hold in job.record.json("hold")["holds"]}
    with pytest.raises(HoldError):
        linked.tenant.load(job)


def test_l6_passwords_are_nowhere_but_in_emc(world: World) -> None:
    """The first password goes from Airflow to EMC; no table and no record of the run has it."""
    world.tenant.mapping = full_mapping(SHEET | {"パスワード": "秘密:first"})
    job = world.tenant.plan()
    stages.load.apply(job, world.tenant.target, FORMAT, {"first": "Hatsu-8f3a"}.__getitem__, NOW)

    for path in Path(world.store.root).rglob("*"):
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            assert "password" not in table.columns, path.name
            assert not table.isin(["Hatsu-8f3a"]).any().any(), path.name
        elif path.is_file():
            assert b"Hatsu-8f3a" not in path.read_bytes(), path.name


@pytest.fixture
def dropping(world: World) -> World:
    """The tenant hands over files."""
    world.tenant.mapping = full_mapping(loader="FILE_DROP")
    world.tenant.target = DropFolder(LocalFiles(world.folder / "drop"))
    return world


def the_key(world: World) -> str:
    (ready,) = (world.folder / "drop").glob("*.ready")
    return ready.name.removesuffix(".ready")


def test_e38_a_file_drop_waits_for_its_confirmation(dropping: World) -> None:
    """Files and mark are there; the baseline moves when the result is, not before."""
    tenant = dropping.tenant
    job = tenant.plan()
    assert tenant.load(job) == "waiting"
    key = the_key(dropping)
    users = (dropping.folder / "drop" / f"{key}.users.csv").read_bytes().decode("cp932")
    assert users.count("\r\n") == len(dropping.active()) + 1
    assert stages.load.confirm(job, tenant.target, NOW) is None
    assert tenant.generation() == 0
    result = {"id": "1", "key": key, "state": "committed", "counts": {"users": {"added": len(dropping.active())}}}
    (dropping.folder / "drop" / f"{key}.result.json").write_text(json.dumps(result))
    found = stages.load.confirm(job, tenant.target, NOW)

    assert found is not None
    assert found.state == "committed"
    assert tenant.generation() == 1
    assert not tenant.note()
    assert stages.load.confirm(job, tenant.target, NOW) is None
    assert tenant.run() == "unchanged"


def test_e38_an_unconfirmed_drop_blocks_the_next_load(dropping: World) -> None:
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


def test_e38_a_rejected_drop_leaves_the_baseline(dropping: World) -> None:
    """The result file has EMC's reasons: they are on record, and the run may be repeated."""
    job = dropping.tenant.plan()
    dropping.tenant.load(job)
    key = the_key(dropping)
    error = {"file": "users", "line": 1, "item": "氏名", "code": "TOO_LONG", "message": "…"}
    result = {"id": "1", "key": key, "state": "rejected", "errors": [error], "error_count": 1}
    (dropping.folder / "drop" / f"{key}.result.json").write_text(json.dumps(result))
    with pytest.raises(RejectedLoadError):
        stages.load.confirm(job, dropping.tenant.target, NOW)

    assert dropping.tenant.generation() == 0
    assert [p["code"] for p in job.record.json("emc_problems")["problems"]] == ["TOO_LONG"]
    assert not dropping.tenant.note()


def test_e38_dropped_files_are_what_the_other_side_takes(
    dropping: World, smarthr_bare: SmartHR, memory_path: Path
) -> None:
    """An EMC that watches the folder imports the files as they are, and its result file confirms them."""
    drop = memory_path / "drop"
    with Emc.start("--drop", str(drop), "--drop-account", "acme") as watching:
        job = dropping.tenant.plan()
        dropping.tenant.load(job)
        found, deadline = None, time.monotonic() + 5
        while found is None and time.monotonic() < deadline:
            time.sleep(0.1)
            found = stages.load.confirm(job, dropping.tenant.target, NOW)

        assert found is not None
        assert found.state == "committed"
        assert sorted(watching.export("users")) == ids(dropping.active())
    assert dropping.tenant.generation() == 1


@pytest.mark.parametrize(
    "secret", ["ひみつ", "Passw0rd Passw0rd", "x" * 70, "　"], ids=["kana", "blank inside", "long", "blank"]
)
def test_e29_a_kept_password_that_emc_refuses_stops_the_load_and_is_mended(world: World, secret: str) -> None:
    """秘密: is known to the load alone: refused before EMC is asked, named by its Connection, and a repetition is fine."""
    world.tenant.mapping = full_mapping(SHEET | {"パスワード": "秘密:first__acme"})
    job = world.tenant.plan()
    for stop in (
        lambda: stages.load.check_passwords(job, FORMAT, lambda name: secret),  # before anybody is asked
        lambda: stages.load.apply(job, world.tenant.target, FORMAT, lambda name: secret, NOW),
    ):
        with pytest.raises(SettingError, match=rf"{len(world.active())}名.*「first__acme」") as refused:
            stop()
        assert secret not in str(refused.value)
    assert world.opened() == 0
    assert not world.tenant.note()
    assert stages.load.apply(job, world.tenant.target, FORMAT, lambda name: "Passw0rd", NOW) == "loaded"
