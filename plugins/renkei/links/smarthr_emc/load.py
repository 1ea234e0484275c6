"""Apply a plan exactly once, and move the baseline only when EMC has confirmed it (L1–L4, E27, E37, E38).

Every line may be the last one before the process dies. What the next attempt finds, and does:

    nothing                          start over
    a note, no import in EMC         nothing was applied: remove the note, start over
    a note, an open import           never committed: abort it, remove the note, start over
    a note, a rejected import        nothing was applied: remove the note, start over
    a note, a committed import       move the baseline (once), remove the note: done
    a note, the baseline moved       remove the note: done
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Literal, Protocol

import pandas as pd

from renkei.errors import BaselineError, BusyAccountError, RejectedLoadError, RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import EmcRefusal, LoadConfirmation, Plan, RefusedRow
from renkei.storage.baselines import Baseline, Baselines, generation_of
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.runs import RunRecord
from renkei.systems.emc.client import ImportBusyError, import_key
from renkei.systems.emc.encode import ImportFile
from renkei.systems.emc.payloads import EmcProblem, Import

log = logging.getLogger(__name__)

LEASE = dt.timedelta(hours=2)  # longer than Airflow lets a load live (dag_builder.LOAD_TIMEOUT)


class Target(Protocol):
    """EMC, over HTTP or through files."""

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import: ...

    def find_import(self, key: str) -> Import | None: ...

    def withdraw(self, found: Import) -> None: ...

    def forgotten(self) -> list[Import]: ...

    def forget(self, key: str) -> None: ...

    def find(
        self, record_set: Literal["departments", "users"], ids: Sequence[str], fields: Sequence[str]
    ) -> list[dict[str, str]] | None: ...

    def export(self, record_set: Literal["departments", "users"], fields: Sequence[str]) -> pd.DataFrame | None: ...

    def ever_committed(self, source: str) -> bool: ...


EncodeFiles = Callable[[], tuple[ImportFile | None, ImportFile | None]]


def settle(lock: ImportLock, target: Target, record: RunRecord, now: dt.datetime) -> None:
    """Find out what became of an earlier load into this account, and finish it (L4).

    Raises:
        BusyAccountError: another tenant's is going on.
        RetriableLoadError: ours is still going on, or nobody can say yet.
    """
    pending = lock.pending()
    if pending is None:
        return
    mine, dead = pending.tenant == record.tenant, pending.expired(now, LEASE)
    if not (mine or dead):
        raise BusyAccountError(f"同じEMCに別のテナント（{pending.tenant}）が取込中です。終了後に再実行します。")
    found = target.find_import(pending.import_key)
    if found is not None and found.state == "applying":
        raise RetriableLoadError(
            f"前回の取込（{pending.import_key}）の結果がまだ確認できていません。"
            "取込結果を確認するまで、次の取込は行いません。"
        )
    if found is not None and found.state == "committed":
        log.info("settled tenant=%s run=%s: EMC had committed it", pending.tenant, pending.run)
        owner = RunRecord(replace(record.tenant_folder, tenant=pending.tenant), pending.run)
        _promote(owner, pending, found, now)
    elif found is not None and found.state == "open":
        target.withdraw(found)
    target.forget(pending.import_key)
    lock.release(pending)


def apply(
    record: RunRecord,
    plan: Plan,
    lock: ImportLock,
    target: Target,
    encode_files: EncodeFiles,
    last_check: Callable[[], None],
    now: dt.datetime,
) -> Import | None:
    """Load the plan; None when an earlier attempt of this run had already done it.

    `last_check` runs when nobody else can load into the account any more; it raises to stop (E27).
    The answer is `committed`, or `applying` when a file drop waits for its confirmation.

    Raises:
        BaselineError: the baseline is not the one that the plan was made against.
        RejectedLoadError: EMC refused; its reasons are in the run's record (`emc_problems`).
        RetriableLoadError: EMC is busy, or its answer was lost; the next attempt asks for it.
    """
    settle(lock, target, record, now)
    if _done(record, plan):
        return None
    current = Baselines(record.tenant_folder).current()
    if generation_of(current) != plan.generation:
        raise BaselineError(
            "この処理の後に別の処理が前回データを更新しています。古い計画は書き込みません。手動実行で再度取り込んでください。"
        )
    files = encode_files()
    pending = PendingImport(
        tenant=record.tenant,
        run=record.run,
        import_key=import_key(record.tenant, plan.digest),
        plan_digest=plan.digest,
        baseline_generation=plan.generation,
        written_at=now.isoformat(),
    )
    if not lock.acquire(pending):
        raise BusyAccountError("同じEMCへの別の取込が始まりました。終了後に再実行します。")
    try:
        last_check()
    except RenkeiError:
        lock.release(pending)
        raise
    return finish(record, pending, lock, target, _submit(record, pending, lock, target, files, now), now)


def _submit(
    record: RunRecord,
    pending: PendingImport,
    lock: ImportLock,
    target: Target,
    files: tuple[ImportFile | None, ImportFile | None],
    now: dt.datetime,
) -> Import:
    """Send what the lock has noted. Raises: as `apply`."""
    try:
        return target.submit(pending.import_key, pending.tenant, pending.plan_digest, *files)
    except ImportBusyError:
        # The note is ours: no load of Renkei's is under way, so an open import of Renkei's is one that came too late
        # for its own attempt. Nobody else would ever abort it; the next attempt finds the account free.
        for found in target.forgotten():
            target.withdraw(found)
        raise
    except RejectedLoadError:
        # Refused before it became an import: the account must be free for its other tenants again (L5).
        settle(lock, target, record, now)
        raise


def finish(
    record: RunRecord, pending: PendingImport, lock: ImportLock, target: Target, found: Import, now: dt.datetime
) -> Import:
    """Draw the consequence of how an import ended: move the baseline, or keep EMC's reasons and raise."""
    if found.state == "committed":
        _promote(record, pending, found, now)
        target.forget(pending.import_key)
        lock.release(pending)
    elif found.state != "applying":
        record.write(EmcRefusal(_with_ids(record, found.errors), found.error_count))
        target.forget(pending.import_key)
        lock.release(pending)
        count = max(found.error_count, len(found.errors))  # none where a person says that the upload failed
        found_many = f"（{count}件）" if count else ""
        raise RejectedLoadError(f"EMCが取込を拒否しました{found_many}。EMCには何も反映されていません。")
    return found


def _with_ids(record: RunRecord, problems: Sequence[EmcProblem]) -> list[RefusedRow]:
    """EMC's reasons, each with the id (and crew id) that its line stood for: the files themselves are not kept (L8)."""
    plan = record.read(Plan)
    sent = {RecordSet.DEPARTMENTS: plan.departments, RecordSet.USERS: plan.users}
    rows = {
        s.value: record.table(f"{s.value}_plan") for s in RecordSet if sent[s] and any(p.file == s for p in problems)
    }
    found = []
    for problem in problems:
        record_id = crew_id = ""
        if problem.file in rows and 0 < problem.line <= len(rows[problem.file]):
            row = rows[problem.file].iloc[problem.line - 1]
            record_id, crew_id = row[RecordSet(problem.file).id_column], row.get("crew_id", "")
        found.append(RefusedRow(**asdict(problem), id=record_id, crew_id=crew_id))
    return found


def _promote(owner: RunRecord, pending: PendingImport, found: Import, now: dt.datetime) -> None:
    plan = owner.read(Plan)
    # First: it is what tells a lost baseline from a first link (E31).
    owner.write(
        LoadConfirmation(
            import_key=pending.import_key,
            import_id=found.id,
            confirmed_at=now,
            counts={name: dict(counts) for name, counts in found.counts.items()},
            notices=list(found.notices),
        )
    )
    Baselines(owner.tenant_folder).promote(
        Baseline(
            generation=pending.baseline_generation + 1,
            run=pending.run,
            plan_digest=pending.plan_digest,
            import_key=pending.import_key,
            confirmed_at=now.isoformat(),
            users=plan.users_after,
            departments=plan.departments_after,
        )
    )


def _done(record: RunRecord, plan: Plan) -> bool:
    current = Baselines(record.tenant_folder).current()
    return (
        current is not None
        and (current.run, current.plan_digest) == (record.run, plan.digest)
        and current.generation == plan.generation + 1
    )
