"""What the records say of whether EMC is as SmartHR was read: the figures of 即応証明, a dozen small files, and where EMC is now."""

from __future__ import annotations

import datetime as dt

from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import DiffSummary, LoadConfirmation, Plan, Reach, RunStart, SnapshotSummary
from renkei.links.smarthr_emc.wording import RECORD_SETS
from renkei.orchestration.smarthr_emc.connections import leads_elsewhere
from renkei.runs.current_baseline import current_baseline
from renkei.runs.notes import LastComparison, LastWritingRun
from renkei.runs.outcome import End, Outcome, good_end
from renkei.storage import records
from renkei.storage.baselines import Baseline
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Compared, Confirmed, Evidence, ReachCounts, Written

TABLES = ("users", "users_target", "departments")  # without which there is nothing to compare with


def evidence(folder: TenantFolder) -> Evidence:
    """Raises StoreError, BaselineError: a record cannot be read, so nothing may be stated."""
    where = current_baseline(folder)
    if where.baseline is None or where.record is None:
        return Evidence()
    return Evidence(
        _confirmed(where.baseline, where.record), _written(folder, where.baseline), _compared(folder, where.baseline)
    )


def _confirmed(baseline: Baseline, record: RunRecord) -> Confirmed:
    plan, load = record.read_or_none(Plan), record.read_or_none(LoadConfirmation)
    read = record.read_or_none(SnapshotSummary)
    whole = all(record.store.exists(f"{record.folder}/{name}.parquet") for name in TABLES)
    return Confirmed(
        baseline.generation,
        dt.datetime.fromisoformat(baseline.confirmed_at),
        baseline.users,
        baseline.departments,
        sound=whole
        and read is not None
        and (plan.digest if plan else "") == baseline.plan_digest
        and (load.import_key if load else "") == baseline.import_key,
        plan_digest=baseline.plan_digest,
        digests={f"{RECORD_SETS[s]}の前回データ": one.digest for s, one in read.sets.items()} if read else {},
    )


def _written(folder: TenantFolder, baseline: Baseline) -> Written | None:
    note = records.read_or_none(folder.store, folder.last_real, LastWritingRun)
    if note is None:
        return None
    record = RunRecord(folder, note.folder)
    start = record.read_or_none(RunStart)
    if start is None:
        return None
    read, diff, end = record.read_or_none(SnapshotSummary), record.read_or_none(DiffSummary), record.read_or_none(End)
    outcome, ended_at = good_end(record) or (None, None)
    unchanged = end is not None and end.result == "unchanged"
    return Written(
        note.run,
        read.at if read else None,
        ended_at if outcome is Outcome.OK else None,
        is_current=baseline.run == note.folder
        or (unchanged and diff is not None and diff.generation == baseline.generation),
        as_read=start.mode.writes and start.mode is not Mode.RESTORE,
        frozen=start.disaster,
        valid=read.sets[RecordSet.USERS].valid if read else None,
        sheet_digest=start.sheet_digest,
        reached=_reached(record, baseline.users),
    )


def _reached(record: RunRecord, people: int) -> ReachCounts | None:
    found = record.read_or_none(Reach)
    if found is None:
        return None
    without = people - found.reached - found.unknown
    return ReachCounts(found.present, found.lost, found.reached, without, found.unknown, found.media)


def _compared(folder: TenantFolder, baseline: Baseline) -> Compared | None:
    found = records.read_or_none(folder.store, folder.last_comparison, LastComparison)
    if found is None:
        return None
    current = (found.generation, found.digest) == (baseline.generation, baseline.plan_digest)
    elsewhere = bool(found.address) and leads_elsewhere(found.address)
    return Compared(found.at, current, sum(found.differences.values()), elsewhere)
