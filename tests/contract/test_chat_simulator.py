"""What the six simulated chat services share: registrations, inbox, faults and page."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from tests.harness.chat import Chat


def post(url: str, **more: Any) -> requests.Response:
    return requests.post(url, timeout=10, **more)


def say(chat: Chat, text: str = "a") -> requests.Response:
    return post(chat.registrations["slack_webhook"]["url"], json={"text": text})


def say_in_google_chat(chat: Chat) -> requests.Response:
    return post(chat.registrations["google_chat"]["url"], json={"text": "a"})


def write(chat: Chat, body: str) -> requests.Response:
    """A message in Chatwork."""
    registration = chat.registrations["chatwork"]
    url = f"{registration['base_url']}/rooms/{registration['rooms'][0]}/messages"
    return post(url, data={"body": body}, headers={"X-ChatWorkToken": registration["token"]})


def test_n1_every_service_hands_out_its_registration(chat: Chat) -> None:
    """N1: what is needed to send to each of the six, below this simulator's own address."""
    assert set(chat.registrations) == {
        "slack_webhook", "slack_bot", "chatwork", "teams", "google_chat", "lineworks", "line", "line_login",
    }  # fmt: skip
    addresses = [r.get("url") or r["base_url"] for r in chat.registrations.values()]
    assert all(address.startswith(chat.url + "/") for address in addresses)


def test_n1_inbox_keeps_the_order_and_is_cleared(chat: Chat) -> None:
    """N1: oldest first, over all services or one; clearing leaves settings as they are."""
    say(chat, "1")
    write(chat, "2")
    say(chat, "3")
    chat.sim("POST", "slack", {"webhook": "no_service"})

    assert [message["text"] for message in chat.messages()] == ["1", "2", "3"]
    assert [message["text"] for message in chat.messages("slack")] == ["1", "3"]
    assert chat.messages()[0]["raw"]["text"] == "1"
    chat.sim("DELETE", "messages")
    assert chat.messages() == []
    assert say(chat).status_code == 404
    chat.clear()
    assert say(chat).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_sim/faults", [{"service": "slak", "kind": "drop"}]),
        ("/_sim/faults", [{"service": "slack", "kind": "status"}]),
        ("/_sim/slack", {"webhook": "tired"}),
        ("/_sim/slack", {"webhok": "active"}),
    ],
)
def test_misspelt_controls_are_refused(chat: Chat, path: str, body: Any) -> None:
    """A test that asks for what does not exist fails at once."""
    assert post(chat.url + path, json=body).status_code == 422


def test_n2_fault_answers_instead_of_the_service(chat: Chat) -> None:
    """N2: status, headers and body as told, `times` times, after `after` good ones, for that service only."""
    chat.fault(
        service="slack", kind="status", status=503, body={"a": 1}, headers={"Retry-After": "7"}, times=2, after=1
    )
    answers = [say(chat, str(number)) for number in range(4)]

    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert (answers[1].headers["retry-after"], answers[1].json()) == ("7", {"a": 1})
    assert write(chat, "a").status_code == 200
    assert [message["text"] for message in chat.messages("slack")] == ["0", "3"]


def test_n2_fault_may_be_of_one_path_and_for_good(chat: Chat) -> None:
    """N2: without `times` it stays until faults are cleared."""
    chat.fault(service="slack", kind="status", status=500, path="/slack/services/*", times=None)

    assert [say(chat).status_code for _ in range(3)] == [500] * 3
    assert post(chat.registrations["slack_bot"]["base_url"] + "auth.test").json()["error"] == "not_authed"
    chat.sim("DELETE", "faults")
    assert say(chat).status_code == 200


@pytest.mark.parametrize(("kind", "kept"), [("drop", 0), ("drop_after", 1)])
def test_n1_cut_connection_may_have_delivered(chat: Chat, kind: str, kept: int) -> None:
    """N1: the sender sees the same; only with drop_after the message is there."""
    chat.fault(service="googlechat", kind=kind)

    with pytest.raises(requests.ConnectionError):
        say_in_google_chat(chat)

    assert len(chat.messages()) == kept
    assert say_in_google_chat(chat).status_code == 200


def test_n1_hanging_service_holds_up_nobody_else(chat: Chat) -> None:
    """N1: no answer until the time is over, then the connection is cut; other requests pass meanwhile."""
    chat.fault(service="teams", kind="hang", seconds=3.0)
    waited: list[float] = []

    def hang() -> None:
        started = time.monotonic()
        with pytest.raises(requests.ConnectionError):
            post(chat.registrations["teams"]["url"], json={"type": "message", "attachments": []})
        waited.append(time.monotonic() - started)

    hanging = threading.Thread(target=hang)
    hanging.start()
    time.sleep(0.1)
    assert say(chat).status_code == 200
    assert not waited
    hanging.join(10)
    assert 2.9 <= waited[0] < 10
    assert chat.lost("teams") == []


def test_n1_hanging_service_lets_go_of_a_client_that_left(chat: Chat) -> None:
    """N1: a client with its own time limit gives up, and the service goes on."""
    chat.fault(service="slack", kind="hang", seconds=600)

    with pytest.raises(requests.ReadTimeout):
        requests.post(chat.registrations["slack_webhook"]["url"], json={"text": "a"}, timeout=0.3)

    assert say(chat).status_code == 200


def test_n1_page_shows_messages_newest_first_and_escaped(chat: Chat) -> None:
    """N1: one page for all services, or one of them; a message cannot put markup into it."""
    say(chat, "最初の通知")
    say(chat, "次の &lt;script&gt;alert(1)&lt;/script&gt;")
    write(chat, "<img src=x>")

    page = requests.get(chat.url, timeout=10).content.decode()
    only = requests.get(chat.url + "/?service=chatwork", timeout=10).content.decode()

    assert page.index("次の") < page.index("最初の通知")
    assert "<script>alert" not in page
    assert "&lt;img src=x&gt;" in page
    assert "最初の通知" not in only
    assert "&lt;img src=x&gt;" in only
    assert all(name in page for name in ("Slack", "Chatwork", "Microsoft Teams", "LINE WORKS", "Google Chat", "LINE"))
