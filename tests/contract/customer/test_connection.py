"""SmartHRの接続 on the お客様ページ over the simulated SmartHR: begun, allowed, 連携済み; and its failures (S3, S5, L7)."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.public import app as public_app
from renkei.storage import customer_acts
from renkei.storage.cipher import Cipher
from renkei.storage.customer_acts import CustomerAct, CustomerActKind
from renkei.storage.source_grants import SourceGrants
from renkei.storage.store import Store
from renkei.web.customer.invitations import CustomerRight
from tests.builders import mapping
from tests.contract.customer.world import BASE, LABEL, LINK, NOW, OURS, Browser, CustomerWorld, text_of
from tests.harness.oauth import KEY
from tests.harness.smarthr import SmartHR
from tests.harness.smarthr_login import Person

CALLBACK = f"{OURS}{BASE}/connection/back"


class ConnectingWorld(CustomerWorld):
    """acme's sheet names the simulator's host at which acme alone answers."""

    def __init__(self, folder: Path, smarthr: SmartHR) -> None:
        super().__init__(folder)
        self.smarthr = smarthr
        self.store = Store(self.store.fs, self.store.root, Cipher(KEY))
        self.grants = SourceGrants(self.folder())
        sheet = mapping(settings={"会社名": "株式会社アクメ"})
        url = smarthr.url.replace("127.0.0.1", "localhost")
        found = dataclasses.replace(sheet, tenant="acme", emc_account="acme", smarthr_url=url)
        write_yaml(found, self.sheets / "acme.yaml")

    def leave(self, guest: Browser) -> str:
        answer = guest.post("/connection")
        assert answer.status_code == 303, text_of(answer.text)
        return str(answer.headers["location"])

    def back(self, guest: Browser, there: str) -> str:
        """SmartHR's redirect, followed by a browser at the top; where that leads to."""
        parts = urlsplit(there)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == CALLBACK
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
        answer = guest.client.get(f"{parts.path}?{parts.query}", headers=headers)
        assert answer.status_code == 303, text_of(answer.text)
        return str(answer.headers["location"])


@pytest.fixture
def world(
    mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smarthr_bare: SmartHR
) -> Iterator[ConnectingWorld]:
    smarthr_bare.sim("DELETE", "oauth")
    for name, names in (("acme", ["localhost"]), ("beta", [])):
        smarthr_bare.sim("POST", "companies", {"name": name, "seed": 1, "size": 20, "switches": {"hosts": names}})
    smarthr_bare.sim("PATCH", "oauth", {"redirect_uris": [CALLBACK]})
    port = urlsplit(smarthr_bare.url).port
    plus = {
        "conn_type": "smarthr_plus",
        "host": smarthr_bare.url,
        "login": "sim_client",
        "password": "sim_client_secret",
    }
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR_PLUS", json.dumps(plus))
    monkeypatch.setenv("AIRFLOW_CONN_STORE_KEY", json.dumps({"conn_type": "generic", "password": KEY}))
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", f"127.0.0.1:{port},localhost:{port}")
    monkeypatch.setenv("RENKEI_PUBLIC_URL", OURS)
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)
    yield ConnectingWorld(tmp_path, smarthr_bare)
    smarthr_bare.sim("DELETE", "companies/beta")


def test_s3_a_customer_connects_his_smarthr_without_an_airflow_login(
    world: ConnectingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """From 未連携 to 連携済み; who allowed it is the invitation, and no secret is in a log or on a page."""
    caplog.set_level(logging.DEBUG)
    guest = world.guest()
    assert "SmartHRの接続 次にすること" in guest.shown("/")
    assert "未連携" in guest.shown("/connection")
    there = world.leave(guest)
    assert "許可待ち" in guest.shown("/connection")
    back = Person(world.smarthr).answers(there)
    assert world.back(guest, back) == f"{BASE}/connection"
    assert "連携済み" in guest.shown("/connection")
    assert "SmartHRの接続 完了" in guest.shown("/")
    grant = world.grants.newest()[1]
    assert grant is not None
    assert (grant.by, grant.by_name, grant.at) == ("invitation 1", f"{LABEL}（お客様ページの招待1）", NOW)
    (act,) = customer_acts.noted(world.store, LINK, 10).values()  # for the operator
    assert act == CustomerAct("acme", CustomerActKind.CONNECTION, NOW, grant.by)
    said = dict(parse_qsl(urlsplit(back).query))
    hidden = (said["state"], said["code"], grant.access_token, "sim_client_secret")
    renkei = " ".join(one.getMessage() for one in caplog.records if not one.name.startswith(("httpx", "urllib3")))
    assert not [one for one in hidden if one in renkei + guest.get("/connection").text]


def test_the_policy_lets_the_button_lead_to_smarthr_alone_of_pages_without_tls(world: ConnectingWorld) -> None:
    policy = world.guest().get("/connection").headers["Content-Security-Policy"]
    assert f"form-action 'self' https: {world.smarthr.url};" in policy
    assert "default-src 'none'" in policy


def test_s3_another_company_is_not_connected(world: ConnectingWorld) -> None:
    guest = world.guest()
    there = world.back(guest, Person(world.smarthr, "admin@beta").answers(world.leave(guest)))
    assert there == f"{BASE}/connection?said=OTHER_COMPANY"
    assert "ログインした会社が、シートのSmartHR URLと違います" in guest.shown("/connection?said=OTHER_COMPANY")
    assert not customer_acts.noted(world.store, LINK, 10)
    assert world.grants.newest()[1] is None


def test_s3_who_refuses_is_told_and_may_begin_again(world: ConnectingWorld) -> None:
    guest = world.guest()
    there = world.back(guest, Person(world.smarthr).answers(world.leave(guest), "deny"))
    assert there == f"{BASE}/connection?said=CANCELLED"
    assert "キャンセルされました" in guest.shown("/connection?said=CANCELLED")
    assert world.back(guest, Person(world.smarthr).answers(world.leave(guest))) == f"{BASE}/connection"


def test_s5_what_smarthr_answers_counts_for_who_began_alone(world: ConnectingWorld) -> None:
    """Another invitation, another browser of the same one, another company, nobody, and once more."""
    guest, other, beta = world.guest(), world.guest(), world.guest("beta")
    back = Person(world.smarthr).answers(world.leave(guest))
    again = world.browser()
    again.client.cookies.update({name: value for name, value in guest.client.cookies.items() if "customer" in name})
    assert [world.back(one, back) for one in (other, again, beta, world.browser())] == [
        f"{BASE}/connection?said=BROWSER",
        f"{BASE}/connection?said=BROWSER",
        f"{BASE}/connection?said=STATE",
        f"{BASE}/connection",
    ]
    assert world.grants.newest()[1] is None
    assert world.back(guest, back) == f"{BASE}/connection"
    assert world.back(guest, back) == f"{BASE}/connection?said=STATE"
    assert "連携済み" in guest.shown("/connection")


@pytest.mark.parametrize(
    "query", ["", "state=x&code=y", "state=acme." + "0" * 64, "state=" + "x" * 5000, "error=<script>"]
)
def test_nonsense_is_no_answer_of_smarthr(world: ConnectingWorld, query: str) -> None:
    guest = world.guest()
    assert world.back(guest, f"{CALLBACK}?{query}") == f"{BASE}/connection?said=STATE"
    assert "<script>" not in guest.get("/connection?said=<script>").text


def test_s5_revoked_on_the_way_nothing_is_connected(world: ConnectingWorld) -> None:
    made, token = world.invitation()
    guest = world.browser(token)
    back = Person(world.smarthr).answers(world.leave(guest))
    world.invitations.revoke(LINK, "acme", made.number, "yuki", NOW)
    assert world.back(guest, back) == f"{BASE}/connection"
    guest.get("/connection", 404)
    assert world.grants.newest()[1] is None


def test_s5_who_may_not_connect_has_no_such_page(world: ConnectingWorld) -> None:
    guest = world.guest(allows=frozenset({CustomerRight.SHEET, CustomerRight.RESULTS}))
    guest.get("/connection", 404)
    assert guest.post("/connection").status_code == 404
    assert "この招待では操作できません" in guest.shown("/")


def test_what_is_not_ready_is_said_without_what_is_the_operators(
    world: ConnectingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = world.guest()
    monkeypatch.delenv("AIRFLOW_CONN_SMARTHR_PLUS")
    page = guest.get("/connection").text
    assert "準備が、まだできていません" in page
    assert "Airflow" not in page
    assert "<form" not in page.partition("<main>")[2]
    assert guest.post("/connection").headers["location"] == f"{BASE}/connection?said=NOT_READY"
    (world.sheets / "acme.yaml").write_text("x: [", encoding="utf-8")
    assert "先に、誤りのない連携設定シートが必要です" in guest.shown("/connection")


def test_l5_another_smarthr_in_the_sheet_asks_for_another_log_in(world: ConnectingWorld) -> None:
    guest = world.guest()
    world.back(guest, Person(world.smarthr).answers(world.leave(guest)))
    assert "連携済み" in guest.shown("/connection")
    moved = dataclasses.replace(mapping(), tenant="acme", emc_account="acme", smarthr_url=world.smarthr.url)
    write_yaml(moved, world.sheets / "acme.yaml")
    assert "再認可が必要" in guest.shown("/connection")


@pytest.mark.parametrize("trouble", ["nobody", "revoked", "not allowed", "too often", "store"])
def test_l7_no_page_of_ours_has_smarthrs_answer_in_its_address(
    world: ConnectingWorld, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code may still be good: it is no address to be kept by a browser, or to be sent on as a referrer."""
    made, token = world.invitation(
        allows=frozenset(CustomerRight) - ({CustomerRight.CONNECTION} if trouble == "not allowed" else set())
    )
    guest = world.browser(token if trouble != "nobody" else "")
    if trouble == "revoked":
        world.invitations.revoke(LINK, "acme", made.number, "yuki", NOW)
    if trouble == "too often":
        while world.limits.departures.take(made.token.hex()):
            pass
    if trouble == "store":
        monkeypatch.setenv("RENKEI_STORE", "file:///dev/null/nowhere")
    answer = guest.client.get(f"{BASE}/connection/back?state=acme.secret&code=secret")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/connection")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_l7_an_access_log_around_us_has_no_answer_of_smarthr(
    world: ConnectingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's reads the scope when a request is done."""
    monkeypatch.setattr(public_app, "REFUSALS_PER_S", 1e-9)
    monkeypatch.setattr(public_app, "REFUSALS_AT_ONCE", 3)
    world.serve()
    seen: list[bytes] = []

    async def logged(scope: Any, receive: Any, send: Any) -> None:
        await world.app(scope, receive, send)
        seen.append(scope["path"].encode() + scope["query_string"])

    guest = Browser(logged)
    guest.enter(world.invite())
    guest.get("/connection/back?state=acme.secret&code=secret", 303)
    while guest.client.get("/renkei/nosuch").status_code != 429:  # whoever shares his address has used it up
        pass
    assert guest.client.get(f"{BASE}/connection/back?state=acme.secret&code=secret").status_code == 429
    assert len(seen) > 5
    assert not [one for one in seen if b"secret" in one]
