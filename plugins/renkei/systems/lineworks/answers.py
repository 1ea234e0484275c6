"""What an answer of LINE WORKS means (N1). It knows no key, so what may have been sent is not repeated."""

from __future__ import annotations

import re

from renkei.systems.messaging import Delivery, accepted, later, refused, unknown
from renkei.systems.posting import Answer, passing

MINUTE_S = 60.0  # the rate limit is counted per minute; no Retry-After is documented


def delivery_of(answer: Answer, wanted: int, to: str = "") -> Delivery:
    """The delivery that an answer stands for; `wanted` is the status of success."""
    if answer.status == wanted:
        return accepted(wanted)
    reason = reason_of(answer, to)
    if answer.status == 429:
        return later(429, reason, answer.retry_after_s or MINUTE_S)
    if 200 <= answer.status < 300:  # a success, but not the documented one: somebody else may be answering
        return unknown(answer.status, reason)
    return passing(answer.status, reason, answer.retry_after_s) or refused(
        answer.status, reason, dead=answer.status == 401
    )


def reason_of(answer: Answer, to: str = "") -> str:
    """LINE WORKS' code and description, without `to` and addresses (L6); the status where somebody else answered."""
    said = answer.json if isinstance(answer.json, dict) else {}
    parts = [said.get(name) for name in ("code", "description", "error", "error_description")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part)
    if to:
        text = re.sub(rf"(?<![\w.+-]){re.escape(to)}(?![\w+-])", "(送信先)", text)
    return re.sub(r"[^\s<>(),;:'\"]+@[^\s<>(),;:'\"]+", "(…)", text) or f"HTTP {answer.status}"
