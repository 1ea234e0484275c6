"""Compare: the snapshot with the baseline (diff), or for 照合 the baseline with what EMC has."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from renkei.errors import BusyAccountError, LinkStateError
from renkei.links.smarthr_emc import diff as differ
from renkei.links.smarthr_emc import ownership, reconcile
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Operation, RecordSet
from renkei.links.smarthr_emc.records import Comparison, DiffSummary, RunSheet, SetDiff, SnapshotSummary, Tally
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.stages.job import Job, refuse_lost_baseline, settle_own
from renkei.runs import notes
from renkei.runs.current_baseline import current_baseline
from renkei.runs.notes import LastComparison
from renkei.storage import records
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import digest, is_in

# Who is who: nobody's values are compared (E5).
USERS_READ = ("crew_id", "user_id", "valid", "line")
DEPARTMENTS_READ = ("source_id", "department_id", "line")


def make_diff(job: Job, target: Target, now: dt.datetime) -> dict[RecordSet, SetDiff]:
    """Compare with the baseline, ask EMC which of the ids it has, and keep the result; counts by record set.

    Raises:
        BaselineError: there was a baseline once and it is gone (E31).
    """
    if settle_own(job, target, now):  # cleared after its load was confirmed: what was compared then stands
        return job.record.read(DiffSummary).sets
    where = current_baseline(job.record.tenant_folder)
    if where.record is None and not job.mode.relinks:
        refuse_lost_baseline(job, target)
    users, departments = job.record.table("users", USERS_READ), job.record.table("departments", DEPARTMENTS_READ)
    old_users, old_departments = where.table("users", USERS_READ), where.table("departments", DEPARTMENTS_READ)
    known = where.table("lost_ids")
    lost_before = frozenset() if known is None else frozenset(known["crew_id"])
    user_table, lost = differ.diff_users(old_users, users, lost_before)
    department_table = differ.diff_departments(old_departments, departments)
    if job.mode.relinks and old_users is not None:
        owned = old_users.loc[old_users["valid"] & (old_users["user_id"] != ""), "user_id"]
        user_table = differ.relink(user_table, owned)
    user_table = _reconciled(user_table, RecordSet.USERS, target)
    if old_users is not None and not job.mode.relinks and differ.may_have_passed(user_table).any():
        then = where.table("users")
        assert then is not None  # as old_users
        user_table = differ.hand_over(user_table, then, job.record.table("users"), job.mapping)
    department_table = _reconciled(department_table, RecordSet.DEPARTMENTS, target)
    sets = {}
    before = where.read(SnapshotSummary, "要約")
    for record_set, table in ((RecordSet.DEPARTMENTS, department_table), (RecordSet.USERS, user_table)):
        previous, received = before.sets[record_set] if before else None, job.summary(record_set)
        changed = differ.is_changed(previous, received, job.mode) or differ.has_drifted(table)
        sets[record_set] = SetDiff(differ.count(table, previous, received), changed)
        job.record.write_table(f"{record_set.value}_diff", table)
    job.record.write_table("lost_ids", pd.DataFrame({"crew_id": sorted(lost)}, dtype="str"))
    job.record.write(DiffSummary(where.generation, sets))
    return sets


def _reconciled(table: pd.DataFrame, record_set: RecordSet, target: Target) -> pd.DataFrame:
    replaced = set(table.loc[(table["operation"] == Operation.DELETE.value), "id"])
    ids = table.loc[~is_in(table["id"], replaced), "id"].tolist()
    items = DEPARTMENT_ITEM if record_set is RecordSet.DEPARTMENTS else USER_ITEM
    name = items[record_set.id_column].name
    found = target.find(record_set.value, ids, [name])
    return table if found is None else differ.reconcile(table, {row[name] for row in found})


def compare(
    job: Job, target: Target, emc_format: EmcFormat, now: dt.datetime, address: str = ""
) -> dict[RecordSet, Tally]:
    """照合: every difference between EMC and what it confirmed last, kept in the record; figures by record set.

    `last_comparison` says so in one key; `address` is where that was asked.

    Raises:
        LinkStateError: the tenant's EMC is reached by files, which cannot be read back.
        BusyAccountError: another tenant is loading into the account.
    """
    where = current_baseline(job.record.tenant_folder)
    departments, users, wanted = where.table("departments"), where.table("users"), where.table("users_target")
    if where.baseline is None or where.record is None or departments is None or users is None or wanted is None:
        raise LinkStateError("前回データがありません。照合は初回連携の後に実行してください。")
    mapping = where.record.read(RunSheet).mapping  # what it was written by
    neighbours = ownership.neighbours(job.record, mapping)
    found, others = {}, {}
    for record_set in RecordSet:
        exported = target.export(record_set.value, reconcile.fields(record_set, mapping))
        if exported is None:
            raise LinkStateError("取込方式がファイルのため、EMCの登録内容を読み取れません。照合はできません。")
        found[record_set] = exported
    if job.import_lock().pending() is not None:  # what it loads may be in EMC already, and in no baseline yet
        raise BusyAccountError("同じEMCに別のテナントが取込中です。終了後に照合します。")
    for record_set in RecordSet:
        owned = ownership.owned_ids(job.record, neighbours, record_set).values()
        others[record_set] = frozenset().union(*owned)
    there, ours = found[RecordSet.DEPARTMENTS], others[RecordSet.DEPARTMENTS]
    differences = pd.concat(
        [
            reconcile.compare_departments(departments, there, mapping, ours, emc_format),
            reconcile.compare_users(
                users, wanted, found[RecordSet.USERS], mapping, others[RecordSet.USERS], emc_format
            ),
        ],
        ignore_index=True,
    )
    figures = reconcile.tally(differences)
    job.record.write_table("differences", differences)
    folder = job.record.tenant_folder
    last, of = notes.read(folder.store, folder.last_comparison, LastComparison), digest(differences, "id")
    told = last.told if last and last.of == of else None
    job.record.write(Comparison(figures, reconcile.lines(differences), told))
    kinds = {kind.value: sum(getattr(one, kind.value) for one in figures.values()) for kind in reconcile.Kind}
    of_run, baseline = (job.start.run_id, job.record.run), where.baseline
    note = LastComparison(*of_run, now, baseline.generation, baseline.plan_digest, kinds, of, told, address)
    records.write(folder.store, folder.last_comparison, note)
    return figures
