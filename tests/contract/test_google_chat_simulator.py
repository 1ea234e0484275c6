"""Google Chat's stand-in: the webhook of a space."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.harness.chat import Chat

LINK = "https://airflow.example.com/dags/smarthr_emc__acme"


def google(chat: Chat, body: dict[str, Any], query: str = "") -> requests.Response:
    return requests.post(chat.registrations["google_chat"]["url"] + query, json=body, timeout=10)


def test_n1_google_chat_text_gives_the_message_back(chat: Chat) -> None:
    """N1: text with its signs is shown formatted; the answer is the Message resource."""
    answer = google(chat, {"text": f"*失敗* 😱\n<{LINK}|開く> `<users/all>` <users/all>"}, "&threadKey=acme")

    assert answer.status_code == 200
    assert answer.json()["name"].startswith("spaces/AAAASIM0001/messages/")
    assert answer.json()["thread"]["name"] == "spaces/AAAASIM0001/threads/acme"
    assert answer.json()["space"]["name"] == "spaces/AAAASIM0001"
    (message,) = chat.messages("googlechat")
    assert message["text"] == f"失敗 😱\n開く ({LINK}) <users/all> @all"
    assert message["html"].count("mention") == 1


def test_n1_google_chat_card_is_shown(chat: Chat) -> None:
    """N1: header, text with tags, a decorated text and a button; foreign tags are dropped."""
    button = {"text": "開く", "onClick": {"openLink": {"url": LINK}}}
    widgets = [
        {"textParagraph": {"text": "<b>3件</b><br>&amp;<img src=x onerror=alert(1)>"}},
        {"decoratedText": {"topLabel": "新規", "text": "3"}},
        {"buttonList": {"buttons": [button]}},
    ]
    section = {"header": "概要", "widgets": widgets}

    google(chat, {"cardsV2": [{"cardId": "a", "card": {"header": {"title": "失敗"}, "sections": [section]}}]})

    (message,) = chat.messages()
    assert message["text"] == f"失敗\n概要\n3件\n&\n新規\n3\n開く ({LINK})"
    assert "<b>3件</b><br>&amp;" in message["html"]
    assert "<img" not in message["html"]


WRONG = [
    ("empty", {}, "Message cannot be empty"),
    ("blank", {"text": " "}, "Message cannot be empty"),
    ("list", [], "Root element must be a message"),
    ("half-a-character", {"text": "a\ud83d"}, "Invalid JSON payload"),
    ("unknown", {"text": "a", "username": "b"}, "Unknown name \"username\" at 'message'"),
    ("number", {"text": 3}, "Invalid value at 'message.text'"),
    ("long", {"text": "a" * 4097}, "4096"),
    ("bytes", {"cardsV2": [{"cardId": "a", "card": {"header": {"title": "a" * 32_000}}}]}, "32000"),
    ("unknown-widget", {"cardsV2": [{"card": {"sections": [{"widgets": [{"text": {}}]}]}}]}, "cards_v2[0].card.sections[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_n1_google_chat_refuses_what_it_does_not_know(chat: Chat, body: Any, words: str) -> None:
    """N1: 400 INVALID_ARGUMENT with where and why."""
    answer = google(chat, body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert words in error["message"]
    assert chat.messages() == []


def test_n1_google_chat_takes_the_longest_text(chat: Chat) -> None:
    """N1: 4,096 characters pass, also those of four bytes, however they are escaped."""
    assert google(chat, {"text": "😀" * 4096}).status_code == 200


DEAD = [
    ("no-key", lambda url: url.replace("key=", "k="), {}, 400, "INVALID_ARGUMENT"),
    ("wrong-key", lambda url: url.replace("key=", "key=x"), {}, 400, "INVALID_ARGUMENT"),
    ("wrong-token", lambda url: url + "x", {}, 403, "PERMISSION_DENIED"),
    ("other-space", lambda url: url.replace("AAAA", "BBBB"), {}, 404, "NOT_FOUND"),
    ("deleted", str, {"webhook": "deleted"}, 403, "PERMISSION_DENIED"),
    ("space-gone", str, {"space": "gone"}, 404, "NOT_FOUND"),
]


@pytest.mark.parametrize(
    ("bend", "settings", "status", "word"), [case[1:] for case in DEAD], ids=[case[0] for case in DEAD]
)
def test_n2_google_chat_webhook_can_be_dead(
    chat: Chat, bend: Any, settings: dict[str, Any], status: int, word: str
) -> None:
    """N2: a wrong address, a deleted webhook and a missing space have their status."""
    chat.sim("POST", "googlechat", settings)

    answer = requests.post(bend(chat.registrations["google_chat"]["url"]), json={"text": "a"}, timeout=10)

    assert (answer.status_code, answer.json()["error"]["status"]) == (status, word)


def test_n2_google_chat_limit_is_one_a_second(chat: Chat) -> None:
    """N2: strictly, the second message at once is 429 RESOURCE_EXHAUSTED, and it passes a second later."""
    chat.sim("POST", "googlechat", {"strict": True})
    first, second = google(chat, {"text": "1"}), google(chat, {"text": "2"})
    time.sleep(1.05)

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert google(chat, {"text": "3"}).status_code == 200
