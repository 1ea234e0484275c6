"""What an answer of LINE WORKS means (N1). It knows no key, so what may have been sent is not repeated."""

from __future__ import annotations

import re

from renkei.systems.chat import Answer, by_status
from renkei.systems.delivery import Delivery, accepted, later

_ADDRESS = re.compile(r"(?<![^\s<>(),;:'\"])[^\s<>(),;:'\"]+@[^\s<>(),;:'\"]+")
MINUTE_S = 60.0  # the rate limit is counted per minute; no Retry-After is documented


def delivery_of(answer: Answer, wanted: int, to: str = "") -> Delivery:
    """The delivery that an answer stands for; `wanted` is the status of success."""
    if answer.status == wanted:
        return accepted(wanted)
    reason = reason_of(answer, to)
    if answer.status == 429:
        return later(429, reason, answer.retry_after_s or MINUTE_S)
    return by_status(answer, reason, dead=answer.status == 401)


def reason_of(answer: Answer, to: str = "") -> str:
    """LINE WORKS' code and description, without `to` and addresses (L6); the status where somebody else answered."""
    parts = [answer.json_object.get(name) for name in ("code", "description", "error", "error_description")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part)
    if to:
        text = re.sub(rf"(?<![\w.+-]){re.escape(to)}(?![\w+-])", "(送信先)", text)
    return _ADDRESS.sub("(…)", text) or f"HTTP {answer.status}"
