"""The id_token of LINE Login, good or wrong in one way, and what LINE says of one that it is shown."""

from __future__ import annotations

import secrets
from typing import Any

import jwt

from simulators.chat.line.login_channel import CHANNEL_ID, CHANNEL_SECRET, Granted
from simulators.chat.line.wire import RefusedRequest

ISSUER = "https://access.line.me"
ID_TOKEN_LIFE_S = 3600


class OAuthError(RefusedRequest):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, {"error": error, "error_description": description}, {"cache-control": "no-store"})


def id_token(granted: Granted, now: int, fault: str) -> str:
    """HS256 with the channel secret, as for every web login; or wrong in the one way that `fault` says."""
    if fault == "expired":
        now -= 2 * ID_TOKEN_LIFE_S
    claims: dict[str, Any] = {
        "iss": "https://access.line.example" if fault == "issuer" else ISSUER,
        "sub": granted.person.user_id,
        "aud": "2000000003" if fault == "audience" else CHANNEL_ID,
        "exp": now + ID_TOKEN_LIFE_S,
        "iat": now,
        "amr": ["linesso"],
    }
    if granted.asked.nonce or fault == "nonce":
        claims["nonce"] = secrets.token_urlsafe(16) if fault == "nonce" else granted.asked.nonce
    if "profile" in granted.asked.scopes:
        claims["name"] = granted.person.name
    if fault == "unsigned":
        return jwt.encode(claims, "", algorithm="none")
    return jwt.encode(claims, secrets.token_hex(16) if fault == "signature" else CHANNEL_SECRET, algorithm="HS256")


def claims_of(form: dict[str, str], now: float) -> dict[str, Any]:
    """The claims of a good id_token; the documented `error_description` for any other."""
    unchecked = dict.fromkeys(
        ("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_iss", "verify_sub"), False
    )
    try:
        claims = jwt.decode(form.get("id_token", ""), CHANNEL_SECRET, algorithms=["HS256"], options=unchecked)  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_request", "Invalid IdToken.") from None
    wrong = {
        "Invalid IdToken Issuer.": claims.get("iss") != ISSUER,
        "IdToken expired.": claims.get("exp", 0) <= now,
        "Invalid IdToken Audience.": claims.get("aud") != form.get("client_id"),
        "Invalid IdToken Nonce.": "nonce" in form and claims.get("nonce") != form["nonce"],
        "Invalid IdToken Subject Identifier.": "user_id" in form and claims.get("sub") != form["user_id"],
    }
    for description, found in wrong.items():
        if found:
            raise OAuthError("invalid_request", description)
    return dict(claims)
