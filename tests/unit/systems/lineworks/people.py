"""A LINE WORKS app for the tests, and LINE WORKS itself as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from renkei.systems.lineworks.auth import LineWorksCredentials

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OLD_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
CREDENTIALS = LineWorksCredentials("client-id-1", "client-secret-1", "abc12.serviceaccount@example", PEM, "2000001")
NOW = 1_800_000_000.0
TOKENS = "/oauth2/v2.0/token"

Reply = Callable[[httpx.Request], httpx.Response]


def grant(text: str = "token-1", expires_in: Any = "86400") -> httpx.Response:
    """The token endpoint's answer; `expires_in` is a text, as LINE WORKS sends it."""
    body = {
        "access_token": text,
        "refresh_token": "r",
        "token_type": "Bearer",
        "scope": "bot",
        "expires_in": expires_in,
    }
    return httpx.Response(200, json=body)


@dataclass
class LineWorks:
    """Numbers its tokens and takes every message; `tokens` and `messages` are answered first, one by one."""

    tokens: list[httpx.Response | Exception] = field(default_factory=list)
    messages: list[httpx.Response | Exception] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._reply)

    def at(self, path: str) -> list[httpx.Request]:
        """The requests whose path ends so."""
        return [request for request in self.seen if request.url.path.endswith(path)]

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        is_token = request.url.path.endswith(TOKENS)
        waiting = self.tokens if is_token else self.messages
        answer = waiting.pop(0) if waiting else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        if is_token:
            return grant(f"token-{len(self.at(TOKENS))}")
        return httpx.Response(201 if request.method == "POST" else 200, json=None if request.method == "POST" else {})


def form(request: httpx.Request) -> dict[str, str]:
    """The form that a request carries."""
    return dict(parse_qsl(request.content.decode(), strict_parsing=True))


def text(request: httpx.Request) -> str:
    """The text of the message that a request carries."""
    return str(json.loads(request.content)["content"]["text"])
