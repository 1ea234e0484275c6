"""slack_sdk's clients with their requests sent by `posting`.

Left to itself slack_sdk goes through whatever proxy the environment names, follows a redirect with the token in its
hand, waits for each byte anew, and writes URL and message to its log (3.47, `_perform_http_request`). Only the
one method that opens the connection is replaced; tests/unit/systems/slack fails if a later version has no such method.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.request import Request

import httpx
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from renkei.systems.messaging import Delivery
from renkei.systems.posting import Answer, request

WORD = re.compile(r"[a-z][a-z_]{1,59}")  # an error of Slack's; anything else might echo a secret


class UnansweredError(Exception):
    """Slack said nothing; `delivery` tells why."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        super().__init__(delivery.reason)


class Webhook(WebhookClient):
    """Posts once."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None) -> None:
        super().__init__(url, logger=_silence(), retry_handlers=[])
        self._transport = transport

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        answer = _sent(url, req, self._transport)
        return WebhookResponse(url="", status_code=answer.status, body=answer.text, headers=dict(answer.headers))


class Api(WebClient):
    """Calls once. An answer that is no JSON object reaches the caller as one without a word."""

    def __init__(self, token: str, base_url: str, transport: httpx.BaseTransport | None) -> None:
        super().__init__(token, base_url, logger=_silence(), retry_handlers=[])
        self._transport = transport

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        answer = _sent(url, req, self._transport)
        body = answer.text if isinstance(answer.json, dict) else "{}"
        return {"status": answer.status, "headers": answer.headers, "body": body}


def _sent(url: str, req: Request, transport: httpx.BaseTransport | None) -> Answer:
    content = req.data if isinstance(req.data, bytes) else b""
    answer = request("POST", url, transport=transport, content=content, headers=dict(req.header_items()))
    if isinstance(answer, Delivery):
        raise UnansweredError(answer)
    return answer


def _silence() -> logging.Logger:
    """A logger outside the tree of loggers, which no configuration can make speak."""
    return logging.Logger("slack", logging.CRITICAL + 1)
