"""Posting to a space of Google Chat, and knowing the URL of its webhook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from renkei.systems.delivery import Delivery, Message, Verdict
from renkei.systems.google_chat.client import GoogleChatSpace, url_fault
from renkei.systems.google_chat.payloads import content
from tests.unit.systems.transport import Answer, Seen, network

QUERY = "?key=AIzaSyD0000000000000000000000000000000&token=AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE%3D"
URL = "https://chat.googleapis.com/v1/spaces/AAAAAAAAAAA/messages" + QUERY
MESSAGE = Message("題", ("行",))
NAME = "spaces/AAAAAAAAAAA/messages/B.B"


def posted(answer: Answer | Callable[[Seen], Answer]) -> Delivery:
    space = GoogleChatSpace(URL)
    network(answer)
    return space.send(MESSAGE, "", "key")


def error(code: int, status: str, message: str = "words") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}


def test_card_is_posted_to_the_url() -> None:
    """N1"""
    seen: list[Seen] = []

    def answer(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=200, body={"name": NAME, "text": "題"})

    assert posted(answer) == Delivery(Verdict.ACCEPTED, 200, message_id=NAME)
    (request,) = seen
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["content-type"] == "application/json; charset=UTF-8"
    assert request.body == content(MESSAGE)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, error(400, "INVALID_ARGUMENT"), Delivery(Verdict.REFUSED, 400, "INVALID_ARGUMENT: words")),
        (400, error(400, "INVALID_ARGUMENT", "API key not valid."),
         Delivery(Verdict.REFUSED, 400, "INVALID_ARGUMENT: API key not valid.", dead=True)),
        (401, error(401, "UNAUTHENTICATED"), Delivery(Verdict.REFUSED, 401, "UNAUTHENTICATED: words", dead=True)),
        (403, error(403, "PERMISSION_DENIED"), Delivery(Verdict.REFUSED, 403, "PERMISSION_DENIED: words", dead=True)),
        (403, "<html>", Delivery(Verdict.REFUSED, 403, "HTTP 403")),
        (404, error(404, "NOT_FOUND"), Delivery(Verdict.REFUSED, 404, "NOT_FOUND: words", dead=True)),
        (429, error(429, "RESOURCE_EXHAUSTED"), Delivery(Verdict.LATER, 429, "RESOURCE_EXHAUSTED: words")),
        (403, error(403, "RESOURCE_EXHAUSTED"), Delivery(Verdict.LATER, 403, "RESOURCE_EXHAUSTED: words")),
        (429, "", Delivery(Verdict.LATER, 429, "HTTP 429")),
        (503, error(503, "UNAVAILABLE"), Delivery(Verdict.LATER, 503, "UNAVAILABLE: words")),
        (500, error(500, "INTERNAL"), Delivery(Verdict.UNKNOWN, 500, "INTERNAL: words")),
        (504, "<html>", Delivery(Verdict.UNKNOWN, 504, "HTTP 504")),
        (200, "<html>Sign in to the proxy", Delivery(Verdict.UNKNOWN, 200, "not an answer of Google Chat")),
        (200, "[1]", Delivery(Verdict.UNKNOWN, 200, "not an answer of Google Chat")),
        (200, {"name": "x"}, Delivery(Verdict.UNKNOWN, 200, "not an answer of Google Chat")),
        (200, {"name": ["x"]}, Delivery(Verdict.UNKNOWN, 200, "not an answer of Google Chat")),
        (204, "", Delivery(Verdict.UNKNOWN, 204, "HTTP 204")),
        (302, "", Delivery(Verdict.REFUSED, 302, "HTTP 302")),
        (400, {"error": "words"}, Delivery(Verdict.REFUSED, 400, "HTTP 400")),
        (400, {"error": {"status": 1, "message": None}}, Delivery(Verdict.REFUSED, 400, "HTTP 400")),
    ],
)  # fmt: skip
def test_answer_is_understood(status: int, body: Any, expected: Delivery) -> None:
    """N2: a void webhook is told apart from a passing fault."""
    answer = Answer(body, status)
    assert posted(answer) == expected


def test_wait_that_google_asks_for_is_kept() -> None:
    """N1"""
    assert posted(Answer(status=429, headers={"Retry-After": "12"})).retry_after_s == 12


def test_secret_that_an_answer_echoes_is_in_no_reason() -> None:
    """L7"""
    message = f"no {URL} {URL[8:]} {QUERY}"
    reason = posted(Answer(status=400, body=error(400, "INVALID_ARGUMENT", message))).reason
    assert "AIza" not in reason
    assert "AbCdEf" not in reason


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(requests.ConnectTimeout(), Verdict.LATER), (requests.ReadTimeout(), Verdict.UNKNOWN)],
    ids=["not sent", "sent"],
)
def test_network_that_fails_is_an_answer(error: requests.RequestException, verdict: Verdict) -> None:
    """N3"""

    def answer(request: Seen) -> Answer:
        raise error

    assert posted(answer).verdict is verdict


def test_check_sends_nothing() -> None:
    """N5"""
    space = GoogleChatSpace(URL)
    network(lambda request: pytest.fail("sent"))
    assert space.check() == Delivery(Verdict.ACCEPTED)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(URL, id="as shown"),
        pytest.param(URL + "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", id="with a thread"),
        pytest.param(URL.replace("?", "/?"), id="with a slash"),
        pytest.param(URL.replace("/spaces/", "/spaces%2F"), id="with %2F"),
        pytest.param(URL + "#x", id="with a fragment"),
    ],
)
def test_webhook_of_a_space_is_known(url: str) -> None:
    """L7"""
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "空"),
        (URL.replace("&token", "\n&token"), "空白や改行"),
        (URL.replace("https", "http"), "https:// で始まるURLにしてください"),
        (URL.partition("&token")[0], "token=… がありません"),
        (URL.partition("?")[0], "key=… または token=… がありません"),
        (URL.partition("/messages")[0], "途中で切れている"),
        ("https://chat.googleapis.com/v1/spaces/A/messages/1" + QUERY, "余分な文字"),
        ("https://hooks.slack.com/services/T0/B0/x", "これはSlackのURLです"),
        ("https://prod-1.japaneast.logic.azure.com/workflows/1", "これはMicrosoft TeamsのURLです"),
        ("https://a.environment.api.powerplatform.com/x", "これはMicrosoft TeamsのURLです"),
        ("https://acme.webhook.office.com/webhookb2/1", "これはMicrosoft TeamsのURLです"),
        ("https://chat.google.com/room/AAAA", "ではありません"),
        (URL.replace("googleapis.com", "googleapis.com.evil.example"), "ではありません"),
        (URL.replace("https://", "https://chat.googleapis.com@evil.example/"), "ではありません"),
        ("https://[", "URLの形をしていません"),
    ],
)  # fmt: skip
def test_anything_else_is_named(url: str, part: str) -> None:
    """L7, L8: what it is and what to do, without repeating the secret."""
    fault = url_fault(url)
    assert part in fault
    assert fault.endswith("ください。")
    assert "AIza" not in fault


def test_stand_in_of_the_operator_may_be_anything() -> None:
    """L7"""
    assert url_fault("http://127.0.0.1:9000/googlechat/v1/spaces/A/messages", {"127.0.0.1"}) == ""
    assert url_fault("http://127.0.0.1:9000/googlechat/v1/spaces/A/messages") != ""
