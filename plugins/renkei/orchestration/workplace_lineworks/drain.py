"""A tenant's worker of events, with what it needs of Airflow: Connections and channels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from renkei import settings
from renkei.channel import Event, Service
from renkei.clock import utcnow
from renkei.inbox.lease import Leases
from renkei.inbox.receiver import Receiver
from renkei.links.workplace_lineworks.events.event import WorkflowEvent
from renkei.links.workplace_lineworks.events.faults import Fault
from renkei.links.workplace_lineworks.events.files import EventFiles
from renkei.links.workplace_lineworks.events.worker import LINK, EventWorker
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS
from renkei.notifications.diagnosis import explain_in_words
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.messengers import messenger
from renkei.notifications.registration import Registration, webhook_fault
from renkei.notifications.services import SPEC
from renkei.orchestration.channel_connections import notify_channels, registration_of
from renkei.orchestration.connections import open_store
from renkei.orchestration.public.app import receiver
from renkei.orchestration.tenant import Tenant
from renkei.outbox.outbox import Outbox
from renkei.outbox.sender import Outlet
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, Tone, accepted, key_of, refused
from renkei.systems.google_chat.client import GoogleChatSpace
from renkei.systems.lineworks.pace import MINUTE_S

SERVICES = {
    "lineworks": Service.LINEWORKS,
    "slack": Service.SLACK_BOT,
    "google_chat": Service.GOOGLE_CHAT,
    "line": Service.LINE,
}


def drain(tenant: Tenant, leases: Leases) -> EventWorker:
    """The worker of one tenant.

    Raises:
        MappingError, SheetPendingError: the sheet cannot be used.
        StoreError: the store or the database cannot be opened.
    """
    mapping, store, database = tenant.mapping, open_store(), open_database(settings.database_url())
    own = OwnEntries(database, TenantFolder(store, LINK, tenant.name))
    drop, outbox = settings.drop_folder(), Outbox(database, store, LINK, tenant.name)
    return EventWorker(
        mapping,
        database,
        outbox,
        leases,
        channel_opener(tenant.name, outbox),
        own.find,
        settings.channel_failures(),
        partial(_tell_disabled, tenant),
        EventFiles(drop / LINK / tenant.name, partial(_accept, receiver(), tenant.name)) if drop else None,
    )


def channel_opener(tenant: str, outbox: Outbox) -> Callable[[str], tuple[Outlet, str]]:
    """Opens a tenant's messengers: the Connections `lineworks__`, `slack_bot__` and `line__<tenant>`.

    A client is the same one, with its token and its pace, as long as its Connection says the same. What another pump
    has sent within this minute counts (W8).
    """
    last: dict[str, tuple[Registration, Outlet]] = {}

    def opened(channel: str) -> tuple[Outlet, str]:
        service = SERVICES[channel]
        explain = partial(_explained, service)
        if service is Service.GOOGLE_CHAT:
            return Outlet(MembersSpaces(), limited_by_person=True, explain=explain), ""
        found = registration_of(service, f"{SPEC[service].connection_type}__{tenant}")
        if channel not in last or last[channel][0] != found:
            sent = outbox.tried_within(channel, MINUTE_S, utcnow())
            limited = service is Service.SLACK_BOT  # a message a second, for each conversation
            outlet = Outlet(messenger(found, sent), service is Service.LINE, limited_by_person=limited, explain=explain)
            last[channel] = (found, outlet)
        return last[channel][1], found.digest("")

    return opened


class MembersSpaces:
    """Google Chat, where each member has a webhook of his own, which takes the recipient's place."""

    def send(self, message: Message, to: str, key: str) -> Delivery:
        if fault := webhook_fault(Service.GOOGLE_CHAT, to, settings.allowed_hosts()):
            return refused(None, fault, dead=True)
        return GoogleChatSpace(to).send(message, "", key)

    def check(self) -> Delivery:
        return accepted(None)


def _explained(service: Service, delivery: Delivery) -> str:
    return "".join(explain_in_words(service, delivery))


def _accept(receiver: Receiver, tenant: str, event: WorkflowEvent) -> Future[None]:
    return receiver.accept(LINK, tenant, event.id, event.document.id, utcnow(), event.model_dump_json().encode())


def _tell_disabled(tenant: Tenant, channel: str, fault: Fault) -> None:
    """A messenger that is disabled, or refuses everybody, is told to the tenant's own channels, first by mail (N2, N8)."""
    name = CHANNELS[channel]
    lines = (
        f"{name}の登録を使えないため、{name}への通知を止めました（{fault.note}）。",
        "Airflowの接続を登録し直すと、待っている通知（24時間以内のもの）から再開します。ほかのメッセンジャーへの通知は続けています。",
    )
    if not fault.disabled_at:
        lines = (
            f"{name}が、続けて{fault.failures}人への通知を断りました（{fault.note}）。断られた通知は送り直しません。",
            "アプリの権限（スコープ）とBotの公開の設定を確認してください。誰に届かなかったかは、画面「通知の配信」の「届けられない」で分かります。",
        )
    title = f"【{Event.DISABLED.label}】{tenant.link.label}: {tenant.name} {name}"
    message = Message(title, lines, tone=Tone.BAD, subject=f"WORKPLACE-DISABLED({name}) {tenant.sheet.company}".strip())
    key = key_of(LINK, tenant.name, channel, fault.registration.hex())
    notify_channels(LINK, tenant.name, tenant.channels, Event.DISABLED, message, key)
