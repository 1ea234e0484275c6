"""連携する over the simulated SmartHR: the whole way by HTTP, every failure of it, and renewals by many processes at once (S3)."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.connecting import AuthorizationRequest, AuthorizationResponse, Connecting, Grantor, prover
from renkei.links.smarthr_emc.connecting_troubles import ConnectFailure, ConnectingError
from renkei.links.smarthr_emc.granted import LEASE, GrantedToken, ReauthoriseError
from renkei.storage.cipher import Cipher
from renkei.storage.source_grants import Grant, SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.smarthr.client import SmartHRClient
from renkei.systems.transport import own_session
from tests.conftest import ROOT
from tests.harness.oauth import KEY
from tests.harness.renewing_program import oauth_at
from tests.harness.smarthr import SmartHR
from tests.harness.smarthr_login import Person

CALLBACK = "http://airflow.example.jp/renkei/console/smarthr/callback"
YUKI = Grantor("yuki", "結城")
PROCESSES = 8


class Way:
    """acme's way to SmartHR, walked by a browser without scripts."""

    def __init__(self, smarthr: SmartHR, folder: Path) -> None:
        self.smarthr = smarthr
        self.folder = TenantFolder(Store(LocalFileSystem(), str(folder), Cipher(KEY)), "smarthr_emc", "acme")
        self.grants = SourceGrants(self.folder)
        self.url = smarthr.url.replace("127.0.0.1", "localhost")  # at which acme alone answers
        self.set(redirect_uris=[CALLBACK])
        self.oauth = oauth_at(smarthr.url)
        self.connecting = Connecting(self.folder, self.oauth)
        self.now = dt.datetime.now(dt.UTC)

    def set(self, **switches: Any) -> None:
        self.smarthr.sim("PATCH", "oauth", switches)

    def begin(self) -> AuthorizationRequest:
        return self.connecting.begin(YUKI, CALLBACK, self.now)

    def allow(self, departure: AuthorizationRequest, user: str = "admin@acme", answer: str = "allow") -> dict[str, str]:
        """The query with which SmartHR sends the browser back."""
        there = Person(self.smarthr, user).answers(departure.url, answer)
        assert there.startswith(f"{CALLBACK}?")
        return dict(parse_qsl(urlsplit(there).query))

    def finish(self, departure: AuthorizationRequest, answer: dict[str, str]) -> Grant:
        back = AuthorizationResponse(
            answer["state"], answer.get("code", ""), answer.get("error", ""), departure.value, YUKI, CALLBACK
        )
        return self.connecting.finish(back, prover(own_session(), self.url), self.now)

    def connect(self) -> Grant:
        departure = self.begin()
        return self.finish(departure, self.allow(departure))

    def refused(self, departure: AuthorizationRequest, answer: dict[str, str]) -> ConnectFailure:
        with pytest.raises(ConnectingError) as raised:
            self.finish(departure, answer)
        return raised.value.trouble

    def token(self, **later: float) -> GrantedToken:
        at = self.now + dt.timedelta(**later)
        return GrantedToken(self.folder, lambda: self.oauth, "https://page", lambda: at)

    def asked(self, kind: str = "refresh_token") -> list[str]:
        """What became of each request to the token's address."""
        return [one["outcome"] for one in self.smarthr.sim("GET", "oauth")["asked"] if one["grant_type"] == kind]

    def wait_until_asked(self) -> None:
        """A renewal has been granted, and its answer is on the way."""
        until = time.monotonic() + 120
        while self.asked() != ["granted"]:
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.fixture
def way(smarthr_bare: SmartHR, tmp_path: Path) -> Iterator[Way]:
    smarthr_bare.sim("DELETE", "oauth")
    for name, hosts in (("acme", ["localhost"]), ("beta", [])):
        company = {"name": name, "seed": 1, "size": 20, "switches": {"hosts": hosts}}
        smarthr_bare.sim("POST", "companies", company)
    yield Way(smarthr_bare, tmp_path)
    smarthr_bare.sim("DELETE", "companies/beta")


def test_s3_connected_read_renewed_and_disconnected(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    """The whole life of a grant; nothing of it in a log (L7)."""
    caplog.set_level(logging.DEBUG, "renkei")
    first = way.connect()
    tokens = way.token()
    client = SmartHRClient(own_session(), way.url, 1000, tokens.token(), tokens.instead_of)
    assert len(client.read_all("crews")) == 20
    way.smarthr.sim("POST", "oauth/expire")  # in the middle of a run, while ten read at once
    assert len(client.read_all("crews", {"per_page": "2"})) == 20
    assert way.asked() == ["granted"]
    number, second = way.grants.newest()
    assert second is not None
    assert (number, second.access_token != first.access_token) == (2, True)
    assert way.connecting.disconnect(YUKI, way.now) is True
    assert way.smarthr.get("crews", second.access_token).status_code == 401
    assert not tokens.exists()
    secrets = (first.access_token, first.refresh_token, second.refresh_token, "sim_client_secret")
    assert not [one for one in secrets if one in caplog.text]


def test_a_reused_code_or_state_connects_nobody(way: Way) -> None:
    """SmartHR revokes what came of a code that is sent twice; we send none twice."""
    departure = way.begin()
    answer = way.allow(departure)
    way.finish(departure, answer)
    assert way.refused(departure, answer) is ConnectFailure.STATE
    assert way.asked("authorization_code") == ["granted"]
    other = way.begin()
    assert way.refused(other, {**answer, "state": way.allow(other)["state"]}) is ConnectFailure.REFUSED
    assert way.smarthr.sim("GET", "oauth")["grants"][0]["revoked"] is True


def test_cancelled_and_another_company(way: Way) -> None:
    departure = way.begin()
    assert way.refused(departure, way.allow(departure, answer="deny")) is ConnectFailure.CANCELLED
    departure = way.begin()
    assert way.refused(departure, way.allow(departure, "admin@beta")) is ConnectFailure.OTHER_COMPANY
    assert way.grants.newest() == (0, None)
    assert [one["revoked"] for one in way.smarthr.sim("GET", "oauth")["grants"]] == [True], "it was given back"


@pytest.mark.parametrize(
    ("fault", "trouble", "reached"),
    [
        ({"kind": "lost_answer"}, ConnectFailure.LOST, ["granted"]),
        ({"kind": "truncated"}, ConnectFailure.LOST, ["granted"]),
        ({"kind": "not_json"}, ConnectFailure.LOST, ["granted"]),
        ({"kind": "status_500"}, ConnectFailure.LOST, []),
        ({"kind": "maintenance_503"}, ConnectFailure.AWAY, []),
    ],
    ids=lambda one: one.get("kind", "") if isinstance(one, dict) else "",
)
def test_whatever_becomes_of_the_answer_the_code_is_sent_once(
    way: Way, fault: dict[str, Any], trouble: ConnectFailure, reached: list[str]
) -> None:
    departure = way.begin()
    answer = way.allow(departure)
    way.smarthr.fault(path="/oauth/token", **fault)
    assert way.refused(departure, answer) is trouble
    way.smarthr.sim("DELETE", "faults")
    assert way.refused(departure, answer) is ConnectFailure.STATE
    assert way.asked("authorization_code") == reached
    assert way.grants.newest() == (0, None)
    way.connect()


def test_what_smarthr_does_not_publish_may_be_otherwise(way: Way) -> None:
    """No PKCE, a scope, no end, no refresh token, one that is not spent; SmartHR Plus first."""
    way.set(pkce="required", scope="crews", expires_in=None, refresh="none", needs_plus=True)
    way.oauth = oauth_at(way.smarthr.url, scope="crews")
    way.connecting = Connecting(way.folder, way.oauth)
    person = Person(way.smarthr)
    shown = person.log_in(person.submit(person.browser.get(f"{way.smarthr.url}/apps/emc", timeout=30)))
    assert "連携をはじめる" in shown.text
    assert "連携済み" in person.submit(shown).text
    grant = way.connect()
    assert (grant.refresh_token, grant.expires_at, grant.scope) == ("", None, "crews")
    assert way.token(days=400).token() == grant.access_token
    way.set(expires_in=600, refresh="kept", pkce="ignored", scope="")
    kept = way.connect()
    assert way.token(minutes=6).token() != kept.access_token
    assert way.token(minutes=10).token()
    assert (way.asked(), way.grants.newest()[1].refresh_token) == (["granted"], kept.refresh_token)  # type: ignore[union-attr]


def test_the_simulator_is_as_strict_as_oauth(way: Way) -> None:
    """Secret in the body, callback to the letter, verifier, administrators alone, a consent of its own page."""
    departure = way.begin()
    query = dict(parse_qsl(urlsplit(departure.url).query))
    authorize, token = (f"{way.smarthr.url}/oauth/{path}" for path in ("authorization", "token"))
    for wrong in ({"client_id": "x"}, {"redirect_uri": CALLBACK + "/"}):
        assert requests.get(authorize, params=query | wrong, timeout=30, allow_redirects=False).status_code == 400
    for wrong, error in (
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ):
        answer = requests.get(authorize, params=query | wrong, timeout=30, allow_redirects=False)
        assert f"error={error}" in answer.headers["location"]
    member = Person(way.smarthr, "member@acme")
    shown = member.browser.get(departure.url, timeout=30)
    assert member.submit(shown, email="admin@acme", password="no").status_code == 401
    assert "管理者権限" in member.log_in(shown).text
    forged = requests.post(authorize, data=query | {"_answer": "allow"}, timeout=30, allow_redirects=False)
    assert forged.status_code == 403
    asked = {
        "grant_type": "authorization_code",
        "code": way.allow(departure)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": "x" * 43,
    }
    by_header = requests.post(token, data=asked, auth=("sim_client", "sim_client_secret"), timeout=30)
    assert (by_header.status_code, by_header.json()) == (401, {"error": "invalid_client"})
    own = {"client_id": "sim_client", "client_secret": "sim_client_secret"}
    assert requests.post(token, data=asked | own, timeout=30).json() == {"error": "invalid_grant"}
    assert requests.post(token, data=own | {"grant_type": "password"}, timeout=30).json() == {
        "error": "unsupported_grant_type"
    }


@pytest.fixture(params=[PROCESSES])
def processes(request: pytest.FixtureRequest, way: Way) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.harness.renewing_program", str(way.folder.store.root), way.smarthr.url]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(request.param)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "READY\n"
    yield started
    for one in started:
        one.kill()
        one.wait()
        for pipe in (one.stdin, one.stdout):
            assert pipe is not None
            pipe.close()


def ask(process: subprocess.Popen[str], at: dt.datetime) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{at.isoformat()}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_s3_eight_processes_at_once_renew_once_for_each_end(way: Way, processes: list[subprocess.Popen[str]]) -> None:
    """Three ends; each time all eight have the one new token, and SmartHR saw one refresh token, once."""
    way.connect()
    way.smarthr.fault(path="/oauth/token", kind="slow", seconds=0.3)  # so that all come while one is renewing
    seen = []
    for round_ in range(1, 4):
        at = way.now + dt.timedelta(seconds=7300 * round_)
        for process in processes:
            ask(process, at)
        got = {heard(process) for process in processes}
        assert len(got) == 1, got
        number, grant = way.grants.newest()
        assert grant is not None
        assert (number, got) == (round_ + 1, {hashlib.sha256(grant.access_token.encode()).hexdigest()})
        seen.append(grant.access_token)
    assert len(set(seen)) == 3
    assert way.asked() == ["granted"] * 3


@pytest.mark.parametrize("processes", [3], indirect=True)
def test_s3_who_is_killed_before_the_record_has_spent_it(way: Way, processes: list[subprocess.Popen[str]]) -> None:
    """SmartHR has rotated, nobody has the answer: 再認可が必要, and the spent token is never sent again."""
    way.connect()
    way.smarthr.fault(path="/oauth/token", kind="slow", seconds=600)
    late = way.now + dt.timedelta(hours=3)
    ask(processes[0], late)
    way.wait_until_asked()
    processes[0].kill()
    way.smarthr.sim("DELETE", "faults")
    over = late + LEASE + dt.timedelta(seconds=1)
    for process in processes[1:]:
        ask(process, over)
    assert {heard(process) for process in processes[1:]} == {"ReauthoriseError"}
    with pytest.raises(ReauthoriseError, match="再認可が必要"):
        way.token(hours=4).token()
    assert way.asked() == ["granted"]
    way.connect()
    assert way.token().token(), "logging in again mends it"


def test_a_grant_that_was_revoked_at_smarthr_ends_the_read(way: Way) -> None:
    """401 in the middle, renewed once, refused: a person is asked."""
    way.connect()
    tokens = way.token()
    client = SmartHRClient(own_session(), way.url, 1000, tokens.token(), tokens.instead_of)
    way.smarthr.sim("POST", "oauth/revoke")
    with pytest.raises(ReauthoriseError, match="https://page"):
        client.read_all("crews")
    assert way.asked() == ["refused"]
    with pytest.raises(ReauthoriseError):
        way.token().token()
    assert way.asked() == ["refused"]


def test_ten_threads_that_are_refused_at_once_renew_once(way: Way) -> None:
    grant = way.connect()
    tokens, found = way.token(), []
    threads = [threading.Thread(target=lambda: found.append(tokens.instead_of(grant.access_token))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(found), len(set(found)), way.asked()) == (10, 1, ["granted"])
