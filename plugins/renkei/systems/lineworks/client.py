"""Messages of a LINE WORKS bot to a member or a talk room (N1, N4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from renkei.systems.chat import Answer, ask
from renkei.systems.delivery import Delivery, Message, clean, fit, later, refused, utf16_units
from renkei.systems.lineworks.answers import delivery_of
from renkei.systems.lineworks.auth import API_HOST, LineWorksCredentials, Token, token

MAX_TEXT = 2000  # characters; counted as UTF-16 units, the stricter way
MAX_LINK = 1000  # a longer link is left out, not cut
CHANNEL = "channel:"  # before the id of a talk room
ALTOGETHER_S = 20.0  # for token and message, and both again
MARGIN_S = 60.0  # a token is not used in its last minute


class LineWorksBot:
    """A messenger of one bot. Its access token is kept in the object until shortly before it expires.

    `base_url` stands for both hosts of LINE WORKS: `{base}/oauth2/v2.0/token` and `{base}/v1.0/…`.
    """

    def __init__(
        self, credentials: LineWorksCredentials, base_url: str = "", *, clock: Callable[[], float] = time.time
    ) -> None:
        base = base_url.rstrip("/")
        self._base = "" if base == API_HOST else base  # who types the official address means the official hosts
        self._credentials, self._clock = credentials, clock
        self._kept: Token | None = None

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Send to `to`: a user id, a login mail address, or `channel:` and the id of a talk room.

        `key` has no use: LINE WORKS takes none.
        """
        place = place_of(to)
        if not place:
            return refused(None, "送信先がLINE WORKSのユーザーIDでもトークルームでもありません")
        content = {"content": {"type": "text", "text": text_of(message)}}
        return self._ask("POST", f"/{place}/messages", 201, to.removeprefix(CHANNEL), json=content)

    def check(self) -> Delivery:
        """Whether the credentials give a token that may see the bot."""
        return self._ask("GET", "", 200)

    def _ask(self, method: str, path: str, wanted: int, to: str = "", **kwargs: Any) -> Delivery:
        """The answer for the bot's `path`. A token that is refused is renewed once: then nothing was sent."""
        until = time.monotonic() + ALTOGETHER_S
        answer: Answer | Delivery = later(None, "Timeout")
        for _ in range(2):
            access = self._token(until)
            if isinstance(access, Delivery):
                return access
            left = until - time.monotonic()
            if left <= 0:
                return later(None, "Timeout")
            answer = ask(
                method,
                f"{self._base or API_HOST}/v1.0/bots/{self._credentials.bot_id}{path}",
                headers={"Authorization": f"Bearer {access.text}"},
                within_s=left,
                **kwargs,
            )
            if isinstance(answer, Delivery) or answer.status != 401:
                break
            self._kept = None
        return answer if isinstance(answer, Delivery) else delivery_of(answer, wanted, to)

    def _token(self, until: float) -> Token | Delivery:
        now, left = self._clock(), until - time.monotonic()
        if self._kept is not None and now < self._kept.expires - MARGIN_S:
            return self._kept
        if left <= 0:
            return later(None, "Timeout")
        got = token(self._credentials, self._base, now, left)
        self._kept = got if isinstance(got, Token) else None
        return got


def text_of(message: Message) -> str:
    """The message as plain text; what does not fit is cut before the link, so that the link stays whole.

    LINE WORKS puts a member's name where `<m userId="…">` stands, and alerts that member or everybody: such a text
    in a message is shown as it is, with a full-width bracket.
    """
    body = replace(message, link="").text()
    link = _unmarked(clean(message.text()[len(body) :]))
    if len(link) > MAX_LINK:
        link = ""
    return fit(_unmarked(clean(body)), MAX_TEXT - utf16_units(link), utf16_units) + link


def place_of(to: str) -> str:
    """The part of the path that names `to`; "" where it names nobody."""
    kind, name = ("channels", to.removeprefix(CHANNEL)) if to.startswith(CHANNEL) else ("users", to)
    name = clean(name)
    if not name or name.strip(".") == "" or any(sign.isspace() for sign in name):
        return ""
    return f"{kind}/{quote(name, safe='')}"


def _unmarked(text: str) -> str:
    return re.sub(r"<(?=\s*/?\s*m\b)", "＜", text, flags=re.IGNORECASE)
