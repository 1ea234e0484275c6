"""What LINE WORKS sends to a bot's Callback URL. https://developers.worksmobile.com/jp/docs/bot-callback"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

SIGNATURE = "X-WORKS-Signature"
KINDS = ("message", "postback")  # of a person who says something; of the others none asks for anything
_NOBODYS = "no secret of anybody's"


@dataclass(frozen=True, slots=True)
class CallbackEvent:
    """What a person wrote or pressed."""

    user_id: str
    channel_id: str  # of a group talk; empty where person and bot are alone
    issued_time: str  # as LINE WORKS writes it
    digest: str  # of what it says

    @property
    def same(self) -> str:
        """What makes it the same event again: LINE WORKS gives them no id."""
        return "\n".join((self.user_id, self.channel_id, self.issued_time, self.digest))


def is_signed(body: bytes, signature: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the Bot Secrets signed the body as it was sent; no time tells which, or that there is none."""
    found = False
    for secret in secrets or (_NOBODYS,):
        wanted = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
        found |= hmac.compare_digest(wanted, signature)
    return found and bool(secrets)


def event_of(body: bytes) -> CallbackEvent | None:
    """The event; None for one of another kind, of which LINE WORKS may add more, and for what is no event at all."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("type") not in KINDS:
        return None
    source = said.get("source")
    if not isinstance(source, dict):
        return None
    user, channel, issued = source.get("userId"), source.get("channelId") or "", said.get("issuedTime")
    if not (_is_text(user) and _is_text(issued) and isinstance(channel, str)):
        return None
    says = json.dumps([said["type"], said.get("content"), said.get("data")], sort_keys=True)
    return CallbackEvent(user, channel, issued, hashlib.sha256(says.encode()).hexdigest())


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)
