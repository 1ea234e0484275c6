"""まとめて操作: what is named on the page is done, with each company on which whoever presses has the right (S1, S6, E3)."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from airflow.models.dag import DagModel
from airflow.sdk.execution_time import task_runner
from airflow.utils.session import create_session

from renkei.jobs.records import Jobs
from renkei.orchestration import jobs as job_dag
from renkei.storage import once
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.bulk_facts import BulkAction, CheckedMany, check_run
from renkei.web.console import bulk
from renkei.web.services import Right
from scripts.page_forms import field_of, forms_of
from tests.contract.console.world import BASE, LINK, NOW, ConsoleWorld, body, dag, text_of
from tests.harness.airflow_rows import Row, add_runs

BOTH = f"{dag('acme')} {dag('beta')}"


@pytest.fixture(autouse=True)
def all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is. Variables are read as Airflow's API server reads them."""
    monkeypatch.setattr(bulk, "LASTS_S", 1_000.0)
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.delattr(task_runner, "SUPERVISOR_COMMS", raising=False)  # an earlier test's run may have left one


def sent(world: ConsoleWorld, user: str = "omar", status: int = 200, path: str = "/bulk", **form: object) -> str:
    data = {"deed": "pause", "dags": BOTH, "token": world.token(user), "once": once.new(NOW), **form}
    answer = world.browser(user).post(BASE + path, data=data)
    assert answer.status_code == status, text_of(answer.text)
    return answer.text if status != 303 else str(answer.headers["location"])


def looks(world: ConsoleWorld) -> list[tuple[str, str, str]]:
    from renkei.storage import records
    from renkei.storage.audit import FOLDER, AuditEntry

    keys = [key for day in world.store.names(FOLDER) for key in sorted(world.store.files(f"{FOLDER}/{day}"))]
    found = [records.read(world.store, key, AuditEntry) for key in keys]
    return [(one.by, one.dag_id, one.what) for one in found]


def test_s1_the_page_names_how_many_and_which_and_why_not_the_others(world: ConsoleWorld) -> None:
    shown = text_of(body(world, "/bulk?deed=pause"))
    assert "一時停止する: 2社 ベータ商事（SmartHR → EMC）、株式会社アクメ（SmartHR → EMC） 2社で一時停止する" in shown
    filtered = text_of(body(world, "/bulk?deed=pause&q=ベータ"))
    assert "一時停止する: 1社 ベータ商事" in filtered
    assert "株式会社アクメ" not in filtered
    world.door.rights["omar"]["beta"] = {Right.SEE, Right.EDIT}
    checks = text_of(body(world, "/bulk?deed=check"))
    assert "確認のみを実行する: 1社 株式会社アクメ" in checks
    assert "対象にならない会社: 1社" in checks
    assert "ベータ商事 SmartHR → EMC この会社で操作する権限がありません" in checks
    assert re.search(r'href="[^"]*/bulk\?q=[^"]*"[^>]*>この1社をまとめて操作', body(world, "/?q=ベータ"))


def test_s1_nobody_learns_of_companies_that_he_may_not_see(world: ConsoleWorld) -> None:
    shown = body(world, "/bulk", "yuki")
    assert "ベータ" not in shown
    answer = sent(world, "yuki", dags=BOTH)
    assert world.hands.done == [("pause", dag("acme"), True)]
    assert "ベータ" not in answer
    assert "会社がありません" in answer


@pytest.mark.parametrize(("deed", "paused"), [("pause", True), ("unpause", False)])
def test_each_is_paused_as_the_user_and_noted(world: ConsoleWorld, deed: str, paused: bool) -> None:
    if not paused:
        with create_session() as session:
            session.query(DagModel).update({"is_paused": True})
        world.services.knowledge.changed()
    shown = sent(world, deed=deed)
    assert world.hands.done == [("pause", dag("acme"), paused), ("pause", dag("beta"), paused)]
    assert "2社について終わりました。" in shown
    assert looks(world) == [("omar", dag(one), f"bulk {deed}") for one in ("acme", "beta")]


def test_s6_what_takes_long_goes_on_from_where_it_was(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request does what it has time for, at least one; the page asks for the rest."""
    monkeypatch.setattr(bulk, "LASTS_S", -1.0)
    shown = sent(world)
    assert world.hands.done == [("pause", dag("acme"), True)]
    assert "1 / 2" in text_of(shown)
    (form,) = forms_of(shown)
    assert 'hx-trigger="load, submit"' in shown
    rest = sent(world, **form.fields)
    assert world.hands.done == [("pause", dag("acme"), True), ("pause", dag("beta"), True)]
    assert "2社について終わりました。" in rest


def test_s1_freezing_needs_a_reason_and_says_who_was_frozen_before(world: ConsoleWorld) -> None:
    sent(world, status=400, deed="freeze")
    assert world.hands.done == []
    sent(world, deed="freeze", dags=dag("acme"), reason="台風")
    shown = sent(world, deed="freeze", reason="台風")
    assert [one for one in world.hands.done if one[0] == "freeze"] == [
        ("freeze", "acme", True, "台風"), ("freeze", "beta", True, "台風"),
    ]  # fmt: skip
    assert "株式会社アクメ（SmartHR → EMC）: 既に凍結中です" in text_of(shown)
    sent(world, deed="unfreeze", reason="解除")
    assert [one[:3] for one in world.hands.done[-2:]] == [("freeze", "acme", False), ("freeze", "beta", False)]


def test_s1_who_may_only_see_does_nothing(world: ConsoleWorld) -> None:
    assert "対象の会社がありません" in body(world, "/bulk", "ken")
    for deed in ("pause", "unpause", "freeze"):
        assert "この会社で操作する権限がありません" in sent(world, "ken", deed=deed, reason="x") or deed == "unpause"
    sent(world, "ken", 409, deed="check")
    assert world.hands.done == []


def test_s6_who_reloads_the_answer_does_it_no_second_time(world: ConsoleWorld) -> None:
    """S6: not even after somebody else has undone it; and a form of last week does nothing either."""
    form = once.new(NOW)
    sent(world, deed="pause", once=form)
    done = list(world.hands.done)
    assert len(done) == 2
    world.services.knowledge.changed()
    assert sent(world, status=303, deed="pause", once=form) == f"{BASE}/"
    for old in (once.new(NOW - dt.timedelta(days=7)), ""):  # he is told, or he would believe that it was done
        assert "画面を開き直して、もう一度操作してください" in sent(world, status=403, deed="pause", once=old)
    assert world.hands.done == done
    sent(world, deed="pause", once=field_of(body(world, "/bulk?deed=pause"), "once"))
    assert len(world.hands.done) == 4


@pytest.mark.parametrize("path", ["/bulk", "/checks/1/stop"])
def test_s1_what_no_page_of_ours_sends_is_refused(world: ConsoleWorld, path: str) -> None:
    data = {"deed": "pause", "dags": BOTH}
    for headers, token in (({"Sec-Fetch-Site": "cross-site"}, world.token("omar")), ({}, ""), ({}, world.token("ken"))):
        answer = world.browser("omar", **headers).post(BASE + path, data=data | {"token": token})
        assert answer.status_code == 403
    assert world.browser("").post(BASE + path, data=data).status_code == 401
    assert world.hands.done == []


@pytest.mark.parametrize("form", [{"deed": "delete"}, {"dags": ""}, {"dags": " ".join(["x"] * 2_001)}], ids=str)
def test_what_makes_no_sense_is_refused(world: ConsoleWorld, form: dict[str, str]) -> None:
    sent(world, status=400, **form)


def test_e3_check_only_of_many_is_one_job_with_its_progress(world: ConsoleWorld) -> None:
    """E3, S6: of those on which omar has the right to run; its page counts their own runs."""
    to = sent(world, status=303, deed="check", dags=f"{BOTH} smarthr_emc__nosuch")
    assert to.endswith("/checks/1")
    place = f"{LINK}___checks"
    assert world.hands.done == [("job", place, 1)]
    assert looks(world)[:2] == [("omar", dag(one), "bulk check") for one in ("beta", "acme")]
    jobs = Jobs(TenantFolder(world.store, LINK, "_checks"))
    job = jobs.read(1)
    assert job.request.asked == {"dags": f"{dag('beta')} {dag('acme')}", "by": "omar"}
    shown = text_of(body(world, "/checks/1"))
    assert "残り 2 全2社" in shown
    at = dt.datetime.now(dt.UTC)
    add_runs([Row(dag("beta"), check_run(job.request.run), "success", at, {}, run_type="operator_triggered")])
    shown = text_of(body(world, "/checks/1"))
    assert "成功 1 残り 1 全2社" in shown
    assert "ベータ商事 SmartHR → EMC 成功" in shown
    sent(world, status=303, path="/checks/1/stop")
    stopped = body(world, "/checks/1")
    assert "中止しました" in stopped
    rest = {name: field_of(stopped, name) for name in ("token", "once", "deed", "dags")}  # 残りの1社で始める
    assert rest["dags"] == dag("acme")
    assert sent(world, status=303, **rest).endswith("/checks/2")
    assert 'href="/renkei/console/checks/1"' in body(world, "/bulk")


def test_e3_all_done_says_so(world: ConsoleWorld) -> None:
    sent(world, status=303, deed="check", dags=dag("acme"))
    jobs = Jobs(TenantFolder(world.store, LINK, "_checks"))
    at = dt.datetime.now(dt.UTC)
    add_runs([Row(dag("acme"), check_run(jobs.read(1).request.run), "failed", at, {}, run_type="operator_triggered")])
    jobs.finish(1, CheckedMany(1), at)
    shown = text_of(body(world, "/checks/1"))
    assert "すべての会社で終わりました。" in shown
    assert "失敗 1" in shown


def test_s1_the_progress_is_for_who_asked(world: ConsoleWorld) -> None:
    sent(world, status=303, deed="check")
    for user in ("yuki", "ken"):
        body(world, "/checks/1", user, 404)
        sent(world, user, 404, path="/checks/1/stop")
    body(world, "/checks/x", status=404)
    assert Jobs(TenantFolder(world.store, LINK, "_checks")).read(1).end is None
    assert job_dag.AGAIN == ("checks",)


def test_s1_who_asks_for_the_same_meanwhile_is_told_whose_it_is(world: ConsoleWorld) -> None:
    """The page of another's progress is not his."""
    sent(world, status=303, deed="check", dags=dag("acme"))
    assert "omarさんが始めた別の作業が実行中です" in sent(world, "yuki", 409, deed="check", dags=dag("acme"))
    assert sent(world, status=303, deed="check", dags=dag("acme")).endswith("/checks/1")


def test_l5_a_torn_record_keeps_the_page_from_nobody(world: ConsoleWorld) -> None:
    sent(world, status=303, deed="check")
    world.store.write(f"{LINK}/tenants/_checks/jobs/00000001/request.json", b"{")
    assert "2社で確認のみを実行する" in text_of(body(world, "/bulk"))


def test_every_deed_has_its_page(world: ConsoleWorld) -> None:
    for deed in BulkAction:
        assert 'aria-current="true"' in body(world, f"/bulk?deed={deed.value}")
