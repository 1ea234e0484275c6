"""What the internet may reach of the toy: the callback of LINE WORKS."""

from __future__ import annotations

from starlette.routing import BaseRoute

from renkei.orchestration.public.app import receiver
from renkei.orchestration.public.connection_secrets import from_connection
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import Secrets


def routes() -> list[BaseRoute]:
    secrets = Secrets(from_connection("toy", "lineworks", "bot_secret", "Bot Secret"))
    return [Callbacks("toy", secrets, receiver, lambda _tenant, event: not event.channel_id).route()]
