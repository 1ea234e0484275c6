"""LINE Login: what proves who somebody is, and what does not (N4, L6, L7)."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from renkei.errors import RenkeiError
from renkei.systems import chat
from renkei.systems.line.login import SETTING, UNPROVEN, UNREACHABLE, USED_UP, LineLogin, LineLoginError, Tokens
from renkei.systems.pkce import pkce
from tests.harness.patience import within
from tests.unit.systems.line.wire import Wire
from tests.unit.systems.transport import Answer, Seen, network

CHANNEL, SECRET = "1650000001", "0123456789abcdef0123456789abcdef"
USER = "U" + "89abcdef01234567" * 2
NONCE, NOW = "nonce-of-this-browser", 1_800_000_000
BACK = "https://airflow.example.jp/renkei/line/callback"
CLAIMS: dict[str, Any] = {
    "iss": "https://access.line.me",
    "sub": USER,
    "aud": CHANNEL,
    "exp": NOW + 3600,
    "iat": NOW,
    "nonce": NONCE,
    "amr": ["linesso"],
    "name": "山田",
}
LOGIN = LineLogin(CHANNEL, SECRET)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: Any = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    """An id_token with some claims changed; None leaves one out."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a forger's key may be short
        return jwt.encode(claims, key, algorithm=algorithm)


def raw(header: Any, claims: Any, signature: bytes = b"") -> str:
    def part(content: Any) -> str:
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.{part(signature)}"


def login(reply: Callable[[Seen], Answer]) -> LineLogin:
    network(reply)
    return LineLogin(CHANNEL, SECRET)


def test_n4_authorize_url_asks_for_all_that_is_checked_later() -> None:
    """N4: code flow with state, nonce and PKCE, and the offer to become friends."""
    url = urlsplit(LOGIN.authorize_url(BACK, "a state", "n&n", "challenge"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://access.line.me/oauth2/v2.1/authorize"
    assert parse_qs(url.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": [CHANNEL],
        "redirect_uri": [BACK],
        "state": ["a state"],
        "scope": ["profile openid"],
        "nonce": ["n&n"],
        "bot_prompt": ["aggressive"],
        "code_challenge": ["challenge"],
        "code_challenge_method": ["S256"],
    }


def test_n4_a_base_url_stands_for_both_hosts() -> None:
    """N4: the simulator's page and API lie below one address."""
    seen: list[str] = []

    def reply(request: Seen) -> Answer:
        seen.append(request.url)
        return Answer(status=200, body={"access_token": "a", "id_token": "b.c.d", "friendFlag": True})

    network(reply)
    near = LineLogin(CHANNEL, SECRET, "http://127.0.0.1:9000/line/")
    assert near.authorize_url(BACK, "s", "n", "c").startswith("http://127.0.0.1:9000/line/oauth2/v2.1/authorize?")
    near.exchange("code", BACK, "verifier")
    near.is_friend("a")
    assert seen == ["http://127.0.0.1:9000/line/oauth2/v2.1/token", "http://127.0.0.1:9000/line/friendship/v1/status"]


def test_n4_challenge_is_the_hash_of_the_verifier() -> None:
    """N4: RFC 7636: 43 to 128 unreserved characters, never the same."""
    (verifier, challenge), other = pkce(), pkce()
    digest = hashlib.sha256(verifier.encode()).digest()
    assert base64.urlsafe_b64decode(challenge + "=") == digest
    assert 43 <= len(verifier) <= 128
    assert set(verifier) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    assert verifier != other[0]


def test_n4_a_sound_token_names_the_user() -> None:
    """N4: HS256 with the channel secret, for this channel, of this login."""
    assert LOGIN.verify(signed(), NONCE, NOW) == USER


@pytest.mark.parametrize(
    ("changed", "now"),
    [({"exp": NOW - 59}, NOW), ({"iat": NOW + 60}, NOW), ({}, NOW + 3600 + 59), ({}, NOW - 60)],
    ids=["just expired", "clock behind", "our clock ahead", "our clock behind"],
)
def test_n4_clocks_may_differ_by_a_minute(changed: dict[str, Any], now: float) -> None:
    """N4: leeway."""
    assert LOGIN.verify(signed(**changed), NONCE, now) == USER


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(key="f" * 32), id="forged with another secret"),
        pytest.param(signed(key="", algorithm="none"), id="alg none"),
        pytest.param(raw({"alg": "None", "typ": "JWT"}, CLAIMS), id="alg None"),
        pytest.param(raw({"typ": "JWT"}, CLAIMS), id="no alg"),
        pytest.param(signed(key=RSA, algorithm="RS256"), id="RS256"),
        pytest.param(signed(algorithm="HS512"), id="HS512 with the right secret"),
        pytest.param(signed().rsplit(".", 1)[0] + ".", id="signature cut off"),
        pytest.param(raw({"alg": "HS256"}, CLAIMS, b"\x00" * 32), id="zero signature"),
        pytest.param(signed(exp=NOW - 60), id="expired"),
        pytest.param(signed(exp=None), id="no exp"),
        pytest.param(signed(exp=str(NOW + 3600)), id="exp as text"),
        pytest.param(signed(exp=float("inf")), id="exp infinite"),
        pytest.param(signed(exp=True), id="exp true"),
        pytest.param(signed(iat=NOW + 61), id="from the future"),
        pytest.param(signed(iat=None), id="no iat"),
        pytest.param(signed(iss="https://access.line.me.example.jp"), id="wrong issuer"),
        pytest.param(signed(iss=None), id="no issuer"),
        pytest.param(signed(aud="1650000002"), id="another channel's"),
        pytest.param(signed(aud=[CHANNEL, "1650000002"]), id="for several channels"),
        pytest.param(signed(aud=None), id="no audience"),
        pytest.param(signed(nonce="nonce-of-another-one"), id="wrong nonce"),
        pytest.param(signed(nonce=""), id="empty nonce"),
        pytest.param(signed(nonce=[NONCE]), id="nonce as list"),
        pytest.param(signed(nonce=None), id="no nonce"),
        pytest.param(signed(sub=None), id="no subject"),
        pytest.param(signed(sub=""), id="empty subject"),
        pytest.param(signed(sub="../" + USER), id="subject of another shape"),
        pytest.param(signed(sub=USER + "\n"), id="subject with a line end"),
        pytest.param(raw({"alg": "HS256"}, [1, 2]), id="claims as list"),
        pytest.param(raw({"alg": "HS256"}, b"<html>"), id="claims as html"),
        pytest.param(raw(b"[" * 50_000, CLAIMS), id="deep header"),
        pytest.param("", id="empty"),
        pytest.param("a.b", id="two parts"),
        pytest.param("あ.い.う", id="not base64"),
        pytest.param("\ud800.x.y", id="lone surrogate"),
        pytest.param("x" * 1_000_000, id="huge"),
    ],
)
def test_n4_l1_any_other_token_proves_nothing(token: str) -> None:
    """N4, L1: one message to the member, and not a part of the token in it or in the reason."""
    with pytest.raises(LineLoginError) as caught:
        LOGIN.verify(token, NONCE, NOW)
    assert str(caught.value) == UNPROVEN
    assert caught.value.reason
    assert not token or token not in caught.value.reason
    assert USER not in caught.value.reason
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("nonce", ["", "nonce-of-this-browse", NONCE + "x", "\ud800"])
def test_n4_the_nonce_is_this_browsers(nonce: str) -> None:
    """N4: an empty one, a lost session's, matches nothing."""
    with pytest.raises(LineLoginError):
        LOGIN.verify(signed(nonce=nonce if nonce == "" else NONCE), nonce, NOW)


def test_n4_exchange_sends_the_documented_form() -> None:
    """N4: the secret and the verifier go in the body."""
    seen: list[Seen] = []

    def reply(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=200, body={"access_token": "acc", "id_token": "a.b.c", "token_type": "Bearer"})

    assert login(reply).exchange("the code", BACK, "verifier") == Tokens("acc", "a.b.c")
    [request] = seen
    assert (request.method, request.url) == ("POST", "https://api.line.me/oauth2/v2.1/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["the code"],
        "redirect_uri": [BACK],
        "client_id": [CHANNEL],
        "client_secret": [SECRET],
        "code_verifier": ["verifier"],
    }


GOOD = {"access_token": "acc", "id_token": "a.b.c"}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(Answer(status=400, body={"error": "invalid_grant"}), USED_UP, id="code used or expired"),
        pytest.param(Answer(status=400, body={"error": "invalid_client"}), SETTING, id="wrong secret"),
        pytest.param(Answer(status=401, body={"error": "invalid_client"}), SETTING, id="401"),
        pytest.param(Answer(status=404, body="<html>"), SETTING, id="wrong address"),
        pytest.param(Answer(status=302, headers={"Location": "http://x/"}), SETTING, id="redirect"),
        pytest.param(Answer(status=429, body={}), UNREACHABLE, id="429"),
        pytest.param(Answer(status=503, body="<html>"), UNREACHABLE, id="503"),
        pytest.param(Answer(status=200, body="<html>"), UNPROVEN, id="html"),
        pytest.param(Answer(status=200, body=[GOOD]), UNPROVEN, id="array"),
        pytest.param(Answer(status=200, body={"access_token": "acc"}), UNPROVEN, id="no id_token"),
        pytest.param(Answer(status=200, body={**GOOD, "id_token": 5}), UNPROVEN, id="number"),
        pytest.param(Answer(status=200, body={**GOOD, "access_token": "a\r\nX: y"}), UNPROVEN, id="header smuggled"),
        pytest.param(Answer(status=200, body={**GOOD, "access_token": "あ"}), UNPROVEN, id="no header text"),
        pytest.param(Answer(status=200, body="[" * 50_000), UNPROVEN, id="deep"),
        pytest.param(Answer(status=200, body=b"{" + b" " * 5_000_000 + b"}"), UNREACHABLE, id="huge"),
        pytest.param(Answer(status=400, body={"error": ["invalid_grant"]}), SETTING, id="error as list"),
    ],
)
def test_n4_every_other_answer_ends_the_login_in_words(response: Answer, message: str) -> None:
    """N4, L8: what happened and what to do; nothing is tried twice."""
    asked: list[Seen] = []

    def reply(request: Seen) -> Answer:
        asked.append(request)
        return response

    with pytest.raises(LineLoginError) as caught:
        login(reply).exchange("code", BACK, "verifier")
    assert str(caught.value) == message
    assert len(asked) == 1
    assert isinstance(caught.value, RenkeiError)


def test_l7_no_secret_in_errors_logs_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    """L7: not even where LINE says it back."""
    caplog.set_level(logging.DEBUG)
    code = "code" * 10
    body = {"error": "invalid_grant", "error_description": f"code {code} of {SECRET} {USER}"}
    with pytest.raises(LineLoginError) as caught:
        login(lambda _: Answer(status=400, body=body)).exchange(code, BACK, "verifier" * 8)
    assert caught.value.reason.startswith("HTTP 400: invalid_grant")
    for text in (caught.value.reason, str(caught.value), caplog.text, repr(LOGIN), repr(Tokens("tok-a", "tok-b"))):
        assert not any(secret in text for secret in (code, SECRET, USER, "verifier", "tok-"))


def test_n4_a_hostile_code_is_only_sent_back() -> None:
    """N4: it comes from the browser's address line."""
    seen: list[bytes] = []

    def reply(request: Seen) -> Answer:
        seen.append(request.body)
        return Answer(status=400, body={"error": "invalid_grant"})

    with pytest.raises(LineLoginError):
        login(reply).exchange("x&client_id=other\ud800\x00", BACK, "v")
    assert parse_qs(seen[0].decode())["client_id"] == [CHANNEL]


@pytest.mark.parametrize(
    ("response", "friend"),
    [
        (Answer(status=200, body={"friendFlag": True}), True),
        (Answer(status=200, body={"friendFlag": False}), False),
        (Answer(status=200, body={"friendFlag": "true"}), None),
        (Answer(status=200, body=[True]), None),
        (Answer(status=200, body="<html>"), None),
        (Answer(status=400, body={"friendFlag": True}), None),
        (Answer(status=500), None),
    ],
    ids=["friend", "no friend", "text", "array", "html", "400", "500"],
)
def test_n4_friend_is_what_line_says_or_unknown(response: Answer, friend: bool | None) -> None:
    """N4: unknown is not no."""
    seen: list[Seen] = []

    def reply(request: Seen) -> Answer:
        seen.append(request)
        return response

    assert login(reply).is_friend("acc") is friend
    assert seen[0].headers["authorization"] == "Bearer acc"


def test_n4_friend_is_unknown_without_a_usable_token() -> None:
    """N4: nothing is asked."""

    def never(request: Seen) -> Answer:
        raise AssertionError

    assert login(never).is_friend("a b\n") is None


def test_n4_a_line_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """N4: the member's browser is not kept waiting."""
    monkeypatch.setattr(chat, "ANSWER_S", 0.3)
    with Wire(lambda _: ()) as silent:
        near = LineLogin(CHANNEL, SECRET, silent.url)
        with within(20):
            with pytest.raises(LineLoginError, match="接続できませんでした"):
                near.exchange("code", BACK, "verifier")
            assert near.is_friend("acc") is None
