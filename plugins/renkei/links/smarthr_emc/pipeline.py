"""The stages of one run, each reading its input from the run's record and leaving its output there.

    open_run → departments → users → snapshot → diff → validate → (approval) → load → (confirmation)

復元 takes an earlier snapshot where the others read SmartHR. 照合 compares in `diff`; its other stages have nothing
to do.

A stage that is repeated finds what it wrote before and ends in the same state (L4). Between stages
travels nothing but the run's key (L6).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from renkei.errors import (
    BaselineError,
    BusyAccountError,
    HoldError,
    IncompleteReadError,
    LinkStateError,
    RecordError,
    RenkeiError,
)
from renkei.links.smarthr_emc import diff as differ
from renkei.links.smarthr_emc import (
    disaster,
    fetch,
    guards,
    hygiene,
    load,
    ownership,
    plan,
    reconcile,
    restore,
    snapshot,
)
from renkei.links.smarthr_emc.baseline import Standing, standing, was_linked
from renkei.links.smarthr_emc.columns import is_in
from renkei.links.smarthr_emc.load import Plan, Target
from renkei.links.smarthr_emc.model import Counts, Mode, Operation, RecordSet, RunStart
from renkei.links.smarthr_emc.report import PEOPLE_SHOWN
from renkei.links.smarthr_emc.sheet.index import mapping_from_json, mapping_to_json, without_password
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Mapping
from renkei.links.smarthr_emc.snapshot import SetSummary, Snapshot
from renkei.links.smarthr_emc.validate import other_tenants_ids
from renkei.storage.gate import Gate
from renkei.storage.runs import RunRecord
from renkei.systems.emc.client import Import
from renkei.systems.emc.encode import ImportFile, encode
from renkei.systems.emc.file_format import EmcFormat
from renkei.systems.smarthr.client import SmartHRClient

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one tenant: its record, the sheet as it was when the run began, what was asked for."""

    record: RunRecord
    mapping: Mapping
    start: RunStart

    @property
    def mode(self) -> Mode:
        return self.start.mode

    def gate(self) -> Gate:
        return Gate(self.record.store, self.record.link, self.mapping.emc_account)


def open_run(record: RunRecord, mapping: Mapping, start: RunStart, target: Target, now: dt.datetime) -> Job:
    """Begin the run, or find it begun; refuse what must not run at all.

    An earlier load whose outcome nobody heard is settled first, so that the run starts from the truth.

    Raises:
        LinkStateError: 連携解除 (E32), a first link that nobody asked for (E31), a changed ID付与コード (E25),
            再連携 under 災害時凍結, nothing to compare with (照合) or to go back to (復元).
        RetriableLoadError: the outcome of an earlier load is still open.
    """
    if start.mode is Mode.RESTORE:  # by its number: "the one before" is another one once this run has ended
        start = dataclasses.replace(start, generation=restore.applied(record, start.generation).baseline.generation)
    record.create_json("run", start.as_json())
    # By itself: the process may die between the two.
    record.create_json("sheet", _sheet_of(record, mapping, RunStart.from_json(record.json("run"))))
    job = resume(record, mapping)
    if job.mapping.state is LinkState.FROZEN:
        raise LinkStateError(
            "連携解除中のため処理しません。EMCのデータはそのままです。再開するには連携設定シートの連携状態を「連携中」にしてください。"
        )
    if job.start.disaster and job.mode.relinks:
        raise LinkStateError("災害時凍結中のため再連携は行いません。凍結を解除してから実行してください。")
    _settle_own(job, target, now)
    where = standing(record)
    if where.record is None:
        if not job.start.manual:
            _refuse_lost_baseline(job, target)
            raise LinkStateError(
                "初回連携がまだ行われていません。初回連携は自動では実行しません。"
                "運用担当者がAirflowの画面から手動で実行（Trigger）してください。"
            )
        return job
    _refuse_changed_identity(where, job)
    return job


def _sheet_of(record: RunRecord, mapping: Mapping, start: RunStart) -> dict[str, Any]:
    """The sheet that this run goes by: 復元 goes by the one of the snapshot that it takes."""
    if start.mode is Mode.RESTORE:
        return restore.applied(record, start.generation).record.json("sheet")
    return {"mapping": mapping_to_json(without_password(mapping))}


def _settle_own(job: Job, target: Target, now: dt.datetime) -> bool:
    """Finish an earlier load of this tenant that nobody heard of; whether this very run is the one now confirmed."""
    pending = job.gate().pending()
    if pending is not None and pending.tenant == job.record.tenant:
        load.settle(job.gate(), target, job.record, now)
    current = standing(job.record).baseline
    return current is not None and current.run == job.record.run


def resume(record: RunRecord, current: Mapping) -> Job:
    """The run as it was begun. Only a literal password comes from the current sheet: records hold none (L6)."""
    start = RunStart.from_json(record.json("run"))
    mapping = mapping_from_json(record.json("sheet")["mapping"])
    password = current.rule("password")
    users = tuple(password if rule.item == "password" and password else rule for rule in mapping.users)
    return Job(record, dataclasses.replace(mapping, users=users), start)


def _refuse_changed_identity(where: Standing, job: Job) -> None:
    assert where.record is not None
    sheet = where.record.json_or_none("sheet")
    if sheet is None:
        raise BaselineError("前回データの連携設定が保存先にありません。何も書き込みません。保存先を復元してください。")
    before = mapping_from_json(sheet["mapping"])
    if before.emc_account != job.mapping.emc_account:
        raise LinkStateError(
            f"EMCアカウントが「{before.emc_account}」から「{job.mapping.emc_account}」に変わっています。"
            "連携開始後は変更できません。元に戻すか、連携解除のうえ別のテナントとして登録してください。"
        )
    if before.id_prefix != job.mapping.id_prefix and not job.mode.relinks:
        raise LinkStateError(
            f"ID付与コードが「{before.id_prefix}」から「{job.mapping.id_prefix}」に変わっています。"
            "ID付与コードは後から変更できません。元に戻すか、「再連携」を実行してください"
            "（現在連携中のユーザ・部署は削除され、新規として再登録されます）。"
        )


def fetch_departments(job: Job, client: SmartHRClient, read_id: str) -> int:
    """Read departments and master lists; the number of departments."""
    if _is_frozen(job):
        return len(job.record.table("departments", ["line"]))
    departments, masters = fetch.fetch_departments(client, job.mapping)
    job.record.write_table("fetched_departments", departments)
    job.record.write_json("fetched", {"read_id": read_id, "masters": masters})
    return len(departments)


def fetch_users(job: Job, client: SmartHRClient, progress: Callable[[int, int], None] | None = None) -> int:
    """Read every crew; their number."""
    if _is_frozen(job):
        return len(job.record.table("users", ["line"]))
    fetched = job.record.json("fetched")
    known, retired = _crews_of(standing(job.record).table("users", ["crew_id", "valid"]))
    users = fetch.fetch_users(client, job.mapping, fetched["masters"], known, progress, retired)
    job.record.write_table("fetched_users", users)
    job.record.write_json("fetched_users", {"read_id": fetched["read_id"]})
    return len(users)


def _crews_of(users: pd.DataFrame | None) -> tuple[list[str], list[str]]:
    """Crew ids of a baseline: the valid ones, and those 退職済."""
    if users is None:
        return [], []
    there = users[users["crew_id"] != ""]  # 災害時凍結 keeps ids whose crew has another one now
    return there.loc[there["valid"], "crew_id"].tolist(), there.loc[~there["valid"], "crew_id"].tolist()


def take_snapshot(job: Job) -> dict[str, int]:
    """Freeze the read; from here on this run never reads SmartHR again (E3). Numbers of valid records."""
    if job.mode is Mode.RECONCILE:
        return {}
    if not _is_frozen(job):
        frozen, read_id = _restored(job) if job.mode is Mode.RESTORE else _read(job)
        where = standing(job.record)
        departments, users = where.table("departments"), where.table("users")
        if job.start.disaster and departments is not None and users is not None:
            frozen = snapshot.summarise(
                disaster.keep_departments(frozen.departments, departments),
                disaster.keep_users(frozen.users, users),
                job.mapping,
                rules="+disaster",  # ending the freeze is a change, although nobody's data may have changed (E14)
            )
        job.record.write_table("departments", frozen.departments)
        job.record.write_table("users", frozen.users)
        job.record.write_json("snapshot", {"read_id": read_id, "sets": frozen.summary_json()})
        job.record.delete_table("fetched_departments")
        job.record.delete_table("fetched_users")
    return {record_set.value: _summary(job, record_set).valid for record_set in RecordSet}


def _read(job: Job) -> tuple[Snapshot, str]:
    fetched = job.record.json("fetched")
    if job.record.json("fetched_users")["read_id"] != fetched["read_id"]:
        raise IncompleteReadError(
            "部署と社員が別々の受信のものです。混ぜて処理しません。fetch_users から再実行(Clear)してください。"
        )
    departments, users = job.record.table("fetched_departments"), job.record.table("fetched_users")
    frozen = snapshot.freeze(departments, users, job.mapping)
    before = standing(job.record).table("users")
    if before is not None:
        snapshot.refuse_lost_permission(frozen, before, job.mapping)
    return frozen, fetched["read_id"]


def _restored(job: Job) -> tuple[Snapshot, str]:
    then = restore.applied(job.record, job.start.generation).record
    users = then.table("users")
    users["line"] = range(1, len(users) + 1)  # kept then or received, all of them are to be there again
    return snapshot.summarise(then.table("departments"), users, job.mapping), then.json("snapshot")["read_id"]


def compare(job: Job, target: Target, emc_format: EmcFormat) -> dict[str, Any]:
    """照合: every difference between EMC and what it confirmed last, kept in the record; figures by record set.

    Raises:
        LinkStateError: the tenant's EMC is reached by files, which cannot be read back.
        BusyAccountError: another tenant is loading into the account.
    """
    where = standing(job.record)
    departments, users, wanted = where.table("departments"), where.table("users"), where.table("users_target")
    if where.record is None or departments is None or users is None or wanted is None:
        raise LinkStateError("前回データがありません。照合は初回連携の後に実行してください。")
    mapping = mapping_from_json(where.record.json("sheet")["mapping"])  # what it was written by
    neighbours = ownership.neighbours(job.record, mapping)
    found, others = {}, {}
    for record_set in RecordSet:
        exported = target.export(record_set.value, reconcile.fields(record_set, mapping))
        if exported is None:
            raise LinkStateError("取込方式がファイルのため、EMCの登録内容を読み取れません。照合はできません。")
        found[record_set] = exported
    if job.gate().pending() is not None:  # what it loads may be in EMC already, and in no baseline yet
        raise BusyAccountError("同じEMCに別のテナントが取込中です。終了後に照合します。")
    for record_set in RecordSet:
        owned = ownership.owned_ids(job.record, neighbours, record_set).values()
        others[record_set] = frozenset().union(*owned)
    there, ours = found[RecordSet.DEPARTMENTS], others[RecordSet.DEPARTMENTS]
    differences = _concat(
        [
            reconcile.compare_departments(departments, there, mapping, ours, emc_format),
            reconcile.compare_users(
                users, wanted, found[RecordSet.USERS], mapping, others[RecordSet.USERS], emc_format
            ),
        ]
    )
    figures = {record_set.value: tally.as_json() for record_set, tally in reconcile.tally(differences).items()}
    job.record.write_table("differences", differences)
    job.record.write_json("compare", {"sets": figures, "lines": reconcile.lines(differences)})
    return figures


def make_diff(job: Job, target: Target, now: dt.datetime) -> dict[str, Any]:
    """Compare with the baseline, ask EMC which of the ids it has, and keep the result; counts by record set.

    Raises:
        BaselineError: there was a baseline once and it is gone (E31).
    """
    if _settle_own(job, target, now):  # cleared after its load was confirmed: what was compared then stands
        sets_then: dict[str, Any] = job.record.json("diff")["sets"]
        return sets_then
    where = standing(job.record)
    if where.record is None and not job.mode.relinks:
        _refuse_lost_baseline(job, target)
    users, departments = job.record.table("users"), job.record.table("departments")
    old_users, old_departments = where.table("users"), where.table("departments")
    lost_before = _column(where.table("lost_ids"), "crew_id")
    user_table, lost = differ.diff_users(old_users, users, lost_before)
    department_table = differ.diff_departments(old_departments, departments)
    if job.mode.relinks and old_users is not None:
        owned = old_users.loc[old_users["valid"] & (old_users["user_id"] != ""), "user_id"]
        user_table = differ.relink(user_table, owned)
    user_table = _reconciled(user_table, RecordSet.USERS, target)
    department_table = _reconciled(department_table, RecordSet.DEPARTMENTS, target)
    sets: dict[str, Any] = {}
    for record_set, table in ((RecordSet.DEPARTMENTS, department_table), (RecordSet.USERS, user_table)):
        previous, received = where.summary(record_set), _summary(job, record_set)
        sets[record_set.value] = {
            "counts": asdict(differ.count(table, previous, received)),
            "changed": differ.is_changed(previous, received, job.mode) or differ.has_drifted(table),
        }
        job.record.write_table(f"{record_set.value}_diff", table)
    job.record.write_table("lost_ids", _frame({"crew_id": sorted(lost)}))
    job.record.write_json("diff", {"generation": where.generation, "sets": sets})
    return sets


def _refuse_lost_baseline(job: Job, target: Target) -> None:
    if was_linked(job.record) or target.ever_committed(job.record.tenant):
        raise BaselineError(
            "この会社は以前に連携されていますが、前回データが保存先にありません。初回連携として扱うと削除すべき社員が残るため、"
            "何も書き込みません。保存先を復元するか、「再連携」を実行してください。"
        )


def _reconciled(table: pd.DataFrame, record_set: RecordSet, target: Target) -> pd.DataFrame:
    replaced = set(table.loc[(table["operation"] == Operation.DELETE.value), "id"])
    ids = table.loc[~is_in(table["id"], replaced), "id"].tolist()
    items = DEPARTMENT_ITEM if record_set is RecordSet.DEPARTMENTS else USER_ITEM
    name = items[record_set.id_column].name
    found = target.find(record_set.value, ids, [name])
    return table if found is None else differ.reconcile(table, {row[name] for row in found})


def validate(job: Job, target: Target, emc_format: EmcFormat, now: dt.datetime) -> list[guards.Hold]:
    """Make the plan, check every row, ask the guards. The plan and its holds are in the record.

    Raises:
        RecordError: something is wrong; every problem is in the record (`problems`).
    """
    if job.mode is Mode.RECONCILE:
        return []
    if _settle_own(job, target, now):
        return [guards.Hold(**hold) for hold in job.record.json("hold")["holds"]]
    where, diff = standing(job.record), job.record.json("diff")
    if where.generation != diff["generation"]:
        raise BaselineError("差分の作成後に前回データが更新されました。手動実行で再度取り込んでください。")
    tables = {s: job.record.table(f"{s.value}_diff") for s in RecordSet}
    departments, users = job.record.table("departments"), job.record.table("users")
    lost = frozenset(_column(job.record.table("lost_ids"), "crew_id"))
    department_diff, user_diff = tables[RecordSet.DEPARTMENTS], tables[RecordSet.USERS]
    deleted = department_diff.loc[department_diff["operation"] == Operation.DELETE.value, "id"]
    department_plan = plan.plan_departments(
        departments, department_diff, emc_format, where.table("departments"), job.mapping.loader
    )
    user_plan = plan.plan_users(
        users,
        user_diff,
        _as_emc_has(where.table("users_target"), deleted, target),
        _adopted(user_diff, target),
        departments["department_id"],
        deleted,
        lost,
        job.mapping,
        emc_format,
        frozen=job.start.disaster,
        restored=_restored_target(job),
    )
    neighbours = ownership.neighbours(job.record, job.mapping)
    problems = _concat(
        [
            department_plan.problems,
            user_plan.problems,
            *(other_tenants_ids(tables[s], ownership.owned_ids(job.record, neighbours, s), s) for s in RecordSet),
        ]
    )
    job.record.write_table("problems", problems)
    changed = {s: bool(diff["sets"][s.value]["changed"]) for s in RecordSet}
    job.record.write_json(
        "warnings",
        {
            "people": user_plan.warnings,
            "prefixes": ownership.clashing_prefixes(neighbours, job.mapping),
            "id_changes": plan.id_changes(user_diff),
            "hygiene": _hygiene(job, user_plan, emc_format) if changed[RecordSet.USERS] and not len(problems) else {},
        },
    )
    if len(problems) and any(changed.values()):  # what EMC has confirmed and nobody changed is not judged again
        raise RecordError(f"部署・社員データに{len(problems)}件の誤りがあります。何も書き込みません。")
    _check_counts(diff)
    if changed[RecordSet.DEPARTMENTS]:
        job.record.write_table("departments_plan", department_plan.rows)
    if changed[RecordSet.USERS]:
        job.record.write_table("users_plan", user_plan.rows)
    unwritten = None if changed[RecordSet.USERS] else where.table("users_target")
    job.record.write_table("users_target", user_plan.target if unwritten is None else unwritten)
    head = Plan(
        digest=plan.plan_digest(
            department_plan.rows if changed[RecordSet.DEPARTMENTS] else None,
            user_plan.rows if changed[RecordSet.USERS] else None,
            where.generation,
            job.mode,
            _summary(job, RecordSet.USERS).digest,
        ),
        generation=where.generation,
        departments=changed[RecordSet.DEPARTMENTS],
        users=changed[RecordSet.USERS],
        users_after=_summary(job, RecordSet.USERS).valid,
        departments_after=_summary(job, RecordSet.DEPARTMENTS).valid,
    )
    holds = _holds(job, diff, user_plan.holds if changed[RecordSet.USERS] else [])
    job.record.write_json("hold", {"digest": head.digest, "holds": [hold.as_json() for hold in holds]})
    job.record.write_json("plan", head.as_json())
    return holds


def _hygiene(job: Job, users: plan.UserPlan, emc_format: EmcFormat) -> dict[str, Any]:
    """Keep every doubtful value that is about to be written; what the mail tells of them."""
    written = users.rows[users.rows["operation"] != Operation.DELETE.value]
    # 災害時凍結 keeps people after those that are written.
    doubts = hygiene.doubtful(written, users.target.head(len(written)), job.mapping, emc_format)
    job.record.write_table("hygiene", doubts)
    return hygiene.summary(doubts, PEOPLE_SHOWN)


def _holds(job: Job, diff: dict[str, Any], blanks: list[guards.Hold]) -> list[guards.Hold]:
    counts = {s: Counts(**diff["sets"][s.value]["counts"]) for s in RecordSet}
    users, departments = counts[RecordSet.USERS], counts[RecordSet.DEPARTMENTS]
    if job.mode is Mode.RESTORE:
        wanted = restore.applied(job.record, job.start.generation).baseline
        return guards.hold_restore(wanted.generation, wanted.confirmed_at, users.deleted)
    if job.mode.relinks and users.previous_valid:
        return guards.hold_relink(users.deleted, departments.deleted)
    deletions = guards.hold_deletions(
        users.deleted, users.previous_valid, departments.deleted, departments.previous_valid, job.mapping.guards
    )
    return deletions + blanks


def _restored_target(job: Job) -> pd.DataFrame | None:
    if job.mode is not Mode.RESTORE:
        return None
    return restore.applied(job.record, job.start.generation).record.table("users_target")


def _check_counts(diff: dict[str, Any]) -> None:
    for name, result in diff["sets"].items():
        broken = Counts(**result["counts"]).broken_law()
        if broken:
            raise RenkeiError(f"件数の検算が合いません（{name}: {broken}）。Renkeiの不具合です。何も書き込みません。")


def _as_emc_has(before: pd.DataFrame | None, gone: pd.Series[str], target: Target) -> pd.DataFrame | None:
    """`before` with EMC's own word on who is in which department, when some go (E13).

    A sheet that leaves 所属 to EMC's screen (更新しない) lets people be moved there before their department goes.
    """
    if before is None or not len(gone):
        return before
    items = [item for item in DEPARTMENT_REFERENCES if item in before]
    names = {item: USER_ITEM[item].name for item in ("user_id", *items)}
    found = target.find("users", before["user_id"].tolist(), list(names.values())) if items else None
    if not found:
        return before
    now = _frame({item: [row.get(name) or "" for row in found] for item, name in names.items()}).set_index("user_id")
    now = now.reindex(before["user_id"]).set_axis(before.index)
    return before.assign(**{item: now[item].where(now[item].notna(), before[item]) for item in items})


def _adopted(diff: pd.DataFrame, target: Target) -> pd.DataFrame:
    """What EMC has of the people that are new to us but not to EMC: user_id and items."""
    ids = diff.loc[(diff["write_as"] == Operation.UPDATE.value) & (diff["operation"] == Operation.CREATE.value), "id"]
    items = [item for item in USER_ITEMS if item.key not in ("operation", "password")]
    found = (target.find("users", ids.tolist(), [item.name for item in items]) or []) if len(ids) else []
    return _frame({item.key: [row.get(item.name) or "" for row in found] for item in items})


def is_held(job: Job) -> bool:
    """Whether the validated plan waits for a person; never when nothing would be written anyway."""
    if not job.mode.writes:
        return False
    return bool(job.record.json("hold")["holds"]) and _writes_something(job)


def decide(job: Job, approved: bool, by: str, why: str, now: dt.datetime) -> None:
    """Keep who let the held plan through, or refused it, and why (E36).

    Raises:
        HoldError: refused.
    """
    current = standing(job.record).baseline
    if current is not None and current.run == job.record.run:
        return  # loaded already: who let it through stays on record
    digest = job.record.json("hold")["digest"]
    job.record.write_json(
        "approval", {"digest": digest, "approved": approved, "by": by, "why": why, "at": now.isoformat()}
    )
    if not approved:
        raise HoldError("保留された処理は承認されませんでした。EMCには何も書き込んでいません。")


def apply(
    job: Job,
    target: Target,
    emc_format: EmcFormat,
    secret: Callable[[str], str],
    now: dt.datetime,
    *,
    disaster_now: bool = False,
) -> Literal["compared", "checked", "unchanged", "already", "waiting", "loaded"]:
    """Load the plan into EMC and move the baseline, as far as this run may.

    Raises:
        HoldError: a held plan that nobody approved, or one that removes something although 災害時凍結 began.
    """
    if job.mode is Mode.RECONCILE:
        return "compared"
    head = Plan.from_json(job.record.json("plan"))
    if not job.mode.writes:
        return "checked"
    if not _writes_something(job):
        return "unchanged"
    if is_held(job):
        approval = job.record.json_or_none("approval")
        if approval is None or not approval["approved"] or approval["digest"] != head.digest:
            raise HoldError("この計画は承認されていません。EMCには何も書き込んでいません。")
    if disaster_now:
        _refuse_removals(job, head)
    ownership.register(job.record, job.mapping)
    found = load.apply(
        job.record,
        head,
        job.gate(),
        target,
        lambda: _encoded(job, head, emc_format, secret),
        lambda: _refuse_foreign_ids(job),
        now,
    )
    if found is None:
        return "already"
    return "waiting" if found.state == "applying" else "loaded"


def _refuse_removals(job: Job, head: Plan) -> None:
    departments = job.record.table("departments_plan") if head.departments else None
    users = job.record.table("users_plan") if head.users else None
    if disaster.removes_something(departments, users, standing(job.record).table("users_target")):
        raise HoldError(
            "処理の途中で災害時凍結が設定されました。削除または消去を含むため、EMCには何も書き込んでいません。"
            "手動実行で再度取り込んでください（凍結中は削除と消去を除いて登録します）。"
        )


def _encoded(
    job: Job, head: Plan, emc_format: EmcFormat, secret: Callable[[str], str]
) -> tuple[ImportFile | None, ImportFile | None]:
    departments = users = None
    if head.departments:
        departments = encode(job.record.table("departments_plan"), emc_format.department_columns, emc_format)
    if head.users:
        rows = job.record.table("users_plan")
        rule = job.mapping.rule("password")
        created = rows[rows["operation"] == Operation.CREATE.value]
        if rule is not None and len(created):
            # Sources are looked up by crew: rows of the plan hold EMC's items, not SmartHR's.
            people = job.record.table("users")
            people = (
                people[disaster.received(people)].set_index("crew_id").loc[created["crew_id"]].set_index(created.index)
            )
            rows["password"] = plan.password_column(people, rule, secret).reindex(rows.index)
        users = encode(rows, emc_format.user_columns, emc_format)
    return departments, users


def _refuse_foreign_ids(job: Job) -> None:
    neighbours = ownership.neighbours(job.record, job.mapping)
    for record_set in RecordSet:
        table = job.record.table(f"{record_set.value}_diff")
        problems = other_tenants_ids(table, ownership.owned_ids(job.record, neighbours, record_set), record_set)
        if len(problems):
            job.record.write_table("problems", problems)
            raise RecordError(f"同じEMCの別テナントのIDが{len(problems)}件含まれています。何も書き込みません。")


def confirm(job: Job, target: Target, now: dt.datetime) -> Import | None:
    """What became of a file drop, once somebody knows; None while nobody does (E38)."""
    intent = job.gate().pending()
    if intent is None or intent.run != job.record.run:
        return None
    found = target.outcome(intent.import_key)
    if found is None or found.state == "applying":
        return None
    return load.finish(job.record, intent, job.gate(), target, found, now)


def _writes_something(job: Job) -> bool:
    head = Plan.from_json(job.record.json("plan"))
    return head.departments or head.users


def _is_frozen(job: Job) -> bool:
    return job.record.json_or_none("snapshot") is not None


def _summary(job: Job, record_set: RecordSet) -> SetSummary:
    return SetSummary(**job.record.json("snapshot")["sets"][record_set.value])


def _column(table: pd.DataFrame | None, name: str) -> frozenset[str]:
    return frozenset() if table is None else frozenset(table[name])


def _frame(columns: dict[str, list[str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns, dtype="str")


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(frames, ignore_index=True)
