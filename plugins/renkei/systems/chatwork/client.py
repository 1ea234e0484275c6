"""Chatwork's API v2 with an API token (N1): messages into rooms."""

from __future__ import annotations

import re
import time

from renkei.systems.chat import Answer, ask, by_status
from renkei.systems.chatwork.payloads import form
from renkei.systems.delivery import Delivery, Message, accepted, later, refused, unknown
from renkei.systems.transport import HEADER_TEXT

ROOM = re.compile(r"[0-9]{1,20}")
ROOM_LIMIT_S = 10.0  # reference: ten messages in ten seconds for each room


class ChatworkRoom:
    """The rooms that one API token may write to."""

    def __init__(self, token: str, base_url: str = "https://api.chatwork.com/v2") -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once into the room `to`. Chatwork takes no `key`."""
        if not ROOM.fullmatch(to):  # it becomes part of the path
            return refused(None, "送信先のルームIDが数字ではありません")
        answer = self._call("POST", f"/rooms/{to}/messages", form(message))
        return answer if isinstance(answer, Delivery) else delivery(answer, "message_id")

    def check(self) -> Delivery:
        """GET /me: whether the token is accepted."""
        answer = self._call("GET", "/me", None)
        return answer if isinstance(answer, Delivery) else delivery(answer, "account_id")

    def _call(self, method: str, path: str, data: dict[str, str] | None) -> Answer | Delivery:
        if not HEADER_TEXT.fullmatch(self._token):
            return refused(None, "トークンが空か、使えない文字があります", dead=True)
        headers = {"X-ChatWorkToken": self._token, "Accept": "application/json"}
        return ask(method, self._base_url + path, headers=headers, data=data)


def delivery(answer: Answer, proof: str) -> Delivery:
    """What Chatwork's status means; `proof` is the field that only its own answer has."""
    status, body = answer.status, answer.json_object
    if status == 200:
        if body.get(proof):
            return accepted(status, str(body[proof]) if proof == "message_id" else "")
        return unknown(status, "not an answer of Chatwork")
    errors = body.get("errors")
    reason = " / ".join(e for e in errors if isinstance(e, str)) if isinstance(errors, list) else ""
    reason = reason or f"HTTP {status}"
    if status == 429:
        return later(status, reason, ROOM_LIMIT_S if "per room" in reason else _reset_s(answer))
    return by_status(answer, reason, dead=status == 401)


def _reset_s(answer: Answer) -> float | None:
    """Seconds until the five minutes of the limit are over: `x-ratelimit-reset` is a moment (Unix seconds)."""
    moment = answer.headers.get("x-ratelimit-reset", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", moment):
        return max(0.0, float(moment) - time.time())
    return answer.retry_after_s
