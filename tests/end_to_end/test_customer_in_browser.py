"""The お客様ページ as a customer uses it: `renkei serve` behind TLS, Chromium, SmartHR's simulated log-in; no Airflow server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.orchestration.web import sheet_desk
from renkei.storage import once
from renkei.storage.cipher import Cipher
from renkei.storage.source_grants import SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import mapping
from tests.contract.console.world import BASE, LINK, ConsoleWorld, body, dag, text_of
from tests.end_to_end import browser
from tests.end_to_end.browser import PATIENCE_MS, PHONE, needs_chromium
from tests.end_to_end.tls_proxy import tls_proxy
from tests.harness.airflow_rows import emptied
from tests.harness.oauth import KEY
from tests.harness.renkei_serve import RenkeiServe
from tests.harness.smarthr import SmartHR

pytestmark = needs_chromium


@dataclasses.dataclass
class Site:
    """Where customers come, and the operator's console over the same store, sheets and database."""

    url: str
    console: ConsoleWorld
    smarthr: SmartHR
    folder: Path

    def sheet(self, **settings: str) -> Any:
        found = mapping(settings={"会社名": "株式会社アクメ", **settings})
        return dataclasses.replace(found, tenant="acme", emc_account="acme", smarthr_url=self.smarthr.url)

    def invited(self) -> str:
        """The link that the operator's page shows."""
        yuki = self.console.browser("yuki")
        given = {
            "label": "総務部 ご担当者様",
            "reason": "準備",
            "days": "7",
            "allows": ["connection", "sheet", "results"],
        }
        path = f"{BASE}/dag/{dag('acme')}/invitations"
        answer = yuki.post(
            path, data={"token": self.console.token("yuki"), "once": once.new(dt.datetime.now(dt.UTC))} | given
        )
        found = re.search(r'value="(https://[^"]+)"', answer.text)
        assert found, text_of(answer.text)
        return found[1]


@pytest.fixture
def site(airflow_database: Path, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with SmartHR.start("--company", "acme:1:20") as smarthr, tls_proxy(tmp_path) as proxy:
        url = f"https://localhost:{proxy.server_port}"
        plus = {
            "conn_type": "smarthr_plus",
            "host": smarthr.url,
            "login": "sim_client",
            "password": "sim_client_secret",
        }
        for name, value in {
            "RENKEI_STORE": (tmp_path / "store").as_uri(),
            "RENKEI_DATABASE": f"sqlite:///{tmp_path}/renkei.db",
            "RENKEI_STORE_KEY_CONN_ID": "store_key",
            "RENKEI_PUBLIC_URL": url,
            "RENKEI_ALLOWED_HOSTS": urlsplit(smarthr.url).netloc,
            "AIRFLOW_CONN_STORE_KEY": json.dumps({"conn_type": "generic", "password": KEY}),
            "AIRFLOW_CONN_SMARTHR_PLUS": json.dumps(plus),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sheet_desk.AirflowSheets, "loaded", lambda *_: "")
        smarthr.sim("PATCH", "oauth", {"redirect_uris": [f"{url}/renkei/customer/connection/back"]})
        with emptied(), RenkeiServe.start("--proxies=127.0.0.1") as served:
            proxy.behind = int(urlsplit(served.url).port or 0)
            console = ConsoleWorld(tmp_path)
            console.door.register = {"yuki"}
            console.serve(now=lambda: dt.datetime.now(dt.UTC))  # as the public service's
            found = Site(url, console, smarthr, tmp_path)
            console.company("acme", sheet=to_yaml(found.sheet()))
            yield found


def look(page: Any, name: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{name}: something is cut off at the side"
    browser.look(page, f"customer-{name}", full_page=True)


def upload(page: Any, site: Site, name: str, sheet: str) -> None:
    (site.folder / name).write_text(sheet, encoding="utf-8")
    page.get_by_role("link", name="シート", exact=True).click()
    page.get_by_label("連携設定シート").set_input_files(site.folder / name)
    page.get_by_role("button", name="アップロードして確認する").click()


def opened(chromium: Any, **options: Any) -> Any:
    context = chromium.new_context(viewport=PHONE, locale="ja-JP", ignore_https_errors=True, **options)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def test_s5_a_customer_prepares_his_link_without_an_airflow_account(site: Site, chromium: Any) -> None:
    """Link → broken sheet → findings → mended → SmartHR → 連携済み; the operator's page has it; revoked, it is over.

    On a phone in the dark; under the policy, at which a browser's console must stay silent.
    """
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    page, said = opened(chromium, color_scheme="dark"), []
    page.on("console", lambda message: said.append(message.text))
    link = site.invited()
    page.goto(link)
    expect(page.get_by_text("招待のリンクを確認しました")).to_be_visible()
    assert page.url == link.partition("#")[0], "the invitation is out of the address bar"
    look(page, "1-enter")
    page.get_by_role("button", name="開く").click()
    expect(page.get_by_role("heading", name="株式会社アクメ")).to_be_visible()
    (cookie,) = page.context.cookies(site.url)
    assert cookie["name"] == "__Host-renkei_customer"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 25, 29)", "dark"
    look(page, "2-start")

    sound = to_yaml(site.sheet(連携開始日="2026-12-24"))
    upload(page, site, "誤り.yaml", sound.replace("2026-12-24", "2026-13-24"))
    expect(page.get_by_text("誤りがあるため、このままでは使えません")).to_be_visible()
    expect(page.get_by_role("region", name="誤り")).to_contain_text("「2026-13-24」は日付ではありません")
    upload(page, site, "直した.yaml", sound)
    expect(page.get_by_text("誤りはありません。運用担当者が確認してから使い始めます")).to_be_visible()
    expect(page.get_by_role("region", name="変更点")).to_contain_text("2026-12-24")
    look(page, "3-sheet")

    page.get_by_role("link", name="SmartHRの接続").click()
    page.get_by_role("button", name="連携する").click()
    page.get_by_label("メールアドレス").fill("admin@acme")
    page.get_by_label("パスワード").fill("smarthr")
    page.get_by_role("button", name="ログイン").click()
    page.get_by_role("button", name="許可する").click()
    expect(page.get_by_text("連携済み", exact=True)).to_be_visible()
    assert page.url == f"{site.url}/renkei/customer/connection"
    store = Store(site.console.store.fs, site.console.store.root, Cipher(KEY))
    grant = SourceGrants(TenantFolder(store, LINK, "acme")).newest()[1]
    assert grant is not None
    assert grant.by == "invitation 1"

    plain = opened(chromium, java_script_enabled=False)
    plain.goto(link)
    plain.get_by_label("招待のリンク").fill(link)
    plain.get_by_role("button", name="開く").click()
    upload(plain, site, "もう一度.yaml", sound)
    expect(plain.get_by_text("誤りはありません。運用担当者が確認してから使い始めます")).to_be_visible()

    shown = text_of(body(site.console, f"/dag/{dag('acme')}/sheets", "yuki"))
    for name in ("直した.yaml", "もう一度.yaml"):
        assert name in shown
    assert "総務部 ご担当者様 お客様ページでアップロード" in shown
    sent = {"token": site.console.token("yuki")}
    site.console.browser("yuki").post(f"{BASE}/dag/{dag('acme')}/invitations/1/revoke", data=sent)
    for one in (page, plain):
        one.get_by_role("link", name="結果").click()
        expect(one.get_by_role("heading", name="このページは開けません")).to_be_visible()
        one.context.close()
    assert [text for text in said if not re.search("favicon|404|autocomplete", text)] == []
