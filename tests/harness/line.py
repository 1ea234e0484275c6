"""LINE as an app, its user's browser and a bot see it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, PushMessageRequest, TextMessage

from scripts.page_forms import field_of
from tests.harness.chat import Chat

CALLBACK = "http://localhost:8080/renkei/line/callback"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@contextmanager
def messaging_api(line: dict[str, Any]) -> Iterator[MessagingApi]:
    """LINE's own client, told of nothing but another host."""
    with ApiClient(Configuration(host=line["base_url"], access_token=line["token"])) as client:
        yield MessagingApi(client)


def a_push(to: str, *texts: str) -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text) for text in texts])


def people(chat: Chat) -> dict[str, str]:
    return {one["name"]: one["user_id"] for one in chat.sim("GET", "line")["people"]}


class App:
    """An app with LINE Login, and the browser of somebody who uses it."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.registration = chat.registrations["line_login"]
        self.base = self.registration["base_url"]
        self.verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.asked = {
            "response_type": "code",
            "client_id": self.registration["channel_id"],
            "redirect_uri": CALLBACK,
            "state": secrets.token_urlsafe(16),
            "scope": "profile openid",
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "bot_prompt": "aggressive",
        }

    def page(self, **changes: str | None) -> httpx.Response:
        query = {name: value for name, value in {**self.asked, **changes}.items() if value is not None}
        return httpx.get(f"{self.base}/oauth2/v2.1/authorize", params=query, timeout=10)

    def answer(
        self, name: str = "佐藤 花子", decision: str = "allow", friend: bool = True, **changes: str | None
    ) -> httpx.Response:
        page = self.page(**changes)
        assert page.status_code == 200, page.text
        form = {"request": field_of(page.text, "request"), "user_id": people(self.chat)[name], "decision": decision}
        form |= {"add_friend": "on"} if friend and "add_friend" in page.text else {}
        return httpx.post(f"{self.base}/oauth2/v2.1/consent", data=form, timeout=10)

    def code(self, name: str = "佐藤 花子", **changes: Any) -> str:
        return returned(self.answer(name, **changes))["code"]

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": self.registration["channel_id"],
            "client_secret": self.registration["channel_secret"],
            "code_verifier": self.verifier,
            **changes,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return httpx.post(f"{self.base}/oauth2/v2.1/token", data=form, timeout=10)

    def claims(self, id_token: str) -> dict[str, Any]:
        secret, channel = self.registration["channel_secret"], self.registration["channel_id"]
        return jwt.decode(id_token, secret, ["HS256"], audience=channel, issuer="https://access.line.me")

    def verify(self, id_token: str, **changes: str) -> httpx.Response:
        form = {"id_token": id_token, "client_id": self.registration["channel_id"], **changes}
        return httpx.post(f"{self.base}/oauth2/v2.1/verify", data=form, timeout=10)

    def is_friend(self, access_token: str) -> bool:
        headers = {"authorization": f"Bearer {access_token}"}
        answer = httpx.get(f"{self.base}/friendship/v1/status", headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["friendFlag"]


def returned(answer: httpx.Response) -> dict[str, str]:
    """What the callback of the app is given."""
    assert answer.status_code == 302, answer.text
    address, _, query = answer.headers["location"].partition("?")
    assert address == CALLBACK
    return dict(parse_qsl(query, strict_parsing=True))
