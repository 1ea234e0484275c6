"""What a tenant's Dag does by itself beside the daily run: 事前確認 and 照合 (E43, E44)."""

from __future__ import annotations

import datetime as dt

from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader, Mapping, Reconcile
from renkei.sheets.side_run import SideRun

CHECK, RECONCILE = "check", "reconcile"  # marks
# An evening that was missed is not made up for in the morning; a comparison is worth having all day.
CHECK_LATE, RECONCILE_LATE = dt.timedelta(hours=1), dt.timedelta(hours=12)
# Neither at a whole minute, as a daily run is, nor ever at the same moment (`SideRun.at`).
PAST, AFTER = dt.timedelta(seconds=15), dt.timedelta(hours=1, seconds=30)


def side_runs(mapping: Mapping) -> tuple[SideRun, ...]:
    """Those that the sheet asks for. Of files EMC has no export to compare with."""
    if mapping.state is LinkState.FROZEN:
        return ()
    found = [SideRun(CHECK, _later(mapping.check_at, PAST), CHECK_LATE)] if mapping.check_at else []
    if mapping.reconcile is Reconcile.DAILY and mapping.loader is Loader.HTTP:
        found.append(SideRun(RECONCILE, _later(mapping.run_at, AFTER), RECONCILE_LATE))
    return tuple(found)


def _later(at: dt.time, by: dt.timedelta) -> dt.time:
    return (dt.datetime.combine(dt.date(2000, 1, 1), at) + by).time()
