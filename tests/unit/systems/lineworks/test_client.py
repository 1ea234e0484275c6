"""LineWorksBot over a LINE WORKS that is a function (N1, N4, L6, L7)."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from renkei.systems import chat
from renkei.systems.delivery import CUT, Delivery, Message, Verdict, utf16_units
from renkei.systems.lineworks import api as module
from renkei.systems.lineworks.client import LineWorksBot, place_of, text_of
from tests.harness.patience import within
from tests.unit.systems.line.wire import Wire, http
from tests.unit.systems.lineworks.people import CREDENTIALS, NOW, TOKENS, LineWorks, grant, text
from tests.unit.systems.transport import Answer, Seen, network

MESSAGE = Message("連携が失敗しました", ("部署 3件",), "https://airflow.example.jp/runs/1")
TEXT = "連携が失敗しました\n部署 3件\n実行結果を開く: https://airflow.example.jp/runs/1"
KEY = "123e4567-e89b-12d3-a456-426614174000"


class Clock:
    """The time, set by the test."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def bot(service: LineWorks, clock: Clock | None = None) -> LineWorksBot:
    return LineWorksBot(CREDENTIALS, clock=clock or Clock())


def send(service: LineWorks, to: str = "tanaka", message: Message = MESSAGE) -> Delivery:
    return bot(service).send(message, to, KEY)


def error(status: int, code: str, description: str = "", **headers: str) -> Answer:
    return Answer(status=status, body={"code": code, "description": description}, headers=headers)


def test_n1_a_message_is_a_token_and_a_post() -> None:
    """N1: 201 without a body is the success."""
    service = LineWorks(messages=[Answer(status=201)])
    assert send(service) == Delivery(Verdict.ACCEPTED, 201)
    request = service.seen[1]
    assert (request.method, request.url) == (
        "POST",
        "https://www.worksapis.com/v1.0/bots/2000001/users/tanaka/messages",
    )
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"content": {"type": "text", "text": TEXT}}


@pytest.mark.parametrize("base", ["", "https://www.worksapis.com", "https://www.worksapis.com/"])
def test_n1_the_official_address_means_both_official_hosts(base: str) -> None:
    """N1: the form shows the API's address; tokens come from the other host all the same."""
    service = LineWorks()
    LineWorksBot(CREDENTIALS, base).send(MESSAGE, "tanaka", KEY)
    assert [urlsplit(request.url).hostname for request in service.seen] == ["auth.worksmobile.com", "www.worksapis.com"]


def test_n1_a_base_url_stands_for_both_hosts() -> None:
    """N1: the simulator's."""
    service = LineWorks()
    LineWorksBot(CREDENTIALS, "http://127.0.0.1:9000/lineworks/").check()
    assert [request.url for request in service.seen] == [
        "http://127.0.0.1:9000/lineworks/oauth2/v2.0/token",
        "http://127.0.0.1:9000/lineworks/v1.0/bots/2000001",
    ]


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("tanaka", "users/tanaka"),
        ("tanaka@example.co.jp", "users/tanaka%40example.co.jp"),
        ("channel:0a1b-2c", "channels/0a1b-2c"),
        ("a/b?c#d%e+f", "users/a%2Fb%3Fc%23d%25e%2Bf"),
        ("田中", "users/%E7%94%B0%E4%B8%AD"),
        ("a\ud800b", "users/a%EF%BF%BDb"),
        ("", ""),
        ("channel:", ""),
        (".", ""),
        ("..", ""),
        ("channel:..", ""),
        ("a b", ""),
        ("a\nb", ""),
    ],
)
def test_n4_destination_is_one_part_of_the_path(to: str, place: str) -> None:
    """N4: user id, mail address or room; nothing in it leads elsewhere."""
    assert place_of(to) == place
    service = LineWorks()
    delivery = send(service, to)
    assert delivery.accepted == bool(place)
    if place:
        assert service.seen[1].url == f"https://www.worksapis.com/v1.0/bots/2000001/{place}/messages"
    else:
        assert service.seen == []
        assert "送信先" in delivery.reason


@pytest.mark.parametrize("bot_id", ["", "../users", "２０００", "2000001\n"])
def test_n1_what_is_no_bot_s_number_is_sent_nowhere(bot_id: str) -> None:
    """N1: Bot ID goes into the path."""
    service = LineWorks()
    delivery = LineWorksBot(replace(CREDENTIALS, bot_id=bot_id)).check()
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, True)
    assert delivery.reason.startswith("Bot ID")
    assert service.seen == []


def test_n1_the_token_is_kept_until_shortly_before_it_expires() -> None:
    """N1: one token for many messages; the next in its last minute."""
    service, clock = LineWorks([grant("one", "3600"), grant("two", "3600")]), Clock()
    sender = bot(service, clock)
    for now in (NOW, NOW + 3539, NOW + 3540, NOW + 3600):
        clock.now = now
        assert sender.send(MESSAGE, "tanaka", KEY).accepted
    used = [request.headers["authorization"] for request in service.at("/messages")]
    assert used == ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]


def test_n1_a_refused_token_is_renewed_once() -> None:
    """N1: 401 says that nothing was sent."""
    service = LineWorks(messages=[error(401, "UNAUTHORIZED")])
    assert send(service).accepted
    assert [request.headers["authorization"] for request in service.at("/messages")] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_n1_a_new_token_refused_as_well_is_dead() -> None:
    """N1: two attempts, no third."""
    service = LineWorks(messages=[error(401, "UNAUTHORIZED", "no") for _ in range(5)])
    delivery = send(service)
    assert (delivery.verdict, delivery.status, delivery.dead) == (Verdict.REFUSED, 401, True)
    assert delivery.reason == "UNAUTHORIZED: no"
    assert len(service.at("/messages")) == 2


def test_n1_no_token_no_message() -> None:
    """N1: why there is none is the answer."""
    service = LineWorks(tokens=[Answer(status=503)])
    assert send(service).verdict is Verdict.LATER
    assert service.at("/messages") == []


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        pytest.param(error(400, "INVALID_PARAMETER"), Verdict.REFUSED, id="400"),
        pytest.param(error(403, "FORBIDDEN"), Verdict.REFUSED, id="403"),
        pytest.param(error(404, "NOT_FOUND"), Verdict.REFUSED, id="404"),
        pytest.param(Answer(status=302, headers={"Location": "http://x/"}), Verdict.REFUSED, id="redirect"),
        pytest.param(error(429, "TOO_MANY_REQUESTS"), Verdict.LATER, id="429"),
        pytest.param(error(503, "SERVICE_UNAVAILABLE"), Verdict.LATER, id="503"),
        pytest.param(requests.ConnectTimeout(), Verdict.LATER, id="nobody there"),
        pytest.param(Answer(status=500), Verdict.UNKNOWN, id="500"),
        pytest.param(Answer(status=502, body="<html>"), Verdict.UNKNOWN, id="502"),
        pytest.param(Answer(status=408), Verdict.UNKNOWN, id="408"),
        pytest.param(requests.ReadTimeout(), Verdict.UNKNOWN, id="timeout"),
        pytest.param(requests.ConnectionError(), Verdict.UNKNOWN, id="cut off"),
        pytest.param(Answer(status=200, body="<html>"), Verdict.UNKNOWN, id="html"),
        pytest.param(Answer(status=202), Verdict.UNKNOWN, id="another success"),
        pytest.param(Answer(status=500, body=b" " * 5_000_000), Verdict.UNKNOWN, id="huge"),
        pytest.param(Answer(status=400, body=[1]), Verdict.REFUSED, id="array"),
        pytest.param(Answer(status=400, body={"code": 5, "description": []}), Verdict.REFUSED, id="odd code"),
    ],
)
def test_n1_what_may_have_been_sent_is_not_repeated(answer: Answer | Exception, verdict: Verdict) -> None:
    """N1: LINE WORKS takes no key: only what certainly was not sent is LATER."""
    service = LineWorks(messages=[answer])
    delivery = send(service)
    assert (delivery.verdict, delivery.dead) == (verdict, False)
    assert delivery.reason
    assert len(service.at("/messages")) == 1


@pytest.mark.parametrize(("headers", "seconds"), [({}, 60.0), ({"Retry-After": "7"}, 7.0)])
def test_n1_rate_limit_is_over_within_a_minute(headers: dict[str, str], seconds: float) -> None:
    """N1: it is counted per minute."""
    assert send(LineWorks(messages=[error(429, "TOO_MANY_REQUESTS", **headers)])).retry_after_s == seconds


def test_n5_check_reads_the_bot() -> None:
    """N5: a token and a GET; nothing is sent."""
    service = LineWorks()
    assert bot(service).check() == Delivery(Verdict.ACCEPTED, 200)
    assert [(request.method, request.path) for request in service.seen] == [
        ("POST", TOKENS),
        ("GET", "/v1.0/bots/2000001"),
    ]


def test_n5_check_tells_an_unknown_bot() -> None:
    """N5: the token is good, the number is not."""
    delivery = bot(LineWorks(messages=[error(404, "NOT_FOUND", "Bot not found")])).check()
    assert (delivery.verdict, delivery.status, delivery.reason) == (Verdict.REFUSED, 404, "NOT_FOUND: Bot not found")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('<m userId="all">', '＜m userId="all">'),
        ('<M userId="all">', '＜M userId="all">'),
        ('<\x00m userId="all">', '＜m userId="all">'),
        ("< m >と</m>", "＜ m >と＜/m>"),
        ("<m", "＜m"),
        ("3 < 5、<main>、a<b", "3 < 5、<main>、a<b"),
    ],
)
def test_n1_a_text_mentions_nobody(line: str, shown: str) -> None:
    """N1: an error's text must not alert a whole room."""
    assert text_of(Message("題", (line,))) == f"題\n{shown}"
    assert text_of(Message(line)) == shown


def test_n1_long_text_keeps_its_link() -> None:
    """N1: 2,000 characters; what is cut is in the middle."""
    long = text_of(Message("題", tuple("部署😀" * 20 for _ in range(200)), "https://airflow.example.jp/runs/1"))
    assert 1900 < utf16_units(long) <= 2000
    assert long.endswith("\n実行結果を開く: https://airflow.example.jp/runs/1")
    assert CUT in long
    assert text_of(Message("題", ("行",), "https://example.jp/" + "a" * 9000)) == "題\n行"


def test_n1_what_no_service_can_take_is_replaced() -> None:
    """N1: lone surrogates; 4-byte characters stay."""
    service = LineWorks()
    assert send(service, message=Message("𠮷野\ud800\r\n終")).accepted
    assert text(service.seen[1]) == "𠮷野\ufffd\n終"


@pytest.mark.parametrize("to", ["tanaka@example.co.jp", "t"])
def test_l6_the_destination_does_not_come_back(to: str) -> None:
    """L6: neither it nor another address is in the reason."""
    answer = error(404, "NOT_FOUND", f"user {to} (suzuki@example.co.jp) not found")
    reason = send(LineWorks(messages=[answer]), to).reason
    assert reason == "NOT_FOUND: user (送信先) ((…)) not found"


def test_l7_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """L7: no token, no secret, no text in a log, even at DEBUG."""
    caplog.set_level(logging.DEBUG)
    sender = bot(LineWorks(messages=[error(400, "INVALID_PARAMETER", "token-1")]))
    sender.send(MESSAGE, "tanaka", KEY)
    sender.check()
    for secret in ("token-1", "client-secret-1", "連携が失敗", "BEGIN"):
        assert secret not in caplog.text
    assert "client-secret-1" not in repr(sender)


def test_n1_a_service_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """N1: bounded in time at either request."""
    monkeypatch.setattr(chat, "ANSWER_S", 0.3)
    for silent_at, verdict in ((TOKENS, Verdict.LATER), ("/messages", Verdict.UNKNOWN)):

        def reply(seen: Any, silent_at: str = silent_at) -> Any:
            return () if seen.path.endswith(silent_at) else http(200, {"access_token": "t", "expires_in": "3600"})

        with Wire(reply) as wire, within(20):
            assert LineWorksBot(CREDENTIALS, wire.url).send(MESSAGE, "tanaka", KEY).verdict is verdict


class Slow:
    """Time that passes only while a service answers: `seconds` for every request."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now = seconds, 1000.0
        self.service = LineWorks(messages=[error(401, "UNAUTHORIZED"), Answer(status=201)])
        network(self._reply)
        self.allowed: list[float] = []  # for each request's answer

    def monotonic(self) -> float:
        return self.now

    def _reply(self, request: Seen) -> Answer:
        self.now += self.seconds
        self.allowed.append(request.timeout[1])
        return self.service.reply(request)


@pytest.mark.parametrize(
    ("seconds", "allowed", "verdict"),
    [
        pytest.param(4.0, [15, 15, 12, 8], Verdict.ACCEPTED, id="in time"),
        pytest.param(6.0, [15, 14, 8, 2], Verdict.ACCEPTED, id="just in time"),
        pytest.param(7.0, [15, 13, 6], Verdict.LATER, id="spent on the new token"),
        pytest.param(10.0, [15, 10], Verdict.LATER, id="spent on the refused message"),
        pytest.param(20.0, [15], Verdict.LATER, id="spent on the token"),
    ],
)
def test_n1_all_requests_together_are_bounded(
    monkeypatch: pytest.MonkeyPatch, seconds: float, allowed: list[float], verdict: Verdict
) -> None:
    """N1: nothing is begun when the time is up, and nothing may take longer than what is left of it."""
    slow = Slow(seconds)
    monkeypatch.setattr(module, "time", slow)
    delivery = LineWorksBot(CREDENTIALS, clock=Clock()).send(MESSAGE, "tanaka", KEY)
    assert (slow.allowed, delivery.verdict) == (allowed, verdict)


def test_n1_bounds_are_below_forty_seconds() -> None:
    """N1: what the tests above shortened."""
    assert chat.CONNECT_S < chat.ANSWER_S < module.ALTOGETHER_S < 40
