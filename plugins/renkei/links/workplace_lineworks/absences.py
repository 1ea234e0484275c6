"""An absence as the database keeps it: who, of what kind and when, sealed (L6)."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row

from renkei.links.workplace_lineworks import LINK
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.tables import GONE
from renkei.storage.store import Store
from renkei.systems.workplace.client import Absence, Period, Status, Unit

_HALVES_TOO = ("utf-8", "surrogatepass")
_DECIDING = ("kinds_shown", "titles", "public", "applied_shown", "morning", "afternoon")


class AbsenceRows:
    """Makes rows of absences, and reads them."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store, self._place = store, f"{LINK}/{tenant}"

    def row(self, absence: Absence) -> dict[str, Any]:
        """What a row has of the absence itself."""
        periods = [[period.unit.value, period.start, period.end] for period in absence.periods]
        said = {"user_id": absence.user_id, "kind": absence.kind, "periods": periods}
        content = json.dumps(said, ensure_ascii=False, sort_keys=True).encode(*_HALVES_TOO)
        days = [day for period in absence.periods for day in (period.first_day, period.last_day)]
        return {
            "absence_id": absence.id,
            "revision": absence.revision,
            "status": absence.status.value,
            "digest": blake2b(content, digest_size=16).digest(),
            "body": self._store.seal(f"{self._place}/{absence.id}", content),
            "first_day": min(days),
            "last_day": max(days),
        }

    def absence(self, row: Row[Any]) -> Absence:
        """The absence of a row; one that is gone is as good as cancelled. Raises StoreError."""
        said = json.loads(self._store.unseal(f"{self._place}/{row.absence_id}", row.body).decode(*_HALVES_TOO))
        status = Status.CANCELLED if row.status == GONE else Status(row.status)
        periods = tuple(Period(Unit(unit), start, end) for unit, start, end in said["periods"])
        return Absence(row.absence_id, row.revision, status, said["user_id"], said["kind"], periods)

    def member(self, event_id: str, user_id: str) -> bytes:
        return self._store.seal(f"{self._place}/{event_id}", user_id.encode(*_HALVES_TOO))

    def user_id(self, event_id: str, sealed: bytes) -> str:
        return self._store.unseal(f"{self._place}/{event_id}", sealed).decode(*_HALVES_TOO)


def sheet_digest(mapping: Mapping) -> bytes:
    """What stands for all of the sheet that decides how an event looks."""
    said = {name: value for name, value in asdict(mapping).items() if name in _DECIDING}
    said["ids"] = 2  # the form of events' ids; another one writes all that is to come anew
    return blake2b(json.dumps(said, default=str, sort_keys=True).encode(), digest_size=16).digest()
