"""Who a signed message is from, and what is answered where nobody can say (P11, P12)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from unittest.mock import create_autospec

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from renkei.errors import ConnectionError_, RenkeiError, StoreError
from renkei.inbox.receiver import Receiver
from renkei.public import receiving
from renkei.public.receiving import LinkReceiver
from renkei.public.secrets import NoSecretError, Secrets


class Tenant:
    """What the tenant's secret is said to be."""

    def __init__(self, said: str | RenkeiError | None) -> None:
        self.said, self.inbox = said, create_autospec(Receiver, instance=True)
        self.receiver = LinkReceiver("lineworks_kot", "callback", Secrets(self._read), lambda: self.inbox)

    def _read(self, tenant: str) -> str | None:
        if isinstance(self.said, RenkeiError):
            raise self.said
        return self.said

    def status_of(self, secret: str = "ours") -> int:
        """What is answered to a message that is signed with `secret`; 200: it is let in."""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"body", "more_body": False}

        request = Request({"type": "http", "headers": [], "path_params": {"tenant": "acme"}}, receive)
        try:
            asyncio.run(self.receiver.signed(request, lambda body, secrets: secret in secrets))
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
    assert Tenant(said).status_of() == status


def test_p11_only_what_is_rightly_signed_counts_for_how_much_a_tenant_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else can use its share up."""
    monkeypatch.setattr(receiving, "AT_ONCE", 2)
    monkeypatch.setattr(receiving, "PER_S", 1e-6)
    tenant = Tenant("ours")
    found = [tenant.status_of(secret) for secret in ("theirs", "theirs", "theirs", "ours", "ours", "ours", "theirs")]
    assert found == [401, 401, 401, 200, 200, 429, 401]


def test_p12_nothing_is_taken_before_it_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears that it is taken does not send it again: neither of a write that failed, nor of one that takes too long."""
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", 0.01)
    tenant, found = Tenant("ours"), []
    written, failed, slow = Future[None](), Future[None](), Future[None]()
    written.set_result(None)
    failed.set_exception(StoreError("the disk is full"))
    for tenant.inbox.accept.return_value in (written, failed, slow):
        try:
            asyncio.run(tenant.receiver.keep("acme", "1", "x", b"body"))
        except StoreError:
            found.append("refused")
        else:
            found.append("taken")
    assert found == ["taken", "refused", "refused"]
