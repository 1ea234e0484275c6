"""Jobs over HTTP: who may, what a page says until one is over, what is left behind; リハーサル as the task does it."""

from __future__ import annotations

import json
import logging
import re
from html import unescape
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from renkei.jobs.records import KEPT, Jobs, Progress
from renkei.orchestration import jobs as task
from renkei.orchestration.smarthr_emc import jobs as kinds
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.console.jobs import MAX_LOGINS_OF_ONE
from renkei.web.services import Refused, Right
from tests.conftest import ROOT
from tests.contract.console.world import BASE, LINK, NOW, ConsoleWorld, dag
from tests.harness.airflow_rows import add_dags, emptied
from tests.unit.links.smarthr_emc.people.test_explain import day
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import person

HERE = f"/dag/{dag('acme')}"
NOW_FORM, REHEARSAL = {"text": "小鳥遊"}, {"read": "stored", "mode": "NORMAL"}
DAG_FILE = str(ROOT / "dags/renkei_jobs.py")


@pytest.fixture
def world(empty: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """acme and beta, neither of which was ever read."""
    monkeypatch.setattr(task, "utcnow", lambda: NOW)
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    return empty


@pytest.fixture
def linked(world: ConsoleWorld) -> None:
    """acme has loaded four people, one of whom has tags in the name."""
    day(world.store, 0, [person(1), person(2), person(3, 姓="小鳥遊"), person(4, 姓="<b>四</b>")])


def sent(world: ConsoleWorld, path: str, user: str = "yuki", status: int = 303, **form: str) -> str:
    """Where the answer leads to, or what it shows."""
    answer = world.browser(user).post(BASE + HERE + path, data=form | {"token": world.token(user)})
    assert answer.status_code == status, answer.text[:2000]
    return answer.headers["location"].removeprefix(BASE) if status == 303 else answer.text


def shown(world: ConsoleWorld, path: str, user: str = "yuki", status: int = 200) -> str:
    answer = world.browser(user).get(BASE + path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def words(html: str) -> str:
    """What a reader sees, without blanks between tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def jobs_of(world: ConsoleWorld) -> Jobs:
    return Jobs(TenantFolder(world.store, LINK, "acme"))


def work(world: ConsoleWorld, number: int = 1) -> dict[str, Any]:
    """What the task does."""
    return task.run_job(f"{dag('acme')}/{number}", jobs_of(world).read(number).request.run, DAG_FILE)


def noted(world: ConsoleWorld) -> list[dict[str, str]]:
    return [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]


@pytest.mark.usefixtures("linked")
def test_e3_a_rehearsal_from_the_button_to_its_result(world: ConsoleWorld) -> None:
    """E3: as `renkei rehearse` has it; the page looks again by itself, and by a link without scripts, until it is over."""
    assert "リハーサル" in shown(world, HERE)
    assert 'name="read" value="stored" required checked' in shown(world, f"{HERE}/rehearsal")
    place = sent(world, "/rehearsal", **REHEARSAL)
    assert place == f"{HERE}/jobs/1"
    waiting = shown(world, place)
    assert "順番を待っています" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert f'<a href="{BASE}{place}">表示を更新する</a>' in waiting
    assert set(work(world)) == {"kind", "seconds"}
    done = shown(world, place)
    assert "hx-trigger" not in done
    assert "保存先の受信(2026-04-02 13:30" in words(done)
    assert re.search(r"社員 (あり|なし) 4 4 4 0 4 0", words(done))
    assert "シートの違いだけによる変化" in words(done)
    for listed in (f"{HERE}/rehearsal", f"{HERE}/jobs"):
        assert "リハーサル 完了 yuki" in words(shown(world, listed))
    assert f'href="{BASE}{HERE}/jobs"' in shown(world, HERE)


def test_l4_two_clicks_start_one_job(world: ConsoleWorld) -> None:
    """L4: the second is led to the first one's page; another job is refused until that is over."""
    first, second = (sent(world, "/person/now", **NOW_FORM) for _ in range(2))
    assert first == second
    assert world.hands.done == [("job", dag("acme"), 1)]
    refused = sent(world, "/rehearsal", status=409, **REHEARSAL)
    assert "yukiさんが始めた別の作業が実行中です" in refused
    assert sent(world, "/person/now", "omar", **NOW_FORM) == first, "whoever asks for the same"


def test_l5_nobody_keeps_more_than_a_few_under_way(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: of all companies together; the others' places are free."""
    monkeypatch.setattr(
        world.services.knowledge, "jobs_of", lambda user: MAX_LOGINS_OF_ONE if user.name == "yuki" else 0
    )
    assert "終わってから始めてください" in sent(world, "/person/now", status=409, **NOW_FORM)
    assert world.hands.done == []
    assert sent(world, "/person/now", "omar", **NOW_FORM)


@pytest.mark.usefixtures("linked")
def test_s1_jobs_are_only_for_those_who_may_change_the_dag(world: ConsoleWorld) -> None:
    """S1: a viewer cannot start one, and a job answers to him as one that is not there; so does another company's."""
    place = sent(world, "/rehearsal", **REHEARSAL)
    work(world)
    nobodys = shown(world, f"{HERE}/jobs/99", status=404)
    for path in (
        place,
        f"{HERE}/jobs",
        f"{HERE}/jobs/0",
        f"{HERE}/jobs/x",
        f"{HERE}/jobs/-1",
        f"{HERE}/jobs/" + "9" * 20,
    ):
        assert shown(world, path, "ken", 404) == nobodys.replace("yuki", "ken")
    assert shown(world, place.replace("acme", "beta"), status=404) == nobodys
    assert shown(world, place.replace("acme", "beta"), "omar", 404) == nobodys.replace("yuki", "omar")
    for path, form in (("/rehearsal", REHEARSAL), ("/person/now", NOW_FORM)):
        sent(world, path, "ken", 403, **form)
    assert len(world.hands.done) == 1
    world.door.rights["yuki"]["acme"] = {Right.SEE}
    assert shown(world, place, status=404) == nobodys, "a right that was taken away counts for old jobs too"


@pytest.mark.usefixtures("linked")
def test_l6_what_was_asked_for_stands_in_the_store_alone(
    world: ConsoleWorld, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L6: who started a job and who saw its result is noted, without names; neither address, log nor Airflow has any."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(kinds, "_systems", lambda *_, **__: {})  # by the stored read: nobody is asked
    place = sent(world, "/person/now", **NOW_FORM)
    told = work(world)
    assert "小鳥遊" in shown(world, place)
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted(world)] == [
        ("yuki", dag("acme"), "job person"),
        ("yuki", dag("acme"), "result person"),
    ]
    assert "小鳥遊" not in place + caplog.text + json.dumps([noted(world), told, world.hands.done], ensure_ascii=False)
    assert "小鳥遊" not in shown(world, f"{HERE}/person")


@pytest.mark.usefixtures("linked")
def test_s4_why_somebody_is_in_emc_by_smarthr_as_it_is_now(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: the same eight steps as of the record, told of the next run; a name is text."""
    monkeypatch.setattr(kinds, "_systems", lambda *_, **__: {})
    asked = words(
        world.browser("yuki")
        .post(BASE + f"{HERE}/person", data={"token": world.token("yuki"), "text": "<b>四</b>"})
        .text
    )
    assert "今のSmartHRで確かめる" in asked
    place = sent(world, "/person/now", text="<b>四</b>")
    work(world)
    done = shown(world, place)
    steps = ("受信", "在籍", "ユーザID", "差分", "検査", "保留", "登録", "EMC")
    assert re.search(".*".join(f" {step} [✓✕–] " for step in steps), words(done))
    assert "&lt;b&gt;四&lt;/b&gt;" in done
    assert "<b>四" not in done


def test_l8_a_job_that_fails_says_why(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """L8, L6: a fault of ours in its own words, one that nobody foresaw and a time-out without any of a person's."""
    (world.sheets / "acme.yaml").write_text("users: [broken", encoding="utf-8")
    place = sent(world, "/rehearsal", **REHEARSAL)
    with pytest.raises(AirflowFailException, match="連携設定シートに誤り"):
        work(world)
    assert "連携設定シートに誤りがあります" in shown(world, place)
    for number, (error, said) in enumerate(
        ((ValueError("小鳥遊"), "予期しないエラー（ValueError）"), (AirflowTaskTimeout("x"), "時間がかかりすぎた")),
        start=2,
    ):

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setitem(kinds.JOBS, "rehearsal", fail)
        place = sent(world, "/rehearsal", **REHEARSAL)
        with pytest.raises(AirflowFailException, match=said):
            work(world, number)
        assert said in shown(world, place)
        assert "小鳥遊" not in shown(world, place)


def test_l8_a_job_whose_worker_died_says_so_and_can_be_started_again(world: ConsoleWorld) -> None:
    """L8: by Airflow's word on the run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    place = sent(world, "/rehearsal", **REHEARSAL)
    jobs_of(world).begin(1, jobs_of(world).read(1).request.run, NOW)
    assert "準備しています" in shown(world, place)
    jobs_of(world).tell(1, Progress("SmartHRの従業員を受信しています", 1300, 5000))
    running = shown(world, place)
    assert "SmartHRの従業員を受信しています 1,300 / 5,000" in running
    assert '<progress max="5000" value="1300"' in running
    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.dag_id == task.DAG_ID).values(state="failed"))
    assert "作業が途中で止まりました" in shown(world, place)
    assert sent(world, "/rehearsal", **REHEARSAL) == f"{HERE}/jobs/2"


def test_l8_a_job_that_airflow_does_not_take_is_no_job_under_way(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8: it says why; the next click tries again."""

    def refuse(*_: object) -> None:
        raise Refused("Dagがありません。")

    with monkeypatch.context() as patch:
        patch.setattr(type(world.hands), "start_job", refuse)
        assert "Dagがありません" in sent(world, "/rehearsal", status=409, **REHEARSAL)
    assert "Dagがありません" in shown(world, f"{HERE}/jobs/1")
    assert sent(world, "/rehearsal", **REHEARSAL) == f"{HERE}/jobs/2"


@pytest.mark.usefixtures("linked")
def test_a_result_of_another_version_is_said_to_be_one(world: ConsoleWorld) -> None:
    place = sent(world, "/rehearsal", **REHEARSAL)
    work(world)
    world.store.write(f"{LINK}/tenants/acme/jobs/00000001/result.json", b"{}")
    assert "今の版では表示できません" in shown(world, place)


def test_only_what_the_page_offers_is_rehearsed(world: ConsoleWorld) -> None:
    offered = {"read": "stored", "mode": "NORMAL"}
    for form in ({}, {"read": "stored"}, offered | {"mode": "RESTORE"}, offered | {"read": "x"}):
        sent(world, "/rehearsal", status=400, **form)
    sent(world, "/person/now", status=400)
    assert world.hands.done == []


def test_l4_a_run_made_by_hand_does_nothing(world: ConsoleWorld) -> None:
    """L4: Airflow's own trigger form names no job that was asked for."""
    sent(world, "/rehearsal", **REHEARSAL)
    for named in (None, "", "1", f"{dag('acme')}/0", "renkei_jobs/1", f"{dag('acme')}/../1", 7):
        with pytest.raises(AirflowFailException, match="画面から"):
            task.run_job(named, "manual__1", DAG_FILE)
    with pytest.raises(AirflowFailException, match="別の実行のもの"):
        task.run_job(f"{dag('acme')}/1", "manual__1", DAG_FILE)


@pytest.mark.usefixtures("linked")
def test_s3_the_checklist_does_not_go_backwards_when_jobs_and_runs_are_deleted(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: a rehearsal nobody saw in the checklist, and steps that somebody saw done; nor is a torn record its end."""
    for name in ("SMARTHR", "EMC"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}__ACME", "http://x")
    for key in world.store.files(f"{LINK}/tenants/acme/baselines"):
        world.store.delete(key)
    sent(world, "/rehearsal", **REHEARSAL)
    work(world)
    later = NOW + 2 * KEPT
    assert jobs_of(world).tidy(later) == 1
    assert "5. リハーサル 完了" in words(shown(world, f"{HERE}/start"))
    world.ran("acme", conf={"mode": "CHECK_ONLY"})
    world.ran("acme", days_ago=-1)
    before = words(shown(world, f"{HERE}/start"))
    assert "7. 初回連携 完了" in before
    with emptied():
        add_dags(dag("acme"), next_run=NOW)
        world.services.knowledge.changed()
        assert words(shown(world, f"{HERE}/start")) == before
        world.store.write(f"{LINK}/tenants/acme/sheets/versions/00000001.json", b"{")
        assert words(shown(world, f"{HERE}/start")) == before
        world.store.write(f"{LINK}/tenants/acme/way.json", b"{")
        assert "5. リハーサル 完了" in words(shown(world, f"{HERE}/start"))


@pytest.mark.parametrize("part", ["request", "begun", "progress", "end", "result"])
@pytest.mark.parametrize("torn", [b"{", b"{}"])
@pytest.mark.usefixtures("linked")
def test_l8_a_torn_record_is_said_to_be_one_on_its_own_page_alone(world: ConsoleWorld, part: str, torn: bytes) -> None:
    """L8: and the next job begins."""
    place = sent(world, "/rehearsal", **REHEARSAL)
    work(world)
    world.store.write(f"{LINK}/tenants/acme/jobs/00000001/{part}.json", torn)
    answer = world.browser("yuki").get(BASE + place)
    assert answer.status_code == (409 if part != "result" else 200)
    assert ("別の版の" if part != "result" else "今の版では表示できません") in words(answer.text)
    for path in ("", "/jobs", "/start", "/rehearsal", "/connections"):
        shown(world, HERE + path)
    assert sent(world, "/rehearsal", **REHEARSAL) == f"{HERE}/jobs/2"
