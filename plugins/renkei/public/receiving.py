"""What every receiver of signed messages does: who it is from, whether it is too much, and into the inbox with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request

from renkei.clock import utcnow
from renkei.errors import RenkeiError, StoreError
from renkei.inbox.receiver import Receiver
from renkei.public.bodies import body_of
from renkei.public.limits import RateLimit
from renkei.public.secrets import NoSecretError, Secrets
from renkei.sheets.tenant_files import is_tenant

log = logging.getLogger(__name__)

WRITTEN_WITHIN_S = 10.0
TOLD_EVERY_S = 60.0  # of one trouble with a secret: whoever asks, the log stays readable
PER_S, AT_ONCE = 100, 5_000  # messages of one tenant that are rightly signed: a bot that answers itself must end


class LinkReceiver:
    """The receiver of a link; `name` is how its requests are called in a log."""

    def __init__(self, link: str, name: str, secrets: Secrets, receiver: Callable[[], Receiver]) -> None:
        """`secrets` are the tenants'; `receiver` may raise StoreError."""
        self._link, self._name, self._secrets, self._receiver = link, name, secrets, receiver
        self._open: Receiver | None = None
        self._limit = RateLimit(PER_S, AT_ONCE)
        self._told = RateLimit(1 / TOLD_EVERY_S, 1)

    async def signed(self, request: Request, is_signed: Callable[[bytes, Sequence[str]], bool]) -> tuple[str, bytes]:
        """The tenant, and the body that one of its secrets signed.

        Raises:
            HTTPException: it did not, or there is no such tenant (401); it sends too much (429); it cannot be said (503).
        """
        tenant: str = request.path_params["tenant"]
        body = await body_of(request)
        if not is_signed(body, await self._secrets_of(tenant) if is_tenant(tenant) else ()):
            raise HTTPException(401)
        if not self._limit.take(tenant):
            log.error("%s tenant=%s: too many, refused", self._name, tenant)
            raise HTTPException(429, headers={"Retry-After": "10"})
        return tenant, body

    async def keep(self, tenant: str, same: str, key: str, body: bytes) -> None:
        """Back once the message is durable.

        Raises:
            StoreError: it is not known to be.
        """
        if self._open is None:
            self._open = await asyncio.to_thread(self._receiver)
        written = self._open.accept(self._link, tenant, same, key, utcnow(), body)
        durable = asyncio.wrap_future(written)
        await asyncio.wait({durable}, timeout=WRITTEN_WITHIN_S)
        if not durable.done():  # it may still be written, and then counts
            durable.add_done_callback(lambda late: late.exception())
            raise StoreError("データベース(RENKEI_DATABASE)が時間内に応答しません。")
        durable.result()

    async def _secrets_of(self, tenant: str) -> Sequence[str]:
        """None for a tenant without a secret: it answers as one that there is not (docs/decisions/0018)."""
        try:
            return await self._secrets.of(tenant)
        except RenkeiError as error:
            if self._told.take(str(error)):
                log.error("%s: %s", self._name, error)
            if isinstance(error, NoSecretError):
                return ()
            raise HTTPException(503) from None
