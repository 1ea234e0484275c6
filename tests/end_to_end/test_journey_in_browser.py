"""From an empty installation to the first EMC-OK by the console's pages alone, in Chromium, over the simulators (S3).

Airflow is whole here: its scheduler runs what the pages ask for. What an operator has set up once for all companies,
the mail server and the application at SmartHR, is there; nothing of the company is.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.demo import STORE_KEY
from scripts.local_airflow import PASSWORD, PROJECT, UNHURRIED, USER, LocalAirflow
from scripts.neighbours import Neighbours
from tests.end_to_end.browser import look, needs_chromium, new_page
from tests.harness.folders import dags_in
from tests.harness.mail import Mail
from tests.harness.smarthr import SmartHR

pytestmark = needs_chromium
DAG_ID = "smarthr_emc__acme"
PEOPLE = 30
CALLBACK = "/renkei/console/smarthr/callback"


@dataclass
class Journey:
    """Airflow with nothing in it, the systems around, and the times at which each step was done."""

    airflow: LocalAirflow
    neighbours: Neighbours
    steps: list[tuple[str, float]] = field(default_factory=list)

    def done(self, step: str) -> None:
        self.steps.append((step, time.monotonic()))

    def report(self) -> str:
        took = [
            f"{now - before:5.1f} s  {step}"
            for (_, before), (step, now) in zip(self.steps, self.steps[1:], strict=False)
        ]
        return "\n".join([*took, f"{self.steps[-1][1] - self.steps[0][1]:5.1f} s  together"])


@pytest.fixture
def journey(tmp_path: Path, index: Path, new_database: Path) -> Iterator[Journey]:
    dags = dags_in(tmp_path, "smarthr_emc.py", "renkei_jobs.py")
    (tmp_path / "mappings/smarthr_emc").mkdir(parents=True)
    limits = ("--per-second", "1000", "--per-hour", "100000")
    with Neighbours(tmp_path, [f"acme:1:{PEOPLE}"], ["acme"], limits) as neighbours:
        smarthr = SmartHR(neighbours.urls["smarthr"])
        mail = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": neighbours.smtp_port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp"},
        }
        environment = {
            **UNHURRIED,
            "RENKEI_STORE": (tmp_path / "store").as_uri(),
            "RENKEI_MAPPINGS": str(tmp_path / "mappings"),
            "RENKEI_INDEX": str(index),
            "RENKEI_EMC_FORMAT": str(PROJECT / "include/contracts/emc_format.yaml"),
            "RENKEI_ALLOWED_HOSTS": urlsplit(neighbours.urls["smarthr"]).netloc,
            "PYTHONPATH": str(PROJECT),
            "RENKEI_STORE_KEY_CONN_ID": "store_key",
            "AIRFLOW_CONN_STORE_KEY": json.dumps({"conn_type": "generic", "password": STORE_KEY}),
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail),
            "AIRFLOW_CONN_SMARTHR_PLUS": json.dumps(
                {
                    "conn_type": "smarthr_plus",
                    "host": smarthr.url,
                    "login": "sim_client",
                    "password": "sim_client_secret",
                }
            ),
        }
        with LocalAirflow(tmp_path, environment, dags, database=new_database) as airflow:
            smarthr.sim("PATCH", "oauth", {"redirect_uris": [f"{airflow.url}{CALLBACK}"]})
            yield Journey(airflow, neighbours)


@pytest.fixture
def page(journey: Journey, chromium: Any) -> Iterator[Any]:
    found = new_page(chromium)
    yield found
    _look(found, "end")
    found.context.close()


def _look(page: Any, name: str) -> None:
    look(page, f"journey-{name}")


def test_s3_from_an_empty_installation_to_the_first_result(journey: Journey, page: Any) -> None:
    from playwright.sync_api import expect

    airflow, urls = journey.airflow, journey.neighbours.urls
    page.goto(f"{airflow.url}/plugin/renkei/renkei/console/")
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="連携一覧")).to_be_visible()
    _look(page, "1-empty")
    journey.done("log in")

    frame.get_by_role("link", name="連携を追加する").first.click()
    for label, text in (
        ("会社名（必須）", "株式会社アクメ"), ("会社のID（必須）", "acme"), ("SmartHR URL（必須）", urls["smarthr"]),
        ("結果通知メールアドレス", "soumu@acme.example.jp"),
        ("連携開始日（必須）", dt.date.today().isoformat()),
    ):  # fmt: skip
        frame.get_by_label(label).fill(text)
    frame.get_by_role("button", name="連携を開始する").click()
    expect(frame.get_by_role("heading", name="連携開始までの流れ")).to_be_visible()
    _look(page, "2-way")
    journey.done("連携を追加する, until its Dag is there")

    def way() -> None:
        page.goto(f"{airflow.url}/plugin/renkei/renkei/console/dag/{DAG_ID}/start")
        expect(frame.get_by_role("heading", name="連携開始までの流れ")).to_be_visible()

    def step(title: str) -> Any:
        return frame.get_by_role("row").filter(has=frame.get_by_role("rowheader", name=title))

    step("連携済み").get_by_role("link").click()
    frame.get_by_role("link", name="連携する", exact=True).click()
    page.get_by_label("メールアドレス").fill("admin@acme")
    page.get_by_label("パスワード").fill("smarthr")
    page.get_by_role("button", name="ログイン").click()
    _look(page, "3-consent")
    page.get_by_role("button", name="許可する").click()
    expect(frame.get_by_role("status")).to_contain_text("連携済み")
    _look(page, "3-connected")
    journey.done("連携する → 連携済み")

    way()
    step("EMCなどの接続").get_by_role("link").click()
    for name, fields in (
        ("emc__acme", {"EMC取込APIのURL": urls["emc"], "トークン": "emc_sim_acme"}),
        ("first_password__acme", {"パスワード": "Anpi-2026"}),
    ):
        step(name).get_by_role("link", name="登録する").click()
        for label, text in fields.items():
            frame.get_by_label(label, exact=True).fill(text)
        frame.get_by_role("button", name="登録して確かめる").click()
        expect(step(name)).to_contain_text("○")
        _look(page, f"3-{name}")
        frame.get_by_role("link", name="接続の一覧に戻る").click()
    journey.done("EMCなどの接続")

    way()
    step("通知テスト").get_by_role("link").click()
    frame.get_by_role("button", name="テスト").click()
    expect(frame.get_by_text("に届きました。")).to_be_visible()
    _look(page, "4-told")
    journey.done("通知テスト")

    way()
    step("リハーサル").get_by_role("link").click()
    frame.get_by_label("今のSmartHRとEMCで試す").check()
    _look(page, "4-rehearsal")
    frame.get_by_role("button", name=re.compile("リハーサル")).click()
    expect(frame.get_by_text("開始したときのデータによる結果です")).to_be_visible()
    _look(page, "5-rehearsed")
    journey.done("リハーサル")

    for title, mode in (("確認のみ", "確認のみ"), ("初回連携", "通常")):
        way()
        step(title).get_by_role("link").click()
        frame.get_by_role("radio", name=mode).check()
        _look(page, f"6-{mode}")
        frame.get_by_role("button", name="実行する").click()
        expect(frame.get_by_role("heading", name="成功 EMC-OK")).to_be_visible()  # by itself
        _look(page, f"7-{mode}")
        journey.done(mode)
    way()
    expect(frame.get_by_text("最初のシートから最初の連携の成功まで")).to_be_visible()
    expect(step("結果の確認")).to_contain_text(f"EMCが確認した社員: {PEOPLE}名")
    _look(page, "8-end")
    told = [mail["subject"] for mail in Mail(urls["mail"]).messages()]
    assert told == ["EMC-OK 株式会社アクメ", "EMC-OK(Check Only) 株式会社アクメ", "【テスト】Renkei 通知テスト"]
    print(journey.report())
