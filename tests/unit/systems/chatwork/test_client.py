"""Posting into a room of Chatwork."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from renkei.systems.chatwork.client import ChatworkRoom
from renkei.systems.delivery import Delivery, Message, Verdict
from tests.unit.systems.transport import Answer, Seen, network

TOKEN = "0123456789abcdef0123456789abcdef"
MESSAGE = Message("題", ("行",))


def room(answer: Answer | Callable[[Seen], Answer], token: str = TOKEN) -> ChatworkRoom:
    made = ChatworkRoom(token)
    network(answer)
    return made


def test_message_is_posted_as_a_form() -> None:
    """N1"""
    seen: list[Seen] = []

    def answer(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=200, body={"message_id": "1234"})

    assert room(answer).send(MESSAGE, "99", "key") == Delivery(Verdict.ACCEPTED, 200, message_id="1234")
    (request,) = seen
    assert (request.method, request.url) == ("POST", "https://api.chatwork.com/v2/rooms/99/messages")
    assert request.headers["x-chatworktoken"] == TOKEN
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "body": ["[info][title]ℹ️ 題[/title]行[/info]"],
        "self_unread": ["0"],
    }


@pytest.mark.parametrize("base", ["http://127.0.0.1:9000/chatwork/v2", "http://127.0.0.1:9000/chatwork/v2/"])
def test_base_url_replaces_the_official_host(base: str) -> None:
    """N1"""
    urls: list[str] = []

    def answer(request: Seen) -> Answer:
        urls.append(request.url)
        return Answer(status=200, body={"message_id": "1", "account_id": 1})

    made = ChatworkRoom(TOKEN, base_url=base)
    network(answer)
    assert made.send(MESSAGE, "1", "key").accepted
    assert made.check().accepted
    assert urls == [f"http://127.0.0.1:9000/chatwork/v2/{path}" for path in ("rooms/1/messages", "me")]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"errors": ["Invalid API token"]}, Delivery(Verdict.REFUSED, 401, "Invalid API token", dead=True)),
        (400, {"errors": ["a", "b"]}, Delivery(Verdict.REFUSED, 400, "a / b")),
        (403, {"errors": ["You don't have permission to send message in this room"]},
         Delivery(Verdict.REFUSED, 403, "You don't have permission to send message in this room")),
        (404, "<html>", Delivery(Verdict.REFUSED, 404, "HTTP 404")),
        (400, {"errors": {"a": 1}}, Delivery(Verdict.REFUSED, 400, "HTTP 400")),
        (400, {"errors": [1, None]}, Delivery(Verdict.REFUSED, 400, "HTTP 400")),
        (429, {"errors": ["Rate limit for message posting per room exceeded."]},
         Delivery(Verdict.LATER, 429, "Rate limit for message posting per room exceeded.", 10)),
        (429, "", Delivery(Verdict.LATER, 429, "HTTP 429")),
        (503, "", Delivery(Verdict.LATER, 503, "HTTP 503")),
        (500, "", Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (504, "<html>", Delivery(Verdict.UNKNOWN, 504, "HTTP 504")),
        (200, "<html>Sign in to the proxy", Delivery(Verdict.UNKNOWN, 200, "not an answer of Chatwork")),
        (200, [{"message_id": "1"}], Delivery(Verdict.UNKNOWN, 200, "not an answer of Chatwork")),
        (200, {}, Delivery(Verdict.UNKNOWN, 200, "not an answer of Chatwork")),
        (204, "", Delivery(Verdict.UNKNOWN, 204, "HTTP 204")),
        (302, "", Delivery(Verdict.REFUSED, 302, "HTTP 302")),
    ],
)  # fmt: skip
def test_answer_is_understood(status: int, body: Any, expected: Delivery) -> None:
    """N2: a void token is told apart from a passing fault."""
    answer = Answer(body, status)
    assert room(answer).send(MESSAGE, "1", "key") == expected


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"x-ratelimit-reset": "{later}"}, 250, 300),
        ({"x-ratelimit-reset": "0"}, 0, 0),
        ({"retry-after": "20"}, 20, 20),
        ({"x-ratelimit-reset": "9" * 400, "retry-after": "20"}, 20, 20),
    ],
    ids=["reset", "reset long past", "retry-after", "nonsense"],
)
def test_wait_lasts_until_the_limit_is_reset(headers: dict[str, str], least: float, most: float) -> None:
    """N1: `x-ratelimit-reset` is a moment, not a length of time."""
    given = {name: value.format(later=int(time.time()) + 299) for name, value in headers.items()}
    wait = room(Answer(status=429, headers=given)).send(MESSAGE, "1", "key").retry_after_s
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize("to", ["", "abc", "1/../2", "1\n", "１", "-1", "1" * 21], ids=repr)
def test_room_that_is_no_number_is_refused_unsent(to: str) -> None:
    """N1: it would become part of the path."""
    answer = room(lambda request: pytest.fail("sent")).send(MESSAGE, to, "key")
    assert (answer.verdict, answer.dead) == (Verdict.REFUSED, False)


@pytest.mark.parametrize("token", ["", "a b", "a\nX: 1", "ａ"], ids=["empty", "blank", "line", "wide"])
def test_token_that_cannot_be_one_is_refused_unsent(token: str) -> None:
    """L7"""
    answer = room(lambda request: pytest.fail("sent"), token).check()
    assert (answer.verdict, answer.dead) == (Verdict.REFUSED, True)


def test_token_that_an_answer_echoes_is_in_no_reason() -> None:
    """L7"""
    answer = room(Answer(status=401, body={"errors": [f"Invalid API token {TOKEN}"]})).check()
    assert answer.reason == "Invalid API token (…)"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"account_id": 123, "name": "人"}, Delivery(Verdict.ACCEPTED, 200)),
        (401, {"errors": ["Invalid API token"]}, Delivery(Verdict.REFUSED, 401, "Invalid API token", dead=True)),
    ],
    ids=["good", "bad"],
)
def test_check_asks_whether_the_token_is_accepted(status: int, body: Any, expected: Delivery) -> None:
    """N5; L6: whose token it is stays with Chatwork."""
    assert room(Answer(status=status, body=body)).check() == expected


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(requests.ConnectTimeout(), Verdict.LATER), (requests.ReadTimeout(), Verdict.UNKNOWN)],
    ids=["not sent", "sent"],
)
def test_network_that_fails_is_an_answer(error: requests.RequestException, verdict: Verdict) -> None:
    """N3"""

    def answer(request: Seen) -> Answer:
        raise error

    assert room(answer).send(MESSAGE, "1", "key").verdict is verdict
