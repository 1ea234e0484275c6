"""One load at a time into a target account, and a note of what was asked of it (E27, L4).

Before anything is sent, the intent is created as `accounts/<account>/pending.json`; it goes away
once the outcome is known and recorded. Whoever finds a note asks the target for its `import_key`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from renkei.storage.store import MissingKeyError, Store


@dataclass(frozen=True, slots=True)
class Intent:
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


class Gate:
    """The gate of one account."""

    def __init__(self, store: Store, link: str, account: str) -> None:
        self._store = store
        self._key = f"{link}/accounts/{account}/pending.json"

    def pending(self) -> Intent | None:
        try:
            return Intent(**self._store.read_json(self._key))
        except MissingKeyError:
            return None

    def enter(self, intent: Intent) -> bool:
        """Write the intent; False when another one stands."""
        return self._store.create_json(self._key, asdict(intent))

    def leave(self, intent: Intent) -> None:
        """Remove this very intent; another's stays."""
        standing = self.pending()
        if standing and standing.import_key == intent.import_key:
            self._store.delete(self._key)
