"""A member links LINE with a real browser, by TLS: Airflow's own API server behind a proxy, the LINE simulator, Chromium."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.notifications.members.linking import Linking
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from scripts.local_airflow import LocalAirflow
from tests.end_to_end import browser
from tests.end_to_end.browser import DESK, PATIENCE_MS, needs_chromium
from tests.end_to_end.tls_proxy import tls_proxy
from tests.harness.chat import Chat

pytestmark = needs_chromium
PHONE = {"width": 390, "height": 844}


@dataclass
class Site:
    """The pages that members visit, and what stands behind them."""

    airflow: LocalAirflow
    chat: Chat
    linking: Linking
    folder: Path
    url: str

    def invite(self, user_id: str) -> str:
        token = self.linking.invite([user_id], 14, dt.datetime.now(dt.UTC))[user_id]
        return f"{self.url}/renkei/line/acme/{token}"

    def line_id(self, user_id: str) -> str:
        member = self.linking.members.find(user_id)
        assert member is not None
        return member.line_user_id

    def person(self, name: str) -> str:
        people = self.chat.sim("GET", "line")["people"]
        return next(str(person["user_id"]) for person in people if person["name"] == name)


@pytest.fixture(scope="module")
def site(new_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("line")
    (folder / "dags").mkdir()
    store = folder / "store"
    linking = Linking(TenantFolder(Store(LocalFileSystem(), str(store)), "smarthr_emc", "acme"))
    linking.members.replace(pd.DataFrame({"user_id": ["10001", "10002", "10003", "10004", "10005"]}))
    with Chat.start() as chat, tls_proxy(folder) as proxy:
        given = chat.registrations["line_login"]
        url = f"https://localhost:{proxy.server_port}"
        chat.sim("POST", "line/login", {"redirect_uris": [f"{url}/renkei/line/callback"]})
        connection = {
            "conn_type": "line_login",
            "login": given["channel_id"],
            "password": given["channel_secret"],
            "host": given["base_url"],
            "extra": {"friend_url": "https://lin.ee/abcdefg", "company": "株式会社アクメ"},
        }
        environment = {
            "RENKEI_STORE": store.as_uri(),
            "RENKEI_ALLOWED_HOSTS": "127.0.0.1",
            "AIRFLOW_CONN_LINE_LOGIN__ACME": json.dumps(connection),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__API__BASE_URL": url,
        }
        with LocalAirflow(folder, environment, folder / "dags", pages_only=new_database) as airflow:
            proxy.behind = airflow.port
            yield Site(airflow, chat, linking, folder, url)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    yield from opened(chromium, PHONE)


@pytest.fixture
def desk(chromium: Any) -> Iterator[Any]:
    yield from opened(chromium, DESK)


def opened(chromium: Any, size: dict[str, int]) -> Iterator[Any]:
    """A page of a browser that nobody has used, whose console must stay silent: a broken policy speaks there."""
    context = chromium.new_context(viewport=size, locale="ja-JP", ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert [text for text in said if "favicon" not in text and "Failed to load resource" not in text] == []


def look(page: Any, name: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], "nothing is cut off at the side"
    browser.look(page, name, full_page=True)


def heading(page: Any) -> str:
    return str(page.locator("h1").inner_text())


def test_a_member_links_line_on_a_phone(site: Site, page: Any) -> None:
    """N4: without an account of Airflow's, across two sites, and what was linked is what the member chose."""
    url = site.invite("10001")
    page.goto(url)
    assert heading(page) == "LINEで通知を受け取る"
    look(page, "1-invitation")
    page.get_by_role("button", name="LINEの画面へ進む").click()
    (cookie,) = page.context.cookies(site.url)
    assert cookie["name"].startswith("__Host-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    page.get_by_label("鈴木 一郎").check()
    look(page, "2-consent")
    page.get_by_role("button", name="許可する").click()
    assert heading(page) == "LINEを登録しました"
    look(page, "3-linked")
    assert site.line_id("10001") == site.person("鈴木 一郎")
    page.reload()
    assert heading(page) in ("LINEを登録しました", "登録済みです")
    page.goto(url)
    assert heading(page) == "登録済みです"
    look(page, "4-again")
    assert page.get_by_role("button").count() == 0


def test_who_is_no_friend_sees_the_button_and_the_code(site: Site, desk: Any) -> None:
    """N4"""
    desk.goto(site.invite("10002"))
    desk.get_by_role("button", name="LINEの画面へ進む").click()
    desk.get_by_label("田中 美咲").check()
    desk.get_by_label("友だち追加").uncheck()
    desk.get_by_role("button", name="許可する").click()
    assert desk.get_by_role("link", name="友だち追加の画面を開く").get_attribute("href") == "https://lin.ee/abcdefg"
    code = desk.locator(".code svg").bounding_box()
    assert code["width"] == code["height"] >= 120, "large enough for a camera"
    look(desk, "5-friend")
    desk.set_viewport_size(PHONE)
    look(desk, "6-friend-phone")
    assert site.line_id("10002") == site.person("田中 美咲")


def test_who_cancels_may_begin_anew(site: Site, page: Any) -> None:
    """N4"""
    url = site.invite("10003")
    page.goto(url)
    page.get_by_role("button", name="LINEの画面へ進む").click()
    page.get_by_role("button", name="キャンセル").click()
    assert heading(page) == "登録していません"
    look(page, "7-cancelled")
    assert site.line_id("10003") == ""
    page.goto(url)
    page.get_by_role("button", name="LINEの画面へ進む").click()
    page.get_by_label("佐藤 花子").check()
    page.get_by_role("button", name="許可する").click()
    assert site.line_id("10003") == site.person("佐藤 花子")


def test_another_browser_is_sent_back_to_the_first(site: Site, page: Any, desk: Any) -> None:
    """N4: as when a mail program's own browser began it."""
    page.goto(site.invite("10004"))
    page.get_by_role("button", name="LINEの画面へ進む").click()
    desk.goto(page.url)
    desk.get_by_label("高橋 健").check()
    desk.get_by_role("button", name="許可する").click()
    assert heading(desk) == "同じブラウザで操作してください"
    look(desk, "8-other-browser")
    assert site.line_id("10004") == ""


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "https://localhost:4443/"])
def test_a_button_elsewhere_starts_nothing(site: Site, page: Any, elsewhere: str) -> None:
    """N4: on another site, or on the same host at another port; a link there opens the invitation."""
    url = site.invite("10005")
    form = f'<form method="post" action="{url}"><button>x</button></form><a href="{url}">y</a>'
    page.route(f"{elsewhere}**", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(elsewhere)
    page.get_by_role("button").click()
    assert heading(page) == "招待のURLから始めてください"
    assert page.context.cookies() == []
    page.goto(elsewhere)
    page.get_by_role("link").click()
    assert heading(page) == "LINEで通知を受け取る"


def test_one_invitation_takes_one_account(site: Site, page: Any, desk: Any) -> None:
    """N4: begun in two browsers before either came back."""
    url = site.invite("10005")
    for one, name in ((page, "高橋 健"), (desk, "佐藤 花子")):
        one.goto(url)
        one.get_by_role("button", name="LINEの画面へ進む").click()
        one.get_by_label(name).check()
    for one in (page, desk):
        one.get_by_role("button", name="許可する").click()
    assert (heading(page), heading(desk)) == ("LINEを登録しました", "使用済みのURLです")
    assert site.line_id("10005") == site.person("高橋 健")


def test_an_invitation_that_is_none_is_a_page_of_ours(site: Site, page: Any) -> None:
    """N4: not Airflow's own, which would ask for a log-in."""
    answer = page.goto(f"{site.url}/renkei/line/acme/{'x' * 43}")
    assert (answer.status, heading(page)) == (404, "このURLは使えません")
    look(page, "9-unknown")


def test_airflow_is_what_it_was(site: Site) -> None:
    """N4, L6: its own pages still want a log-in, its list of plugins can be read, and its log has no invitation."""
    url = site.invite("10004")
    answer = requests.get(url, timeout=20, verify=str(site.folder / "localhost.pem"))
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert requests.get(f"{site.airflow.url}/api/v2/dags", timeout=20).status_code == 401
    plugins = site.airflow.api("GET", "/plugins")["plugins"]
    apps = next(plugin["fastapi_apps"] for plugin in plugins if plugin["name"] == "renkei")
    assert [app["url_prefix"] for app in apps] == ["/renkei/console", "/renkei"]
    log = site.airflow.log.read_text("utf-8", "replace")
    assert "/renkei/line/" in log, "the access log was there"
    assert url.rsplit("/", 1)[1] not in log
    assert not re.search(r"\b(code|state)=", log)
