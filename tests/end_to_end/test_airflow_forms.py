"""Airflow's own forms in a real browser: the Test button of every Connection type of ours, and the trigger form; and what
pages of ours register, tried by jobs that Airflow itself does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.provider import get_provider_info
from scripts.chat_connections import chat_connections
from scripts.local_airflow import PASSWORD, PROJECT, UNHURRIED, USER, LocalAirflow
from scripts.neighbours import Neighbours
from tests.builders import mapping
from tests.end_to_end.browser import PATIENCE_MS, needs_chromium, new_page
from tests.harness.folders import dags_in

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Of this module's own: a first link wants an EMC that nobody has written to."""
    folder = tmp_path_factory.mktemp("forms-neighbours")
    with Neighbours(folder, ["acme:1:30"], ["acme"], chat=True, sales=1, punching=True, absent=True) as running:
        noon = {"at": "2026-11-30T12:00:00+09:00", "stands": True}  # when KING OF TIME lets itself be read
        requests.post(f"{running.urls['kingoftime']}/_sim/clock", json=noon, timeout=30).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, new_database: Path, neighbours: Neighbours
) -> Iterator[LocalAirflow]:
    """With the tenant acme, whose 連携開始日 lies ahead."""
    folder = tmp_path_factory.mktemp("forms")
    sheets = folder / "mappings/smarthr_emc"
    sheets.mkdir(parents=True)
    start = dt.date.today() + dt.timedelta(days=60)
    sheet = dataclasses.replace(mapping(), smarthr_url=neighbours.urls["smarthr"], link_start_on=start)
    write_yaml(sheet, sheets / "acme.yaml")
    smtp = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp"}
    connections = {
        "smarthr__acme": {"conn_type": "smarthr", "password": "shr_sim_acme"},
        "emc__acme": {"conn_type": "emc", "host": neighbours.urls["emc"], "password": "emc_sim_acme"},
        "smtp_default": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": smtp},
    }
    environment = {
        **UNHURRIED,
        "RENKEI_STORE": (folder / "store").as_uri(),
        "RENKEI_MAPPINGS": str(folder / "mappings"),
        "RENKEI_INDEX": str(folder / "index"),
        "RENKEI_EMC_FORMAT": str(PROJECT / "include/contracts/emc_format.yaml"),
        "RENKEI_ALLOWED_HOSTS": ",".join(
            neighbours.urls[name].partition("//")[2]
            for name in ("smarthr", "emc", "chat", "hotprofile", "kintone", "kingoftime")
        ),
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections.items()},
    }
    dags = dags_in(folder, "smarthr_emc.py", "renkei_jobs.py")
    with LocalAirflow(folder, environment, dags, database=new_database) as running:
        yield running


@pytest.fixture(scope="module")
def stored(airflow: LocalAirflow, neighbours: Neighbours) -> dict[str, str]:
    """A right and a wrong Connection of each type, made as a file or a command makes them: without a port; id → type."""
    right = {
        "smarthr": {"host": neighbours.urls["smarthr"], "password": "shr_sim_acme"},
        "smarthr_plus": {"login": "sim_client", "password": "sim_client_secret"},
        "emc": {"host": neighbours.urls["emc"], "password": "emc_sim_acme"},
        "hotprofile": {"host": neighbours.urls["hotprofile"], "password": "hp_sim_key"},
        "kintone": {"host": neighbours.urls["kintone"], "password": "kin_sim_companies"},
        "kingoftime": {"host": neighbours.urls["kingoftime"], "password": "kot_sim_token"},
        "workplace": {"host": neighbours.urls["workplace"], "password": "workplace_sim_token"},
    }
    for connection in chat_connections(neighbours.chat_registrations(), "acme").values():
        right[connection.pop("conn_type")] = connection
    login = neighbours.chat_registrations()["line_login"]
    right["line_login"] = {
        "login": login["channel_id"],
        "password": login["channel_secret"],
        "host": login["base_url"],
    }
    types = {}
    for kind, connection in right.items():
        wrong = {"password": "wrong-secret-0"}
        if str(connection["password"]).startswith("http"):
            wrong = {"password": "https://example.com/nowhere"}
        if kind == "line_login":  # LINE tells nobody whether a channel's secret is right before a member logs in
            wrong = {"login": "no number"}
        if kind == "smarthr_plus":  # nor SmartHR of an app
            wrong = {"host": "https://example.com"}
        if kind == "kintone":  # which apps its tokens open, only a sheet says
            wrong = {"host": "https://example.com"}
        for name, fields in ((f"{kind}__right", connection), (f"{kind}__wrong", {**connection, **wrong})):
            extra = {"extra": json.dumps(fields["extra"])} if "extra" in fields else {}
            airflow.api("POST", "/connections", json={"connection_id": name, "conn_type": kind, **fields, **extra})
            types[name] = kind
    return types


@pytest.fixture(scope="module")
def page(airflow: LocalAirflow, chromium: Any) -> Iterator[Any]:
    """A browser in which the administrator has logged in."""
    page = new_page(chromium, viewport={"width": 1800, "height": 2400})
    page.goto(f"{airflow.url}/connections")
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()  # Enter would do nothing while it is still disabled
    page.wait_for_selector("text=接続を追加")
    yield page
    page.context.close()


def test_n5_every_type_of_connection_has_a_test_button_that_answers(
    airflow: LocalAirflow, stored: dict[str, str], page: Any
) -> None:
    """A click says that a right Connection is right, and what is wrong with a wrong one, in words of ours."""
    assert set(stored.values()) == {form["connection-type"] for form in get_provider_info()["connection-types"]}
    page.goto(f"{airflow.url}/connections")
    said = {name: _click_test(page, name, name == "smarthr__right") for name in stored}
    assert {name: answer["status"] for name, answer in said.items()} == {
        name: name.endswith("__right") for name in stored
    }, said
    assert all(answer["message"].endswith("。") or answer["message"].endswith("）。") for answer in said.values()), said
    assert "wrong-secret-0" not in json.dumps(said)


def _click_test(page: Any, name: str, by_mouse: bool) -> dict[str, Any]:
    from playwright.sync_api import expect

    row = page.locator("tbody tr", has=page.get_by_text(name, exact=True))
    button = row.get_by_label("接続をテストする")
    expect(button).to_be_enabled(timeout=PATIENCE_MS)
    with page.expect_response(lambda answer: answer.url.endswith("/connections/test")) as waiting:
        button.click() if by_mouse else button.press("Enter")  # the tooltip of the row that was clicked hides the next
    answer = waiting.value
    assert answer.status == 200, f"{name}: {answer.text()}"
    assert json.loads(answer.request.post_data)["port"] == 0, "the page has changed: is the middleware still needed?"
    found: dict[str, Any] = answer.json()
    return found


def test_n2_a_channel_is_registered_tested_disabled_and_registered_again(
    airflow: LocalAirflow, neighbours: Neighbours, page: Any
) -> None:
    """Text 2 on the pages, over Airflow itself: N1, N2, N5, S2; and E3: まとめて操作 has 確認のみ done by a job."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    here = f"{airflow.url}/renkei/console/dag/smarthr_emc__acme"
    airflow.wait_for_dags(["smarthr_emc__acme"])
    webhook = neighbours.chat_registrations()["slack_webhook"]["url"]

    page.goto(f"{here}/channels")
    page.get_by_role("link", name="通知連携を登録する").click()
    page.get_by_label("名前").fill("総務のSlack")
    for service, asked in (("チャットワーク", "APIトークン"), ("Slack(Webhook)", "Incoming WebhookのURL")):
        page.get_by_label("サービス種別").select_option(label=service)
        expect(page.get_by_label(asked)).to_be_visible()
    page.get_by_label("Incoming WebhookのURL").fill(webhook)
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_text("シートの版2として有効にしました。")).to_be_visible()
    row = page.get_by_role("row", name="総務のSlack")
    _reload_until(page, row)
    assert webhook not in page.content()
    expect(row).to_contain_text("使用中")

    _press_test(page, "に届きました。")
    assert "通知テスト" in json.dumps(neighbours.chat_messages(), ensure_ascii=False)

    requests.post(
        f"{neighbours.urls['chat']}/_sim/slack", json={"webhook": "no_service"}, timeout=30
    ).raise_for_status()
    for deed, done in (
        ("一時停止を解除する", "1社について終わりました。"),
        ("確認のみを実行する", "すべての会社で終わりました。"),
    ):
        page.goto(f"{airflow.url}/renkei/console/bulk?q=acme")
        page.get_by_role("button", name=deed, exact=True).click()
        page.get_by_role("button", name=f"1社で{deed}").click()
        expect(page.get_by_text(done)).to_be_visible(timeout=2 * PATIENCE_MS)
    expect(page.get_by_role("row", name="acme").get_by_text("成功")).to_be_visible()
    assert neighbours.emc_head_count("acme")["users"] == 0  # 確認のみ

    page.goto(f"{here}/channels")
    expect(row).to_contain_text("無効")
    expect(row).to_contain_text("no_service")
    requests.post(f"{neighbours.urls['chat']}/_sim/slack", json={"webhook": "active"}, timeout=30).raise_for_status()
    row.get_by_role("link", name="総務のSlack").click()
    expect(page.get_by_text("登録済み（変更する場合だけ入力）")).to_be_visible()
    page.get_by_label("Incoming WebhookのURL").fill(webhook)
    page.get_by_role("button", name="登録する").click()
    expect(row).to_contain_text("使用中")
    expect(row).to_contain_text("0/5")
    _press_test(page, "に届きました。")


def _reload_until(page: Any, wanted: Any) -> None:
    """Airflow reads a sheet again in its own time."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not wanted.count():
        assert time.monotonic() < deadline, page.content()
        page.wait_for_timeout(500)
        page.reload()


def _press_test(page: Any, said: str) -> None:
    from playwright.sync_api import expect

    page.get_by_role("button", name="「総務のSlack」をテストする").click()
    expect(page.get_by_text(said)).to_be_visible()
    page.get_by_role("link", name="通知連携に戻る").click()


def test_e1_the_trigger_form_links_before_the_start_date(
    airflow: LocalAirflow, neighbours: Neighbours, page: Any
) -> None:
    """E1, E31: as it opens, the form sends now for 論理日付; before 連携開始日 that is a first link like any other."""
    dag_id = "smarthr_emc__acme"
    airflow.wait_for_dags([dag_id])
    airflow.unpause(dag_id)
    page.goto(f"{airflow.url}/dags/{dag_id}")
    page.get_by_label("Dag のトリガー").click()
    with page.expect_response(
        lambda answer: answer.url.endswith("/dagRuns") and answer.request.method == "POST"
    ) as sent:
        page.get_by_role("dialog").get_by_role("button", name="トリガー", exact=True).click()
    assert json.loads(sent.value.request.post_data)["logical_date"], "the page has changed: it sends no 論理日付"
    run_id = sent.value.json()["dag_run_id"]
    deadline = time.monotonic() + 400
    while (state := airflow.run(dag_id, run_id)["state"]) not in ("success", "failed"):
        assert time.monotonic() < deadline, airflow.tasks(dag_id, run_id)
        time.sleep(0.5)
    assert state == "success"
    assert neighbours.emc_head_count("acme")["users"] == neighbours.valid_crews("acme")
    assert neighbours.mails()[-1]["subject"].startswith("EMC-OK")
