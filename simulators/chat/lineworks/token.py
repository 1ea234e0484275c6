"""What the token endpoint of LINE WORKS asks of a service account's request."""

from __future__ import annotations

import hmac
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from simulators.chat.lineworks.wire import oauth_error

CLIENT_ID, CLIENT_SECRET = "simulatedWorksClient", "simWorks01"
SERVICE_ACCOUNT = "w1x2y.serviceaccount@acme.example"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFE_S, CLOCK_SKEW_S = 3600, 60
ASSERTION = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # base64url without "=" (RFC 7515)


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The app's key, new in every process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def check_token_request(form: dict[str, str], granted: list[str], now: float) -> list[str]:
    """The scopes asked for, where everything is as auth-jwt says."""
    # The official Python sample encodes the grant twice, and is taken.
    if GRANT not in (form.get("grant_type"), unquote(form.get("grant_type", ""))):
        raise oauth_error("unsupported_grant_type", "Unsupported grant type.")
    secret = form.get("client_secret", "")
    if form.get("client_id") != CLIENT_ID or not hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
        raise oauth_error("invalid_client", "Client authentication failed.")
    check_assertion(form.get("assertion", ""), now)
    scopes = [scope for scope in re.split(r"[,\s]+", form.get("scope", "")) if scope]
    if not scopes or set(scopes) - set(granted):
        raise oauth_error("invalid_scope", "The app was not given this scope.")
    return scopes


def check_assertion(assertion: str, now: float) -> None:
    """Refuse an assertion that our key did not sign, that is not ours, or not of now. A claim `aud` is not looked at."""
    if not ASSERTION.fullmatch(assertion):
        raise oauth_error("invalid_grant", "The assertion is not a JWT.")
    try:
        if jwt.get_unverified_header(assertion).get("typ", "JWT") != "JWT":
            raise oauth_error("invalid_grant", "The assertion is not a JWT.")
        options = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_sub"), False)
        claims = jwt.decode(assertion, private_key().public_key(), algorithms=["RS256"], options=options)  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        raise oauth_error("invalid_grant", "The signature of the assertion is invalid.") from None
    if (claims.get("iss"), claims.get("sub")) != (CLIENT_ID, SERVICE_ACCOUNT):
        raise oauth_error("invalid_grant", "iss must be the client id, sub the service account.")
    issued, expires = seconds(claims.get("iat")), seconds(claims.get("exp"))
    if issued > now + CLOCK_SKEW_S or expires <= now:
        raise oauth_error("invalid_grant", "The assertion is not valid now.")
    if not 0 < expires - issued <= ASSERTION_LIFE_S:
        raise oauth_error("invalid_grant", "The assertion may be valid for 60 minutes at most.")


def seconds(claim: Any) -> float:
    """A time of the assertion; the official Python sample sends floats, and text is a known mistake (qiita iwaohig)."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise oauth_error("invalid_grant", "iat and exp must be numbers.")
    return claim
