"""The access token of a LINE WORKS service account: a signed JWT for a token (RFC 7523)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from renkei.systems.chat import ANSWER_S, Answer, ask
from renkei.systems.delivery import Delivery, later, refused, repeatable
from renkei.systems.lineworks.answers import delivery_of, reason_of
from renkei.systems.transport import HEADER_TEXT, token_fault

AUTH_HOST = "https://auth.worksmobile.com"
API_HOST = "https://www.worksapis.com"
SCOPE = "bot"  # sends, and reads the bot itself
ASSERTION_S = 3600  # the most that LINE WORKS takes
TOKEN_S = 3600  # where the answer does not say
TOKEN_MOST_S = 86400  # 1 or 24 hours, a setting of the console
VOID = ("invalid_client", "unauthorized_client")  # the registration, not this attempt
PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
UNREADABLE = "Private Key を秘密鍵として読めません（BEGIN の行から END の行までをすべて貼り付けてください）"


@dataclass(frozen=True, slots=True)
class LineWorksCredentials:
    """What the Developer Console shows of an app, and the bot's number."""

    client_id: str
    client_secret: str = field(repr=False)
    service_account: str
    private_key: str = field(repr=False)  # PEM, as it was pasted
    bot_id: str = ""  # of who sends messages


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the Unix second at which it expires."""

    text: str = field(repr=False)
    expires: float


def token(
    credentials: LineWorksCredentials, base_url: str, now: float, within_s: float = ANSWER_S, scopes: str = SCOPE
) -> Token | Delivery:
    """A new token for `scopes` (with commas between), or why there is none: never UNKNOWN, since nothing was sent.

    `base_url` takes the place of LINE WORKS' hosts; empty, it stands for them.
    """
    fault = fault_of(credentials)
    if fault:
        return refused(None, fault, dead=True)
    key = _key(credentials.private_key)
    if key is None:
        return refused(None, UNREADABLE, dead=True)
    answer = ask(
        "POST",
        f"{base_url.rstrip('/') or AUTH_HOST}/oauth2/v2.0/token",
        within_s=within_s,
        data={
            "assertion": _assertion(credentials, key, int(now)),
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "scope": scopes,
        },
    )
    return _token_of(answer, now) if isinstance(answer, Answer) else repeatable(answer)


def fault_of(credentials: LineWorksCredentials) -> str:
    """Which field is empty, or has a blank or a full-width character in it and where, as the form names it (P4); or ""."""
    fields = {
        "Client ID": credentials.client_id,
        "Client Secret": credentials.client_secret,
        "Service Account": credentials.service_account,
    }
    for label, value in fields.items():
        if not value:
            return f"{label} が空です"
        if fault := token_fault(value):
            return f"{label} の{fault}"
    return ""


def bot_fault(bot_id: str) -> str:
    """Why `bot_id` is none, as the Connection's form names it; or ""."""
    return "" if re.fullmatch(r"[0-9]{1,20}", bot_id) else "Bot ID が数字ではありません"


def key_fault(pem: str) -> str:
    """Why `pem` is no Private Key, in Japanese; or ""."""
    return "" if _key(pem) else UNREADABLE


def mended(pem: str) -> str:
    r"""A private key with its line ends back, which a form of one line or a JSON text (`\n`) took away."""
    found = PEM.search(re.sub(r"\\+[nrt]", "\n", pem))
    if not found:
        return pem
    label, body = found[1], "".join(found[2].split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _key(pem: str) -> RSAPrivateKey | None:
    try:
        key = load_pem_private_key(mended(pem).encode("utf-8", "replace"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: the key has a passphrase
        return None
    return key if isinstance(key, RSAPrivateKey) else None


def _assertion(credentials: LineWorksCredentials, key: RSAPrivateKey, now: int) -> str:
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.service_account,
        "iat": now,
        "exp": now + ASSERTION_S,
    }
    return jwt.encode(claims, key, algorithm="RS256")


def _token_of(answer: Answer, now: float) -> Token | Delivery:
    body = answer.json_object
    if answer.status == 200:
        text = body.get("access_token")
        if isinstance(text, str) and HEADER_TEXT.fullmatch(text):
            return Token(text, now + _seconds(body.get("expires_in")))
        return later(200, "access_token のない応答")
    if body.get("error") in VOID:
        return refused(answer.status, reason_of(answer), dead=True)
    return repeatable(delivery_of(answer, 200))


def _seconds(value: Any) -> float:
    """`expires_in`, which LINE WORKS writes as a text."""
    text = str(value)
    return float(min(int(text[:9]), TOKEN_MOST_S)) if text.isascii() and text.isdecimal() else TOKEN_S
