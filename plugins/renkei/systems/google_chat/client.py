"""Google Chat through the webhook of a space (N1)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from renkei.systems.chat import Answer, ask, by_status
from renkei.systems.delivery import Delivery, Message, accepted, later, unknown
from renkei.systems.google_chat.payloads import content
from renkei.systems.webhook_urls import WebhookUrl, without_slash

PATH = re.compile(r"/v1/spaces/[^/]+/messages")
NAME = re.compile(r"spaces/[^/\s]+/messages/\S+")
ASK = "Google Chatのスペースの「アプリと統合」でWebhookを追加し、表示されたURLの全体をコピーしてください。"


class GoogleChatSpace:
    """The space of one webhook."""

    def __init__(self, url: str) -> None:
        self._url = without_slash(url)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once. `to` and `key` mean nothing here: the URL names the space, and a webhook takes no key."""
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        answer = ask("POST", self._url, data=content(message), headers=headers)
        return answer if isinstance(answer, Delivery) else delivery(answer)

    def check(self) -> Delivery:
        """Google shows nothing of a webhook without posting to it."""
        return accepted(None)


def delivery(answer: Answer) -> Delivery:
    """What Google's HTTP status and its own `status` mean."""
    status = answer.status
    if status == 200:
        name = answer.json_object.get("name")
        if isinstance(name, str) and NAME.fullmatch(name):
            return accepted(status, name)
        return unknown(status, "not an answer of Google Chat")
    own, message = answer.error("status", "message")
    reason = ": ".join(filter(None, (own, message))) or f"HTTP {status}"
    if own == "RESOURCE_EXHAUSTED":
        return later(status, reason, answer.retry_after_s)
    # PERMISSION_DENIED: key or token do not fit, or the webhook was deleted (reference, "Errors").
    void = status in (401, 404, 410) or own in ("PERMISSION_DENIED", "UNAUTHENTICATED") or "API key" in message
    return by_status(answer, reason, dead=void)


def _path_fault(path: str, query: str) -> str:
    if not PATH.fullmatch(path):
        return f"URLが途中で切れているか、余分な文字があります（/v1/spaces/…/messages?key=…&token=… の形です）。{ASK}"
    given = parse_qs(query)
    if not (given.get("key") and given.get("token")):
        return f"URLの終わりの key=… または token=… がありません。{ASK}"
    return ""


url_fault = WebhookUrl("Google Chat", "Google ChatのWebhook", ("chat.googleapis.com",), _path_fault, ASK).fault
