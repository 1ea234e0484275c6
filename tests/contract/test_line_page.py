"""The linking page as a browser without scripts speaks to it: the plugin's app over HTTP, and the LINE simulator."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pandas as pd
import pytest
import uvicorn
from airflow.api_fastapi.common.http_access_log import HttpAccessLogMiddleware
from starlette.applications import Starlette

from renkei.notifications.members.linking import MAX_ATTEMPTS, Linking
from renkei.orchestration.connections import open_store
from renkei.orchestration.line.connection import CONN_TYPE, callback_url, invitation_url
from renkei.storage.tenant_folder import TenantFolder
from scripts.page_forms import field_of
from tests.conftest import ROOT
from tests.harness.chat import Chat


class Site:
    """The tenant acme, whose pages are served at `url` as Airflow's API server mounts them."""

    def __init__(self, url: str, chat: Chat, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.chat, self.folder, self._monkeypatch = url, chat, folder, monkeypatch
        self.linking = Linking(TenantFolder(open_store(), "smarthr_emc", "acme"))
        self.linking.members.replace(pd.DataFrame({"user_id": ["taro@example.jp", "10002"]}))
        self.people = [person["user_id"] for person in chat.sim("GET", "line")["people"]]

    def connect(self, **changes: Any) -> None:
        given = self.chat.registrations["line_login"]
        connection = {
            "conn_type": CONN_TYPE,
            "login": given["channel_id"],
            "password": given["channel_secret"],
            "host": given["base_url"],
            "extra": {"friend_url": "https://lin.ee/abcdefg", "company": "株式会社アクメ <本社>"},
        }
        self._monkeypatch.setenv("AIRFLOW_CONN_LINE_LOGIN__ACME", json.dumps(connection | changes))

    def invite(self, user_id: str = "taro@example.jp", days: int = 14) -> str:
        token = self.linking.invite([user_id], days, dt.datetime.now(dt.UTC))[user_id]
        return invitation_url("acme", token)

    def line_id(self, user_id: str = "taro@example.jp") -> str:
        member = self.linking.members.find(user_id)
        assert member is not None
        return member.line_user_id


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from renkei_plugin import RenkeiPlugin

    app = Starlette()
    for mounted in RenkeiPlugin.fastapi_apps:
        app.mount(str(mounted["url_prefix"]), mounted["app"])  # type: ignore[arg-type]
    app.add_middleware(HttpAccessLogMiddleware)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    running = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # whoever connects before it runs waits
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        thread.join()


@pytest.fixture
def site(server: str, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", server)
    found = Site(server, chat, tmp_path, monkeypatch)
    found.connect()
    return found


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20, headers={"Sec-Fetch-Site": "same-origin"}) as client:  # our page's own button
        yield client


def depart(browser: httpx.Client, url: str) -> httpx.Response:
    """LINE's page, reached by the button."""
    answer = browser.post(url)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"])


def consent(browser: httpx.Client, page: httpx.Response, person: str, **choices: str) -> str:
    """Where LINE sends the browser."""
    form = {
        "request": field_of(page.text, "request"),
        "user_id": person,
        "decision": "allow",
        "add_friend": "on",
    } | choices
    answer = browser.post(str(page.url.join("consent")), data={name: value for name, value in form.items() if value})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def link(browser: httpx.Client, site: Site, url: str, person: str = "", **choices: str) -> httpx.Response:
    return browser.get(consent(browser, depart(browser, url), person or site.people[0], **choices))


def test_a_member_links_line(site: Site, browser: httpx.Client) -> None:
    """N4: what is about to happen, LINE's consent, done; opened again the invitation says so."""
    url = site.invite()
    shown = browser.get(url)
    assert shown.status_code == 200
    assert "株式会社アクメ &lt;本社&gt;" in shown.text
    assert "ta•••p" in shown.text
    assert site.line_id() == "", "opening the page does nothing: link previews open it too"
    done = link(browser, site, url)
    assert (done.status_code, "LINEを登録しました" in done.text) == (200, True)
    assert "<svg" not in done.text
    assert site.line_id() == site.people[0]
    again = browser.get(url)
    assert (again.status_code, "登録済みです" in again.text) == (200, True)
    assert browser.post(url).status_code == 410


def test_who_is_no_friend_yet_is_shown_the_way(site: Site, browser: httpx.Client) -> None:
    """N4: without a friend nothing arrives."""
    people = site.chat.sim("GET", "line")["people"]
    stranger = next((person["user_id"] for person in people if not person["friend"]), None)
    if stranger is None:
        site.chat.sim("POST", "line", {"people": [people[0] | {"friend": False}]})
        stranger = people[0]["user_id"]
    done = link(browser, site, site.invite(), stranger, add_friend="")
    assert "あとひとつです" in done.text
    assert 'href="https://lin.ee/abcdefg"' in done.text
    assert "<svg" in done.text
    assert site.line_id() == stranger


def test_what_every_page_says_of_itself(site: Site, browser: httpx.Client) -> None:
    """N4, L7: kept by nobody, run by nobody, shown in no frame, told to no other site; and with no id in it."""
    url = site.invite()
    token = url.rsplit("/", 1)[1]
    pages = [browser.get(url), browser.post(url), link(browser, site, url), browser.get(url), browser.get(url + "x")]
    pages += [browser.get(f"{site.url}/renkei/line/callback"), browser.get(f"{site.url}/renkei/nowhere")]
    for page in pages:
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
        assert "script-src" not in policy
        assert "<script" not in page.text
        if style := re.search(r"<style>(.*?)</style>", page.text, re.S):
            digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
            assert policy["style-src"] == f"'sha256-{digest}'"
        secret = site.chat.registrations["line_login"]["channel_secret"]
        assert not any(text in page.text for text in (token, "taro@example.jp", site.people[0], secret))


def test_the_cookie_is_for_the_way_back_alone(site: Site, browser: httpx.Client) -> None:
    """N4: no script reads it, no other page gets it."""
    cookie = browser.post(site.invite()).headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "max-age=600", "path=/renkei/line/callback", "samesite=lax"}


def test_behind_https_the_cookie_is_secure(site: Site, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4: and the callback is below the path at which Airflow is published."""
    url = site.invite()
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.jp/af/")
    answer = browser.post(url)
    back = parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"][0]
    assert back == callback_url() == "https://airflow.example.jp/af/renkei/line/callback"
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-renkei_line_"), "from this very host alone"
    assert {"path=/", "secure", "httponly"} <= {attribute.lower() for attribute in attributes}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 303, id="our button"),
        pytest.param({"Origin": "SITE"}, 303, id="our button, an older browser"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "SITE"}, 403, id="another site's"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a neighbour's"),
        pytest.param({"Sec-Fetch-Site": "none"}, 403, id="nobody's"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another site's, an older browser"),
        pytest.param({"Origin": "null"}, 403, id="a sandbox's"),
        pytest.param({}, 403, id="no word"),
    ],
)
def test_no_other_page_presses_the_button(site: Site, headers: dict[str, str], status: int) -> None:
    """N4: or a visitor's LINE would be linked to the member whose invitation that page has."""
    url = site.invite()
    sent = {name: value.replace("SITE", site.url) for name, value in headers.items()}
    answer = httpx.post(url, headers=sent, timeout=20)
    assert answer.status_code == status
    assert ("location" in answer.headers) == (status == 303)


def test_a_slash_too_many_leads_nowhere(site: Site, browser: httpx.Client) -> None:
    """L7: a redirect would show the invitation to whatever stands between."""
    for method in ("GET", "POST"):
        answer = browser.request(method, site.invite() + "/")
        assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_an_invitation_can_be_begun_with_so_often(site: Site, browser: httpx.Client) -> None:
    """N4: each beginning leaves a file; the next invitation begins anew."""
    url = site.invite()
    assert [browser.post(url).status_code for _ in range(MAX_ATTEMPTS + 1)] == [303] * MAX_ATTEMPTS + [429]
    assert link(browser, site, site.invite()).status_code == 200


@pytest.mark.parametrize("fault", ["nonce", "signature", "audience", "issuer", "expired", "unsigned"])
def test_a_forged_id_token_links_nobody(site: Site, browser: httpx.Client, fault: str) -> None:
    """N4"""
    site.chat.sim("POST", "line/login", {"faults": [fault]})
    done = link(browser, site, site.invite())
    assert (done.status_code, site.line_id()) == (502, "")
    assert "LINEで確認できませんでした" in done.text


def test_a_state_of_nobodys_links_nobody(site: Site, browser: httpx.Client) -> None:
    """N4: LINE's simulator sends another state back."""
    site.chat.sim("POST", "line/login", {"faults": ["state"]})
    done = link(browser, site, site.invite())
    assert (done.status_code, site.line_id()) == (400, "")


def test_another_browser_links_nobody(site: Site, browser: httpx.Client) -> None:
    """N4: nor does it take the attempt from the one that began it."""
    back = consent(browser, depart(browser, site.invite()), site.people[0])
    with httpx.Client() as other:
        refused = other.get(back)
    assert (refused.status_code, site.line_id()) == (403, "")
    assert "別のブラウザ" in refused.text
    assert browser.get(back).status_code == 200
    assert site.line_id() == site.people[0]


def test_coming_back_twice_is_harmless(site: Site, browser: httpx.Client) -> None:
    """N4, L4: a page loaded again."""
    back = consent(browser, depart(browser, site.invite()), site.people[0])
    pages = [browser.get(back), browser.get(back)]
    assert [page.status_code for page in pages] == [200, 200]


def test_who_cancels_is_linked_to_nothing_and_may_begin_anew(site: Site, browser: httpx.Client) -> None:
    """N4: whichever way LINE writes its error."""
    url = site.invite()
    for upper in (False, True):
        site.chat.sim("POST", "line/login", {"upper_case": upper})
        done = link(browser, site, url, decision="cancel")
        assert (done.status_code, "キャンセル" in done.text, site.line_id()) == (200, True, "")
    assert link(browser, site, url).status_code == 200
    assert site.line_id() == site.people[0]


def test_a_line_account_serves_one_member(site: Site, browser: httpx.Client) -> None:
    """N4"""
    link(browser, site, site.invite())
    done = link(browser, site, site.invite("10002"))
    assert (done.status_code, site.line_id("10002")) == (409, "")
    assert "taro" not in done.text


def test_line_out_of_order_is_told_in_japanese(site: Site, browser: httpx.Client, closed_port: int) -> None:
    """N4, L8"""
    back = consent(browser, depart(browser, site.invite()), site.people[0])
    given = site.chat.registrations["line_login"]
    site.connect(host=f"http://127.0.0.1:{closed_port}", login=given["channel_id"])
    done = browser.get(back)
    assert (done.status_code, site.line_id()) == (502, "")
    assert "LINEに接続できませんでした" in done.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/line/acme/" + "x" * 43, 404),
        ("POST", "/line/acme/" + "x" * 43, 404),
        ("GET", "/line/nobody/" + "x" * 43, 404),
        ("GET", "/line/..%2Facme/" + "x" * 43, 404),
        ("GET", "/line/acme/short", 404),
        ("GET", "/line/acme/" + "%00" * 43, 404),
        ("GET", "/line/acme", 404),
        ("GET", "/", 404),
        ("PUT", "/line/acme/" + "x" * 43, 405),
        ("POST", "/line/callback", 405),
        ("GET", "/line/callback", 400),
        ("GET", "/line/callback?state=acme." + "0" * 64 + "&code=x", 400),
        ("GET", "/line/callback?state=../../acme." + "0" * 64 + "&code=x", 400),
        ("GET", "/line/callback?state=%ff%fe&code=%ed%a0%80", 400),
        ("GET", "/line/callback?state=" + "a" * 4000, 400),
    ],
)
def test_what_is_no_page_is_a_page_all_the_same(
    site: Site, browser: httpx.Client, method: str, path: str, status: int
) -> None:
    """N4, L8: in Japanese, with what to do."""
    answer = browser.request(method, f"{site.url}/renkei{path}")
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "総務・人事" in answer.text or "招待のURL" in answer.text


def test_an_expired_invitation_says_so(site: Site, browser: httpx.Client) -> None:
    """N4"""
    url = site.invite(days=0)
    assert (browser.get(url).status_code, browser.post(url).status_code) == (410, 410)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"login": ""}, id="no channel id"),
        pytest.param({"password": None}, id="no secret"),
        pytest.param({"host": "https://line.evil.example"}, id="a host that is not LINE's"),
        pytest.param({"extra": {"friend_url": "https://evil.example/"}}, id="a friend's page that is not LINE's"),
        pytest.param(None, id="no connection"),
    ],
)  # fmt: skip
def test_a_connection_that_is_wrong_is_the_operators_affair(
    site: Site, browser: httpx.Client, change: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """N4, L8: the member is told to come back, the log what to mend."""
    url = site.invite()
    if change is None:
        monkeypatch.delenv("AIRFLOW_CONN_LINE_LOGIN__ACME")
    else:
        site.connect(**change)
    with caplog.at_level(logging.ERROR):
        answer = browser.get(url)
    assert answer.status_code == 503
    assert "line_login__acme" not in answer.text
    assert "line_login__acme" in caplog.text
    assert site.chat.registrations["line_login"]["channel_secret"] not in caplog.text


def test_a_fault_of_ours_is_answered_too(
    site: Site, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """N4, L6: its text stays out of page and log."""
    url = site.invite()
    monkeypatch.setattr(Linking, "invitation", lambda *_: 1 / 0)
    answer = browser.get(url)
    assert answer.status_code == 503
    assert "ただいま使えません" in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert "division by" not in caplog.text


def test_logs_have_neither_invitation_nor_code(
    site: Site, browser: httpx.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """L7: the path is a key as long as the invitation lasts."""
    with caplog.at_level(logging.DEBUG):
        url = site.invite()
        browser.get(url)
        back = consent(browser, depart(browser, url), site.people[0])
        browser.get(back)
    code = parse_qs(urlsplit(back).query)["code"][0]
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]  # the browser's
    said = "\n".join(record.getMessage() for record in ours) + "".join(capfd.readouterr())
    assert "request finished" in said, "Airflow's access log was there"
    assert "line linked tenant=acme" in said
    for secret in (url.rsplit("/", 1)[1], code, "taro@example.jp", site.people[0]):
        assert secret not in said


def test_the_forms_test_button_says_what_to_register(site: Site) -> None:
    """N4, L8"""
    from renkei.orchestration.line.hook import LineLoginHook

    well, said = LineLoginHook("line_login__acme").test_connection()
    assert (well, callback_url() in said) == (True, True)
    site.connect(password="with blank")
    well, said = LineLoginHook("line_login__acme").test_connection()
    assert (well, "チャネルシークレット" in said, "with blank" in said) == (False, True, False)


def test_the_plugin_imports_none_of_the_page() -> None:
    """N4: every process of Airflow loads it, a task's too; only an API server is ever asked for the page."""
    asked = (
        "import sys, renkei_plugin; "
        "print([name for name in ('renkei.orchestration.line.page', 'renkei.storage.store', 'segno', 'jwt') "
        "if name in sys.modules and name not in before])"
    )
    code = f"import sys, airflow.plugins_manager; before = set(sys.modules); {asked}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
