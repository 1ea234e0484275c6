"""Posting to a Teams workflow, and knowing the URL of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from renkei.systems.delivery import Delivery, Message, Verdict
from renkei.systems.teams.client import TeamsWorkflow, url_fault
from renkei.systems.teams.payloads import content
from tests.unit.systems.transport import Answer, Seen, network

QUERY = "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"
INVOKE = "/triggers/manual/paths/invoke" + QUERY
WORKFLOW = "/workflows/0123456789abcdef0123456789abcdef" + INVOKE
URL = "https://prod-01.japaneast.logic.azure.com:443" + WORKFLOW
POWER = "https://0123456789abcdef.0a.environment.api.powerplatform.com:443/powerautomate/automations/direct"
MESSAGE = Message("題", ("行",))
THROTTLED = (
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x"
)


def posted(answer: Answer | Callable[[Seen], Answer]) -> Delivery:
    workflow = TeamsWorkflow(URL)
    network(answer)
    return workflow.send(MESSAGE, "", "key")


def error(code: str, message: str = "words") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_card_is_posted_to_the_url() -> None:
    """N1"""
    seen: list[Seen] = []

    def answer(request: Seen) -> Answer:
        seen.append(request)
        return Answer(status=202)

    assert posted(answer) == Delivery(Verdict.ACCEPTED, 202)
    (request,) = seen
    assert request.method == "POST"
    assert request.url.partition("?")[2] == QUERY[1:]  # the signature is of the letters as they are
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.body == content(MESSAGE)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "", Delivery(Verdict.ACCEPTED, 200)),
        (200, "1", Delivery(Verdict.ACCEPTED, 200)),
        (200, {"answer": "of the flow's own"}, Delivery(Verdict.ACCEPTED, 200)),
        (200, "<!DOCTYPE html>Sign in to the proxy", Delivery(Verdict.UNKNOWN, 200, "not an answer of Teams")),
        (202, "\n <html>", Delivery(Verdict.UNKNOWN, 202, "not an answer of Teams")),
        (200, THROTTLED, Delivery(Verdict.LATER, 429, "HTTP 429")),
        (200, THROTTLED.replace("429", "400"), Delivery(Verdict.REFUSED, 400, "HTTP 400")),
        (200, THROTTLED.replace("429", "502"), Delivery(Verdict.UNKNOWN, 502, "HTTP 502")),
        (400, error("InvalidRequestContent"), Delivery(Verdict.REFUSED, 400, "InvalidRequestContent: words")),
        (401, "", Delivery(Verdict.REFUSED, 401, "HTTP 401", dead=True)),
        (403, error("Forbidden"), Delivery(Verdict.REFUSED, 403, "Forbidden: words")),
        (404, error("WorkflowNotFound"), Delivery(Verdict.REFUSED, 404, "WorkflowNotFound: words", dead=True)),
        (410, "", Delivery(Verdict.REFUSED, 410, "HTTP 410", dead=True)),
        (413, "", Delivery(Verdict.REFUSED, 413, "HTTP 413")),
        (400, error(["x"], None), Delivery(Verdict.REFUSED, 400, "HTTP 400")),  # type: ignore[arg-type]
        (400, "[1]", Delivery(Verdict.REFUSED, 400, "HTTP 400")),
        (408, "", Delivery(Verdict.UNKNOWN, 408, "HTTP 408")),
        (429, error("TooMany"), Delivery(Verdict.LATER, 429, "TooMany: words")),
        (503, "", Delivery(Verdict.LATER, 503, "HTTP 503")),
        (500, "", Delivery(Verdict.UNKNOWN, 500, "HTTP 500")),
        (504, "<html>", Delivery(Verdict.UNKNOWN, 504, "HTTP 504")),
        (204, "", Delivery(Verdict.UNKNOWN, 204, "HTTP 204")),
        (302, "", Delivery(Verdict.REFUSED, 302, "HTTP 302")),
    ],
)  # fmt: skip
def test_answer_is_understood(status: int, body: Any, expected: Delivery) -> None:
    """N2: a void workflow is told apart from a passing fault; 202 says queued."""
    answer = Answer(body, status)
    assert posted(answer) == expected


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "WorkflowTriggerIsNotEnabled"), (401, "DirectApiAuthorizationRequired"), (403, "WorkflowTriggerNotFound")],
)
def test_workflow_that_is_off_is_void_whatever_the_status(status: int, code: str) -> None:
    """N2"""
    answer = posted(Answer(status=status, body=error(code)))
    assert (answer.verdict, answer.status, answer.dead) == (Verdict.REFUSED, status, True)


def test_page_of_a_proxy_is_known_by_its_type() -> None:
    """N1: an answer that is not Teams' proves nothing."""
    assert posted(Answer("Sign in", headers={"Content-Type": "text/html"})).verdict is Verdict.UNKNOWN


def test_wait_that_teams_asks_for_is_kept() -> None:
    """N1"""
    assert posted(Answer(status=429, headers={"Retry-After": "12"})).retry_after_s == 12


def test_secret_that_an_answer_echoes_is_in_no_reason() -> None:
    """L7"""
    reason = posted(Answer(status=400, body=error("Bad", f"no {URL} and no {URL[8:]} {QUERY[-43:]}"))).reason
    assert "AbCdEf" not in reason
    assert "0123456789abcdef" not in reason


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
    workflow = TeamsWorkflow(URL)
    network(lambda request: pytest.fail("sent"))
    assert workflow.check() == Delivery(Verdict.ACCEPTED)


PRESENT = (
    "https://default0123456789abcdef.0a.environment.api.powerplatform.com:443/powerautomate/automations/direct"
    "/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke/?api-version=1"
    "&tenantId=tId&environmentName=Default-0&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(URL, id="logic"),
        pytest.param(URL.replace(":443", ""), id="no port"),
        pytest.param(URL.replace("?", "/?"), id="logic with a slash"),
        pytest.param(POWER + WORKFLOW, id="power"),
        pytest.param(POWER + "/cu/12" + WORKFLOW, id="power with unit"),
        pytest.param(PRESENT, id="as Teams shows it today"),
        pytest.param(PRESENT.replace("invoke/?", "invoke?"), id="today's without the slash"),
        pytest.param(PRESENT.replace("/invoke/?", "%2Finvoke%2F?"), id="slashes as %2F"),
        pytest.param(PRESENT + "&x=1#y", id="more behind it"),
        pytest.param(URL.partition("?")[0] + "?" + "&".join(reversed(QUERY[1:].split("&"))), id="in another order"),
    ],
)
def test_webhook_of_a_workflow_is_known(url: str) -> None:
    """L7"""
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "空"),
        (URL.replace("&sig", " &sig"), "空白や改行"),
        (URL.replace("https", "http"), "https:// で始まるURLにしてください"),
        (URL.partition("&sig")[0], "sig=… がありません"),
        (URL.partition("/paths")[0], "途中で切れている"),
        ("https://prod-01.japaneast.logic.azure.com/", "途中で切れている"),
        ("https://acme.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4", "廃止"),
        ("https://outlook.office.com/webhook/1", "廃止"),
        ("http://acme.webhook.office.com/webhookb2/1", "廃止"),
        ("https://hooks.slack.com/services/T0/B0/x", "これはSlackのURLです"),
        ("https://chat.googleapis.com/v1/spaces/A/messages", "これはGoogle ChatのURLです"),
        ("https://logic.azure.com.evil.example" + WORKFLOW, "ではありません"),
        ("https://evillogic.azure.com" + WORKFLOW, "ではありません"),
        ("https://prod-01.japaneast.logic.azure.com:8443" + WORKFLOW, "ではありません"),
        ("https://teams.microsoft.com/l/channel/1", "ではありません"),
        ("https://[", "URLの形をしていません"),
    ],
)  # fmt: skip
def test_anything_else_is_named(url: str, part: str) -> None:
    """L7, L8: what it is and what to do, without repeating the secret."""
    fault = url_fault(url)
    assert part in fault
    assert fault.endswith("ください。")
    assert "AbCdEf" not in fault


def test_stand_in_of_the_operator_may_be_anything() -> None:
    """L7"""
    assert url_fault("http://127.0.0.1:9000/teams/workflows/1", {"127.0.0.1"}) == ""
    assert url_fault("http://127.0.0.1:9000/teams/workflows/1") != ""
