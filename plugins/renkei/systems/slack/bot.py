"""Slack's Web API as a bot (N1, N4): to a channel, or to a member by a direct message."""

from __future__ import annotations

from typing import Any

from renkei.systems.chat import Answer, ask, by_status
from renkei.systems.delivery import Delivery, Message, accepted, later, refused, unknown
from renkei.systems.slack.payloads import HEADERS, WORD, payload
from renkei.systems.transport import HEADER_TEXT

# docs.slack.dev, chat.postMessage, "Errors"
DEAD = frozenset({"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"})
AGAIN = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout"})
OPEN = frozenset({"fatal_error", "internal_error"})  # "some aspect of the operation" may have succeeded


class SlackBot:
    """The workspace of one bot token."""

    def __init__(self, token: str, base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once to `to`: a channel's id, or a member's (a direct message). Slack takes no `key`."""
        answer = self._call("chat.postMessage", {"channel": to, **payload(message)})
        if answer.accepted and not answer.message_id:
            return unknown(answer.status, "no ts in the answer")
        return answer

    def check(self) -> Delivery:
        """auth.test: whether the token is accepted."""
        return self._call("auth.test", {})

    def _call(self, method: str, arguments: dict[str, Any]) -> Delivery:
        if not HEADER_TEXT.fullmatch(self._token):
            return refused(None, "トークンが空か、使えない文字があります", dead=True)
        headers = {**HEADERS, "Authorization": f"Bearer {self._token}"}
        answer = ask("POST", f"{self._base_url}/{method}", headers=headers, json=arguments)
        return answer if isinstance(answer, Delivery) else delivery(answer)


def delivery(answer: Answer) -> Delivery:
    """What Slack's `ok`, word and status mean."""
    status, body = answer.status, answer.json_object
    if status == 200 and body.get("ok") is True:
        return accepted(status, str(body.get("ts") or ""))
    word, needed = body.get("error"), body.get("needed")
    word = word if isinstance(word, str) and WORD.fullmatch(word) else ""
    reason = word or (f"HTTP {status}" if status >= 300 else "not an answer of Slack")
    if word in DEAD:
        return refused(status, reason, dead=True)
    if word in AGAIN:
        return later(status, reason, answer.retry_after_s)
    if word in OPEN:
        return unknown(status, reason)
    if word == "missing_scope" and isinstance(needed, str):
        reason = f"{word} ({needed})"
    if word and status < 300:
        return refused(status, reason)
    return by_status(answer, reason, dead=status == 401)
