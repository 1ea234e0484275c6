"""What people write to the bot, and the callbacks that LINE WORKS makes of it.

`POST /_sim/lineworks/said` says things in the given order and tells how the receiver answered each; the page at
`/talk/lineworks` is where a person types. As LINE WORKS does, a callback that fails is not sent again; what is to be
repeated, out of order or wrongly signed is so on order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ANSWERED_WITHIN_S = 20.0
MAX_AT_ONCE = 64
SENDERS = ThreadPoolExecutor(MAX_AT_ONCE, "callback")  # urllib waits for each answer


class Said(BaseModel):
    """One event. `text` is short for a text's content; `more` are further properties, such as `members` of joined.

    `channel`: the room of a group talk, empty where person and bot are alone. `issued_at`: when it was said (now).
    `times`: how often it is delivered. `signed`: rightly, with another Bot Secret, or not at all.
    """

    model_config = ConfigDict(extra="forbid")
    user: str = ""
    channel: str = ""
    type: str = "message"
    text: str | None = None
    content: dict[str, Any] | None = None
    more: dict[str, Any] = Field(default_factory=dict)
    issued_at: AwareDatetime | None = None
    times: Annotated[int, Field(ge=1)] = 1
    signed: Literal["right", "wrong", "missing"] = "right"

    def body(self, user_id: str, domain_id: int, now: datetime) -> bytes:
        """As it goes over the wire."""
        source = {"userId": user_id, "channelId": self.channel, "domainId": domain_id}
        content = {"type": "text", "text": self.text} if self.text is not None else self.content
        event = {
            "type": self.type,
            "source": {name: value for name, value in source.items() if value},
            "issuedTime": written(self.issued_at or now),
            **({"content": content} if content is not None else {}),
            **self.more,
        }
        return json.dumps(event, ensure_ascii=False).encode()

    def shown(self) -> str:
        """What stands in the bubble of the talk."""
        content = self.content or {}
        words = self.text if self.text is not None else content.get("text")
        return str(words) if words is not None else f"［{content.get('type', self.type)}］"


@dataclass(frozen=True, slots=True)
class Heard:
    """How the receiver took one delivery: its status, or why there is none."""

    status: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Uttered:
    """What somebody said, as the talk shows it; `heard` grows by each delivery."""

    number: int
    user_id: str
    channel: str
    at: str
    text: str
    heard: list[Heard] = field(default_factory=list)


def written(at: datetime) -> str:
    """`YYYY-MM-DDThh:mm:ss.SSSZ`, as a message's issuedTime."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def headers(body: bytes, secret: str, bot_id: str, signed: str) -> dict[str, str]:
    """Those of a callback; the signature is Base64 of HMAC-SHA256 by the Bot Secret over the body as it is sent."""
    found = {"Content-Type": "application/json; charset=UTF-8", "X-WORKS-BotId": bot_id}
    if signed != "missing":
        key = secret if signed == "right" else f"not {secret}"
        digest = hmac.digest(key.encode(), body, hashlib.sha256)
        found["X-WORKS-Signature"] = base64.b64encode(digest).decode()
    return found


def deliver(url: str, body: bytes, sent: dict[str, str]) -> Heard:
    """Send one callback; redirects and proxies are not followed."""
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(url, body, sent, method="POST")
        with opener.open(request, timeout=ANSWERED_WITHIN_S) as response:
            return Heard(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return Heard(error.code)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Heard(None, str(getattr(error, "reason", error)) or type(error).__name__)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Talk:
    """All that was said since the last reset, and its deliveries."""

    def __init__(self) -> None:
        self.uttered: list[Uttered] = []

    def clear(self) -> None:
        self.uttered.clear()

    def of(self, user_id: str, channel: str) -> list[Uttered]:
        """A talk of two, or of a room whoever spoke in it."""
        return [one for one in self.uttered if one.channel == channel and (channel or one.user_id == user_id)]

    async def say(self, said: Said, body: bytes, user_id: str, url: str, sent: dict[str, str]) -> Uttered:
        """Note it and deliver it, if there is a Callback URL."""
        at = written(datetime.now(UTC))
        uttered = Uttered(len(self.uttered) + 1, user_id, said.channel, at, said.shown())
        self.uttered.append(uttered)
        for _ in range(said.times if url else 0):
            heard = await asyncio.get_running_loop().run_in_executor(SENDERS, deliver, url, body, sent)
            uttered.heard.append(heard)
        return uttered
