"""Push messages of a LINE official account (N1, N4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from renkei.systems.chat import ask
from renkei.systems.delivery import Delivery, Message, clean, fit, refused, repeatable, utf16_units
from renkei.systems.line.answers import Proof, answer_of
from renkei.systems.transport import HEADER_TEXT

HOST = "https://api.line.me"
MAX_TEXT = 5000  # UTF-16 units: "Text message" and "Character counting in a text", developers.line.biz
MAX_LINK = 1000  # a longer link is left out, not cut
PERSON_OR_ROOM = re.compile(r"[UCR][0-9a-f]{32}")


class LineMessenger:
    """A messenger of one channel access token. Every repetition with the same key is safe."""

    def __init__(self, token: str, base_url: str = HOST) -> None:
        self._token = token
        self._host = base_url.rstrip("/") or HOST

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Push `message` to the LINE user id (or group, or room) `to`; `key` is the retry key, a UUID."""
        if not PERSON_OR_ROOM.fullmatch(to):  # LINE forbids trying ids that cannot exist
            return refused(None, "送信先がLINEのユーザーIDではありません（U と32桁の英数字）")
        body = {"to": to, "messages": [{"type": "text", "text": text_of(message)}]}
        return self._ask("POST", "/v2/bot/message/push", _message_id, key, json=body)

    def check(self) -> Delivery:
        """Whether LINE knows the token: asks who the official account is."""
        return self._ask("GET", "/v2/bot/info", lambda said: "" if isinstance(said.get("userId"), str) else None)

    def _ask(self, method: str, path: str, proof: Proof, key: str | None = None, json: Any = None) -> Delivery:
        if not HEADER_TEXT.fullmatch(self._token):
            return refused(None, "チャネルアクセストークンが空か、空白・改行・全角文字を含んでいます", dead=True)
        headers = {"Authorization": f"Bearer {self._token}", "X-Line-Retry-Key": key}  # None is not sent
        answer = ask(method, self._host + path, headers=headers, json=json)
        return repeatable(answer) if isinstance(answer, Delivery) else answer_of(answer, proof)


def text_of(message: Message) -> str:
    """The message as LINE takes it; what does not fit is cut before the link, so that the link stays whole."""
    body = replace(message, link="").text()
    link = clean(message.text()[len(body) :])
    if len(link) > MAX_LINK:
        link = ""
    return fit(clean(body), MAX_TEXT - utf16_units(link), utf16_units) + link


def _message_id(said: dict[str, Any]) -> str | None:
    """The id of the message that was sent; None where the answer is not LINE's."""
    sent = said.get("sentMessages")
    first = sent[0] if isinstance(sent, list) and sent else None
    return first["id"] if isinstance(first, dict) and isinstance(first.get("id"), str) else None
