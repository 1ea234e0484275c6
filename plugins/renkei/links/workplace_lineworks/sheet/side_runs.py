"""What a tenant's Dag does by itself once a day beside its runs: 照合 (C8)."""

from __future__ import annotations

import datetime as dt
import zlib

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.sheets.side_run import SideRun

RECONCILE = "reconcile"  # mark
NIGHT = dt.time(2, 0, 30)  # and within an hour of it, so that tenants do not all come at once
LATE = dt.timedelta(hours=1)  # by day it would keep absences waiting; the next night has another one


def side_runs(mapping: Mapping) -> tuple[SideRun, ...]:
    if not (mapping.calendar and mapping.reconcile):
        return ()
    minute = zlib.crc32(f"reconcile {mapping.tenant}".encode()) % 60
    return (SideRun(RECONCILE, NIGHT.replace(minute=minute), LATE),)
