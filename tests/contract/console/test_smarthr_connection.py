"""SmartHRの接続 over HTTP and the simulated SmartHR: 連携する → 連携済み, its failures, and who may not (S1, S3, L7)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from renkei.errors import ConnectionError_, FetchError
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import SetSummary, SnapshotSummary
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.connection_trial import _is_registered
from renkei.orchestration.link import LINKS
from renkei.orchestration.smarthr_emc import connection_trial, connections, smarthr_plus
from renkei.settings import index_folder
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage import audit
from renkei.storage.cipher import Cipher
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import mapping
from tests.contract.console.world import BASE, LINK, NOW, ConsoleWorld, body, dag, text_of
from tests.harness.airflow_rows import add_dags, emptied
from tests.harness.oauth import KEY
from tests.harness.smarthr import SmartHR
from tests.harness.smarthr_login import Person

HERE = f"/dag/{dag('acme')}/smarthr"
CALLBACK = f"{BASE}/smarthr/callback"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class SmartHRWorld(ConsoleWorld):
    """acme's sheet names the simulator's host at which acme alone answers; `omar` and `yuki` may change Connections."""

    def __init__(self, folder: Path, smarthr: SmartHR) -> None:
        super().__init__(folder)
        self.smarthr = smarthr
        self.store = Store(self.store.fs, self.store.root, Cipher(KEY))
        self.grants = SourceGrants(TenantFolder(self.store, LINK, "acme"))
        self.door.register = {"omar", "yuki"}
        self.url = smarthr.url.replace("127.0.0.1", "localhost")
        sheet = mapping(settings={"会社名": "株式会社アクメ"})
        self.mapping = dataclasses.replace(sheet, tenant="acme", emc_account="acme", smarthr_url=self.url)
        add_dags(dag("acme"), next_run=NOW)
        self.sheet(self.mapping)
        self.browsers: dict[str, TestClient] = {}

    def sheet(self, found: Mapping) -> None:
        """acme's sheet, in force."""
        write_yaml(found, self.sheets / "acme.yaml")
        load_all(LINKS[LINK].sheets(), tenants(self.sheets), index_folder(), tuple(hosts(self.smarthr)))
        self.services.knowledge.changed()

    def of(self, user: str) -> TestClient:
        """One browser for each user, which keeps its cookies."""
        return self.browsers.setdefault(user, self.browser(user))

    def leave(self, user: str = "omar", query: str = "") -> str:
        """連携する: where the browser is sent."""
        answer = self.of(user).get(f"{BASE}{HERE}/connect{query}")
        assert answer.status_code == 303, answer.text[:2000]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        return str(answer.headers["location"])

    def back(self, there: str, user: str = "omar", status: int = 303) -> str:
        """SmartHR's redirect, followed by a browser at the top; what it says, or where that leads to."""
        parts = urlsplit(there)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"http://airflow.example.jp{CALLBACK}"
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
        answer = self.of(user).get(f"{CALLBACK}?{parts.query}", headers=headers)
        assert answer.status_code == status, answer.text[:2000]
        return str(answer.headers["location"]) if status == 303 else text_of(answer.text)

    def connect(self, user: str = "omar") -> None:
        person = Person(self.smarthr)
        assert self.back(person.answers(self.leave(user)), user) == f"{BASE}{HERE}?said=CONNECTED"

    def shown(self, said: str = "", user: str = "omar") -> str:
        return text_of(body(self, f"{HERE}?said={said}", user))

    def post(self, path: str, user: str = "omar", status: int = 303) -> str:
        answer = self.browser(user).post(f"{BASE}{HERE}{path}", data={"token": self.token(user)})
        assert answer.status_code == status, answer.text[:2000]
        return str(answer.headers.get("location", ""))


def hosts(smarthr: SmartHR) -> list[str]:
    port = urlsplit(smarthr.url).port
    return [f"127.0.0.1:{port}", f"localhost:{port}"]


@pytest.fixture
def world(
    airflow_database: Path, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smarthr_bare: SmartHR
) -> Iterator[SmartHRWorld]:
    smarthr_bare.sim("DELETE", "oauth")
    for name, names in (("acme", ["localhost"]), ("beta", [])):
        smarthr_bare.sim("POST", "companies", {"name": name, "seed": 1, "size": 20, "switches": {"hosts": names}})
    # What is allowed at NOW is used at the machine's own time, whenever that is.
    years = {"redirect_uris": [f"http://airflow.example.jp{CALLBACK}"], "expires_in": 9 * 365 * 86_400}
    smarthr_bare.sim("PATCH", "oauth", years)
    plus = {
        "conn_type": "smarthr_plus",
        "host": smarthr_bare.url,
        "login": "sim_client",
        "password": "sim_client_secret",
        "extra": {"revoke_url": f"{smarthr_bare.url}/oauth/revoke"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR_PLUS", json.dumps(plus))
    monkeypatch.setenv("AIRFLOW_CONN_STORE_KEY", json.dumps({"conn_type": "generic", "password": KEY}))
    monkeypatch.setenv("RENKEI_STORE_KEY_CONN_ID", "store_key")
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", ",".join(hosts(smarthr_bare)))
    with emptied():
        yield SmartHRWorld(tmp_path, smarthr_bare)
    smarthr_bare.sim("DELETE", "companies/beta")


def test_s3_connected_used_and_disconnected(world: SmartHRWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Text 1's screens, and what runs then use; no secret and no state in any log or page (L7)."""
    caplog.set_level(logging.DEBUG)
    assert "状態 未連携" in world.shown()
    there = world.leave()
    assert "状態 SmartHRで許可待ち" in world.shown()
    back = Person(world.smarthr).answers(there)
    assert world.back(back) == f"{BASE}{HERE}?said=CONNECTED"
    shown = world.shown("CONNECTED")
    for words in ("連携済みになりました。", "状態 連携済み", "許可した人 omarさん 11/30(月) 10:00", "自動で更新します"):
        assert words in shown
    grant = world.grants.newest()[1]
    assert grant is not None
    connections.smarthr_client(world.mapping).check()
    assert len(connections.smarthr_client(world.mapping).read_all("departments")) > 1
    assert world.post("/disconnect") == f"{BASE}{HERE}?said=REVOKED"
    assert "状態 未連携" in world.shown("REVOKED")
    assert world.smarthr.get("crews", grant.access_token).status_code == 401
    looks = [audit.records.read(world.store, key, audit.AuditEntry) for key in world.store.files(audit.FOLDER)]
    assert [(look.by, look.what) for look in looks] == [("omar", "smarthr connected"), ("omar", "smarthr disconnected")]
    state, code = (dict(parse_qsl(urlsplit(back).query))[name] for name in ("state", "code"))
    hidden = (state, code, grant.access_token, grant.refresh_token, "sim_client_secret")
    renkei = " ".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "urllib3"))
    )
    assert not [one for one in hidden if one in renkei + shown + body(world, HERE)]


def test_s3_who_left_from_within_the_frame_comes_back_into_it(world: SmartHRWorld) -> None:
    there = Person(world.smarthr).answers(world.leave(query="?framed=1"))
    assert world.back(there) == f"/plugin/renkei{BASE}{HERE}?said=CONNECTED"


def test_l7_the_query_of_the_callback_is_in_no_access_log(world: SmartHRWorld) -> None:
    """Airflow's reads the scope when the request is done."""
    scopes = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        scopes.append(scope)
        await world.app(scope, receive, send)  # type: ignore[arg-type]

    browser = TestClient(app, "http://airflow.example.jp", follow_redirects=False)  # type: ignore[arg-type]
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    browser.cookies.set("_token", "omar")
    answer = browser.get(f"{BASE}{HERE}/connect")
    there = urlsplit(Person(world.smarthr).answers(answer.headers["location"]))
    assert browser.get(f"{CALLBACK}?{there.query}").headers["location"].endswith("said=CONNECTED")
    assert scopes[-1]["query_string"] == b""


def test_l7_who_is_logged_out_on_the_way_leaves_no_code_in_the_log_ins_address(world: SmartHRWorld) -> None:
    there = Person(world.smarthr).answers(world.leave())
    answer = world.browser().get(f"{CALLBACK}?{urlsplit(there).query}")
    assert answer.status_code == 401
    assert "ログインし直して" in answer.text
    assert "code_" not in answer.text
    assert world.grants.newest() == (0, None)


def test_another_users_session_and_a_second_time_connect_nothing(world: SmartHRWorld) -> None:
    """Even with the first one's cookie: somebody else at the same browser."""
    there = Person(world.smarthr).answers(world.leave("omar"))
    for name, value in world.of("omar").cookies.items():
        if name.startswith("renkei_smarthr"):
            world.of("yuki").cookies.set(name, value)
    assert world.back(there, "yuki") == f"{BASE}{HERE}?said=BROWSER"
    assert world.grants.newest() == (0, None)
    assert world.back(there, "omar").endswith("said=CONNECTED")
    assert world.back(there, "omar").endswith("said=STATE")
    assert world.grants.newest()[0] == 1


def test_cancelled_and_another_company_are_states_of_their_own(world: SmartHRWorld) -> None:
    assert world.back(Person(world.smarthr).answers(world.leave(), "deny")).endswith("said=CANCELLED")
    assert "状態 キャンセルされました" in world.shown("CANCELLED")
    there = Person(world.smarthr, "admin@beta").answers(world.leave())
    assert world.back(there).endswith("said=OTHER_COMPANY")
    shown = world.shown("OTHER_COMPANY")
    assert "状態 会社が違います" in shown
    assert "ログインした会社が、シートのSmartHR URLと違います" in shown
    assert world.grants.newest() == (0, None)
    assert "<script" not in body(world, f"{HERE}?said=<script>alert(1)</script>").partition("<main>")[2]


def test_s1_who_may_not_change_the_connection_only_looks(world: SmartHRWorld) -> None:
    world.door.register = {"omar"}
    shown = body(world, HERE, "yuki")
    assert "連携するには、Airflowの接続 smarthr__acme を変更する権限が必要です" in shown
    assert "/connect" not in shown.replace("/connections", "")
    assert world.of("yuki").get(f"{BASE}{HERE}/connect").status_code == 403
    world.post("/disconnect", "yuki", 403)
    there = Person(world.smarthr).answers(world.leave("omar"))
    assert world.of("yuki").get(f"{CALLBACK}?{urlsplit(there).query}").status_code == 403
    body(world, HERE, "ken", 403)
    assert world.of("ken").get(f"{CALLBACK}?{urlsplit(there).query}").status_code == 404


@pytest.mark.parametrize("query", ["", "?state=x", "?state=nosuch." + "0" * 64, "?state=../acme." + "0" * 64])
def test_a_callback_of_nobodys_answers_as_a_page_that_is_not_there(world: SmartHRWorld, query: str) -> None:
    assert world.of("omar").get(CALLBACK + query).status_code == 404


def test_another_site_begins_nothing(world: SmartHRWorld) -> None:
    """CSRF: a link elsewhere, a form elsewhere."""
    for site in ("cross-site", "same-site"):
        answer = world.browser("omar", **{"Sec-Fetch-Site": site}).get(f"{BASE}{HERE}/connect")
        assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)
    answer = world.browser("omar").post(f"{BASE}{HERE}/disconnect", data={})
    assert answer.status_code == 403
    assert not world.store.names(TenantFolder(world.store, LINK, "acme").source_logins)


def test_the_cookie_is_for_the_callback_alone(world: SmartHRWorld) -> None:
    answer = world.of("omar").get(f"{BASE}{HERE}/connect")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("renkei_smarthr_")
    assert {"HttpOnly", "SameSite=lax", f"Path={CALLBACK}", "Max-Age=600"} <= set(cookie.split("; "))


def test_s3_a_void_grant_is_a_state_in_the_list_and_leads_here(world: SmartHRWorld) -> None:
    """From the run that met it, until somebody has logged in again."""
    world.connect()
    world.smarthr.sim("POST", "oauth/revoke")
    client = connections.smarthr_client(world.mapping)
    with pytest.raises(FetchError, match="再認可が必要") as raised:
        client.check()
    assert f"http://airflow.example.jp{BASE}{HERE}" in str(raised.value)
    with pytest.raises(FetchError, match="再認可が必要"):
        connections.smarthr_client(world.mapping)
    trial = next(connection_trial.try_systems(world.mapping, ""))
    assert (trial.well, _is_registered(trial)) == (False, True), "not 未登録: it was allowed, and is not any more"
    assert "再認可が必要" in trial.said
    world.services.knowledge.changed()
    assert "再認可が必要" in text_of(body(world, "/"))
    company = body(world, f"/dag/{dag('acme')}")
    assert "SmartHRの許可の期限が切れたか、取り消されました" in company
    assert f'href="{BASE}{HERE}"' in company
    shown = world.shown()
    assert "状態 再認可が必要" in shown
    assert "もう一度連携する" in shown
    world.connect()
    assert "再認可が必要" not in text_of(body(world, "/"))
    connections.smarthr_client(world.mapping).check()


def test_s3_the_step_連携済み_counts_a_grant(world: SmartHRWorld) -> None:
    path = f"/dag/{dag('acme')}/start"
    assert "2. 連携済み 次にすること" in text_of(body(world, path))
    world.connect()
    shown = text_of(body(world, path))
    assert "2. 連携済み 完了" in shown
    assert "smarthr__acme" not in shown
    assert "smarthr__acme SmartHR 許可済み 登録する" in text_of(body(world, f"/dag/{dag('acme')}/connections"))


@pytest.mark.parametrize("has_token", [False, True])
@pytest.mark.parametrize("trouble", ["another SmartHR", "void", "renewal lost", "expired"])
def test_s3_a_grant_that_a_run_would_refuse_is_done_nowhere(
    world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch, trouble: str, has_token: bool
) -> None:
    """A run never falls back to the token, so the checklist does not either."""
    if has_token:
        token = {"conn_type": "smarthr", "password": "shr_sim_acme"}
        monkeypatch.setenv("AIRFLOW_CONN_SMARTHR__ACME", json.dumps(token))
    world.connect()
    number, grant = world.grants.newest()
    assert grant is not None
    path, used, label = f"/dag/{dag('acme')}/start", world.mapping, "再認可が必要"
    assert "2. 連携済み 完了" in text_of(body(world, path))
    if trouble == "another SmartHR":
        used, label = dataclasses.replace(world.mapping, smarthr_url=world.smarthr.url), "会社が違います"
        world.sheet(used)
    elif trouble == "renewal lost":
        assert world.grants.follow(number, dataclasses.replace(grant, expires_at=LONG_AGO))
        assert world.grants.begin_renewal(number + 1, LONG_AGO)
    elif trouble == "expired":
        assert world.grants.follow(number, dataclasses.replace(grant, expires_at=LONG_AGO, refresh_token=""))
    else:
        assert world.grants.follow(number, Grant(GrantEvent.VOID, NOW, "omar", "omar", NOW))
    with pytest.raises((ConnectionError_, FetchError)):
        connections.smarthr_client(used)
    assert f"状態 {label}" in world.shown()
    assert "2. 連携済み 次にすること" in text_of(body(world, path))
    assert "許可済み" not in text_of(body(world, f"/dag/{dag('acme')}/connections"))


def test_e34_whoever_sees_fewer_people_than_the_last_load_had_is_told(world: SmartHRWorld) -> None:
    """Whom he does not see would be deleted; the page asks for somebody who sees everybody, and counts."""
    world.baseline("acme")
    read = SetSummary(20, 20, "", "")
    world.record("acme").write(SnapshotSummary("r", {RecordSet.USERS: read, RecordSet.DEPARTMENTS: read}))
    assert "全従業員を参照できる" in world.shown()
    world.connect()
    shown = world.shown("CONNECTED")
    assert "見える従業員 20名" in shown
    assert "少なくなっています" not in shown
    unseen = [crew["id"] for crew in world.smarthr.sim("GET", "companies/acme/crews")[:3]]
    world.smarthr.sim("PATCH", "companies/acme", {"hidden_crews": unseen})
    world.connect()
    assert "許可した人に見える従業員は17名で、前回の受信（20名）より少なくなっています" in world.shown()


def test_アクセストークンで連携_stays_the_other_way(world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"conn_type": "smarthr", "password": "shr_sim_acme"}
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR__ACME", json.dumps(token))
    assert "状態 アクセストークンで連携中" in world.shown()
    assert f"{BASE}/dag/{dag('acme')}/connections/smarthr__acme" in body(world, HERE)
    connections.smarthr_client(world.mapping).check()
    assert connections.smarthr_client(world.mapping).log_in() == ""
    world.connect()
    assert connections.smarthr_client(world.mapping).log_in() == NOW.isoformat()
    assert "SmartHRで許可した連携が優先です" in world.shown()
    assert not [one for one in world.smarthr.sim("GET", "requests") if one["company"] is None]
    world.post("/disconnect")
    assert "状態 アクセストークンで連携中" in world.shown()
    connections.smarthr_client(world.mapping).check()


def test_a_grant_that_is_good_needs_no_registration(world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is renewed by it, and read without; 連携解除 works too."""
    world.connect()
    monkeypatch.delenv("AIRFLOW_CONN_SMARTHR_PLUS")
    connections.smarthr_client(world.mapping).check()
    assert "状態 連携済み" in world.shown()
    assert world.post("/disconnect") == f"{BASE}{HERE}?said=ENDED"
    assert "SmartHR側の許可は残っています" in world.shown("ENDED")


def test_what_is_missing_for_連携する_is_said_and_nothing_begins(
    world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SMARTHR_PLUS")
    assert "接続「smarthr_plus」（SmartHR Plusのアプリ）がありません" in world.shown()
    answer = world.of("omar").get(f"{BASE}{HERE}/connect")
    assert answer.status_code == 409
    monkeypatch.delenv("RENKEI_STORE_KEY_CONN_ID")
    assert "保存先が暗号化されていないため" in world.shown()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": ""}, "クライアントID"),
        ({"password": "se cret"}, "シークレット(Password)の3文字目が空白"),
        ({"host": "https://evil.example"}, "SmartHRのURLではありません"),
        ({"extra": {"token_url": "http://app.smarthr.jp/oauth/token"}}, "token_url"),
        ({"extra": {"revoke_url": "https://app.smarthr.jp@evil.example/"}}, "revoke_url"),
        ({"extra": {"lifetime_s": "two hours"}}, "lifetime_s"),
    ],
)
def test_l7_a_registration_that_would_lead_elsewhere_is_not_used(
    world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], said: str
) -> None:
    plus = {"conn_type": "smarthr_plus", "login": "client", "password": "secret-0", **fields}
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR_PLUS", json.dumps(plus))
    well, words = smarthr_plus.SmartHRPlusHook().test_connection()
    assert not well
    assert said in words
    assert "se cret" not in words
    assert "secret-0" not in words


def test_the_guesses_are_fields_of_extra(world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"pkce": "no", "rotates": "いいえ", "scope": "crews", "lifetime_s": "3600", "verify": False, "proxies": "x"}
    plus = {"conn_type": "smarthr_plus", "login": "client", "password": "secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMARTHR_PLUS", json.dumps(plus))
    found = smarthr_plus.read_settings()
    assert (found.pkce, found.rotates, found.scope, found.lifetime_s) == (False, False, "crews", 3600)
    assert (found.authorize_url, found.token_url) == (
        "https://app.smarthr.jp/oauth/authorization",
        "https://app.smarthr.jp/oauth/token",
    )
    session = smarthr_plus.session()
    assert (session.verify, session.proxies) == (False, {})
    assert "Authorization" not in session.headers
    well, said = smarthr_plus.SmartHRPlusHook().test_connection()
    assert well
    assert f"http://airflow.example.jp{CALLBACK}" in said


def test_l7_no_page_of_ours_has_smarthrs_answer_in_its_address(
    world: SmartHRWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registration was broken on the way: the company's page says so, and the code is in no browser's history."""
    back = Person(world.smarthr).answers(world.leave())
    monkeypatch.delenv("AIRFLOW_CONN_SMARTHR_PLUS")
    assert world.back(back) == f"{BASE}{HERE}?said="
    assert "smarthr_plus" in world.shown()
    assert world.grants.newest()[1] is None


def test_l5_a_grant_goes_to_the_smarthr_alone_at_which_it_was_proven(world: SmartHRWorld) -> None:
    """The sheet names another one since: nothing is sent there, and nothing is spent."""
    world.connect()
    asked = len(world.smarthr.sim("GET", "requests"))
    moved = dataclasses.replace(world.mapping, smarthr_url=world.smarthr.url)
    with pytest.raises(ConnectionError_, match="SmartHR URLが異なります"):
        connections.smarthr_client(moved)
    assert len(world.smarthr.sim("GET", "requests")) == asked
    world.sheet(moved)
    assert "状態 会社が違います" in world.shown()
    connections.smarthr_client(world.mapping).check()
