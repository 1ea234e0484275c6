"""Messages of a LINE WORKS bot to a member or a talk room (N1, N4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from renkei.systems.delivery import Delivery, Message, clean, fit, refused, utf16_units
from renkei.systems.lineworks.answers import delivery_of
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials, bot_fault

MAX_TEXT = 2000  # characters; counted as UTF-16 units, the stricter way
MAX_LINK = 1000  # a longer link is left out, not cut
CHANNEL = "channel:"  # before the id of a talk room
TO_MEMBER = "bot-user-message-send"  # what LINE WORKS counts by
TURN_S = 5.0  # how long one message waits for its turn: who sends many waits by himself


class LineWorksBot:
    """A messenger of one bot. `base_url` stands for both hosts of LINE WORKS."""

    def __init__(
        self,
        credentials: LineWorksCredentials,
        base_url: str = "",
        *,
        clock: Callable[[], float] = time.time,
        api: LineWorksApi | None = None,
    ) -> None:
        """`api`: one that others use too, whose scopes have the bot's; else its own."""
        self._bot_id = credentials.bot_id
        self._api = api or LineWorksApi(credentials, base_url, clock=clock)

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Send to `to`: a user id, a login mail address, or `channel:` and the id of a talk room.

        `key` has no use: LINE WORKS takes none.
        """
        place = place_of(to)
        if not place:
            return refused(None, "送信先がLINE WORKSのユーザーIDでもトークルームでもありません")
        content = {"content": {"type": "text", "text": text_of(message)}}
        operation = "bot-channel-message-send" if to.startswith(CHANNEL) else TO_MEMBER
        return self._ask(operation, "POST", f"/{place}/messages", 201, to.removeprefix(CHANNEL), json=content)

    def sent_before(self, ages_s: Iterable[float]) -> None:
        """Messages to members that an earlier process has sent within this minute, by how many seconds ago each."""
        self._api.asked_before(TO_MEMBER, ages_s)

    def check(self) -> Delivery:
        """Whether the credentials give a token that may see the bot."""
        return self._ask("bot-get", "GET", "", 200)

    def _ask(self, operation: str, method: str, path: str, wanted: int, to: str = "", **kwargs: Any) -> Delivery:
        if fault := bot_fault(self._bot_id):
            return refused(None, fault, dead=True)
        answer = self._api.ask(operation, method, f"/bots/{self._bot_id}{path}", turn_s=TURN_S, **kwargs)
        return answer if isinstance(answer, Delivery) else delivery_of(answer, wanted, to)


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
