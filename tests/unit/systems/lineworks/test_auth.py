"""The token of a LINE WORKS service account (N1, L7)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.lineworks.auth import Token, mended, token
from tests.unit.systems.lineworks.people import CREDENTIALS, KEY, NOW, OLD_PEM, PEM, LineWorks, form, grant
from tests.unit.systems.transport import Answer

ONE_LINE = "".join(PEM.splitlines())
PASSPHRASED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p")).decode()
OLD_PASSPHRASED = KEY.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"p")
).decode()
ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"


def got(answer: Token | Delivery) -> Token:
    assert isinstance(answer, Token)
    return answer


def refusal(answer: Token | Delivery) -> Delivery:
    assert isinstance(answer, Delivery)
    return answer


def test_n1_assertion_is_signed_and_has_whole_seconds() -> None:
    """N1: RS256, issuer and subject, at most an hour, integers."""
    service = LineWorks()
    answer = got(token(CREDENTIALS, "", NOW + 0.75))
    [request] = service.seen
    assert (request.method, request.url) == ("POST", "https://auth.worksmobile.com/oauth2/v2.0/token")
    sent = form(request)
    unread = {"verify_iat": False, "verify_exp": False}  # the wall clock is not that of the test
    claims = jwt.decode(sent.pop("assertion"), KEY.public_key(), algorithms=["RS256"], options=unread)
    assert claims == {
        "iss": "client-id-1",
        "sub": "abc12.serviceaccount@example",
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    }
    assert [type(claims[name]) for name in ("iat", "exp")] == [int, int]
    assert sent == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_id": "client-id-1",
        "client_secret": "client-secret-1",
        "scope": "bot",
    }
    assert answer == Token("token-1", NOW + 0.75 + 86400)


def test_n1_a_base_url_takes_the_place_of_the_host() -> None:
    """N1: the simulator's."""
    service = LineWorks()
    got(token(CREDENTIALS, "http://127.0.0.1:9000/lineworks/", NOW))
    assert str(service.seen[0].url) == "http://127.0.0.1:9000/lineworks/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("86400", 86400),
        ("3600", 3600),
        (3600, 3600),
        (None, 3600),
        ("soon", 3600),
        ("-5", 3600),
        (1.5, 3600),
        ("９", 3600),
        (True, 3600),
        ("9" * 400, 86400),
        ([3600], 3600),
        (0, 0),
    ],
)
def test_n1_expiry_is_read_leniently(expires_in: Any, seconds: float) -> None:
    """N1: a text or a number; else an hour, never more than a day."""
    LineWorks([grant(expires_in=expires_in)])
    answer = got(token(CREDENTIALS, "", NOW))
    assert answer.expires == NOW + seconds


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param(PEM, id="as downloaded"),
        pytest.param(OLD_PEM, id="RSA PRIVATE KEY"),
        pytest.param(PEM.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(PEM.strip().replace("\n", "\\n"), id="literal \\n"),
        pytest.param(PEM.strip().replace("\n", "\\\\n"), id="literal \\\\n"),
        pytest.param(PEM.replace("\n", "\\r\\n"), id="literal \\r\\n"),
        pytest.param(PEM.replace("\n", " "), id="blanks for line ends"),
        pytest.param(ONE_LINE, id="no line ends"),
        pytest.param("".join(OLD_PEM.splitlines()), id="no line ends, RSA"),
        pytest.param('  "' + PEM.strip().replace("\n", "\\n") + '"\n', id="quoted"),
        pytest.param("\ufeff" + PEM.replace("\n", "\n\n  "), id="indented"),
    ],
)
def test_n1_a_key_pasted_into_a_form_is_mended(pasted: str) -> None:
    """N1: a form of one line takes the line ends, a JSON text writes them out."""
    key = load_pem_private_key(mended(pasted).encode(), password=None)
    assert key.public_key() == KEY.public_key()
    LineWorks()
    assert got(token(replace(CREDENTIALS, private_key=pasted), "", NOW))


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param("", id="empty"),
        pytest.param("secret-words-of-the-key", id="no PEM"),
        pytest.param(PEM[:400], id="cut off"),
        pytest.param(PEM.replace("MII", "あいう"), id="other characters"),
        pytest.param(PEM.replace("-----BEGIN PRIVATE KEY-----\n", ""), id="no first line"),
        pytest.param(PUBLIC, id="public key"),
        pytest.param(ELLIPTIC.decode(), id="elliptic"),
        pytest.param(PASSPHRASED, id="passphrase"),
        pytest.param(OLD_PASSPHRASED, id="passphrase, RSA"),
        pytest.param("\ud800" + PEM[:100], id="lone surrogate"),
    ],
)
def test_n1_l7_a_key_that_cannot_be_read_is_named_and_not_shown(pasted: str, caplog: pytest.LogCaptureFixture) -> None:
    """N1, L7: the field's name, nothing of its content; nothing is sent."""
    caplog.set_level(logging.DEBUG)
    service = LineWorks()
    delivery = refusal(token(replace(CREDENTIALS, private_key=pasted), "", NOW))
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, True)
    assert delivery.reason.startswith("Private Key ")
    assert "secret-words" not in delivery.reason + caplog.text
    assert service.seen == []


@pytest.mark.parametrize(
    ("field", "value", "label"),
    [
        ("client_id", "", "Client ID"),
        ("client_id", "client id", "Client ID"),
        ("client_secret", "secret \n", "Client Secret"),
        ("client_secret", "ｓｅｃｒｅｔ", "Client Secret"),
        ("service_account", "", "Service Account"),
        ("client_id", "ab\u200bc", "Client ID の3文字目"),
        ("client_secret", "sec ret", "Client Secret の4文字目"),
    ],
)
def test_p4_a_field_with_blanks_is_named(field: str, value: str, label: str) -> None:
    """P4, N1, L7: white space inside credentials is refused by name and place, without its content."""
    service = LineWorks()
    delivery = refusal(token(replace(CREDENTIALS, **{field: value}), "", NOW))
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, True)
    assert delivery.reason.startswith(label)
    assert not value.strip() or value.strip() not in delivery.reason
    assert service.seen == []


def said(status: int, error: str, text: str = "") -> Answer:
    return Answer(status=status, body={"error": error, "error_description": text})


@pytest.mark.parametrize(
    ("answer", "verdict", "dead"),
    [
        pytest.param(said(401, "invalid_client"), Verdict.REFUSED, True, id="401"),
        pytest.param(said(400, "invalid_client"), Verdict.REFUSED, True, id="wrong secret"),
        pytest.param(said(400, "unauthorized_client"), Verdict.REFUSED, True, id="app not allowed"),
        pytest.param(said(400, "invalid_grant", "clock"), Verdict.REFUSED, False, id="assertion, maybe the clock"),
        pytest.param(said(400, "invalid_scope"), Verdict.REFUSED, False, id="scope"),
        pytest.param(said(403, "access_denied"), Verdict.REFUSED, False, id="403"),
        pytest.param(Answer(status=429, body={"code": "TOO_MANY_REQUESTS"}), Verdict.LATER, False, id="429"),
        pytest.param(Answer(status=500), Verdict.LATER, False, id="500"),
        pytest.param(Answer(status=503), Verdict.LATER, False, id="503"),
        pytest.param(Answer(status=200, body="<html>"), Verdict.LATER, False, id="html"),
        pytest.param(Answer(status=200, body=["token"]), Verdict.LATER, False, id="array"),
        pytest.param(Answer(status=200, body={"access_token": 5}), Verdict.LATER, False, id="number"),
        pytest.param(grant("a\r\nX: y"), Verdict.LATER, False, id="header smuggled"),
        pytest.param(grant("トークン"), Verdict.LATER, False, id="no header text"),
        pytest.param(Answer(status=200, body=b" " * 5_000_000), Verdict.LATER, False, id="huge"),
        pytest.param(Answer(status=200, body="[" * 50_000), Verdict.LATER, False, id="deep"),
        pytest.param(Answer(status=204), Verdict.LATER, False, id="empty"),
        pytest.param(Answer(status=302, headers={"Location": "http://x/"}), Verdict.REFUSED, False, id="redirect"),
        pytest.param(requests.ReadTimeout(), Verdict.LATER, False, id="timeout"),
        pytest.param(requests.ConnectTimeout(), Verdict.LATER, False, id="nobody there"),
    ],
)
def test_n1_without_a_token_nothing_was_sent(answer: Answer | Exception, verdict: Verdict, dead: bool) -> None:
    """N1: never UNKNOWN; dead only where the app itself is not known any more."""
    LineWorks([answer])
    delivery = refusal(token(CREDENTIALS, "", NOW))
    assert (delivery.verdict, delivery.dead) == (verdict, dead)
    assert delivery.reason


def test_n5_reason_has_the_services_own_words() -> None:
    """N5: error and description."""
    LineWorks([said(400, "invalid_grant", "bad jwt")])
    delivery = refusal(token(CREDENTIALS, "", NOW))
    assert (delivery.status, delivery.reason) == (400, "invalid_grant: bad jwt")


def test_l7_no_secret_in_logs_reasons_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    """L7: not even where the service says it back; the service account looks like an address, so it goes too."""
    caplog.set_level(logging.DEBUG)
    echo = said(400, "invalid_grant", f"account {CREDENTIALS.service_account} key {ONE_LINE}")
    LineWorks([echo])
    delivery = refusal(token(CREDENTIALS, "", NOW))
    LineWorks()
    kept = got(token(CREDENTIALS, "", NOW))
    for words in (delivery.reason, caplog.text, repr(kept)):
        assert not any(secret in words for secret in ("token-1", "client-secret-1", "serviceaccount@", ONE_LINE[40:90]))
    assert not any(secret in repr(CREDENTIALS) for secret in ("client-secret-1", "BEGIN"))
