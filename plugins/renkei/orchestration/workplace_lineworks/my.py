"""What マイ情報 needs of a tenant of this link: its sheet, its rows, LINE's invitations."""

from __future__ import annotations

import time
from collections.abc import Sequence

from renkei import settings
from renkei.channel import Service
from renkei.clock import utcnow
from renkei.errors import RenkeiError
from renkei.links.workplace_lineworks.events.worker import LINK
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, Mapping
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.registration import webhook_fault
from renkei.orchestration.connections import open_store
from renkei.orchestration.line.connection import invitation_url, page_url
from renkei.orchestration.link import LINKS
from renkei.orchestration.members.my_page import MyPageContext, slack_fault
from renkei.orchestration.public.connection_secrets import DAG_FILE
from renkei.orchestration.tenant import find_tenant
from renkei.outbox.outbox import Outbox
from renkei.sheets.tenant_files import has_sheet
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder

FRESH_S, PATIENCE_S = 60.0, 20.0  # for which what a sheet says holds; for one that nobody has compiled yet
LINE_DAYS = 1


class Tenants:
    """The tenants of this link that use a messenger, by their names."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Mapping]] = {}

    def of(self, name: str) -> Sequence[MyPageContext]:
        """One, or none.

        Raises:
            RenkeiError: its sheet, or the store, cannot be used.
        """
        if not has_sheet(settings.mappings_folder(DAG_FILE, LINK), name):
            return ()
        mapping, database = self._mapping(name), open_database(settings.database_url())
        folder = TenantFolder(open_store(), LINK, name)

        def line_invitation(user_id: str) -> str:
            token = Linking(folder).invite([user_id], LINE_DAYS, utcnow())[user_id]
            return invitation_url(name, token)

        return (
            MyPageContext(
                own=OwnEntries(database, folder),
                outbox=Outbox(database, folder.store, LINK, name),
                database=database,
                channels={channel: label for channel, label in CHANNELS.items() if mapping.uses(channel)},
                company=mapping.company,
                slack_fault=slack_fault,
                webhook_fault=lambda url: webhook_fault(Service.GOOGLE_CHAT, url, settings.allowed_hosts()),
                line_invitation=line_invitation,
            ),
        )

    def _mapping(self, name: str) -> Mapping:
        until, mapping = self._known.get(name, (0.0, None))
        if mapping is None or time.monotonic() >= until:
            try:
                found: Mapping = find_tenant(LINKS[LINK], name, DAG_FILE, PATIENCE_S).mapping
            except RenkeiError:
                if mapping is None:
                    raise
                return mapping  # a sheet that is being mended: what it said last
            mapping = found
            self._known[name] = (time.monotonic() + FRESH_S, mapping)
        return mapping


def my_page_url(tenant: str, token: str) -> str:
    """The address of マイ情報 for who was invited by this token."""
    return f"{page_url()}/my/{tenant}/{token}"
