"""What an answer of LINE's Messaging API means for a message that carries a retry key (N1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from renkei.systems.messaging import REASON_MOST, Delivery, accepted, later, refused, words

MONTHLY_LIMIT = "monthly limit"  # "You have reached your monthly limit."
DETAILS_MOST = 3  # of the faults LINE lists
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def answer_of(status: int, body: str, headers: Mapping[str, str]) -> Delivery:
    """The delivery that an answer other than 200 stands for.

    5xx and 408 are LATER, not UNKNOWN: LINE takes a message with the same retry key once only, and answers 409 to
    every repetition. Source: "Retrying a failed API request", developers.line.biz.
    """
    if status == 409:
        return accepted(status, _uuid(headers.get("x-line-accepted-request-id", "")))
    return _numbered(_failure(status, _words(status, body)), headers)


def _failure(status: int, reason: str) -> Delivery:
    if status == 401:
        return refused(status, reason, dead=True)
    if status == 429 and MONTHLY_LIMIT in reason.lower():
        return refused(status, f"{reason}（今月の送信数の上限）")
    if status in (408, 429) or status >= 500:
        return later(status, reason)
    return refused(status, reason)


def _words(status: int, body: str) -> str:
    """LINE's message with the first faults it lists; only the status where somebody else answered."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
        return f"HTTP {status}"
    details = answer.get("details")
    faults = [_fault(detail) for detail in (details if isinstance(details, list) else [])[:DETAILS_MOST]]
    return " / ".join([answer["message"], *filter(None, faults)])


def _fault(detail: Any) -> str:
    parts = [detail.get(name) for name in ("property", "message")] if isinstance(detail, dict) else []
    return ": ".join(part for part in parts if isinstance(part, str))


def _numbered(delivery: Delivery, headers: Mapping[str, str]) -> Delivery:
    """The delivery with the request's number in its reason, which LINE's support asks for; a UUID is no secret."""
    number = _uuid(headers.get("x-line-request-id", ""))
    if not number:
        return delivery
    note = f" (x-line-request-id: {number})"
    return replace(delivery, reason=words(delivery.reason)[: REASON_MOST - len(note)] + note)


def _uuid(text: str) -> str:
    return text if UUID.fullmatch(text) else ""
