"""Slack's stand-in, spoken to by Slack's own client, slack_sdk."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, HeaderBlock, SectionBlock
from slack_sdk.webhook import WebhookClient

from tests.harness.chat import Chat

LINK = "https://airflow.example.com/dags/smarthr_emc__acme"


@pytest.fixture
def webhook(chat: Chat) -> WebhookClient:
    return WebhookClient(chat.registrations["slack_webhook"]["url"], retry_handlers=[])


@pytest.fixture
def bot(chat: Chat) -> WebClient:
    registration = chat.registrations["slack_bot"]
    return WebClient(registration["token"], base_url=registration["base_url"], retry_handlers=[])


def refusal(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return {"status": caught.value.response.status_code, **caught.value.response.data}


def test_n1_webhook_shows_blocks_as_a_person_sees_them(chat: Chat, webhook: WebhookClient) -> None:
    """N1: slack_sdk's blocks arrive as heading, text, link and button; the text is only the notification."""
    button = ButtonElement(text="実行結果を開く", action_id="open", url=LINK)
    blocks = [HeaderBlock(text="acme: 失敗 😱"), SectionBlock(text="*3件* のエラー"), ActionsBlock(elements=[button])]

    answer = webhook.send(text="acme: 失敗", blocks=blocks)

    assert (answer.status_code, answer.body) == (200, "ok")
    (message,) = chat.messages("slack")
    assert message["place"] == "#連携通知"
    assert message["text"] == f"acme: 失敗 😱\n3件 のエラー\n実行結果を開く ({LINK})"
    assert '<h3 class="header">acme: 失敗 😱</h3>' in message["html"]
    assert "<b>3件</b>" in message["html"]


MRKDWN = [
    ("escaped", "a &lt;!channel&gt; &amp; *b*", "a &lt;!channel&gt; &amp; <b>b</b>"),
    ("link", "<https://example.com/?a=1&amp;b=2|開く>", '<a href="https://example.com/?a=1&amp;b=2" rel="noreferrer">開く</a>'),
    ("bold-link", "*<https://example.com|開く>*", '<b><a href="https://example.com" rel="noreferrer">開く</a></b>'),
    ("call", "<!channel> <@U0SIM0001>", '<span class="mention">@channel</span> <span class="mention">@U0SIM0001</span>'),
    ("lines", "一\n二", "一<br>二"),
    ("no-marks-in-words", "a*b*c 2*3", "a*b*c 2*3"),
    ("markup", "<script>alert(1)</script>", "script"),
    ("script-link", "<javascript:alert(1)|押す>", "押す"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "html"), [case[1:] for case in MRKDWN], ids=[case[0] for case in MRKDWN])
def test_n1_mrkdwn_is_shown_as_slack_shows_it(chat: Chat, webhook: WebhookClient, text: str, html: str) -> None:
    """N1: entities, links, bold and calls are told apart; nothing becomes markup of the page."""
    webhook.send(text=text)

    shown = chat.messages("slack")[0]["html"]
    assert html in shown
    assert "<script" not in shown
    assert "javascript:" not in shown


def test_n1_attachment_has_its_colour_bar(chat: Chat, webhook: WebhookClient) -> None:
    """N1: a named colour and a title with its link are shown."""
    webhook.send(attachments=[{"color": "danger", "title": "失敗", "title_link": LINK, "text": "*3件*"}])

    html = chat.messages("slack")[0]["html"]
    assert "border-left-color:#a30200" in html
    assert f'<a href="{LINK}" rel="noreferrer">失敗</a>' in html


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


INVALID = [
    ("not-json", b"{", "invalid_payload"),
    ("list", [], "invalid_payload"),
    ("half-a-character", {"text": "a\ud83d"}, "invalid_payload"),
    ("deep", b"[" * 100_000, "invalid_payload"),
    ("empty", {}, "no_text"),
    ("blank", {"text": " \n"}, "no_text"),
    ("many-attachments", {"text": "a", "attachments": [{"text": "b"}] * 101}, "too_many_attachments"),
    ("unknown-block", {"blocks": [{"type": "heading"}]}, "invalid_blocks"),
    ("many-blocks", {"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ("long-header", {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "あ" * 151}}]}, "invalid_blocks"),
    ("empty-section", {"blocks": [section("")]}, "invalid_blocks"),
    ("long-section", {"blocks": [section("あ" * 3001)]}, "invalid_blocks"),
    ("long-blocks", {"blocks": [section("あ" * 3000)] * 5}, "msg_blocks_too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "word"), [case[1:] for case in INVALID], ids=[case[0] for case in INVALID])
def test_n1_webhook_refuses_with_a_plain_word(chat: Chat, body: Any, word: str) -> None:
    """N1: 400 and Slack's word as plain text; nothing arrives."""
    url = chat.registrations["slack_webhook"]["url"]
    more = {"data": body} if isinstance(body, bytes) else {"json": body}

    answer = requests.post(url, timeout=10, **more)

    assert (answer.status_code, answer.text) == (400, word)
    assert answer.headers["content-type"].startswith("text/plain")
    assert chat.messages() == []


@pytest.mark.parametrize("size", ["header-150", "section-3000"])
def test_n1_limits_are_not_lower_than_documented(chat: Chat, webhook: WebhookClient, size: str) -> None:
    """N1: what is exactly as long as allowed is taken."""
    kind, length = size.split("-")
    text_kind = "plain_text" if kind == "header" else "mrkdwn"

    answer = webhook.send(blocks=[{"type": kind, "text": {"type": text_kind, "text": "あ" * int(length)}}])

    assert answer.body == "ok"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("no_service", 404),
        ("no_active_hooks", 404),
        ("channel_is_archived", 410),
        ("team_disabled", 403),
        ("rollup_error", 500),
    ],
)
def test_n2_webhook_can_be_revoked_and_restored(chat: Chat, webhook: WebhookClient, word: str, status: int) -> None:
    """N2: a dead webhook answers its word and status until it is restored."""
    chat.sim("POST", "slack", {"webhook": word})
    gone = webhook.send(text="a")
    chat.sim("POST", "slack", {"webhook": "active"})

    assert (gone.status_code, gone.body) == (status, word)
    assert webhook.send(text="b").body == "ok"
    assert [message["text"] for message in chat.messages()] == ["b"]


def test_n2_unknown_webhook_is_no_service(webhook: WebhookClient) -> None:
    """N2: a wrong secret answers as a removed webhook does."""
    answer = WebhookClient(webhook.url + "x", retry_handlers=[]).send(text="a")

    assert (answer.status_code, answer.body) == (404, "no_service")


def test_n2_strict_limit_is_waited_for_by_slack_sdk(chat: Chat, webhook: WebhookClient) -> None:
    """N2: a second message within the second gets 429 with Retry-After, and slack_sdk's handler passes after it."""
    chat.sim("POST", "slack", {"strict": True})
    webhook.send(text="1")

    limited = webhook.send(text="2")
    waiting = WebhookClient(webhook.url, retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)])

    assert limited.status_code == 429
    assert limited.headers["Retry-After"] == "1"
    assert waiting.send(text="3").status_code == 200
    assert [message["text"] for message in chat.messages()] == ["1", "3"]


def test_n1_burst_passes_unless_strict(chat: Chat, webhook: WebhookClient) -> None:
    """N1: fifty at once are taken, many more are not."""
    statuses = [webhook.send(text=str(number)).status_code for number in range(70)]

    assert statuses[:50] == [200] * 50
    assert 429 in statuses


@pytest.mark.parametrize("member", ["U0SIM0001", "D0SIM0001"])
def test_n4_bot_writes_to_a_member(chat: Chat, bot: WebClient, member: str) -> None:
    """N4: a member's id stands for the direct messages with them; the answer names the conversation."""
    answer = bot.chat_postMessage(channel=member, text="申請が承認されました")

    assert answer["channel"] == "D0SIM0001"
    assert [(message["place"], message["text"]) for message in chat.messages("slack")] == [
        ("山田 太郎 (DM)", "申請が承認されました")
    ]


def test_n4_bot_finds_and_opens(bot: WebClient) -> None:
    """N4: by mail address to the member id, from there to the conversation; auth.test names the bot."""
    member = bot.users_lookupByEmail(email="hanako@example.com")["user"]["id"]

    assert member == "U0SIM0002"
    assert bot.conversations_open(users=[member])["channel"]["id"] == "D0SIM0002"
    assert bot.auth_test()["user_id"] == "U0SIMBOT1"


@pytest.mark.parametrize("channel", ["C0SIM0001", "#連携通知"])
def test_n1_bot_writes_to_a_channel_as_json_or_form(chat: Chat, bot: WebClient, channel: str) -> None:
    """N1: blocks come as JSON, or as JSON text within a form."""
    bot.chat_postMessage(channel=channel, text="a", blocks=[section("*b*")])
    bot.api_call("chat.postMessage", data={"channel": channel, "text": "a", "blocks": '[{"type":"divider"}]'})

    assert [(message["place"], message["text"]) for message in chat.messages()] == [
        ("#連携通知", "b"),
        ("#連携通知", ""),
    ]


BAD_CALLS = [
    ("no-channel", {"channel": "C9", "text": "a"}, {}, "channel_not_found"),
    ("empty", {"channel": "C0SIM0001", "text": ""}, {}, "no_text"),
    ("bot", {"channel": "U0SIMBOT1", "text": "a"}, {}, "cannot_dm_bot"),
    ("archived", {"channel": "C0SIM0002", "text": "a"}, {"archived": ["C0SIM0002"]}, "is_archived"),
    ("not-joined", {"channel": "C0SIM0002", "text": "a"}, {"not_joined": ["C0SIM0002"]}, "not_in_channel"),
    ("revoked", {"channel": "C0SIM0001", "text": "a"}, {"token": "token_revoked"}, "token_revoked"),
    ("inactive", {"channel": "C0SIM0001", "text": "a"}, {"token": "account_inactive"}, "account_inactive"),
]


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing:UserWarning")
@pytest.mark.parametrize(
    ("arguments", "settings", "word"), [case[1:] for case in BAD_CALLS], ids=[case[0] for case in BAD_CALLS]
)
def test_n1_bot_is_refused_under_200(
    chat: Chat, bot: WebClient, arguments: dict[str, Any], settings: dict[str, Any], word: str
) -> None:
    """N1: an error of the Web API is 200 with ok false and a word."""
    chat.sim("POST", "slack", settings)

    answer = refusal(bot.chat_postMessage, **arguments)

    assert (answer["status"], answer["ok"], answer["error"]) == (200, False, word)
    assert chat.messages() == []


def test_n1_missing_scope_names_what_is_needed(chat: Chat, bot: WebClient) -> None:
    """N1: missing_scope carries needed and provided."""
    chat.sim("POST", "slack", {"scopes": ["users:read"]})

    answer = refusal(bot.chat_postMessage, channel="C0SIM0001", text="a")

    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "users:read")


@pytest.mark.parametrize(("token", "word"), [("xoxb-other", "invalid_auth"), ("", "not_authed")])
def test_n2_wrong_token_is_named(bot: WebClient, token: str, word: str) -> None:
    """N2: no token and a wrong one are told apart."""
    other = WebClient(token, base_url=bot.base_url, retry_handlers=[])

    assert refusal(other.auth_test)["error"] == word


def test_n4_unknown_people_are_told(bot: WebClient) -> None:
    """N4: an address nobody has, and a member nobody is."""
    assert refusal(bot.users_lookupByEmail, email="nobody@example.com")["error"] == "users_not_found"
    assert refusal(bot.conversations_open, users="U9")["error"] == "user_not_found"
    assert refusal(bot.api_call, api_method="chat.scream")["error"] == "unknown_method"


def test_n2_bot_limit_is_429_with_retry_after(chat: Chat, bot: WebClient) -> None:
    """N2: over the limit of a channel the status is 429, and another channel is still free."""
    chat.sim("POST", "slack", {"strict": True})
    bot.chat_postMessage(channel="C0SIM0001", text="a")

    with pytest.raises(SlackApiError) as caught:
        bot.chat_postMessage(channel="C0SIM0001", text="b")

    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "1"
    assert bot.chat_postMessage(channel="C0SIM0002", text="c")["ok"]
