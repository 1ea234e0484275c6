"""Slack's Web API as a bot."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from renkei.systems.delivery import Delivery, Message, Verdict
from renkei.systems.slack.bot import SlackBot
from tests.unit.systems.transport import Answer, Seen, network

TOKEN = "xoxb-0000000000-000000000000-XXXXXXXXXXXXXXXXXXXXXXXX"
MESSAGE = Message("題", ("<!channel>",))
POSTED = {"ok": True, "channel": "D1", "ts": "1503435956.000247", "message": {}}


def bot(answer: Answer | Callable[[Seen], Answer], token: str = TOKEN) -> SlackBot:
    made = SlackBot(token)
    network(answer)
    return made


def failed(word: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": word, **more}


def test_direct_message_goes_to_the_member_as_channel() -> None:
    """N4"""
    seen: list[Seen] = []

    def answer(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=200, body=POSTED)

    assert bot(answer).send(MESSAGE, "U012ABCDEF", "key") == Delivery(
        Verdict.ACCEPTED, 200, message_id="1503435956.000247"
    )
    (request,) = seen
    assert (request.method, request.url) == ("POST", "https://slack.com/api/chat.postMessage")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json;charset=utf-8"
    sent = json.loads(request.body)
    assert (sent["channel"], sent["text"]) == ("U012ABCDEF", "ℹ️ 題\n&lt;!channel&gt;")


@pytest.mark.parametrize("base", ["http://127.0.0.1:9000/slack/api", "http://127.0.0.1:9000/slack/api/"])
def test_base_url_replaces_the_official_host(base: str) -> None:
    """N1"""
    urls: list[str] = []

    def answer(request: Seen) -> Answer:
        urls.append(request.url)
        return Answer(status=200, body=POSTED)

    made = SlackBot(TOKEN, base_url=base)
    network(answer)
    assert made.send(MESSAGE, "C1", "key").accepted
    assert made.check().accepted
    assert urls == [f"http://127.0.0.1:9000/slack/api/{method}" for method in ("chat.postMessage", "auth.test")]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, failed("invalid_auth"), Delivery(Verdict.REFUSED, 200, "invalid_auth", dead=True)),
        (200, failed("token_revoked"), Delivery(Verdict.REFUSED, 200, "token_revoked", dead=True)),
        (200, failed("account_inactive"), Delivery(Verdict.REFUSED, 200, "account_inactive", dead=True)),
        (200, failed("channel_not_found"), Delivery(Verdict.REFUSED, 200, "channel_not_found")),
        (200, failed("missing_scope", needed="chat:write", provided="a"),
         Delivery(Verdict.REFUSED, 200, "missing_scope (chat:write)")),
        (200, failed("missing_scope", needed=["x"]), Delivery(Verdict.REFUSED, 200, "missing_scope")),
        (200, failed("ratelimited"), Delivery(Verdict.LATER, 200, "ratelimited")),
        (200, failed("service_unavailable"), Delivery(Verdict.LATER, 200, "service_unavailable")),
        (500, failed("service_unavailable"), Delivery(Verdict.LATER, 500, "service_unavailable")),
        (200, failed("internal_error"), Delivery(Verdict.UNKNOWN, 200, "internal_error")),
        (503, failed("fatal_error"), Delivery(Verdict.UNKNOWN, 503, "fatal_error")),
        (401, failed("invalid_auth"), Delivery(Verdict.REFUSED, 401, "invalid_auth", dead=True)),
        (429, "", Delivery(Verdict.LATER, 429, "HTTP 429")),
        (503, "<html>", Delivery(Verdict.LATER, 503, "HTTP 503")),
        (500, "<html>", Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (500, {"ok": True, "ts": "1"}, Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (200, "<html>Sign in to the proxy", Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, "[1]", Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, "[" * 50_000, Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, "", Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, "{}", Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, {"ok": "true", "ts": "1"}, Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, {"ok": True}, Delivery(Verdict.UNKNOWN, 200, "no ts in the answer")),
        (200, failed(f"bad token {TOKEN}"), Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (200, {"ok": False, "error": ["x"]}, Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (302, "", Delivery(Verdict.REFUSED, 302, "HTTP 302")),
        (404, "<html>", Delivery(Verdict.REFUSED, 404, "HTTP 404")),
        (401, "<html>", Delivery(Verdict.REFUSED, 401, "HTTP 401", dead=True)),
    ],
)  # fmt: skip
def test_answer_is_understood(status: int, body: Any, expected: Delivery) -> None:
    """N2: a void token is told apart from a passing fault; Slack's word counts before the number."""
    answer = Answer(body, status)
    assert bot(answer).send(MESSAGE, "C1", "key") == expected


def test_wait_that_slack_asks_for_is_kept() -> None:
    """N1"""
    answer = Answer(status=429, body=failed("ratelimited"), headers={"Retry-After": "7"})
    assert bot(answer).send(MESSAGE, "C1", "key").retry_after_s == 7


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(requests.ConnectTimeout(), Verdict.LATER), (requests.ReadTimeout(), Verdict.UNKNOWN)],
    ids=["not sent", "sent"],
)
def test_one_attempt_is_made_whatever_the_network_does(error: requests.RequestException, verdict: Verdict) -> None:
    """N1"""
    attempts: list[str] = []

    def answer(request: Seen) -> Answer:
        attempts.append(request.method)
        raise error

    assert bot(answer).send(MESSAGE, "C1", "key") == Delivery(verdict, None, type(error).__name__)
    assert attempts == ["POST"]


def test_redirect_does_not_carry_the_token_away() -> None:
    """L7"""
    hosts: list[str] = []

    def answer(request: Seen) -> Answer:
        hosts.append(urlsplit(request.url).hostname)
        return Answer(status=302, headers={"Location": "https://evil.example/"})

    assert bot(answer).check().verdict is Verdict.REFUSED
    assert hosts == ["slack.com"]


@pytest.mark.parametrize(
    "token",
    ["", "xoxb 1", "xoxb-1\nX-Evil: 1", "ｘｏｘｂ", "xoxb-\x7f"],
    ids=["empty", "blank", "line", "wide", "control"],
)
def test_token_that_cannot_be_one_is_refused_unsent(token: str) -> None:
    """L7"""
    answer = bot(lambda request: pytest.fail("sent"), token).check()
    assert (answer.verdict, answer.dead) == (Verdict.REFUSED, True)


def test_base_url_that_is_none_is_refused() -> None:
    """N3"""
    assert SlackBot(TOKEN, "slack.example").check().verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ok": True, "team": "T"}, Delivery(Verdict.ACCEPTED, 200)),
        (failed("token_revoked"), Delivery(Verdict.REFUSED, 200, "token_revoked", dead=True)),
    ],
    ids=["good", "revoked"],
)
def test_check_asks_whether_the_token_is_accepted(body: dict[str, Any], expected: Delivery) -> None:
    """N5"""
    assert bot(Answer(status=200, body=body)).check() == expected


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """L7: neither message nor answer."""
    caplog.set_level(logging.DEBUG)
    bot(Answer(status=200, body="<html>")).send(MESSAGE, "U012ABCDEF", "key")
    assert not [record for record in caplog.records if MESSAGE.title in record.getMessage()]
    assert not [record for record in caplog.records if TOKEN in record.getMessage()]
    assert capfd.readouterr() == ("", "")
