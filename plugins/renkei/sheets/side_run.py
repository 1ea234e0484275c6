"""The runs that a tenant's Dag makes by itself every day beside the daily one: 事前確認, 照合 (E43, E44).

A side run writes nothing, never waits for a person, and is no day's result. It tells only what somebody has to see to.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

_MARKED = re.compile(r"scheduled__[^_]+__([a-z]+)")


@dataclass(frozen=True, slots=True)
class SideRun:
    """One of them. Its `mark` ends the id of its run, which so knows what it is, whatever the sheet says by then."""

    mark: str
    at: dt.time  # Asia/Tokyo; never at second 0, which tells a daily run, of whichever state of the sheet
    late: dt.timedelta  # so much later it is of no use any more


def mark_of(run_id: str) -> str:
    """The mark of a side run, empty for every other. Airflow lets nobody give a run an id that begins so."""
    found = _MARKED.fullmatch(run_id)
    return found[1] if found else ""
