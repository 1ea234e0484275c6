"""A real `requests` Session whose wire is a function, and a clock that passes by being slept on."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from renkei.systems import chat
from renkei.systems.transport import own_session


@dataclass
class Answer:
    """What the other side says; `cut` breaks the connection in the middle of the body."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as it left."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    timeout: Any = None


class Wire(HTTPAdapter):
    """Answers every request with `reply(seen)`; an exception that it returns is raised as the network would."""

    def __init__(self, reply: Callable[[Seen], Answer | Exception]) -> None:
        super().__init__()
        self.reply = reply
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        body = request.body or b""
        seen = Seen(
            request.method or "",
            url.path,
            dict(parse_qsl(url.query)),
            request.headers,
            body if isinstance(body, bytes) else str(body).encode(),
            request.url or "",
            kwargs.get("timeout"),
        )
        with self._lock:
            self.seen.append(seen)
        answer = self.reply(seen)
        if isinstance(answer, Exception):
            raise answer
        content = answer.body if isinstance(answer.body, str | bytes) else json.dumps(answer.body, ensure_ascii=False)
        raw = content if isinstance(content, bytes) else content.encode()
        raw_response = HTTPResponse(
            body=io.BytesIO(raw[: len(raw) // 2] if answer.cut else raw),
            headers={"Content-Length": str(len(raw)), **answer.headers},
            status=answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw_response)


def network(reply: Answer | Exception | Callable[[Seen], Answer | Exception]) -> Wire:
    """What the chat services' clients speak to instead of the network, until the test ends."""
    wire = Wire(reply if callable(reply) else lambda seen: reply)

    def session() -> requests.Session:
        made = own_session()
        made.mount("https://", wire)
        made.mount("http://", wire)
        return made

    mock.patch.object(chat, "own_session", session).start()
    return wire


def session_over(wire: Wire) -> requests.Session:
    """A Session with a token, all of whose requests go over `wire`."""
    session = requests.Session()
    session.headers["Authorization"] = "Bearer token"
    session.mount("https://", wire)
    session.mount("http://", wire)
    return session
