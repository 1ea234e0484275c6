"""Chatwork's stand-in over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.harness.chat import Chat

LINK = "https://airflow.example.com/dags/smarthr_emc__acme"


def chatwork(chat: Chat, method: str, path: str, token: str | None = None, **more: Any) -> requests.Response:
    registration = chat.registrations["chatwork"]
    headers = {"X-ChatWorkToken": registration["token"] if token is None else token}
    return requests.request(method, registration["base_url"] + path, headers=headers, timeout=10, **more)


def write(chat: Chat, body: str, room: int = 100000001) -> requests.Response:
    return chatwork(chat, "POST", f"/rooms/{room}/messages", data={"body": body, "self_unread": "0"})


def test_n1_chatwork_message_is_boxed_and_can_be_read_back(chat: Chat) -> None:
    """N1: [info] with [title] is a box, the address a link; the room gives the same message back, once."""
    body = f"[info][title]acme: 失敗 😱[/title]エラー 3件\n{LINK}[/info]"

    answer = write(chat, body)

    assert answer.status_code == 200
    (message,) = chat.messages("chatwork")
    assert (message["place"], message["text"]) == ("連携通知", f"acme: 失敗 😱\nエラー 3件\n{LINK}")
    assert '<div class="info"><h4 class="title">acme: 失敗 😱</h4>' in message["html"]
    read = chatwork(chat, "GET", "/rooms/100000001/messages")
    assert [(one["message_id"], one["body"]) for one in read.json()] == [(answer.json()["message_id"], body)]
    assert chatwork(chat, "GET", "/rooms/100000001/messages").status_code == 204
    assert len(chatwork(chat, "GET", "/rooms/100000001/messages?force=1").json()) == 1


TAGS = [
    ("to", "[To:123]a", '<span class="mention">To 123</span>a'),
    ("all", "[toall]a", '<span class="mention">To ALL</span>a'),
    ("code", "[code][toall][/code]", '<pre class="code">[toall]</pre>'),
    ("unmatched", "[info]a", "[info]a"),
    ("nested", "[info]a[info]b[/info][/info]", '<div class="info">a<div class="info">b</div></div>'),
    ("markup", "<b>a</b>", "&lt;b&gt;a&lt;/b&gt;"),
]


@pytest.mark.parametrize(("body", "html"), [case[1:] for case in TAGS], ids=[case[0] for case in TAGS])
def test_n1_chatwork_tags_are_shown_as_chatwork_shows_them(chat: Chat, body: str, html: str) -> None:
    """N1: calls are seen, code is not read, what is no tag stays text."""
    write(chat, body)

    assert chat.messages()[0]["html"] == html


BAD_BODIES = [
    ("missing", {"data": {"self_unread": "0"}}, "Parameter 'body' is required"),
    ("blank", {"data": {"body": " \n"}}, "Parameter 'body' is required"),
    ("json", {"json": {"body": "a"}}, "Parameter 'body' is required"),
    ("long", {"data": {"body": "あ" * 65_536}}, "Parameter 'body' must be 65535 characters or less"),
    ("unread", {"data": {"body": "a", "self_unread": "true"}}, "Parameter 'self_unread' is invalid"),
]


@pytest.mark.parametrize(("more", "error"), [case[1:] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES])
def test_n1_chatwork_takes_forms_only(chat: Chat, more: dict[str, Any], error: str) -> None:
    """N1: a wrong body is 400 with a list of errors."""
    answer = chatwork(chat, "POST", "/rooms/100000001/messages", **more)

    assert (answer.status_code, answer.json()) == (400, {"errors": [error]})
    assert chat.messages() == []


def test_n1_chatwork_takes_the_longest_body(chat: Chat) -> None:
    """N1: 65,535 characters pass, counted as characters and not as bytes."""
    assert write(chat, "😀" * 65_535).status_code == 200


def test_n2_chatwork_token_and_room_can_be_revoked(chat: Chat) -> None:
    """N2: a void token is 401 everywhere, a room without permission 403."""
    chat.sim("POST", "chatwork", {"forbidden": [100000002]})
    forbidden = write(chat, "a", room=100000002)
    chat.sim("POST", "chatwork", {"token": "revoked"})
    revoked = chatwork(chat, "GET", "/me")

    assert forbidden.status_code == 403
    assert forbidden.json() == {"errors": ["You don't have permission to send message in this room"]}
    assert (revoked.status_code, revoked.json()) == (401, {"errors": ["Invalid API token"]})
    assert chatwork(chat, "GET", "/me", token="other").status_code == 401


def test_n2_chatwork_limits_are_told(chat: Chat) -> None:
    """N2: the headers count down; strictly, the eleventh message of a room within ten seconds is 429."""
    chat.sim("POST", "chatwork", {"strict": True})
    answers = [write(chat, str(number)) for number in range(11)]
    other_room = write(chat, "a", room=100000002)

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[10].json() == {"errors": ["Rate limit for message posting per room exceeded."]}
    assert "Retry-After" not in answers[10].headers
    assert other_room.status_code == 200
    assert answers[0].headers["x-ratelimit-remaining"] == "299"
    assert other_room.headers["x-ratelimit-remaining"] == "288"
    assert 290 <= int(other_room.headers["x-ratelimit-reset"]) - time.time() <= 301


def test_n5_chatwork_knows_me_and_the_rooms(chat: Chat) -> None:
    """N5: /me and /rooms answer what a registration can be checked with."""
    assert chatwork(chat, "GET", "/me").json()["account_id"] == 900001
    rooms = chatwork(chat, "GET", "/rooms").json()
    assert [str(room["room_id"]) for room in rooms] == chat.registrations["chatwork"]["rooms"]
    assert chatwork(chat, "GET", "/nowhere").status_code == 404
