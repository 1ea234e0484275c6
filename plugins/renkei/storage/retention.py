"""How long the records of runs are kept, and how they go (L1, L4, L6, E31; docs/store.md, "What is kept").

A run's folder goes when the run began before a limit, unless

    the current baseline, or the one before it, names the run
    a note at the account's import lock names it: its load is not settled
    Airflow still works on it
    its load is later than the current baseline: then the baseline is lost, and this run tells so

Baselines themselves and everything else outside `runs/` stay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.import_lock import ImportLock
from renkei.storage.runs import CommonRunStart, Loaded, RunRecord, date_in
from renkei.storage.store import DamagedFileError, Store
from renkei.storage.tenant_folder import AccountFolder, TenantFolder, accounts_folder, tenants_folder

# A folder that was left half-deleted must not be taken up again: no load without its plan, no new plan without its
# snapshot. What tells the run's age goes last, so that the next pruning finds the rest of the folder as old as it is.
PLACE = {"plan.json": 0, "snapshot.json": 1, "run.json": 3}
OTHERS = 2
EMPTY_FOR = dt.timedelta(hours=1)  # an empty folder may be a writer's that is about to fill it


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of one tenant's runs."""

    deleted: int
    kept: int  # with those of `doubtful`
    doubtful: tuple[str, ...]  # kept, and a person should look: no date to be found, or of a lost baseline


Ongoing = Callable[[str], bool]  # whether Airflow still works on the run with this `run_id`


def tenants_and_accounts(store: Store, link: str) -> dict[str, list[str]]:
    """Every tenant of the store, its sheet there or gone, with the EMC accounts that it may have loaded into."""
    accounts: dict[str, list[str]] = {tenant: [] for tenant in store.names(tenants_folder(link))}
    for account in store.names(accounts_folder(link)):
        for name in store.names(AccountFolder(store, link, account).tenants):
            accounts.setdefault(name.removesuffix(".json"), []).append(account)
    return accounts


def prune(
    folder: TenantFolder,
    accounts: Sequence[str],
    now: dt.datetime,
    keep: dt.timedelta,
    ongoing: Ongoing,
) -> Pruned:
    """Delete the runs of a tenant that are older than `keep` and that nothing needs.

    May die anywhere and be repeated.

    Raises:
        BaselineError, StoreError: nobody can say what must stay, or the store failed; nothing more is deleted.
    """
    limit = now - keep
    records = [RunRecord(folder, run) for run in folder.store.names(folder.runs)]
    old = [record for record in records if not _is_young(record, limit, now)]
    if not old:
        return Pruned(0, len(records), ())
    current, needed = _needed(folder, accounts)
    deleted, doubtful = 0, []
    for record in old:
        if record.run in needed:
            continue
        files = folder.store.files(record.folder)
        if not files:
            deleted += _remove_leftover(record, now)
            continue
        run_id, began = _start(record, files)
        if began is not None and began >= limit:
            continue
        if began is None or _tells_of_a_lost_baseline(record, current):
            doubtful.append(record.run)
        elif not (run_id and ongoing(run_id)):
            _delete(record, files)
            deleted += 1
    return Pruned(deleted, len(records) - deleted, tuple(doubtful))


def _is_young(record: RunRecord, limit: dt.datetime, now: dt.datetime) -> bool:
    """Whether the date in the folder's name alone tells that the run stays: a run begins after that date.

    Spares reading some 400 `run.json` per tenant and day from an object store.
    """
    named = date_in(record.run)
    return named is not None and limit <= named <= now


def _needed(folder: TenantFolder, accounts: Sequence[str]) -> tuple[Baseline | None, set[str]]:
    """The current baseline, and the runs that the next load, the undoing of the last one or an open note need."""
    # Notes first: a load that is being settled becomes a baseline before its note goes away.
    notes = [ImportLock(AccountFolder(folder.store, folder.link, account)).pending() for account in accounts]
    baselines = Baselines(folder)
    newest = [baselines.read(generation) for generation in baselines.generations()[-2:]]
    runs = {baseline.run for baseline in newest} | {n.run for n in notes if n is not None and n.tenant == folder.tenant}
    return newest[-1] if newest else None, runs


def _start(record: RunRecord, files: Sequence[str]) -> tuple[str, dt.datetime | None]:
    """The run's id, if it is known, and when it began.

    Without `run.json`, which a run that failed at once has not, the newest date there is stands for it.
    """
    try:
        start = record.read_or_none(CommonRunStart)
    except DamagedFileError:
        return "", None
    if start is not None:
        return start.run_id, start.started_at
    dates = [date_in(record.run), *(record.store.modified(key) for key in files)]
    return "", max((date for date in dates if date is not None), default=None)


def _tells_of_a_lost_baseline(record: RunRecord, current: Baseline | None) -> bool:
    """E31: history has a load that came after what is the baseline now."""
    load = record.read_or_none(Loaded)
    if load is None or current is None:
        return load is not None
    return load.confirmed_at > dt.datetime.fromisoformat(current.confirmed_at)


def _delete(record: RunRecord, files: Sequence[str]) -> None:
    for key in sorted(files, key=lambda key: PLACE.get(key.removeprefix(f"{record.folder}/"), OTHERS)):
        record.store.delete(key)
    record.store.remove_folder(record.folder)


def _remove_leftover(record: RunRecord, now: dt.datetime) -> int:
    """A pruning that died before its very last step has left an empty folder; 1 if it is gone now."""
    changed = record.store.modified(record.folder)
    if changed is None or now - changed < EMPTY_FOR:
        return 0
    record.store.remove_folder(record.folder)
    return 1
