"""What the internet may reach of this link: where each tenant's WORKPLACE pushes its events (W1), and マイ情報 (W2)."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount

from renkei.links.workplace_lineworks.events.event import event_of
from renkei.links.workplace_lineworks.events.worker import LINK
from renkei.orchestration.line.connection import page_url
from renkei.orchestration.members import my_page
from renkei.orchestration.public.app import receiver
from renkei.orchestration.public.connection_secrets import from_connection
from renkei.orchestration.workplace_lineworks.my import Tenants
from renkei.public.secrets import Secrets
from renkei.public.workplace import Events


def routes() -> list[BaseRoute]:
    secrets = Secrets(from_connection(LINK, "workplace", "events_secret", "通知の署名キー"))
    mine = my_page.build(Tenants().of, page_url)
    return [Events(LINK, secrets, receiver, same_of).route(), Mount("/my", app=mine)]


def same_of(body: bytes) -> tuple[str, str]:
    """An event's id and its document's; raises BadEventError."""
    event = event_of(body)
    return event.id, event.document.id
