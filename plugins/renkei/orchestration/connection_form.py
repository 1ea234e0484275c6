"""Makes the Test button of Airflow's connection form work for Connections without a port.

Airflow 3.3's page sends `port: 0` where none is stored, and its API takes that for another destination: 400, "The host
or port to test differs from the stored connection" (ConnectionForm's `Number(null)`; _same_endpoint in connections.py).
No service listens on port 0, so what arrives as 0 is what is stored as none.
"""

from __future__ import annotations

import json
from typing import Any

PATH = "/api/v2/connections/test"
MAX_BYTES = 1_000_000  # Airflow refuses larger fields anyway; a larger body goes on as it came


class PortZeroIsNoPort:
    """ASGI middleware around Airflow's API server; everything but the body of a connection test passes untouched."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith(PATH):
            messages = await _body(receive)
            scope, receive = _without_port_zero(scope, messages, receive)
        await self._app(scope, receive, send)


async def _body(receive: Any) -> list[Any]:
    """The messages of the request up to its end, or up to more than MAX_BYTES."""
    messages: list[Any] = []
    size, more = 0, True
    while more and size <= MAX_BYTES:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        more = messages[-1].get("more_body", False)
    return messages


def _without_port_zero(scope: Any, messages: list[Any], receive: Any) -> tuple[Any, Any]:
    try:
        asked = json.loads(b"".join(message.get("body", b"") for message in messages))
    except (ValueError, RecursionError):  # for Airflow to refuse
        asked = None
    if isinstance(asked, dict) and asked.get("port") == 0:
        body = json.dumps({**asked, "port": None}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
        scope = {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
    waiting = iter(messages)

    async def again() -> Any:
        return next(waiting, None) or await receive()

    return scope, again
