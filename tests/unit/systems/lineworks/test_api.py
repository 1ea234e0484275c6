"""LineWorksApi over a LINE WORKS that is a function: what the bot does not use of it (C11, N1)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from renkei.systems import chat
from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.pace import LineWorksPace
from tests.unit.systems.lineworks.people import CREDENTIALS, NOW, LineWorks, form
from tests.unit.systems.transport import Answer


def test_c1_the_scopes_asked_for_are_the_api_s_own() -> None:
    service = LineWorks()
    LineWorksApi(CREDENTIALS, scopes="calendar,user.read", clock=lambda: NOW).ask("bot-get", "GET", "/bots/2000001")
    assert form(service.seen[0])["scope"] == "calendar,user.read"


def test_c11_many_threads_get_one_token_between_them() -> None:
    service, gate = LineWorks(), threading.Barrier(8)
    api = LineWorksApi(CREDENTIALS, clock=lambda: NOW)

    def ask(_: int) -> chat.Answer | Delivery:
        gate.wait(60)
        return api.ask("message", "POST", "/bots/2000001/users/tanaka/messages", json={})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert all(isinstance(answer, chat.Answer) and answer.status == 201 for answer in answers)
    assert len(service.at("/oauth2/v2.0/token")) == 1


def test_c11_after_429_nothing_is_sent_before_the_minute_is_over() -> None:
    limited = Answer(status=429, body={"code": "TOO_MANY_REQUESTS"}, headers={"rateLimit-reset": "20"})
    service, slept = LineWorks(messages=[limited]), list[float]()
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pace = LineWorksPace(clock=lambda: now, sleep=sleep)
    api = LineWorksApi(CREDENTIALS, pace=pace, clock=lambda: NOW)
    path = "/bots/2000001/users/tanaka/messages"
    first = api.ask("message", "POST", path, json={})
    assert isinstance(first, chat.Answer)
    assert first.status == 429
    hurried = api.ask("message", "POST", path, json={}, turn_s=5.0)
    assert isinstance(hurried, Delivery)
    assert (hurried.verdict, len(service.at("/messages"))) == (Verdict.LATER, 1)
    assert isinstance(api.ask("message", "POST", path, json={}), chat.Answer)
    assert slept == [60.0]
