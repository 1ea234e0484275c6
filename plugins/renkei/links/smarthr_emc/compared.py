"""What a recorded run was compared with."""

from __future__ import annotations

from renkei.links.smarthr_emc.records import DiffSummary
from renkei.runs.current_baseline import CurrentBaseline, current_baseline
from renkei.storage.baselines import Baselines
from renkei.storage.runs import RunRecord


def compared_with(run: RunRecord) -> CurrentBaseline:
    """The baseline that a recorded run was compared with, or would have been had it come so far.

    Raises:
        BaselineError: its record is damaged.
    """
    diff = run.read_or_none(DiffSummary)
    if diff is None:
        return current_baseline(run.tenant_folder)
    baseline = Baselines(run.tenant_folder).read(diff.generation) if diff.generation else None
    return CurrentBaseline(baseline, run.sibling(baseline.run) if baseline else None)
