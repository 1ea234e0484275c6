"""The clients of Slack, Chatwork, Teams and Google Chat against the simulated services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import pytest

from renkei.systems.chatwork.client import ChatworkRoom
from renkei.systems.delivery import Delivery, Message, Tone, Verdict
from renkei.systems.google_chat.client import GoogleChatSpace
from renkei.systems.google_chat.client import url_fault as google_chat_fault
from renkei.systems.slack.bot import SlackBot
from renkei.systems.slack.webhook import SlackWebhook
from renkei.systems.slack.webhook import url_fault as slack_fault
from renkei.systems.teams.client import TeamsWorkflow
from renkei.systems.teams.client import url_fault as teams_fault
from tests.harness.chat import Chat
from tests.harness.patience import within

LINK = "https://airflow.example/dags/smarthr_emc__acme/runs/manual__2026-11-22T04:30:00+09:00?tab=graph&x=1"
MESSAGE = Message(
    "【失敗】SmartHR → EMC: acme", ("処理結果: EMC-ERROR-D", "", "氏名: 値がありません 3件"), LINK, tone=Tone.BAD
)
HOSTILE = (
    "<!channel> <!here> <@U0SIM0001> [toall] [To:900001] <at>全員</at> <users/all> @all "
    "*b* **b** _i_ ~~s~~ `c` [x](https://evil.example) <b>b</b> &lt; &amp; \\* :tada: 👨‍👩‍👧‍👦 𠮷野家"
)


class Messenger(Protocol):
    def send(self, message: Message, to: str, key: str) -> Delivery: ...
    def check(self) -> Delivery: ...


class Way(NamedTuple):
    """How one kind of channel is registered with the simulator, and what revokes it there."""

    service: str
    make: Callable[[dict[str, Any]], tuple[Messenger, str]]
    revoked: dict[str, str]


WAYS = {
    "slack webhook": Way(
        "slack", lambda r: (SlackWebhook(r["slack_webhook"]["url"]), ""), {"webhook": "no_service"}
    ),
    "slack channel": Way(
        "slack",
        lambda r: (SlackBot(r["slack_bot"]["token"], r["slack_bot"]["base_url"]), r["slack_bot"]["channels"][0]),
        {"token": "token_revoked"},
    ),
    "slack member": Way(
        "slack",
        lambda r: (SlackBot(r["slack_bot"]["token"], r["slack_bot"]["base_url"]), r["slack_bot"]["members"][0]),
        {"token": "account_inactive"},
    ),
    "chatwork": Way(
        "chatwork",
        lambda r: (ChatworkRoom(r["chatwork"]["token"], r["chatwork"]["base_url"]), r["chatwork"]["rooms"][0]),
        {"token": "revoked"},
    ),
    "teams": Way("teams", lambda r: (TeamsWorkflow(r["teams"]["url"]), ""), {"signature": "revoked"}),
    "google chat": Way("googlechat", lambda r: (GoogleChatSpace(r["google_chat"]["url"]), ""), {"webhook": "deleted"}),
}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


def send(chat: Chat, way: Way, message: Message = MESSAGE) -> Delivery:
    messenger, to = way.make(chat.registrations)
    return messenger.send(message, to, "00000000-0000-4000-8000-000000000000")


def test_message_arrives_as_it_was_meant(chat: Chat, way: Way) -> None:
    """N1: title with its sign, lines, and the link under its label."""
    answer = send(chat, way)
    assert (answer.verdict, answer.dead) == (Verdict.ACCEPTED, False)
    assert chat.lost() == []
    (received,) = chat.messages()
    assert received["service"] == way.service
    shown = received["text"].split("\n")
    assert shown[0] == "⚠️ 【失敗】SmartHR → EMC: acme"
    assert [line for line in shown[1:-1] if line] == ["処理結果: EMC-ERROR-D", "氏名: 値がありません 3件"]
    assert shown[-1] in (f"実行結果を開く ({LINK})", f"実行結果を開く: {LINK}")


def test_markup_of_a_text_calls_nobody_and_stays_text(chat: Chat, way: Way) -> None:
    """N1: whatever the service's own signs are."""
    assert send(chat, way, Message(HOSTILE[:100], (HOSTILE,), LINK, HOSTILE)).accepted
    (received,) = chat.messages()
    html = received["html"]
    assert 'class="mention"' not in html
    assert html.count("<a ") == html.count(f'<a href="{LINK.replace("&", "&amp;")}"') + html.count(
        '<a href="https://evil.example'  # a bare address is a link everywhere; its label is the address
    )
    assert not [tag for tag in ("<i>", "<s>", "<code>", "<u>") if tag in html]
    assert html.count("<b>") <= 1  # Google Chat's title
    assert "👨‍👩‍👧‍👦 𠮷野家" in received["text"]
    assert "全員" in received["text"]


@pytest.mark.parametrize(
    "text",
    ["あ" * 100_000, "👨‍👩‍👧‍👦" * 20_000, "\ud800\x00\x1b\u202e行\n" * 20_000, "<&>[*_" * 20_000, " \n" * 60_000],
    ids=["kana", "family", "control", "markup", "blank"],
)
def test_text_of_any_length_arrives_cut(chat: Chat, way: Way, text: str) -> None:
    """N1: a message is never lost for its length; Teams would lose it after its 202."""
    assert send(chat, way, Message(text, (text,), LINK, text)).accepted
    assert chat.lost() == []
    (received,) = chat.messages()
    assert LINK in received["text"]


@pytest.mark.parametrize("lines", [(), ("",), ("\n",)], ids=["none", "empty", "blank"])
def test_message_without_lines_arrives(chat: Chat, way: Way, lines: tuple[str, ...]) -> None:
    """N1"""
    assert send(chat, way, Message("", lines)).accepted
    assert len(chat.messages()) == 1


def test_revoked_registration_is_void(chat: Chat, way: Way) -> None:
    """N2"""
    chat.sim("POST", f"{way.service}", way.revoked)
    answer = send(chat, way)
    assert (answer.verdict, answer.dead) == (Verdict.REFUSED, True)
    assert chat.messages() == []


def test_check_sends_nothing(chat: Chat, way: Way) -> None:
    """N5"""
    messenger, _ = way.make(chat.registrations)
    assert messenger.check().accepted
    assert chat.messages() == []


@pytest.mark.parametrize("name", ["slack channel", "chatwork"])
def test_check_knows_a_revoked_token(chat: Chat, name: str) -> None:
    """N5"""
    messenger, _ = WAYS[name].make(chat.registrations)
    chat.sim("POST", f"{WAYS[name].service}", WAYS[name].revoked)
    answer = messenger.check()
    assert (answer.verdict, answer.dead) == (Verdict.REFUSED, True)


def test_limit_of_the_service_is_for_later(chat: Chat, way: Way) -> None:
    """N2: a passing fault, and how long it takes where the service says so."""
    chat.sim("POST", f"{way.service}", {"strict": True})
    answers = [send(chat, way) for _ in range(12)]
    limited = next(answer for answer in answers if not answer.accepted)
    assert (limited.verdict, limited.status, limited.dead) == (Verdict.LATER, 429, False)
    if way.service != "googlechat":  # which says nothing of it
        assert limited.retry_after_s is not None
        assert 0 < limited.retry_after_s <= 10
    assert len(chat.messages()) == sum(answer.accepted for answer in answers)


@pytest.mark.parametrize(
    ("fault", "verdict", "arrived"),
    [
        ({"kind": "status", "status": 503}, Verdict.LATER, 0),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}, Verdict.LATER, 0),
        ({"kind": "status", "status": 500}, Verdict.UNKNOWN, 0),
        ({"kind": "status", "status": 502, "body": "<html>Bad Gateway"}, Verdict.UNKNOWN, 0),
        ({"kind": "status", "status": 200, "body": "<html>Sign in to the proxy"}, Verdict.UNKNOWN, 0),
        ({"kind": "status", "status": 302, "headers": {"Location": "/_sim/messages"}}, Verdict.REFUSED, 0),
        ({"kind": "status", "status": 307, "headers": {"Location": "/"}}, Verdict.REFUSED, 0),
        ({"kind": "status", "status": 200, "body": "x" * 200_000}, Verdict.UNKNOWN, 0),
        ({"kind": "drop"}, Verdict.UNKNOWN, 0),
        ({"kind": "drop_after"}, Verdict.UNKNOWN, 1),
    ],
    ids=["503", "429", "500", "502", "proxy", "302", "307", "huge", "cut before", "cut after"],
)  # fmt: skip
def test_fault_is_an_answer_after_one_attempt(
    chat: Chat, way: Way, fault: dict[str, Any], verdict: Verdict, arrived: int
) -> None:
    """N2, N3: LATER only where nothing can have been sent; the next attempt would pass, so none was made."""
    chat.fault(service=way.service, **fault)
    answer = send(chat, way)
    assert (answer.verdict, answer.dead) == (verdict, False)
    assert len(chat.messages()) == arrived
    assert send(chat, way).accepted


def test_service_that_never_answers_is_left_in_time(chat: Chat, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """N3: bounded, whatever the service does; what was sent stays unknown."""
    monkeypatch.setattr("renkei.systems.chat.ANSWER_S", 0.5)
    chat.fault(service=way.service, kind="hang", seconds=30)
    with within(20):
        assert send(chat, way).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({"scopes": ["im:write"]}, 200, "missing_scope (chat:write)"),
        ({"archived": ["C0SIM0001"]}, 200, "is_archived"),
        ({"not_joined": ["C0SIM0001"]}, 200, "not_in_channel"),
    ],
    ids=["scope", "archived", "not joined"],
)
def test_slack_word_is_the_reason(chat: Chat, given: dict[str, Any], status: int, reason: str) -> None:
    """N5: the service's own word, from which the remedy is explained."""
    chat.sim("POST", "slack", given)
    assert send(chat, WAYS["slack channel"]) == Delivery(Verdict.REFUSED, status, reason)


def test_room_that_is_closed_to_us_is_refused(chat: Chat) -> None:
    """N2: the token is good still, so the registration is not void."""
    chat.sim("POST", "chatwork", {"forbidden": [int(chat.registrations["chatwork"]["rooms"][0])]})
    answer = send(chat, WAYS["chatwork"])
    assert (answer.verdict, answer.status, answer.dead) == (Verdict.REFUSED, 403, False)
    assert "permission" in answer.reason


@pytest.mark.parametrize("given", [{"workflow": "gone"}, {"workflow": "disabled"}], ids=lambda g: g["workflow"])
def test_workflow_that_is_gone_or_off_is_void(chat: Chat, given: dict[str, str]) -> None:
    """N2"""
    chat.sim("POST", "teams", given)
    assert send(chat, WAYS["teams"]).dead


def test_workflow_that_fails_afterwards_is_accepted_all_the_same(chat: Chat) -> None:
    """N1: 202 says queued; nobody is told of more."""
    chat.sim("POST", "teams", {"flow": "fails"})
    assert send(chat, WAYS["teams"]).accepted
    assert chat.messages() == []
    assert len(chat.lost("teams")) == 1


@pytest.mark.parametrize(
    ("service", "fault"),
    [("slack_webhook", slack_fault), ("teams", teams_fault), ("google_chat", google_chat_fault)],
)
def test_simulated_webhook_is_one_only_where_the_operator_allows_it(
    chat: Chat, service: str, fault: Callable[..., str]
) -> None:
    """L7"""
    url = chat.registrations[service]["url"]
    assert fault(url, {"127.0.0.1"}) == ""
    assert fault(url) != ""
