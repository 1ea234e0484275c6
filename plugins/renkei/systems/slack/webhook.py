"""Slack's incoming webhooks (N1): one URL, one channel."""

from __future__ import annotations

import re

from renkei.systems.chat import Answer, ask, by_status
from renkei.systems.delivery import Delivery, Message, accepted, later, refused
from renkei.systems.slack.payloads import HEADERS, WORD, payload
from renkei.systems.webhook_urls import WebhookUrl, without_slash

PATH = re.compile(r"/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+")
ASK = "SlackのアプリのIncoming Webhooksの画面で、https://hooks.slack.com/services/ で始まるURLをコピーしてください。"

# The word is the truth, the number a hint (reference, "Incoming webhook").
DEAD = frozenset(
    {
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "team_disabled",
    }
)
REFUSED = frozenset(
    {
        "action_prohibited",
        "invalid_payload",
        "no_text",
        "posting_to_general_channel_denied",
        "too_many_attachments",
        "user_not_found",
    }
)
AGAIN = frozenset({"rollup_error", "rate_limited", "ratelimited"})


class SlackWebhook:
    """The channel of one webhook."""

    def __init__(self, url: str) -> None:
        self._url = without_slash(url)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once. `to` and `key` mean nothing here: the URL names the channel, and Slack takes no key."""
        answer = ask("POST", self._url, headers=HEADERS, json=payload(message))
        return answer if isinstance(answer, Delivery) else delivery(answer)

    def check(self) -> Delivery:
        """Slack shows nothing of a webhook without posting to it."""
        return accepted(None)


def delivery(answer: Answer) -> Delivery:
    """What Slack's word and status mean."""
    status, word = answer.status, answer.text.strip()
    if status == 200 and word == "ok":
        return accepted(status)
    word = word if WORD.fullmatch(word) and word != "ok" else ""
    reason = word or (f"HTTP {status}" if status >= 300 else "not an answer of Slack")
    if word in DEAD or word in REFUSED:
        return refused(status, reason, dead=word in DEAD)
    if word in AGAIN:
        return later(status, reason, answer.retry_after_s)
    return by_status(answer, reason, dead=status in (401, 404, 410))


def _path_fault(path: str, query: str) -> str:
    if path.startswith(("/triggers/", "/workflows/")):
        return f"これはSlackのワークフロービルダーのURLで、Incoming WebhookのURLではありません。{ASK}"
    if not PATH.fullmatch(path):
        return f"URLが途中で切れているか、余分な文字があります（/services/T…/B…/… の形です）。{ASK}"
    return ""


url_fault = WebhookUrl(
    "Slack", "SlackのIncoming Webhook", ("hooks.slack.com", "hooks.slack-gov.com"), _path_fault, ASK
).fault
