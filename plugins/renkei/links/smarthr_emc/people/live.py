"""Why somebody is, or is not, in EMC, by SmartHR as it is now: the next run is tried, and told as a recorded one is."""

from __future__ import annotations

import datetime as dt
from typing import Unpack

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.people.ending import Ending, EndState
from renkei.links.smarthr_emc.people.explain import Explanation, explain
from renkei.links.smarthr_emc.rehearsal.simulated_run import Options, SimulatedRun, simulated_run
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.storage.store import Store
from renkei.systems.emc.file_format import EmcFormat


def explain_now(
    store: Store,
    link: str,
    mapping: Mapping,
    emc_format: EmcFormat,
    now: dt.datetime,
    who: str,
    **options: Unpack[Options],
) -> Explanation:
    """As `explain`, of a run that is tried now and leaves nothing behind; the other arguments and errors are `rehearse`'s."""
    with simulated_run(store, link, mapping, emc_format, now, **options) as run:
        if not run.compared:
            message = run.stop.message if run.stop else ""
            return Explanation(who, f"実行できないため、判断できません。{message}")
        if progress := options.get("progress"):
            progress("記録を調べています", 0, 0)
        return explain(run.record.tenant_folder, who, ending=lambda _: _ending(run))


def _ending(run: SimulatedRun) -> Ending:
    if run.stop is not None:
        return Ending(EndState.WOULD_STOP, text=f"ただし、実行は途中で止まります: {run.stop.message}")
    if run.failed:
        return Ending(EndState.ERRORS)
    if not run.sets[RecordSet.USERS].changed:
        return Ending(EndState.UNCHANGED)
    held = run.planned is not None and bool(run.planned.holds)
    return Ending(EndState.WOULD_HOLD if held else EndState.WOULD_LOAD)
