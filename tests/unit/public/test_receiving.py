"""Who a signed message is from, and what is answered where nobody can say (P11, P12)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from renkei.errors import ConnectionError_, RenkeiError
from renkei.public.receiving import LinkReceiver
from renkei.public.secrets import NoSecretError, Secrets


def status_of(said: str | RenkeiError | None, secret: str = "ours") -> int:
    """What is answered to a message that is signed with `secret`, where the tenant's is `said`; 200: it is let in."""

    def read(tenant: str) -> str | None:
        if isinstance(said, RenkeiError):
            raise said
        return said

    async def receive() -> Message:
        return {"type": "http.request", "body": b"body", "more_body": False}

    nowhere: Any = None
    request = Request({"type": "http", "headers": [], "path_params": {"tenant": "acme"}}, receive)
    receiving = LinkReceiver("lineworks_kot", "callback", Secrets(read), nowhere)
    try:
        asyncio.run(receiving.signed(request, lambda body, secrets: secret in secrets))
    except HTTPException as refused:
        return refused.status_code
    return 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("ours", 200),
        ("another", 401),
        (None, 401),
        (NoSecretError("no secret yet"), 401),
        (ConnectionError_("Airflow is away"), 503),
    ],
)
def test_p12_only_what_is_known_to_be_wrong_is_refused_for_good(said: str | RenkeiError | None, status: int) -> None:
    """Whoever is refused does not send once more; while nobody can say, he may."""
    assert status_of(said) == status
