"""災害時凍結 over HTTP: who may switch it, what stands on every page, and that of two at once nobody loses (S4)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.exc import OperationalError

from renkei.errors import StoreError
from renkei.orchestration.disaster_freeze import VARIABLE, FirstSeen, first_seen_key, frozen_tenants
from renkei.orchestration.smarthr_emc import console
from renkei.orchestration.web import freezing
from renkei.runs.freeze import ALL
from renkei.storage import records
from renkei.web.services import Refused, Right, User
from tests.contract.console.world import BASE, NOW, ConsoleWorld, dag, text_of

COMPANY, EVERY = f"/dag/{dag('acme')}/freeze", "/freeze"
MEANS = "削除と値の消去を行いません。新規と更新は続けます。"
YUKI, OMAR = User("yuki", "yuki"), User("omar", "omar")


@pytest.fixture
def world(empty: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """acme and beta, each with a good run; omar may freeze all. Variables are read as Airflow's API server reads them."""
    from airflow.sdk.execution_time import task_runner

    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.delattr(task_runner, "SUPERVISOR_COMMS", raising=False)  # an earlier test's run may have left one
    for tenant, name in (("acme", "株式会社アクメ"), ("beta", "ベータ商事")):
        empty.company(tenant, name)
        empty.ran(tenant)
    return empty


def by_hand(world: ConsoleWorld, value: str) -> None:
    from airflow.models.variable import Variable

    Variable.set(VARIABLE, value)
    world.services.knowledge.changed()


def sent(world: ConsoleWorld, path: str, to: bool, user: str = "yuki", status: int = 303, **form: str) -> str:
    given = {"token": world.token(user), "on": "1" if to else "0", "reason": "地震のため"} | form
    answer = world.browser(user).post(BASE + path, data=given)
    assert answer.status_code == status, answer.text[:2000]
    return text_of(answer.text)


def shown(world: ConsoleWorld, path: str, user: str = "yuki", status: int = 200) -> str:
    answer = world.browser(user).get(BASE + path)
    assert answer.status_code == status, answer.text[:2000]
    return text_of(answer.text)


def audit() -> list[tuple[Any, ...]]:
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = select(Log.event, Log.owner, Log.dag_id, Log.extra).where(Log.event.in_(freezing.EVENTS.values()))
    with create_session() as session:
        return [(*row[:3], json.loads(row.extra)) for row in session.execute(wanted.order_by(Log.id))]


def test_s4_a_company_is_frozen_and_thawed_with_a_reason(world: ConsoleWorld) -> None:
    """S4: by who may edit its Dag; what runs go by has its name, and Airflow's audit log who and why."""
    assert f"凍結していません 凍結すると、{MEANS}" in shown(world, COMPANY)
    sent(world, COMPANY, True)
    assert frozen_tenants() == {"acme"}
    found = shown(world, COMPANY)
    assert "この会社は、災害時凍結中です。" + MEANS in found
    assert "yukiさんが設定、理由: 地震のため" in found
    assert "災害時凍結中 次にすること" in shown(world, f"/dag/{dag('acme')}")
    sent(world, COMPANY, False, reason="収束")
    assert frozen_tenants() == set()
    assert "株式会社アクメ 解除 yuki 収束" in shown(world, COMPANY)
    assert audit() == [
        ("renkei_freeze_on", "yuki", dag("acme"), {"tenant": "acme", "reason": "地震のため"}),
        ("renkei_freeze_off", "yuki", dag("acme"), {"tenant": "acme", "reason": "収束"}),
    ]


@pytest.mark.parametrize("often_enough", [True, False])
def test_s4_a_locked_database_is_tried_again(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch, often_enough: bool
) -> None:
    """S4: as a pause is; then it is said, and nothing was done."""
    tries, write = [0], freezing._write
    free_after = len(freezing.PAUSES_S) + (not often_enough)

    def locked(*given: Any) -> bool:
        tries[0] += 1
        if tries[0] <= free_after:
            raise OperationalError("INSERT INTO log", {}, Exception("database is locked"))
        return write(*given)

    monkeypatch.setattr(freezing, "_write", locked)
    monkeypatch.setattr(freezing, "PAUSES_S", (0.0,) * len(freezing.PAUSES_S))
    said = sent(world, COMPANY, True, status=303 if often_enough else 409)
    assert (frozen_tenants() == {"acme"}) is often_enough
    assert ("データベースに書き込めません" in said) is not often_enough
    assert len(audit()) == int(often_enough)


def test_s4_what_was_written_although_no_answer_came_is_done(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4, L4: the second try finds its own act, which is not somebody else's."""
    write, lost = freezing._write, [True]

    def answered_once(*given: Any) -> bool:
        done = write(*given)
        if lost and lost.pop():
            raise OperationalError("COMMIT", {}, Exception("connection lost"))
        return done

    monkeypatch.setattr(freezing, "_write", answered_once)
    monkeypatch.setattr(freezing, "PAUSES_S", (0.0,))
    sent(world, COMPANY, True)
    assert frozen_tenants() == {"acme"}
    assert len(audit()) == 1


def test_s4_all_are_frozen_by_who_may_write_the_variable(world: ConsoleWorld) -> None:
    """S4, S1: the others see it and have no form."""
    assert "Airflowの変数を変更する権限が必要です" in shown(world, EVERY)
    sent(world, EVERY, True, "yuki", 403)
    assert world.hands.done == []
    sent(world, EVERY, True, "omar")
    assert frozen_tenants() == {ALL}
    for path in (COMPANY, COMPANY.replace("acme", "beta")):
        assert "全社が災害時凍結中です。" + MEANS in shown(world, path, "omar")
    assert audit() == [("renkei_freeze_on", "omar", None, {"tenant": ALL, "reason": "地震のため"})]
    sent(world, COMPANY, True)
    sent(world, EVERY, False, "omar")
    assert frozen_tenants() == {"acme"}


def test_s1_a_company_is_switched_by_who_may_edit_it(world: ConsoleWorld) -> None:
    """S1: a viewer sees and may not; another company answers as none, and its name is on no page."""
    assert "Dagを編集する権限が必要です" in shown(world, COMPANY, "ken")
    sent(world, COMPANY, True, "ken", 403)
    theirs, nobodys = (world.browser("yuki").get(BASE + COMPANY.replace("acme", name)) for name in ("beta", "nosuch"))
    assert (theirs.status_code, theirs.text) == (404, nobodys.text)
    sent(world, COMPANY.replace("acme", "beta"), True, "yuki", 404)
    sent(world, COMPANY.replace("acme", "beta"), True, "omar")
    assert "ベータ商事" not in shown(world, EVERY)
    assert "会社が" not in shown(world, "/")
    assert Right.EDIT not in world.door.rights["ken"]["acme"]


@pytest.mark.parametrize("path", [COMPANY, EVERY])
def test_what_is_not_sent_by_our_page_switches_nothing(world: ConsoleWorld, path: str) -> None:
    """CSRF, and a form without a reason or an answer."""
    form = {"on": "1", "reason": "x", "token": world.token("omar")}
    assert world.browser("omar", **{"Sec-Fetch-Site": "same-site"}).post(BASE + path, data=form).status_code == 403
    assert world.browser("omar").post(BASE + path, data=form | {"token": world.token("yuki")}).status_code == 403
    assert world.browser().post(BASE + path, data=form).status_code == 401
    assert "理由が入力されていません" in sent(world, path, True, "omar", 400, reason=" \u3000")
    sent(world, path, True, "omar", 400, reason="x" * 301)
    sent(world, path, True, "omar", 400, on="yes")
    assert (world.hands.done, frozen_tenants(), audit()) == ([], set(), [])


def test_s4_a_banner_stands_on_every_page(world: ConsoleWorld) -> None:
    """S4: of all, of the company whose page it is, else how many are frozen of those that one may see."""
    run = quote("scheduled__2026-11-29T19:30:00+00:00", safe="")
    of = [
        f"/dag/{dag('acme')}{path}" for path in ("", "/run", "/runs", f"/runs/{run}", "/people", "/person", "/freeze")
    ]
    pages = [*of, "/", EVERY, f"/dag/{dag('beta')}"]
    for path in pages:
        assert "災害時凍結中" not in shown(world, path, "omar"), path
    sent(world, COMPANY, True)
    for path in pages:
        says = "この会社は、災害時凍結中です。" if path in of else "災害時凍結中の会社が1社あります。"
        assert says + MEANS in shown(world, path, "omar"), path
    sent(world, EVERY, True, "omar")
    for path in pages:
        assert "全社が災害時凍結中です。" + MEANS in shown(world, path, "omar"), path
    assert "全社が災害時凍結中です。" in shown(world, f"/dag/{dag('nosuch')}", "ken", 404)


def test_s4_what_was_set_by_hand_goes_on_working(world: ConsoleWorld) -> None:
    """S4: names as somebody wrote them, nobody knows who; names of no company are told to who may mend them."""
    by_hand(world, " ACME , nosuch,")
    assert frozen_tenants() == {"acme", "nosuch"}
    assert "いつからかの記録はありません、Airflowの変数で設定" in shown(world, COMPANY)
    assert "会社がない名前があります: nosuch" in shown(world, EVERY, "omar")
    assert "nosuch" not in shown(world, EVERY)
    sent(world, EVERY, True, "omar")
    assert frozen_tenants() == {"acme", "nosuch", ALL}
    sent(world, COMPANY, False)
    assert frozen_tenants() == {"nosuch", ALL}
    by_hand(world, "")
    assert "災害時凍結中" not in shown(world, "/")
    by_hand(world, "acme")
    assert "Airflowの変数で設定" in shown(world, COMPANY), "the last change on the page was an end"


def test_s4_after_three_days_the_page_asks_whether_it_was_forgotten(world: ConsoleWorld) -> None:
    """S4: by the audit log, or by when the watch first saw what was set by hand."""
    by_hand(world, "acme, beta")
    long, young = NOW - dt.timedelta(hours=72), NOW - dt.timedelta(hours=71)
    records.write(world.store, "smarthr_emc/watch/freeze.json", FirstSeen({"acme": long, "beta": young}))
    world.services.knowledge.changed()
    assert "72時間を超えて続いています" in shown(world, COMPANY)
    assert "72時間を超えて" not in shown(world, COMPANY.replace("acme", "beta"), "omar")
    assert "株式会社アクメ 注意 72時間超" in shown(world, EVERY, "omar")


def test_s4_of_two_at_once_neither_loses(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4: omar writes between what yuki read and what she writes; both stand, and both are on record."""
    real, others = freezing._stored, [("beta", True), ("gamma", True), ("beta", False)]

    def overtaken() -> Any:
        found = real()
        if others:
            tenant, on = others.pop(0)
            monkeypatch.setattr(freezing, "_stored", real)
            freezing.switch(OMAR, tenant, dag(tenant), on, "地震のため")
            monkeypatch.setattr(freezing, "_stored", overtaken)
        return found

    monkeypatch.setattr(freezing, "_stored", overtaken)
    freezing.switch(YUKI, "acme", dag("acme"), True, "地震のため")
    assert frozen_tenants() == {"acme", "gamma"}
    assert [line[1] for line in audit()] == ["omar", "omar", "omar", "yuki"]


def test_s4_of_two_with_one_mind_the_later_hears_who_was_first(world: ConsoleWorld) -> None:
    """S4: a page that was opened before; nothing is done twice."""
    sent(world, COMPANY, True)
    assert "yukiさんが、先にacmeの災害時凍結を設定しました。" in sent(world, COMPANY, True, "omar", 409)
    assert len(audit()) == 1
    sent(world, COMPANY, False)
    assert "yukiさんが、先にacmeの災害時凍結を解除しました。" in sent(world, COMPANY, False, "omar", 409)


def test_s4_a_variable_that_changes_all_the_time_is_left_alone(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: then nobody is told that it is done."""
    monkeypatch.setattr(freezing, "_write", lambda *_: False)
    with pytest.raises(Refused, match="重なりました"):
        freezing.switch(YUKI, "acme", dag("acme"), True, "地震のため")
    assert (frozen_tenants(), audit()) == (set(), [])


def test_l8_a_variable_that_is_set_elsewhere_is_not_said_to_be_changed(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L8: an environment variable comes before the database, where a switch would do nothing."""
    monkeypatch.setenv(f"AIRFLOW_VAR_{VARIABLE.upper()}", "beta")
    world.services.knowledge.changed()
    assert "環境変数かシークレットバックエンド" in sent(world, COMPANY, True, "yuki", 409)
    assert (frozen_tenants(), audit()) == ({"beta"}, [])


def test_l1_what_cannot_be_read_is_said_and_not_guessed(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """L1: Airflow does not answer; the page says so, and no switch is pressed blindly."""

    def away(*_: object) -> Any:
        raise StoreError("Airflowの変数を読み取れません。")

    monkeypatch.setattr(freezing, "names_as_told", away)
    monkeypatch.setattr(console, "VIEW", dataclasses.replace(console.VIEW, frozen=away))
    world.services.knowledge.changed()
    assert "Airflowの変数を読み取れません。" in shown(world, "/")
    for path in ("/", COMPANY, EVERY):
        assert "災害時凍結の状態を確認できません" in shown(world, path, "omar")
        assert "凍結していません" not in shown(world, path, "omar")
    sent(world, COMPANY, True, "yuki", 503)
    assert audit() == []


def test_l1_a_freeze_that_airflow_cannot_tell_any_more_is_not_over(world: ConsoleWorld) -> None:
    """L1: a database that is away, a wrong key and a deleted Variable look alike; a value ends a freeze, silence does not."""
    assert frozen_tenants() == set()  # nobody ever was
    records.write(world.store, first_seen_key(), FirstSeen({"acme": world.services.now()}))
    with pytest.raises(StoreError, match="acme の凍結が続いているおそれ"):
        frozen_tenants()
    world.services.knowledge.changed()
    assert "災害時凍結の状態を確認できません" in shown(world, COMPANY, "omar")
    by_hand(world, "none")
    assert frozen_tenants() == set()


def test_reasons_are_text_and_no_markup(world: ConsoleWorld) -> None:
    sent(world, COMPANY, True, reason="<script>alert(1)</script>")
    for path in (COMPANY, EVERY, "/"):
        assert "<script>alert" not in world.browser("omar").get(BASE + path).text
