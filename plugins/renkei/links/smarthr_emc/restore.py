"""復元: go back to a snapshot that EMC once confirmed. Its tables become the snapshot of this run."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.clock import time_in_japan
from renkei.errors import LinkStateError
from renkei.links.smarthr_emc.records import Plan, RunSheet, SnapshotSummary
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder

LISTED = 10  # generations shown, newest first; others can be named all the same
NEEDED = (RunSheet, SnapshotSummary, Plan)  # what is left of a run as long as housekeeping has not taken it away


@dataclass(frozen=True, slots=True)
class AppliedSnapshot:
    """A snapshot that was applied: its baseline and the record of the run that made it."""

    baseline: Baseline
    record: RunRecord


def listed(folder: TenantFolder) -> list[Baseline]:
    """The generations that 復元 can go back to, newest first, LISTED of them."""
    baselines = Baselines(folder)
    found: list[Baseline] = []
    for number in reversed(baselines.generations()[:-1]):
        one = baselines.read(number)
        if all(map(RunRecord(folder, one.run).has, NEEDED)):
            found.append(one)
        if len(found) == LISTED:
            break
    return found


def generations(record: RunRecord) -> str:
    """The same as a text, with the time in Japan and the size of each."""
    texts = [
        f"第{one.generation}世代（{time_in_japan(one.confirmed_at)} に登録、社員{one.users}名、部署{one.departments}件）"
        for one in listed(record.tenant_folder)
    ]
    return "、".join(texts) or "（ありません）"


def applied(record: RunRecord, generation: int) -> AppliedSnapshot:
    """The applied snapshot of that generation; 0 is the one before the current.

    Raises:
        LinkStateError: there is none, or its record has been removed.
    """
    baselines = Baselines(record.tenant_folder)
    known = baselines.generations()
    if len(known) < 2:
        raise LinkStateError("復元できる前の世代がありません。何も書き込みません。")
    wanted = generation or known[-2]
    if wanted not in known[:-1]:
        raise LinkStateError(
            f"第{wanted}世代には復元できません。指定できるのは {generations(record)} です。何も書き込みません。"
        )
    baseline = baselines.read(wanted)
    then = record.sibling(baseline.run)
    if not all(map(then.has, NEEDED)):
        raise LinkStateError(
            f"第{wanted}世代の記録は保存期間を過ぎて削除されています。復元できません。指定できるのは {generations(record)} です。"
            "何も書き込みません。"
        )
    return AppliedSnapshot(baseline, then)
