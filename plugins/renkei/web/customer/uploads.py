"""The sheets that customers of one company uploaded: versions that wait for the operator, who alone enables them (S2)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import partial

from renkei.storage import audit, customer_acts
from renkei.storage.audit import AuditEntry
from renkei.storage.customer_acts import CustomerAct, CustomerActKind
from renkei.storage.versions import Origin
from renkei.web.customer.guard import Visitor
from renkei.web.screens.customer import Upload, uploads
from renkei.web.tenant_sheet import Actor

LISTED = 50  # versions of the company, whoever made them
MAX_A_DAY = 30  # each may be of the largest size, and stays for weeks


def uploads_of(visitor: Visitor) -> list[Upload]:
    """The newest ones first."""
    sheet = visitor.services.sheets.of(visitor.dag_id)
    versions = sheet.versions
    return uploads(versions.listed(LISTED), list(versions.moves()), sheet.file().digest, versions.errors)


def may_upload(visitor: Visitor) -> bool:
    """Whether today's are not too many."""
    since = visitor.services.now() - dt.timedelta(days=1)
    listed = visitor.services.sheets.of(visitor.dag_id).versions.listed(LISTED)
    return sum(one.origin is Origin.CUSTOMER and one.at > since for _, one in listed) < MAX_A_DAY


def keep(visitor: Visitor, content: bytes, file_name: str) -> int:
    """A new version; its number."""
    note(visitor, "sheet customer")
    by = Actor(name_of(visitor), visitor.invitation.label)
    sheet, now = visitor.services.sheets.of(visitor.dag_id), visitor.services.now()
    for_operator(visitor, CustomerActKind.SHEET, now, hashlib.sha256(content).hexdigest())
    return sheet.keep(content, file_name, Origin.CUSTOMER, by, now)


def for_operator(visitor: Visitor, act: CustomerActKind, now: dt.datetime, digest: str = "") -> Callable[[], None]:
    """Note what is about to be done, for the watch to tell; what takes the note back, where it was not done."""
    store, (link, _, tenant) = visitor.services.sheets.of(visitor.dag_id).store, visitor.dag_id.partition("__")
    name = customer_acts.note(store, link, CustomerAct(tenant, act, now, name_of(visitor), digest))
    return partial(customer_acts.forget, store, link, name)


def note(visitor: Visitor, what: str) -> None:
    """Before anything is done: what cannot be noted is not done."""
    store = visitor.services.sheets.of(visitor.dag_id).store
    audit.note(store, AuditEntry(visitor.services.now(), name_of(visitor), visitor.dag_id, what))


def name_of(visitor: Visitor) -> str:
    """How records name who did it: for whom an invitation is, stands on its company's page alone."""
    return f"invitation {visitor.invitation.number}"
