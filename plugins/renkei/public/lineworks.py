"""Callbacks of LINE WORKS, which are sent once and never again: kept, then answered (P11, P12)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from renkei.inbox.receiver import Receiver
from renkei.public.receiving import LinkReceiver
from renkei.public.secrets import Secrets
from renkei.systems.lineworks.callback import SIGNATURE, CallbackEvent, event_of, is_signed

PATH = "/lineworks/{tenant}/callback"


class Callbacks(LinkReceiver):
    """The receiver of a link: who it is from, what of it is wanted, and into the inbox with it."""

    def __init__(
        self,
        link: str,
        secrets: Secrets,
        receiver: Callable[[], Receiver],
        wants: Callable[[str, CallbackEvent], bool],
    ) -> None:
        """`secrets` are the tenants' Bot Secrets; `receiver` may raise StoreError; `wants` says by the tenant what is kept."""
        super().__init__(link, "lineworks callback", secrets, receiver)
        self._wants = wants

    def route(self) -> Route:
        return Route(PATH, self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """200 once the message is durable, or is none for us; 401 for what the tenant did not sign, if there is one."""
        signature = request.headers.get(SIGNATURE, "").encode("latin-1")
        tenant, body = await self.signed(request, lambda body, secrets: is_signed(body, signature, secrets))
        event = event_of(body)
        if event and self._wants(tenant, event):
            await self.keep(tenant, event.same, event.user_id, body)
        return Response()
