"""Posting to an incoming webhook of Slack, and knowing one."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from renkei.systems.delivery import Delivery, Message, Verdict
from renkei.systems.slack.webhook import SlackWebhook, url_fault
from tests.unit.systems.transport import Answer, Seen, network

URL = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
MESSAGE = Message("題", ("行",))


def posted(answer: Answer | Callable[[Seen], Answer], url: str = URL) -> Delivery:
    webhook = SlackWebhook(url)
    network(answer)
    return webhook.send(MESSAGE, "", "key")


def test_slash_at_the_end_is_not_sent() -> None:
    """N1: copied along from a page; what Slack shows has none."""
    seen: list[str] = []

    def answer(request: Seen) -> Answer:
        seen.append(request.url)
        return Answer(status=200, body="ok")

    posted(answer, URL + "/")
    assert seen == [URL]


def test_message_is_posted_once_as_json() -> None:
    """N1"""
    seen: list[Seen] = []

    def answer(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=200, body="ok")

    assert posted(answer) == Delivery(Verdict.ACCEPTED, 200)
    (request,) = seen
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["content-type"] == "application/json;charset=utf-8"
    assert json.loads(request.body)["blocks"][1]["text"]["text"] == "行"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, "no_service", Delivery(Verdict.REFUSED, 404, "no_service", dead=True)),
        (404, "no_active_hooks", Delivery(Verdict.REFUSED, 404, "no_active_hooks", dead=True)),
        (403, "team_disabled", Delivery(Verdict.REFUSED, 403, "team_disabled", dead=True)),
        (403, "invalid_token", Delivery(Verdict.REFUSED, 403, "invalid_token", dead=True)),
        (400, "channel_not_found", Delivery(Verdict.REFUSED, 400, "channel_not_found", dead=True)),
        (410, "channel_is_archived", Delivery(Verdict.REFUSED, 410, "channel_is_archived", dead=True)),
        (403, "action_prohibited", Delivery(Verdict.REFUSED, 403, "action_prohibited")),
        (400, "invalid_payload", Delivery(Verdict.REFUSED, 400, "invalid_payload")),
        (400, "a_new_word", Delivery(Verdict.REFUSED, 400, "a_new_word")),
        (500, "no_service", Delivery(Verdict.REFUSED, 500, "no_service", dead=True)),  # the word before the number
        (200, "no_service", Delivery(Verdict.REFUSED, 200, "no_service", dead=True)),
        (500, "rollup_error", Delivery(Verdict.LATER, 500, "rollup_error")),
        (429, "rate_limited", Delivery(Verdict.LATER, 429, "rate_limited")),
        (429, "", Delivery(Verdict.LATER, 429, "HTTP 429")),
        (503, "", Delivery(Verdict.LATER, 503, "HTTP 503")),
        (500, "", Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (502, "<html>Bad Gateway", Delivery(Verdict.UNKNOWN, 502, "HTTP 502")),
        (500, "ok", Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (200, "<html>Sign in to the proxy", Delivery(Verdict.UNKNOWN, 200, "not an answer of Slack")),
        (204, "", Delivery(Verdict.UNKNOWN, 204, "not an answer of Slack")),
        (302, "", Delivery(Verdict.REFUSED, 302, "HTTP 302")),
        (404, "<html>Not Found", Delivery(Verdict.REFUSED, 404, "HTTP 404", dead=True)),
        (401, "", Delivery(Verdict.REFUSED, 401, "HTTP 401", dead=True)),
    ],
)  # fmt: skip
def test_answer_is_understood(status: int, body: str, expected: Delivery) -> None:
    """N2: a void registration is told apart from a passing fault; LATER only where nothing can have been sent."""
    assert posted(Answer(status=status, body=body)) == expected


def test_wait_that_slack_asks_for_is_kept() -> None:
    """N1"""
    assert posted(Answer(status=429, body="rate_limited", headers={"Retry-After": "30"})).retry_after_s == 30


def test_redirect_is_not_followed() -> None:
    """L7: it would carry the message to wherever it points."""
    hosts: list[str] = []

    def answer(request: Seen) -> Answer:
        hosts.append(urlsplit(request.url).hostname)
        return Answer(status=307, headers={"Location": "https://evil.example/"})

    assert posted(answer) == Delivery(Verdict.REFUSED, 307, "HTTP 307")
    assert hosts == ["hooks.slack.com"]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (requests.ConnectTimeout(), Verdict.LATER),
        (requests.ReadTimeout(), Verdict.UNKNOWN),
        (requests.ConnectionError(), Verdict.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_attempt_is_made_whatever_the_network_does(error: requests.RequestException, verdict: Verdict) -> None:
    """N1: repeating is the caller's."""
    attempts: list[str] = []

    def answer(request: Seen) -> Answer:
        attempts.append(request.method)
        raise error

    assert posted(answer) == Delivery(verdict, None, type(error).__name__)
    assert attempts == ["POST"]


@pytest.mark.parametrize(
    "body", [f"no such hook: {URL}", "x" * 30_000, "あ\x00\x1b", "\ud83d"], ids=["echo", "long", "control", "surrogate"]
)
def test_reason_holds_no_part_of_the_answer_but_a_word(body: str) -> None:
    """L7"""
    answer = Answer(status=400, body=body.encode("utf-8", "surrogatepass"))
    assert posted(answer) == Delivery(Verdict.REFUSED, 400, "HTTP 400")


@pytest.mark.parametrize(
    "answer", [Answer(status=404, body="no_service"), requests.ReadTimeout()], ids=["word", "timeout"]
)
def test_nothing_is_logged(
    answer: Answer | Exception, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """L7: neither URL nor message."""
    caplog.set_level(logging.DEBUG)

    def reply(request: Seen) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    posted(reply)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """L7: to a proxy an http URL would be shown whole."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert posted(Answer(status=200, body="ok")).accepted


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/services/T/B/X", "https://[", "ftp://hooks.slack.com/x", "https://a b/"]
)
def test_text_that_is_no_url_is_an_answer_not_an_error(url: str) -> None:
    """N3"""
    webhook = SlackWebhook(url)
    assert not webhook.send(MESSAGE, "", "key").accepted


def test_check_sends_nothing() -> None:
    """N5: a webhook cannot be looked at without posting."""
    webhook = SlackWebhook(URL)
    network(lambda request: pytest.fail("sent"))
    assert webhook.check() == Delivery(Verdict.ACCEPTED)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL.replace("hooks.slack.com", "HOOKS.slack.com:443"),
        URL.replace("slack.com", "slack-gov.com"),
        URL + "/",
        URL + "?from=page#x",
    ],
    ids=["commercial", "spelt otherwise", "government", "with a slash", "with more behind it"],
)
def test_webhook_of_slack_is_known(url: str) -> None:
    """L7"""
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "空"),
        (URL.replace("/B0", "/ B0"), "空白や改行"),
        (URL.replace("/B0", "/\nB0"), "空白や改行"),
        (URL.replace("/B0", "/\u3000B0"), "空白や改行"),
        (URL.replace("/B0", "/\u200bB0"), "空白や改行"),
        (URL.replace("https", "http"), "https:// で始まるURLにしてください"),
        ("https://hooks.slack.com/triggers/T0/1/abc", "ワークフロービルダー"),
        ("https://hooks.slack.com/workflows/T0/A0/1/abc", "ワークフロービルダー"),
        ("https://hooks.slack.com/services/T0/B0", "途中で切れている"),
        (URL + "/more", "余分な文字"),
        (URL + "あ", "余分な文字"),
        ("https://prod-1.japaneast.logic.azure.com/workflows/1", "これはMicrosoft TeamsのURLです"),
        ("https://x.webhook.office.com/webhookb2/1", "これはMicrosoft TeamsのURLです"),
        ("https://chat.googleapis.com/v1/spaces/A/messages", "これはGoogle ChatのURLです"),
        (URL.replace("hooks.slack.com", "hooks.slack.com.evil.example"), "ではありません"),
        (URL.replace("hooks.slack.com", "evil-hooks.slack.com"), "ではありません"),
        (URL.replace("https://", "https://hooks.slack.com@evil.example/"), "ではありません"),
        (URL.replace("hooks.slack.com", "evil.example\\@hooks.slack.com"), "ではありません"),
        (URL.replace("hooks.slack.com", "hooks.slack.com:8443"), "ではありません"),
        ("https://[", "URLの形をしていません"),
        ("xoxb-token", "ではありません"),
    ],
)  # fmt: skip
def test_anything_else_is_named(url: str, part: str) -> None:
    """L7, L8: what it is and what to do, without repeating the secret."""
    fault = url_fault(url)
    assert part in fault
    assert fault.endswith("ください。")
    assert "XXXX" not in fault


def test_stand_in_of_the_operator_may_be_anything() -> None:
    """L7"""
    assert url_fault("http://127.0.0.1:9000/slack/services/T0/B0/x", {"127.0.0.1"}) == ""
    assert url_fault("http://127.0.0.1:9000/slack/services/T0/B0/x", {"127.0.0.1:9001"}) != ""
    assert url_fault("http://127.0.0.1:9000/slack/ services", {"127.0.0.1"}) != ""
