"""What the pages of this link share: whose they are, and who looked."""

from __future__ import annotations

from renkei import settings
from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Accounts
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.storage.database.database import Database, open_database
from renkei.web.console import guard


def tenant_of(seen: guard.Seen) -> str:
    """Raises NotFound: it is another link's company."""
    if not seen.company.dag_id.startswith(f"{LINK}__"):
        raise guard.NotFound
    return seen.company.tenant


def mapping_of(seen: guard.Seen) -> Mapping | None:
    """What the company's sheet says; None where it cannot be used."""
    tenant_of(seen)
    found: Mapping | None = seen.services.knowledge.mapping(seen.company.dag_id)
    return found


def database() -> Database:
    return open_database(settings.database_url())


def accounts_of(seen: guard.Seen) -> Accounts:
    store = seen.services.knowledge.folder(seen.company.dag_id).store
    return Accounts(database(), store, tenant_of(seen))


def note_look(seen: guard.Seen, what: str) -> None:
    """Before anything is shown: who cannot be noted is shown nothing."""
    dag_id = seen.company.dag_id
    store = seen.services.knowledge.folder(dag_id).store
    audit.note(store, AuditEntry(seen.services.now(), seen.user.id, dag_id, what))
