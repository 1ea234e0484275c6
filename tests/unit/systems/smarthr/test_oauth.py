"""SmartHR's OAuth over a Session whose wire is a function: what is sent, and what each answer means (L6, L7)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from renkei.systems.pkce import pkce
from renkei.systems.smarthr.oauth import (
    LostAnswerError,
    OAuthError,
    OAuthSettingError,
    RefusedGrantError,
    UnreachedError,
    is_oauth_url,
)
from tests.harness.oauth import CALLBACK, NOW, SECRETS, OAuthWorld, tokens
from tests.unit.systems.transport import Answer


@pytest.fixture
def world(tmp_path: Path) -> OAuthWorld:
    return OAuthWorld(tmp_path)


def test_the_browser_is_sent_to_the_published_address_with_state_and_challenge(world: OAuthWorld) -> None:
    verifier, challenge = pkce()
    url = urlsplit(world.oauth.authorize_url(CALLBACK, "acme.state", challenge))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://app.smarthr.jp/oauth/authorization"
    assert dict(parse_qsl(url.query)) == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": CALLBACK,
        "state": "acme.state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode() == challenge


def test_every_guess_is_a_setting(tmp_path: Path) -> None:
    """Addresses, scope, PKCE, lifetime."""
    world = OAuthWorld(
        tmp_path,
        authorize_url="https://sandbox.daruma.space/a?x=1",
        token_url="https://sandbox.daruma.space/t",
        scope="crews",
        pkce=False,
        lifetime_s=60,
    )
    url = world.oauth.authorize_url(CALLBACK, "s", "challenge")
    assert url.startswith("https://sandbox.daruma.space/a?x=1&")
    asked = dict(parse_qsl(url.partition("?")[2]))
    assert (asked["scope"], "code_challenge" in asked) == ("crews", False)
    world.answer = tokens(1, expires_in=None)
    found = world.oauth.exchange("code", CALLBACK, "verifier", NOW)
    assert found.expires_at is not None
    assert (found.expires_at - NOW).total_seconds() == 60
    assert world.asked[0]["path"] == "/t"
    assert "code_verifier" not in world.asked[0]


def test_a_code_is_exchanged_with_the_secret_in_the_body(world: OAuthWorld) -> None:
    found = world.oauth.exchange("code-1", CALLBACK, "verifier", NOW)
    assert (found.access_token, found.refresh_token) == ("access-1", "refresh-1")
    assert world.asked == [
        {
            "grant_type": "authorization_code",
            "code": "code-1",
            "redirect_uri": CALLBACK,
            "code_verifier": "verifier",
            "client_id": "client",
            "client_secret": "very-secret-client",
            "path": "/oauth/token",
        }
    ]
    assert "Authorization" not in world.wire.seen[0].headers


@pytest.mark.parametrize(
    "said",
    [{"expires_in": None}, {"expires_in": 0}, {"expires_in": "soon"}, {"expires_in": "9" * 5000}, {"expires_in": True}],
)
def test_what_does_not_say_when_it_ends_does_not_end(world: OAuthWorld, said: dict[str, Any]) -> None:
    world.answer = tokens(1, **said)
    assert world.oauth.exchange("c", CALLBACK, "v", NOW).expires_at is None


@pytest.mark.parametrize("lasts", [7200, "7200", 7200.0])
def test_when_it_ends_is_read_leniently(world: OAuthWorld, lasts: Any) -> None:
    world.answer = tokens(1, expires_in=lasts)
    assert world.oauth.exchange("c", CALLBACK, "v", NOW).expires_at == NOW + dt.timedelta(hours=2)


def test_without_a_new_refresh_token_the_old_one_stays(world: OAuthWorld) -> None:
    """RFC 6749, 6: a server may issue a new one."""
    world.answer = tokens(2, refresh_token=None)
    assert world.oauth.renew("refresh-1", NOW).refresh_token == "refresh-1"


ANSWERS: dict[str, tuple[Answer | Exception, type[OAuthError]]] = {
    "void": (Answer({"error": "invalid_grant"}, 400), RefusedGrantError),
    "unknown client": (Answer({"error": "invalid_client"}, 401), OAuthSettingError),
    "another refusal": (Answer("<html>", 403), OAuthSettingError),
    "moved": (Answer("", 302, {"Location": "https://evil.example"}), OAuthSettingError),
    "maintenance": (Answer("<html>", 503), UnreachedError),
    "too many": (Answer({}, 429), UnreachedError),
    "no connection": (requests.ConnectTimeout("access-1"), UnreachedError),
    "broken": (Answer({}, 500), LostAnswerError),
    "too late": (Answer({}, 408), LostAnswerError),
    "cut": (Answer({"access_token": "access-1"}, cut=True), LostAnswerError),
    "lost": (requests.ReadTimeout("access-1"), LostAnswerError),
    "no json": (Answer("access-1"), LostAnswerError),
    "no token": (Answer({"token_type": "bearer"}), LostAnswerError),
    "a token that no header carries": (tokens(1, access_token="ト\r\n"), LostAnswerError),
    "a refresh token that is none": (tokens(1, refresh_token=["x"]), LostAnswerError),
    "another kind of token": (tokens(1, token_type="mac"), LostAnswerError),
    "too long": (tokens(1, access_token="a" * 9_000), LostAnswerError),
    "endless": (Answer("a" * 100_000), LostAnswerError),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_each_answer_means(world: OAuthWorld, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whether the code is spent decides what may be done next. Nothing is quoted (L6, L7)."""
    world.answer, kind = ANSWERS[name]
    caplog.set_level(logging.DEBUG)
    with pytest.raises(OAuthError) as raised:
        world.oauth.exchange("code-1", CALLBACK, "verifier", NOW)
    assert type(raised.value) is kind
    assert len(world.asked) == 1, "a code is sent once"
    said = f"{raised.value} {raised.value.reason} {caplog.text}"
    assert not [secret for secret in (*SECRETS, "verifier") if secret in said]


def test_a_setting_that_is_no_address_is_the_settings_fault(tmp_path: Path) -> None:
    world = OAuthWorld(tmp_path, token_url="https://app.smarthr.jp/\noauth")
    with pytest.raises(OAuthSettingError, match="smarthr_plus"):
        world.oauth.renew("refresh-1", NOW)
    assert world.asked == []


def test_a_grant_is_revoked_where_smarthr_has_an_address_for_it(tmp_path: Path) -> None:
    world = OAuthWorld(tmp_path, revoke_url="https://app.smarthr.jp/oauth/revoke")
    world.answer = Answer({})
    assert world.oauth.revoke("refresh-1") is True
    assert (world.asked[0]["path"], world.asked[0]["token"]) == ("/oauth/revoke", "refresh-1")
    world.answer = Answer({}, 500)
    assert world.oauth.revoke("refresh-1") is False
    assert OAuthWorld(tmp_path / "other").oauth.revoke("refresh-1") is False


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://app.smarthr.jp/oauth/token", True),
        ("https://app.daruma.space/oauth/token", True),
        ("http://app.smarthr.jp/oauth/token", False),
        ("https://smarthr.jp.evil.example/", False),
        ("https://app.smarthr.jp@evil.example/", False),
        ("http://127.0.0.1:9/oauth/token", False),
    ],
)
def test_l7_the_secret_goes_to_smarthr_alone(url: str, allowed: bool) -> None:
    assert is_oauth_url(url) is allowed
    assert is_oauth_url("http://127.0.0.1:9/oauth/token", ["127.0.0.1:9"])


def test_l7_nothing_shows_a_secret(world: OAuthWorld) -> None:
    found = world.oauth.exchange("code-1", CALLBACK, "verifier", NOW)
    assert not [secret for secret in SECRETS if secret in f"{found!r} {world.oauth.settings!r}"]
