"""A LINE WORKS app for the tests, and LINE WORKS itself as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from renkei.systems.lineworks.auth import LineWorksCredentials
from tests.unit.systems.transport import Answer, Seen, network

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OLD_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
CREDENTIALS = LineWorksCredentials("client-id-1", "client-secret-1", "abc12.serviceaccount@example", PEM, "2000001")
NOW = 1_800_000_000.0
TOKENS = "/oauth2/v2.0/token"

Reply = Callable[[Seen], Answer]


def grant(text: str = "token-1", expires_in: Any = "86400") -> Answer:
    """The token endpoint's answer; `expires_in` is a text, as LINE WORKS sends it."""
    body = {
        "access_token": text,
        "refresh_token": "r",
        "token_type": "Bearer",
        "scope": "bot",
        "expires_in": expires_in,
    }
    return Answer(status=200, body=body)


@dataclass
class LineWorks:
    """In the network's place; numbers its tokens and takes every message; `tokens` and `messages` are answered first, one by one."""

    tokens: list[Answer | Exception] = field(default_factory=list)
    messages: list[Answer | Exception] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        network(self.reply)

    def at(self, path: str) -> list[Seen]:
        """The requests whose path ends so."""
        return [request for request in self.seen if request.path.endswith(path)]

    def reply(self, request: Seen) -> Answer:
        self.seen.append(request)
        is_token = request.path.endswith(TOKENS)
        waiting = self.tokens if is_token else self.messages
        answer = waiting.pop(0) if waiting else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        if is_token:
            return grant(f"token-{len(self.at(TOKENS))}")
        return Answer("", 201) if request.method == "POST" else Answer({})


def form(request: Seen) -> dict[str, str]:
    """The form that a request carries."""
    return dict(parse_qsl(request.body.decode(), strict_parsing=True))


def text(request: Seen) -> str:
    """The text of the message that a request carries."""
    return str(json.loads(request.body)["content"]["text"])
