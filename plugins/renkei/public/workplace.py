"""Workflow events that WORKPLACE pushes: our own contract (include/contracts/workplace.openapi.yaml, W1, W3).

`X-Renkei-Signature: v1=<hex>` is HMAC-SHA256, with the tenant's secret as key, over `X-Renkei-Timestamp` (Unix seconds),
a dot, and the body as it is sent. What is older than five minutes, or as much ahead, is refused, so that nobody who saw a
request can send it once more later; within them an event is the same one by its id.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from renkei.errors import RenkeiError
from renkei.inbox.receiver import Receiver
from renkei.public.receiving import LinkReceiver
from renkei.public.secrets import Secrets

PATH = "/workplace/{tenant}/events"
SIGNATURE, TIMESTAMP = "X-Renkei-Signature", "X-Renkei-Timestamp"
WINDOW_S = 300
VERSION = "v1="
_NOBODYS = "no secret of anybody's"

Same = tuple[str, str]  # what makes it the same event again, and what its order is of


class Events(LinkReceiver):
    """The receiver of a link's events."""

    def __init__(
        self,
        link: str,
        secrets: Secrets,
        receiver: Callable[[], Receiver],
        same_of: Callable[[bytes], Same],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`same_of` raises RenkeiError, which names no value, where the body is no event of the contract."""
        super().__init__(link, "workplace events", secrets, receiver)
        self._same_of, self._clock = same_of, clock

    def route(self) -> Route:
        return Route(PATH, self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """200 once the event is durable; 400 with what is wrong, where it is rightly signed and no event."""
        timestamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
        now = self._clock()
        tenant, body = await self.signed(
            request, lambda body, secrets: is_signed(body, timestamp, signature, secrets, now)
        )
        try:
            same, key = self._same_of(body)
        except RenkeiError as error:
            return JSONResponse({"error": str(error)}, 400)
        await self.keep(tenant, same, key, body)
        return Response()


def is_signed(body: bytes, timestamp: str, signature: str, secrets: Sequence[str], now: float) -> bool:
    """Whether one of the secrets signed body and timestamp, and not long ago; no time tells which, or that there is none."""
    given, found = signature.encode("latin-1", "replace"), False
    stamp = timestamp if timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12 else "0"
    for secret in secrets or (_NOBODYS,):
        digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hex()
        found |= hmac.compare_digest((VERSION + digest).encode(), given)
    return found and bool(secrets) and abs(now - int(stamp)) <= WINDOW_S
