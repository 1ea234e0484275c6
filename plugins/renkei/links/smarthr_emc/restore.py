"""復元: go back to a snapshot that EMC once confirmed. Its tables become the snapshot of this run."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.errors import LinkStateError
from renkei.links.smarthr_emc.baseline import baselines_of
from renkei.storage.baselines import Baseline
from renkei.storage.runs import RunRecord

NEEDED = ("sheet", "snapshot", "plan")  # what is left of a run as long as housekeeping has not taken it away


@dataclass(frozen=True, slots=True)
class Applied:
    """A snapshot that was applied: its baseline and the record of the run that made it."""

    baseline: Baseline
    record: RunRecord


def applied(record: RunRecord, generation: int) -> Applied:
    """The applied snapshot of that generation; 0 is the one before the current.

    Raises:
        LinkStateError: there is none, or its record has been removed.
    """
    baselines = baselines_of(record)
    known = baselines.generations()
    if len(known) < 2:
        raise LinkStateError("復元できる前の世代がありません。何も書き込みません。")
    wanted = generation or known[-2]
    if wanted not in known[:-1]:
        raise LinkStateError(
            f"第{wanted}世代には復元できません。指定できるのは第{known[0]}世代から第{known[-2]}世代までです。"
            "何も書き込みません。"
        )
    baseline = baselines.read(wanted)
    then = record.sibling(baseline.run)
    if any(then.json_or_none(name) is None for name in NEEDED):
        raise LinkStateError(
            f"第{wanted}世代の記録は保存期間を過ぎて削除されています。復元できません。何も書き込みません。"
        )
    return Applied(baseline, then)
