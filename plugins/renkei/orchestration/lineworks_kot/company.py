"""What the pages of this link share: whose they are, and who looked."""

from __future__ import annotations

from renkei import settings
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Accounts
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.storage.database.database import Database, open_database
from renkei.web.console import guard


def mapping_of(access: guard.Access) -> Mapping | None:
    """What the company's sheet says; None where it cannot be used."""
    access.tenant_of(LINK)
    found: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    return found


def database() -> Database:
    return open_database(settings.database_url())


def accounts_of(access: guard.Access) -> Accounts:
    store = access.services.knowledge.folder(access.company.dag_id).store
    return Accounts(database(), store, access.tenant_of(LINK))
