"""What LINE's answers mean (N1, L6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from renkei.systems.chat import Answer
from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.line.answers import answer_of

NUMBER = "8a5e4a3c-6f2b-4a53-9f0e-1d2c3b4a5968"
FIRST = "11111111-2222-3333-4444-555555555555"


def delivery_of(status: int, body: str, headers: dict[str, str]) -> Delivery:
    return answer_of(Answer(status, body.encode(), headers), lambda said: None)


def error(message: str, *details: dict[str, Any]) -> str:
    return json.dumps({"message": message, "details": list(details)})


@pytest.mark.parametrize(
    ("status", "body", "verdict", "dead"),
    [
        pytest.param(400, error("The request body has 1 error(s)"), Verdict.REFUSED, False, id="bad request"),
        pytest.param(401, error("Authentication failed"), Verdict.REFUSED, True, id="token void"),
        pytest.param(403, error("Access to this API is not available"), Verdict.REFUSED, False, id="plan"),
        pytest.param(404, error("Not found"), Verdict.REFUSED, False, id="not found"),
        pytest.param(408, "", Verdict.LATER, False, id="timeout on their side"),
        pytest.param(429, error("You have reached your monthly limit."), Verdict.REFUSED, False, id="monthly limit"),
        pytest.param(429, error("The API rate limit has been exceeded."), Verdict.LATER, False, id="rate limit"),
        pytest.param(500, error("The error occurs."), Verdict.LATER, False, id="internal error"),
        pytest.param(502, "<html>Bad Gateway</html>", Verdict.LATER, False, id="gateway"),
        pytest.param(503, "", Verdict.LATER, False, id="unavailable"),
        pytest.param(302, "", Verdict.REFUSED, False, id="redirect"),
    ],
)
def test_n1_verdict_follows_the_status(status: int, body: str, verdict: Verdict, dead: bool) -> None:
    """N1: only what the retry key makes safe is to be repeated; only a void token is dead."""
    delivery = delivery_of(status, body, {})
    assert (delivery.verdict, delivery.status, delivery.dead) == (verdict, status, dead)
    assert delivery.reason or status in (408, 503)


def test_n1_a_key_already_taken_is_a_success() -> None:
    """N1: 409 means that an earlier attempt went through; its number is kept."""
    delivery = delivery_of(409, error("accepted"), {"x-line-accepted-request-id": FIRST})
    assert (delivery.verdict, delivery.status, delivery.message_id) == (Verdict.ACCEPTED, 409, FIRST)


def test_n5_reason_has_lines_words_and_the_request_number() -> None:
    """N5: message, the faults it lists, and the number that LINE's support asks for."""
    body = error("The request body has 1 error(s)", {"property": "messages[0].text", "message": "May not be empty"})
    reason = delivery_of(400, body, {"x-line-request-id": NUMBER}).reason
    assert reason == (
        f"The request body has 1 error(s) / messages[0].text: May not be empty (x-line-request-id: {NUMBER})"
    )


def test_n5_monthly_limit_is_named_in_japanese() -> None:
    """N5: whoever reads it learns that waiting a minute does not help."""
    assert "今月の送信数の上限" in delivery_of(429, error("You have reached your monthly limit."), {}).reason


def test_n5_the_number_survives_a_long_message() -> None:
    """N5: what is cut is LINE's prose."""
    reason = delivery_of(400, error("no good " * 100), {"x-line-request-id": NUMBER}).reason
    assert reason.endswith(f"(x-line-request-id: {NUMBER})")
    assert len(reason) <= 200


@pytest.mark.parametrize(
    "body",
    [
        "<html><script>token</script></html>",
        "[1, 2]",
        '"text"',
        "null",
        '{"message": {"a": 1}}',
        "[" * 100_000,
        "\x00\ufffd",
    ],
    ids=["html", "array", "string", "null", "object as message", "deep", "binary"],
)
def test_n1_an_answer_that_is_not_lines_gives_only_its_status(body: str) -> None:
    """N1: somebody else's page is not LINE's word."""
    assert delivery_of(400, body, {}).reason == "HTTP 400"


@pytest.mark.parametrize("details", [5, "x", [None, 7, "x"], [{"property": 3, "message": None}], {}])
def test_n1_odd_details_are_left_out(details: Any) -> None:
    """N1: details of another shape than documented do no harm."""
    assert delivery_of(400, json.dumps({"message": "no", "details": details}), {}).reason == "no"


def test_l7_no_user_id_token_or_forged_number_in_the_reason() -> None:
    """L6, L7: a user id or token that LINE repeats is blotted out; a header that is no UUID is not taken."""
    secret = "U" + "0123456789abcdef" * 2
    delivery = delivery_of(400, error(f"to {secret} is bad"), {"x-line-request-id": secret})
    assert secret not in delivery.reason
    assert "x-line-request-id" not in delivery.reason
    assert delivery_of(409, "", {"x-line-accepted-request-id": secret}).message_id == ""
