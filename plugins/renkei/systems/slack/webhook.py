"""Slack's incoming webhooks (N1): one URL, one channel."""

from __future__ import annotations

import re

import httpx

from renkei.systems.messaging import Delivery, Message, accepted, later, refused, unknown
from renkei.systems.posting import Answer, passing
from renkei.systems.slack.payloads import payload
from renkei.systems.slack.wire import WORD, UnansweredError, Webhook
from renkei.systems.webhook_urls import WebhookUrl

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

    transport: httpx.BaseTransport | None = None  # instead of the network

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once. `to` and `key` mean nothing here: the URL names the channel, and Slack takes no key."""
        try:
            response = Webhook(self._url, self.transport).send_dict(payload(message))
        except UnansweredError as error:
            return error.delivery
        except ValueError:  # of urllib, before anything is sent
            return refused(None, "URLの形をしていません", dead=True)
        return delivery(Answer(response.status_code, response.body, httpx.Headers(response.headers, "utf-8")))

    def check(self) -> Delivery:
        """Slack shows nothing of a webhook without posting to it."""
        return accepted(None)


def delivery(answer: Answer) -> Delivery:
    """What Slack's word and status mean."""
    status, word = answer.status, answer.text.strip()
    if status == 200 and word == "ok":
        return accepted(status)
    word = word if WORD.fullmatch(word) and word != "ok" else ""
    reason = word or f"HTTP {status}"
    if word in DEAD or word in REFUSED:
        return refused(status, reason, dead=word in DEAD)
    if word in AGAIN:
        return later(status, reason, answer.retry_after_s)
    if passed := passing(status, reason, answer.retry_after_s):
        return passed
    if status < 300:
        return unknown(status, word or "not an answer of Slack")
    return refused(status, reason, dead=status in (401, 404, 410))


def _path_fault(path: str, query: str) -> str:
    if path.startswith(("/triggers/", "/workflows/")):
        return f"これはSlackのワークフロービルダーのURLで、Incoming WebhookのURLではありません。{ASK}"
    if not PATH.fullmatch(path):
        return f"URLが途中で切れているか、余分な文字があります（/services/T…/B…/… の形です）。{ASK}"
    return ""


url_fault = WebhookUrl(
    "Slack", "SlackのIncoming Webhook", ("hooks.slack.com", "hooks.slack-gov.com"), _path_fault, ASK
).fault
