"""Who looked at people, when, of which company: numbered records that are created once, a folder a day.

They name nobody but the one who looked (L6), nor what was asked for.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import Store

FOLDER = "console/audit"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """That somebody looked at people, or did something with a company."""

    at: Moment
    by: str  # the user's id
    dag_id: str
    what: str  # which page: search, person, approval; findings: a file of errors


def note(store: Store, entry: AuditEntry) -> None:
    """Keep it; of several at once each gets a number of its own."""
    folder = f"{FOLDER}/{entry.at.date().isoformat()}"
    number = max((int(name.removesuffix(".json")) for name in store.names(folder)), default=0) + 1
    while not records.create(store, f"{folder}/{number:08d}.json", entry):
        number += 1


def tidy(store: Store, now: dt.datetime, keep: dt.timedelta) -> int:
    """Delete the days before those that are kept; how many records that were. A folder of another name stays."""
    oldest, deleted = (now - keep).date().isoformat(), 0
    for day in store.names(FOLDER):
        if _DAY.fullmatch(day) and day < oldest:
            keys = store.files(f"{FOLDER}/{day}")
            for key in keys:
                store.delete(key)
            store.remove_folder(f"{FOLDER}/{day}")
            deleted += len(keys)
    return deleted
