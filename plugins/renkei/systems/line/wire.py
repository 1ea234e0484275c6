"""line-bot-sdk's client with its requests sent by `posting`.

Left to itself it reads an answer of any length into memory and for any time, and follows a redirect with the token in
its hand (3.27, `RESTClientObject`, urllib3). Only the pool that opens the connection is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from renkei.systems.messaging import Delivery
from renkei.systems.posting import Answer, request


class UnansweredError(Exception):
    """LINE said nothing; `delivery` tells why."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        super().__init__(delivery.reason)


@dataclass(frozen=True, slots=True)
class Pool:
    """In the place of urllib3's."""

    def request(self, method: str, url: str, *, body: Any = None, headers: Any = None, **_: Any) -> Any:
        """One request, as the client words it; the timeouts are ours."""
        content = body.encode() if isinstance(body, str) else body
        answer = request(method, url, content=content, headers=headers)
        if isinstance(answer, Delivery):
            raise UnansweredError(answer)
        return _as_urllib3(answer)


def _as_urllib3(answer: Answer) -> SimpleNamespace:
    known = answer.status in HTTPStatus._value2member_map_
    return SimpleNamespace(
        status=answer.status,
        reason=HTTPStatus(answer.status).phrase if known else "",
        data=answer.text.encode(),
        headers=answer.headers,
    )
