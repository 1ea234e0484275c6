"""What an answer of LINE's Messaging API means for a message that carries a retry key (N1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from renkei.systems.chat import Answer
from renkei.systems.delivery import MAX_REASON, Delivery, accepted, later, refused, words

MONTHLY_LIMIT = "monthly limit"  # "You have reached your monthly limit."
MAX_DETAILS = 3  # of the faults LINE lists
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Proof = Callable[[dict[str, Any]], str | None]  # the id of the message in an answer; None where it is not LINE's


def answer_of(answer: Answer, proof: Proof) -> Delivery:
    """The delivery that an answer stands for.

    What proves nothing, 5xx and 408 are LATER, not UNKNOWN: LINE takes a message with the same retry key once only, and
    answers 409 to every repetition. Source: "Retrying a failed API request", developers.line.biz.
    """
    if answer.status < 300:
        found = proof(answer.json_object) if answer.status == 200 else None
        return later(answer.status, f"HTTP {answer.status}") if found is None else accepted(answer.status, found)
    if answer.status == 409:
        return accepted(answer.status, _uuid(answer.headers.get("x-line-accepted-request-id", "")))
    return _numbered(_failure(answer.status, _words(answer)), answer.headers)


def _failure(status: int, reason: str) -> Delivery:
    if status == 401:
        return refused(status, reason, dead=True)
    if status == 429 and MONTHLY_LIMIT in reason.lower():
        return refused(status, f"{reason}（今月の送信数の上限）")
    if status in (408, 429) or status >= 500:
        return later(status, reason)
    return refused(status, reason)


def _words(answer: Answer) -> str:
    """LINE's message with the first faults it lists; only the status where somebody else answered."""
    message, details = answer.json_object.get("message"), answer.json_object.get("details")
    if not isinstance(message, str):
        return f"HTTP {answer.status}"
    faults = [_fault(detail) for detail in (details if isinstance(details, list) else [])[:MAX_DETAILS]]
    return " / ".join([message, *filter(None, faults)])


def _fault(detail: Any) -> str:
    parts = [detail.get(name) for name in ("property", "message")] if isinstance(detail, dict) else []
    return ": ".join(part for part in parts if isinstance(part, str))


def _numbered(delivery: Delivery, headers: Mapping[str, str]) -> Delivery:
    """The delivery with the request's number in its reason, which LINE's support asks for; a UUID is no secret."""
    number = _uuid(headers.get("x-line-request-id", ""))
    if not number:
        return delivery
    note = f" (x-line-request-id: {number})"
    return replace(delivery, reason=words(delivery.reason)[: MAX_REASON - len(note)] + note)


def _uuid(text: str) -> str:
    return text if UUID.fullmatch(text) else ""
