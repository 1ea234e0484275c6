"""Callbacks of LINE WORKS, which are sent once and never again: kept, then answered (P11, P12)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from renkei.clock import utcnow
from renkei.errors import RenkeiError, StoreError
from renkei.inbox.receiver import Receiver
from renkei.public.bodies import body_of
from renkei.public.limits import Limit
from renkei.public.secrets import NoSecretError, Secrets
from renkei.sheets.tenant_files import is_tenant
from renkei.systems.lineworks.callback import SIGNATURE, CallbackEvent, event_of, is_signed

log = logging.getLogger(__name__)

PATH = "/lineworks/{tenant}/callback"
WRITTEN_WITHIN_S = 10.0
TOLD_EVERY_S = 60.0  # of one trouble with a secret: whoever asks, the log stays readable
PER_S, AT_ONCE = 100, 5_000  # callbacks of one tenant that are rightly signed: a bot that answers itself must end


class Callbacks:
    """The receiver of a link: who it is from, what of it is wanted, and into the inbox with it."""

    def __init__(
        self,
        link: str,
        secrets: Secrets,
        receiver: Callable[[], Receiver],
        wants: Callable[[str, CallbackEvent], bool],
    ) -> None:
        """`secrets` are the tenants' Bot Secrets; `receiver` may raise StoreError; `wants` says by the tenant what is kept."""
        self._link, self._secrets, self._receiver, self._wants = link, secrets, receiver, wants
        self._open: Receiver | None = None
        self._limit = Limit(PER_S, AT_ONCE)
        self._told = Limit(1 / TOLD_EVERY_S, 1)

    def route(self) -> Route:
        return Route(PATH, self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """200 once the message is durable, or is none for us; 401 for what the tenant did not sign, if there is one."""
        tenant = request.path_params["tenant"]
        body = await body_of(request)
        secrets = await self._secrets_of(tenant) if is_tenant(tenant) else ()
        if not is_signed(body, request.headers.get(SIGNATURE, "").encode("latin-1"), secrets):
            raise HTTPException(401)
        if not self._limit.take(tenant):
            log.error("lineworks callback tenant=%s: too many, refused", tenant)
            raise HTTPException(429, headers={"Retry-After": "10"})
        event = event_of(body)
        if event and self._wants(tenant, event):
            await self._keep(tenant, event, body)
        return Response()

    async def _secrets_of(self, tenant: str) -> tuple[str, ...]:
        """None for a tenant without a secret: it answers as one that there is not (docs/decisions/0018)."""
        try:
            return await self._secrets.of(tenant)
        except RenkeiError as error:
            if self._told.take(str(error)):
                log.error("lineworks callback: %s", error)
            if isinstance(error, NoSecretError):
                return ()
            raise HTTPException(503) from None

    async def _keep(self, tenant: str, event: CallbackEvent, body: bytes) -> None:
        if self._open is None:
            self._open = await asyncio.to_thread(self._receiver)
        written = self._open.accept(self._link, tenant, event.same, event.user_id, utcnow(), body)
        durable = asyncio.wrap_future(written)
        await asyncio.wait({durable}, timeout=WRITTEN_WITHIN_S)
        if not durable.done():  # it may still be written, and then counts
            durable.add_done_callback(lambda late: late.exception())
            raise StoreError("データベース(RENKEI_DATABASE)が時間内に応答しません。")
        durable.result()
