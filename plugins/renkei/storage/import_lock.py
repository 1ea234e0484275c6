"""One load at a time into a target account, and a note of what was asked of it (E27, L4).

Before anything is sent, the import is noted as `accounts/<account>/pending.json`; it goes away
once the outcome is known and recorded. Whoever finds a note asks the target for its `import_key`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from renkei.storage import records
from renkei.storage.tenant_folder import AccountFolder


@dataclass(frozen=True, slots=True)
class PendingImport:
    """A plan that has been, or is about to be, sent to the target."""

    tenant: str
    run: str
    import_key: str
    plan_digest: str
    baseline_generation: int  # the one it was planned against
    written_at: str  # ISO 8601 with offset

    def expired(self, now: dt.datetime, lease: dt.timedelta) -> bool:
        """Whether its writer must be dead: no load lives longer than the lease."""
        return now - dt.datetime.fromisoformat(self.written_at) > lease


class ImportLock:
    """At most one import at a time into one account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._store, self._key = folder.store, folder.pending

    def pending(self) -> PendingImport | None:
        return records.read_or_none(self._store, self._key, PendingImport)

    def acquire(self, pending: PendingImport) -> bool:
        """Note the import; False when another one is noted."""
        return records.create(self._store, self._key, pending)

    def release(self, pending: PendingImport) -> None:
        """Remove the note of this very import; another's stays."""
        existing = self.pending()
        if existing and existing.import_key == pending.import_key:
            self._store.delete(self._key)
