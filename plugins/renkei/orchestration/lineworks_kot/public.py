"""What the internet may reach of this link: the Callback URL of each tenant's bot (P11, P12)."""

from __future__ import annotations

import contextlib
import time

from starlette.routing import BaseRoute

from renkei.errors import RenkeiError
from renkei.links.lineworks_kot import LINK
from renkei.orchestration.link import LINKS
from renkei.orchestration.public.app import receiver
from renkei.orchestration.public.connection_secrets import DAG_FILE, from_connection
from renkei.orchestration.tenant import find_tenant
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import Secrets
from renkei.systems.lineworks.callback import CallbackEvent

FRESH_S = 60.0  # for which what a sheet says of group talks holds


def routes() -> list[BaseRoute]:
    secrets = Secrets(from_connection(LINK, "lineworks", "bot_secret", "Bot Secret"))
    return [Callbacks(LINK, secrets, receiver, MessageFilter().wants).route()]


class MessageFilter:
    """Which messages are kept: what is said to the bot alone, and in groups where the tenant's sheet says so (P11)."""

    def __init__(self) -> None:
        self._groups: dict[str, tuple[float, bool]] = {}

    def wants(self, tenant: str, event: CallbackEvent) -> bool:
        """Called for tenants whose signature was right, so they are few."""
        return not event.channel_id or self._takes_groups(tenant)

    def _takes_groups(self, tenant: str) -> bool:
        until, takes = self._groups.get(tenant, (0.0, False))
        if time.monotonic() >= until:
            with contextlib.suppress(RenkeiError, OSError):  # what it said last counts, as while it is being compiled
                takes = bool(find_tenant(LINKS[LINK], tenant, DAG_FILE, 0.0).mapping.groups)
            self._groups[tenant] = (time.monotonic() + FRESH_S, takes)
        return takes
