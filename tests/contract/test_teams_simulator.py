"""Microsoft Teams' stand-in: the webhook of a Workflow."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.harness.chat import Chat

LINK = "https://airflow.example.com/dags/smarthr_emc__acme"


def post(chat: Chat, more_url: str = "", **more: Any) -> requests.Response:
    return requests.post(chat.registrations["teams"]["url"] + more_url, timeout=10, **more)


def card(*body: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.4", "body": list(body), **more}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}


def test_n1_teams_card_is_shown_with_facts_and_button(chat: Chat) -> None:
    """N1: 202 with an empty body, and the card in the channel."""
    facts = {"type": "FactSet", "facts": [{"title": "新規", "value": "3"}, {"title": "削除", "value": "**0**"}]}
    open_run = {"type": "Action.OpenUrl", "title": "実行結果を開く", "url": LINK}

    answer = post(
        chat,
        json=card(block("失敗 😱", weight="Bolder", size="Large", color="Attention"), facts, actions=[open_run]),
    )

    assert (answer.status_code, answer.content) == (202, b"")
    (message,) = chat.messages("teams")
    assert message["text"] == f"失敗 😱\n新規\n3\n削除\n0\n実行結果を開く ({LINK})"
    assert 'class="textblock large bolder attention"' in message["html"]
    assert "<b>0</b>" in message["html"]
    assert f'<a href="{LINK}" class="button" rel="noreferrer">実行結果を開く</a>' in message["html"]


MARKDOWN = [
    ("bold", "**a** _b_", "<p><b>a</b> <i>b</i></p>"),
    ("escaped", r"\*a\* \[b\](c)", "<p>*a* [b](c)</p>"),
    ("link", "[開く](https://example.com/a_b)", '<p><a href="https://example.com/a_b" rel="noreferrer">開く</a></p>'),
    ("script-link", "[開く](javascript:alert)", "<p>開く</p>"),
    ("one-line-end-is-a-blank", "a\nb", "<p>a b</p>"),
    ("paragraphs", "a\n\nb", "<p>a</p><p>b</p>"),
    ("list", "- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
    ("markup", "<b>a</b>&lt;", "<p>&lt;b&gt;a&lt;/b&gt;&lt;</p>"),
    ("no-call-without-entity", "<at>山田</at>", "<p>&lt;at&gt;山田&lt;/at&gt;</p>"),
]


@pytest.mark.parametrize(("text", "html"), [case[1:] for case in MARKDOWN], ids=[case[0] for case in MARKDOWN])
def test_n1_teams_markdown_is_shown_as_cards_show_it(chat: Chat, text: str, html: str) -> None:
    """N1: the small Markdown of cards; nothing becomes markup of the page."""
    post(chat, json=card(block(text)))

    assert html in chat.messages()[0]["html"]


def test_n1_teams_mention_needs_its_entity(chat: Chat) -> None:
    """N1: who stands in msteams.entities is called."""
    entities = [{"type": "mention", "text": "<at>x</at>", "mentioned": {"id": "x@example.com", "name": "山田"}}]
    post(chat, json=card(block("<at>x</at> さん"), msteams={"entities": entities}))

    assert '<span class="mention">山田</span> さん' in chat.messages()[0]["html"]


NO_RUN = [
    ("not-json", {"data": b"{", "headers": {"Content-Type": "application/json"}}, "InvalidRequestContent"),
    ("form", {"data": {"a": "b"}}, "InvalidRequestContent"),
    ("half-a-character", {"json": card(block("\ud83d"))}, "InvalidRequestContent"),
    ("no-type", {"json": {"attachments": []}}, "TriggerInputSchemaMismatch"),
    ("text-only", {"json": {"text": "a"}}, "TriggerInputSchemaMismatch"),
    ("attachments", {"json": {"type": "message", "attachments": {}}}, "TriggerInputSchemaMismatch"),
]


@pytest.mark.parametrize(("more", "code"), [case[1:] for case in NO_RUN], ids=[case[0] for case in NO_RUN])
def test_n1_teams_trigger_refuses_what_starts_no_run(chat: Chat, more: dict[str, Any], code: str) -> None:
    """N1: 400 with a code; no run, hence nothing lost either."""
    answer = post(chat, **more)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert chat.messages() == chat.lost() == []


LOST = [
    ("too-large", card(block("あ" * 10_000)), "RequestEntityTooLarge"),
    ("new-version", card(block("a")) | {}, "version"),
    ("unknown-element", card({"type": "Table2"}), "body[0]"),
    ("text-is-number", card(block(3)), "body[0].text"),  # type: ignore[arg-type]
    ("submit", card(block("a"), actions=[{"type": "Action.Submit", "title": "a"}]), "actions[0]"),
    (
        "other-content",
        {"type": "message", "attachments": [{"contentType": "text/html", "content": "a"}]},
        "contentType",
    ),
    ("no-attachment", {"type": "message", "attachments": []}, "attachments"),
]
LOST[1][1]["attachments"][0]["content"]["version"] = "1.6"


@pytest.mark.parametrize(("body", "why"), [case[1:] for case in LOST], ids=[case[0] for case in LOST])
def test_n3_teams_flow_fails_after_202(chat: Chat, body: dict[str, Any], why: str) -> None:
    """N3: the sender gets 202 although nobody sees the card; the failed run is listed with its reason."""
    answer = post(chat, json=body)

    assert answer.status_code == 202
    assert chat.messages() == []
    (lost,) = chat.lost("teams")
    assert why in lost["why"]
    assert lost["why"] in requests.get(chat.url, timeout=10).content.decode().replace("&#39;", "'")


def test_n2_teams_limit_is_told_with_retry_after(chat: Chat) -> None:
    """N2: strictly, the second run at once is 429 and never starts."""
    chat.sim("POST", "teams", {"strict": True})
    answers = [post(chat, json=card(block(text))) for text in ("1", "2")]

    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1].headers["Retry-After"] == "1"
    assert [message["text"] for message in chat.messages()] == ["1"]


def test_n2_teams_url_can_be_revoked(chat: Chat) -> None:
    """N2: workflow gone 404, wrong signature 401, flow failing 202 and lost."""
    seen = []
    for settings in ({"workflow": "gone"}, {"workflow": "active", "signature": "revoked"}):
        chat.sim("POST", "teams", settings)
        answer = post(chat, json=card(block("a")))
        seen.append((answer.status_code, answer.json()["error"]["code"]))
    chat.sim("POST", "teams", {"signature": "active", "flow": "fails"})

    assert seen == [(404, "WorkflowNotFound"), (401, "DirectApiAuthorizationRequired")]
    assert post(chat, "x", json=card(block("a"))).status_code == 401
    assert post(chat, json=card(block("a"))).status_code == 202
    assert "所有者" in chat.lost("teams")[0]["why"]
