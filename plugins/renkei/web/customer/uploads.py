"""The sheets that customers of one company uploaded: versions that wait for the operator, who alone enables them (S2)."""

from __future__ import annotations

import datetime as dt

from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.storage.versions import Origin
from renkei.web.customer.guard import Visitor
from renkei.web.screens.customer import Upload, uploads
from renkei.web.tenant_sheet import By

LISTED = 50  # versions of the company, whoever made them
MOST_A_DAY = 30  # each may be of the largest size, and stays for weeks


def uploads_of(visitor: Visitor) -> list[Upload]:
    """The newest ones first."""
    sheet = visitor.services.sheets.of(visitor.dag_id)
    return uploads(sheet.versions.listed(LISTED), list(sheet.versions.moves()), sheet.file().digest)


def may_upload(visitor: Visitor) -> bool:
    """Whether today's are not too many."""
    since = visitor.services.now() - dt.timedelta(days=1)
    listed = visitor.services.sheets.of(visitor.dag_id).versions.listed(LISTED)
    return sum(one.origin is Origin.CUSTOMER and one.at > since for _, one in listed) < MOST_A_DAY


def keep(visitor: Visitor, content: bytes, file_name: str) -> int:
    """A new version; its number."""
    note(visitor, "sheet customer")
    by = By(name_of(visitor), visitor.invitation.label)
    sheet = visitor.services.sheets.of(visitor.dag_id)
    return sheet.keep(content, file_name, Origin.CUSTOMER, by, visitor.services.now())


def note(visitor: Visitor, what: str) -> None:
    """Before anything is done: what cannot be noted is not done."""
    store = visitor.services.sheets.of(visitor.dag_id).store
    audit.note(store, AuditEntry(visitor.services.now(), name_of(visitor), visitor.dag_id, what))


def name_of(visitor: Visitor) -> str:
    """How records name who did it: for whom an invitation is, stands on its company's page alone."""
    return f"invitation {visitor.invitation.number}"
