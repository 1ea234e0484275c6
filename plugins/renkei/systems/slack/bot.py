"""Slack's Web API as a bot (N1, N4): to a channel, or to a member by a direct message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from renkei.systems.messaging import Delivery, Message, accepted, later, refused, unknown
from renkei.systems.posting import Answer, passing
from renkei.systems.slack.payloads import payload
from renkei.systems.slack.wire import WORD, Api, UnansweredError

TOKEN = re.compile(r"[\x21-\x7e]+")  # nothing else can stand in a header

# docs.slack.dev, chat.postMessage, "Errors"
DEAD = frozenset({"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"})
AGAIN = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout"})
OPEN = frozenset({"fatal_error", "internal_error"})  # "some aspect of the operation" may have succeeded


class SlackBot:
    """The workspace of one bot token."""

    transport: httpx.BaseTransport | None = None  # instead of the network

    def __init__(self, token: str, base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._base_url = base_url

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once to `to`: a channel's id, or a member's (a direct message). Slack takes no `key`."""
        answer = self._call(lambda api: api.chat_postMessage(channel=to, **payload(message)))
        if answer.accepted and not answer.message_id:
            return unknown(answer.status, "no ts in the answer")
        return answer

    def check(self) -> Delivery:
        """auth.test: whether the token is accepted."""
        return self._call(lambda api: api.auth_test())

    def _call(self, method: Callable[[Api], SlackResponse]) -> Delivery:
        if not TOKEN.fullmatch(self._token):
            return refused(None, "トークンが空か、使えない文字があります", dead=True)
        try:
            response = method(Api(self._token, self._base_url, self.transport))
        except UnansweredError as error:
            return error.delivery
        except SlackApiError as error:
            response = error.response
        except ValueError:  # of urllib, before anything is sent
            return refused(None, "APIのURLの形が正しくありません")
        said = response.data if isinstance(response.data, dict) else {}
        return delivery(
            response.status_code, said, Answer(0, "", httpx.Headers(response.headers, "utf-8")).retry_after_s
        )


def delivery(status: int, said: Mapping[str, Any], retry_after_s: float | None = None) -> Delivery:
    """What Slack's `ok`, word and status mean; `said` is empty where the answer is not Slack's."""
    if status == 200 and said.get("ok") is True:
        return accepted(status, str(said.get("ts") or ""))
    word = said.get("error")
    word = word if isinstance(word, str) and WORD.fullmatch(word) else ""
    reason = word or f"HTTP {status}"
    if word in DEAD:
        return refused(status, reason, dead=True)
    if word in AGAIN:
        return later(status, reason, retry_after_s)
    if word in OPEN:
        return unknown(status, reason)
    if passed := passing(status, reason, retry_after_s):
        return passed
    if status < 300 and not word:
        return unknown(status, "not an answer of Slack")
    needed = said.get("needed")
    if word == "missing_scope" and isinstance(needed, str):
        reason = f"{word} ({needed})"
    return refused(status, reason, dead=status == 401)
