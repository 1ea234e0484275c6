"""接続: what a company's sheet needs is filled in on a page, goes into Airflow as the user, and is tried by a job (L7, S2)."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from renkei.jobs.records import Jobs
from renkei.orchestration.web import registering
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.connection_facts import TriedConnection, TriedConnections
from scripts.page_forms import field_of
from tests.contract.console.world import BASE, LINK, ConsoleWorld, body, dag, text_of

HERE = f"/dag/{dag('acme')}/connections"
EMC = f"{HERE}/emc__acme"
RIGHT = {"field.url": "https://emc.example.jp", "field.secret": "token-0"}


def sent(world: ConsoleWorld, path: str, user: str = "omar", status: int = 303, **form: str) -> str:
    drawn = {"connection_digest": registering.digest(path.rpartition("/")[2])}
    answer = world.browser(user).post(BASE + path, data={**drawn, **form, "token": world.token(user)})
    assert answer.status_code == status, answer.text[:2000]
    return answer.text if status != 303 else str(answer.headers["location"])


def stored(name: str, conn_type: str, **fields: object) -> None:
    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id == name).delete()
        session.add(Connection(conn_id=name, conn_type=conn_type, **fields))


def test_s2_the_page_lists_what_the_sheet_needs_and_what_is_missing(world: ConsoleWorld) -> None:
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    shown = text_of(body(world, HERE))
    assert "smarthr__acme SmartHR 未登録 登録する" in shown
    assert "emc__acme Emergency Call (EMC) 登録済み 変更する" in shown
    assert 'href="/renkei/console/dag/smarthr_emc__acme/connections"' in body(world, f"/dag/{dag('acme')}")


def test_l7_what_is_registered_is_never_shown_again(world: ConsoleWorld) -> None:
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    shown = body(world, EMC)
    assert "hidden-0" not in shown
    assert "登録済み（変更する場合だけ入力）" in shown
    assert 'value="https://emc.example.jp"' in shown
    sent(world, EMC, **RIGHT | {"field.secret": ""})
    assert world.hands.done[0] == ("register", "emc__acme", "emc", {"host": "https://emc.example.jp"}, {})


def test_l7_who_changes_the_address_is_asked_for_the_secret_by_its_field_too(world: ConsoleWorld) -> None:
    """The fault and the note below the field say the same; the browser asks, too."""
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    shown = sent(world, EMC, status=400, **{"field.url": "https://other.example.jp", "field.secret": ""})
    assert "送信先が変わるため、登録済みの値は使いません" in shown
    assert "変更する場合だけ入力" not in shown
    assert "登録済みの値は、変更前の送信先のものです。もう一度入力してください" in shown
    assert re.search(r'<input id="field.secret"[^>]* required>', shown)
    assert world.hands.done == []


def test_s2_a_connection_is_registered_as_the_user_and_tried_at_once(world: ConsoleWorld) -> None:
    to = sent(world, EMC, **RIGHT)
    assert to.endswith(f"/dag/{dag('acme')}/jobs/1")
    values = {"host": "https://emc.example.jp", "password": "token-0"}
    assert world.hands.done == [("register", "emc__acme", "emc", values, {}), ("job", dag("acme"), 1)]
    request = Jobs(TenantFolder(world.store, LINK, "acme")).read(1).request
    assert (request.kind, request.asked) == ("connections", {"name": "emc__acme"})
    assert "token-0" not in json.dumps(dict(request.asked))


def test_s2_while_other_work_is_under_way_it_is_registered_all_the_same(world: ConsoleWorld) -> None:
    sent(world, HERE)
    to = sent(world, EMC, **RIGHT)
    assert to.endswith("/connections?saved=emc__acme")
    assert "接続「emc__acme」を登録しました" in body(world, to.removeprefix(BASE))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"field.secret": ""}, "トークンが入力されていません"),
        ({"field.secret": "se cret"}, "途中に空白"),
        ({"field.url": "http://emc.example.jp"}, "「https://」で始まる"),
    ],
)
def test_p4_what_cannot_be_right_is_refused_and_no_secret_comes_back(
    world: ConsoleWorld, form: dict[str, str], said: str
) -> None:
    shown = sent(world, EMC, status=400, **RIGHT | form)
    assert said in shown
    assert ("se cret" in shown, "token-0" in shown) == (False, False)
    assert world.hands.done == []


def test_l7_no_kept_secret_goes_to_another_address(world: ConsoleWorld) -> None:
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    assert "登録済みの値は使いません" in sent(world, EMC, status=400, **{"field.url": "https://evil.example"})
    assert world.hands.done == []


def test_s2_a_form_that_was_drawn_over_something_else_changes_nothing(world: ConsoleWorld) -> None:
    """Whatever was changed since: a secret that no page shows, too; and nobody had one, or has none any more."""
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    drawn = field_of(body(world, EMC), "connection_digest")
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-1")
    for before in (drawn, ""):
        said = sent(world, EMC, status=409, **RIGHT, connection_digest=before)
        assert "画面を開いたあとに変更されています" in said
        assert "この画面の内容は保存していません" in said
    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id == "emc__acme").delete()
    sent(world, EMC, status=409, **RIGHT, connection_digest=drawn)
    assert world.hands.done == []
    assert field_of(body(world, EMC), "connection_digest") == ""


def test_s2_what_the_environment_decides_is_said_and_not_overruled(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EMC__ACME", '{"conn_type": "emc", "password": "hidden-1"}')
    shown = body(world, HERE) + body(world, EMC)
    assert "環境変数かシークレットバックエンドで決められている" in shown
    assert "hidden-1" not in shown
    assert "この画面では変えられません" in sent(world, EMC, status=409, **RIGHT)
    assert world.hands.done == []


def test_e41_a_connection_of_another_kind_is_not_turned_into_this_one(world: ConsoleWorld) -> None:
    stored("emc__acme", "http", host="https://emc.example.jp", password="hidden-0")
    assert "種類が「http」です" in sent(world, EMC, status=409, **RIGHT)
    assert world.hands.done == []


@pytest.mark.parametrize("name", ["emc__beta", "smarthr__beta", "renkei_store_key", "smtp_default", "../x"])
def test_e41_only_what_the_companys_own_sheet_needs_can_be_reached(world: ConsoleWorld, name: str) -> None:
    stored("emc__beta", "emc", password="hidden-2")
    body(world, f"{HERE}/{name}", status=404)
    sent(world, f"{HERE}/{name}", status=404, **RIGHT)
    assert world.hands.done == []


def test_s1_who_may_change_no_connection_is_told_and_changes_none(world: ConsoleWorld) -> None:
    """yuki may edit the Dag; Airflow gives him no right on Connections, so he sees no value of theirs either."""
    stored("emc__acme", "emc", host="https://emc.example.jp", password="hidden-0")
    assert "Airflowの接続を変更する権限が必要です" in body(world, HERE, "yuki")
    assert "emc.example.jp" not in body(world, EMC, "yuki")
    sent(world, EMC, "yuki", 403, **RIGHT)
    for path in (HERE, EMC):
        body(world, path, "ken", 403)
        sent(world, path, "ken", 403, **RIGHT)
    assert world.hands.done == []


@pytest.mark.parametrize("path", [HERE, EMC])
def test_s1_what_no_page_of_ours_sends_is_refused(world: ConsoleWorld, path: str) -> None:
    for headers, token in (
        ({"Sec-Fetch-Site": "cross-site"}, world.token("omar")),
        ({}, ""),
        ({}, world.token("yuki")),
    ):
        answer = world.browser("omar", **headers).post(BASE + path, data=RIGHT | {"token": token})
        assert answer.status_code == 403
    assert world.hands.done == []


def test_s6_the_page_of_the_job_shows_what_each_service_said(world: ConsoleWorld) -> None:
    sent(world, HERE)
    jobs = Jobs(TenantFolder(world.store, LINK, "acme"))
    now = dt.datetime.now(dt.UTC)
    trials = [TriedConnection("smarthr__acme", True, "SmartHRに接続できました。"),
              TriedConnection("emc__acme", False, "EMCがトークンを受け付けません。")]  # fmt: skip
    jobs.finish(1, TriedConnections(trials), now)
    shown = text_of(body(world, f"/dag/{dag('acme')}/jobs/1"))
    assert "つながらない接続が1件あります。" in shown
    assert "emc__acme × EMCがトークンを受け付けません。" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "emc__acme",
            "EMCに接続できないか、応答が途中で切れました（ConnectionError）。時間をおいて再実行してください。",
        ),
        ("smarthr__acme", "SmartHRがトークンを受け付けません。"),
        ("smtp_default", "メールサーバーに接続できません。"),
    ],
)
def test_l8_whatever_a_trial_says_there_is_a_remedy_and_the_way_to_what_was_registered(
    world: ConsoleWorld, name: str, said: str
) -> None:
    """L8: of every Connection that has a form; the mail server is in Airflow's own pages, and a good one needs nothing."""
    sent(world, HERE)
    trials = [TriedConnection(name, False, said), TriedConnection("slack__acme", True, "届きます。")]
    Jobs(TenantFolder(world.store, LINK, "acme")).finish(1, TriedConnections(trials), dt.datetime.now(dt.UTC))
    page = body(world, f"/dag/{dag('acme')}/jobs/1")
    assert text_of(page).count("対処:") == 1
    has_form = name != "smtp_default"
    assert (f'href="{BASE}{HERE}/{name}"' in page) is has_form
    assert ("登録内容を確認し" in page, "Airflowの接続「smtp_default」" in page) == (has_form, not has_form)
    assert f"{HERE}/slack__acme" not in page


def test_s6_what_is_not_registered_yet_is_no_failure_of_what_has_just_been(world: ConsoleWorld) -> None:
    sent(world, EMC, **RIGHT)
    trials = [TriedConnection("emc__acme", True, "EMCに接続できました。"),
              TriedConnection("smarthr__acme", False, "Admin > Connections", registered=False)]  # fmt: skip
    jobs = Jobs(TenantFolder(world.store, LINK, "acme"))
    jobs.finish(1, TriedConnections(trials, "emc__acme"), dt.datetime.now(dt.UTC))
    shown = text_of(body(world, f"/dag/{dag('acme')}/jobs/1"))
    assert "接続「emc__acme」はつながりました。未登録の接続が1件あります。" in shown
    assert "smarthr__acme 未登録 まだ登録されていません。" in shown
    assert f'href="{BASE}{HERE}/smarthr__acme"' in body(world, f"/dag/{dag('acme')}/jobs/1")
    assert "×" not in shown
