"""承認 over HTTP: what stops the plan, whom it is about, who may answer, and what becomes of a second answer (E36, S4)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import update

from renkei.errors import StoreError
from renkei.links.smarthr_emc.people.index import PAGE
from renkei.orchestration.approval_tasks import UNANSWERED
from renkei.runs.hold import Approval, Deadline, HeldPlan, Hold
from renkei.storage import audit
from renkei.storage.store import Store
from renkei.web.services import Right
from tests.contract.console.world import BASE, FOLDER, NOW, ConsoleWorld, OffTheLoop, dag, text_of
from tests.harness.airflow_rows import answer_question
from tests.unit.links.smarthr_emc.people.test_explain import day, record
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import person

RUN = "manual__2026-11-30T00:50:00+00:00"
PATH = f"/dag/{dag('acme')}/approval/{quote(RUN, safe='')}"
YES, NO = "承認して登録する", "登録しない"
UNTIL = NOW + dt.timedelta(hours=18, minutes=15)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a plan that would delete six of twelve, 小鳥遊 among them."""
    folder = tmp_path_factory.mktemp("made")
    people = [person(n, 姓="小鳥遊" if n == 3 else "<b>五</b>" if n == 5 else f"姓{n}") for n in range(1, 13)]
    hold(Store(LocalFileSystem(), str(folder / "store")), people, people[6:])
    return folder


def hold(store: Store, before: list[dict[str, str]], after: list[dict[str, str]]) -> None:
    day(store, 0, before)
    day(store, 1, after, until="plan", name=FOLDER)
    record(store, 1, FOLDER).write(Deadline(UNTIL))


@pytest.fixture
def empty(empty: ConsoleWorld) -> ConsoleWorld:
    """acme waits for an answer, and its record is missing. hana only answers."""
    empty.door.rights["hana"] = {"acme": {Right.SEE, Right.ANSWER}}
    empty.company("acme", "株式会社アクメ")
    empty.ran("acme", run_id=RUN, state="running", subject="", asks="approve", run_type="manual", by="yuki")
    return empty


@pytest.fixture
def world(made: Path, empty: ConsoleWorld) -> ConsoleWorld:
    shutil.copytree(made / "store", empty.folder / "store")
    return empty


def digest(world: ConsoleWorld) -> str:
    return world.record("acme").read(HeldPlan).digest


def shown(world: ConsoleWorld, user: str = "yuki", status: int = 200, query: str = "") -> str:
    answer = world.browser(user).get(BASE + PATH + query)
    assert answer.status_code == status, answer.text[:2000]
    return text_of(answer.text)


def answered(world: ConsoleWorld, user: str = "yuki", status: int = 303, **form: str) -> str:
    given = {"token": world.token(user), "plan": digest(world), "answer": "approve", "reason": "拠点閉鎖"} | form
    answer = world.browser(user).post(BASE + PATH, data=given)
    assert answer.status_code == status, answer.text[:2000]
    return text_of(answer.text) if status != 303 else str(answer.headers["location"])


def test_e36_what_stops_the_plan_and_whom_it_is_about(world: ConsoleWorld) -> None:
    """E36: the guard's limit and figure, the deadline, and everybody by id, name, department and reason."""
    found = shown(world)
    assert "回答待ち 期限は 2026/12/01 4:15 です（あと18時間15分）" in found
    assert "社員の削除が6件（前回12件の50.0%）あります。上限は10%かつ5件、または500件です。 6 12 50.0%" in found
    assert "社員 新規 0 ・ 更新 6 ・ 削除 6 前回 12" in found
    assert "EMCから削除される社員 6名" in found
    assert "3 小鳥遊 d1 d1部 SmartHRに居ない – SmartHRで開く" in found
    assert "承認して登録する（社員6件を削除）" in found
    assert "<b>五" not in world.browser("yuki").get(BASE + PATH).text


def test_e35_who_loses_the_last_contact_is_named(empty: ConsoleWorld) -> None:
    """E35: a group of their own, and marked."""
    people = [person(n) for n in range(1, 13)]
    hold(empty.store, people, [person(n, メールアドレス="") for n in range(1, 7)] + people[6:])
    found = shown(empty)
    assert "最後の緊急連絡先が無くなる社員が6人" in found
    assert "緊急連絡先が1件も無くなる社員（安否確認の連絡が届かなくなります） 6名" in found
    assert "1 山田 d1 d1部 – 無くなる SmartHRで開く" in found


def test_e36_thousands_are_shown_a_page_at_a_time(empty: ConsoleWorld) -> None:
    """E36: the nearest page of the nearest group, whatever an address asks for."""
    world, people = empty, [person(n) for n in range(1, 2 * PAGE + 20)]
    hold(world.store, people, people[-5:])
    total = f"/ {2 * PAGE + 14}名"
    assert f"1～100 {total} 次へ" in shown(world)
    assert f"101～200 {total}" in shown(world, query="?of=0&page=2")
    last = shown(world, query="?of=0&page=3")
    assert f"前へ 201～214 {total}" in last
    assert last.count("SmartHRで開く") == 14
    assert shown(world, query="?of=7&page=99") == last
    assert shown(world, query="?of=x&page=-1") == shown(world, query="?of=%00") == shown(world)


def test_e36_of_a_million_people_only_those_concerned_are_read(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E36: whole tables of people took a gigabyte a click; a plan that blanks an item reads that item of everybody."""
    whole, read_table = [], Store.read_table

    def noted(store: Store, key: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        if "/users" in key:
            whole.append((key.rpartition("/")[2], columns))
        return read_table(store, key, columns)

    monkeypatch.setattr(Store, "read_table", noted)
    assert "3 小鳥遊 d1 d1部" in shown(world)
    assert whole == []
    held = world.record("acme").read(HeldPlan)
    clears = Hold("clear:full_name_yomi", "", 1, 6)
    world.record("acme").write(dataclasses.replace(held, holds=[*held.holds, clears]))
    assert "3 小鳥遊 d1 d1部" in shown(world)
    assert {(name, tuple(columns or ())) for name, columns in whole} == {
        ("users_target.parquet", ("user_id", "crew_id", "full_name_yomi"))
    }


def test_s1_names_are_for_those_who_may_change_the_dag(world: ConsoleWorld) -> None:
    """S1: a viewer is refused, another company answers as none; of a refused look there is no note."""
    for user, status in (("ken", 403), ("hana", 403), ("", 303)):
        assert "小鳥遊" not in shown(world, user, status)
    world.company("beta", "ベータ商事")
    theirs, nobodys = (world.browser("yuki").get(BASE + PATH.replace("acme", name)) for name in ("beta", "nosuch"))
    assert (theirs.status_code, theirs.text) == (404, nobodys.text)
    assert world.browser("yuki").get(BASE + PATH.replace("manual", "other")).status_code == 404
    assert world.store.files(audit.FOLDER) == []


def test_s1_the_answer_needs_the_right_to_answer(world: ConsoleWorld) -> None:
    """S1: who may only edit reads the page and has no form; who may only answer may do so."""
    world.door.rights["edith"] = {"acme": {Right.SEE, Right.EDIT}}
    assert "承認に回答する権限が必要です" in shown(world, "edith")
    assert "判断の理由" not in shown(world, "edith")
    for user in ("edith", "ken"):
        answered(world, user, 403)
    assert world.hands.done == []
    answered(world, "hana")
    assert len(world.hands.done) == 1


@pytest.mark.parametrize("sent", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}], ids=str)
def test_what_another_page_sends_is_no_answer(world: ConsoleWorld, sent: dict[str, str]) -> None:
    """CSRF: neither another site's form nor one without the user's own token."""
    form = {"plan": digest(world), "answer": "approve", "reason": "x", "token": world.token("yuki")}
    assert world.browser("yuki", **sent).post(BASE + PATH, data=form).status_code == 403
    assert world.browser("yuki").post(BASE + PATH, data=form | {"token": world.token("omar")}).status_code == 403
    assert world.hands.done == []


def test_e36_an_answer_is_given_once_with_its_reason_and_plan(world: ConsoleWorld) -> None:
    """E36: as the user who asks; the second one hears who was first, and what he answered."""
    assert answered(world, reason=" 拠点 \n閉鎖 ") == BASE + PATH
    assert world.hands.done == [("answer", dag("acme"), RUN, "approve", YES, "拠点 閉鎖", digest(world))]
    assert "yukiさんが承認しました。理由: 拠点 閉鎖" in shown(world, "omar")
    second = answered(world, "omar", 409, answer="refuse")
    assert "yukiさんが承認 " in second
    assert len(world.hands.done) == 1


def test_l5_an_answer_waits_for_nothing_in_the_event_loop(world: ConsoleWorld) -> None:
    """Neither where it is taken nor where it is refused."""
    knowledge = OffTheLoop(world.services.knowledge)
    world.serve(knowledge=knowledge)
    answered(world, status=400, reason="")
    answered(world, status=400, answer="maybe")
    answered(world, status=409, plan="another")
    answered(world)
    answered(world, status=409)
    assert knowledge.in_loop == []


def test_e36_of_two_at_once_the_later_hears_who_was_first(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """E36: both saw an open question; Airflow takes one answer."""
    real = world.hands.answer

    async def after_another(*given: str) -> None:
        answer_question(dag("acme"), RUN, "花子", NO)
        await real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(world.hands, "answer", after_another)
    found = answered(world, status=409)
    assert "花子さんが「登録しない」と回答しました。理由は書かれていません。" in found
    assert world.hands.done == []


def test_e36_an_answer_holds_for_the_plan_that_was_shown(world: ConsoleWorld) -> None:
    """E36: planned anew meanwhile, it is another one's business."""
    old = digest(world)
    world.record("acme").write(HeldPlan("another", world.record("acme").read(HeldPlan).holds))
    assert "計画が変わりました" in answered(world, status=409, plan=old)
    assert world.hands.done == []
    answered(world)


@pytest.mark.parametrize(
    ("form", "says"),
    [({"reason": " \u3000"}, "理由が入力されていません"), ({"answer": "maybe"}, "回答を読み取れません"), ({"reason": "x" * 501}, "内容を読み取れません")],
)  # fmt: skip
def test_e36_a_reason_is_required(world: ConsoleWorld, form: dict[str, str], says: str) -> None:
    assert says in answered(world, status=400, **form)
    assert world.hands.done == []


@pytest.mark.parametrize(
    ("by", "chosen", "says"),
    [
        ("花子", YES, "花子さんが承認 "),
        ("花子", NO, "花子さんが拒否 "),
        ("", NO, "期限切れ "),
        ("Renkei（処理が終了したため締め切り）", "", "実行が終わりました 回答のないまま"),
    ],
)
def test_e36_an_answered_question_says_what_became_of_it(world: ConsoleWorld, by: str, chosen: str, says: str) -> None:
    """E36: and takes no other answer."""
    answer_question(dag("acme"), RUN, by, chosen)
    found = shown(world)
    assert says in found
    assert "判断の理由" not in found
    assert says.split()[0] in answered(world, status=409)
    assert world.hands.done == []


def test_e36_after_its_time_no_answer_is_taken(world: ConsoleWorld) -> None:
    """E36: although Airflow has not closed the question yet."""
    world.record("acme").write(Deadline(NOW))
    found = shown(world)
    assert "期限切れ 期限（2026/11/30 10:00）を過ぎました" in found
    assert "判断の理由" not in found
    assert "期限切れ" in answered(world, status=409)
    assert world.hands.done == []


def test_e36_a_run_that_is_over_takes_no_answer(world: ConsoleWorld) -> None:
    """E36: marked as failed, say, while the page was open."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        session.execute(update(DagRun).values(state="failed"))
    assert "実行が終わりました" in shown(world)
    assert "実行が終わりました" in answered(world, status=409)
    assert world.hands.done == []


@pytest.mark.parametrize("by", ["花子", UNANSWERED])
def test_e36_what_airflow_has_forgotten_stands_in_the_record(world: ConsoleWorld, by: str) -> None:
    """E36: a task that was cleared has no question any more; who decided, and why, is kept."""
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(HITLDetail))
    assert "承認待ちではありません" in shown(world)
    assert "小鳥遊" not in shown(world)
    world.record("acme").write(Approval(digest(world), by == "花子", by, "拠点閉鎖", NOW))
    assert ("花子さんが承認 2026/11/30 10:00 に花子さんが承認しました。理由: 拠点閉鎖" in shown(world)) is (
        by == "花子"
    )
    assert ("期限切れ" in shown(world)) is (by != "花子")


def test_l1_without_its_record_a_run_is_answered_elsewhere(world: ConsoleWorld) -> None:
    """L1: nobody can see what is approved, so nobody approves it here."""
    plan = digest(world)
    for name in world.store.files(world.record("acme").folder):
        world.store.delete(name)
    world.store.remove_folder(world.record("acme").folder)
    assert "この実行の記録が保存先にありません" in shown(world)
    form = {"plan": plan, "answer": "approve", "reason": "x", "token": world.token("yuki")}
    answer = world.browser("yuki").post(BASE + PATH, data=form)
    assert (answer.status_code, "この実行の記録が保存先にありません" in answer.text) == (409, True)
    assert world.hands.done == []


def test_l1_a_store_out_of_reach_names_nobody_and_takes_no_answer(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: Airflow's own facts are shown all the same."""
    plan = digest(world)

    def refuse(*_: object) -> bytes:
        raise StoreError("保存先を読み込めません。")

    monkeypatch.setattr(Store, "read", refuse)
    found = shown(world)
    assert "回答待ち" in found
    assert "保存先を読み込めません。" in found
    assert "小鳥遊" not in found
    form = {"plan": plan, "answer": "approve", "reason": "x", "token": world.token("yuki")}
    assert world.browser("yuki").post(BASE + PATH, data=form).status_code == 409
    assert world.hands.done == []


def test_l6_a_look_is_noted_without_names(world: ConsoleWorld, caplog: pytest.LogCaptureFixture) -> None:
    """L6: who, when, which company and page; no log holds a name."""
    caplog.set_level(logging.DEBUG)
    assert "小鳥遊" in shown(world)
    answered(world)
    noted = [json.loads(world.store.read(name)) for name in world.store.files(audit.FOLDER)]
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted] == [("yuki", dag("acme"), "approval")]
    assert "小鳥遊" not in caplog.text + json.dumps(noted, ensure_ascii=False)


def test_l1_who_cannot_be_noted_is_shown_nobody(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("保存先に書き込めません。")

    monkeypatch.setattr(audit, "note", refuse)
    found = shown(world)
    assert "保存先に書き込めません。" in found
    assert "小鳥遊" not in found


def test_s4_every_page_of_a_waiting_run_leads_to_the_answer(world: ConsoleWorld) -> None:
    """S4: 連携一覧, the company and the run; who may not see names is led to Airflow's own page."""
    pages = ("/", f"/dag/{dag('acme')}", f"/dag/{dag('acme')}/runs/{quote(RUN, safe='')}")
    for path in pages:
        assert f'href="{BASE}{PATH}"' in world.browser("yuki").get(BASE + path).text, path
        viewed = world.browser("ken").get(BASE + path).text
        assert PATH not in viewed, path
        assert f"/dags/{dag('acme')}/runs/{quote(RUN, safe='')}/tasks/approve/required_actions" in viewed, path
