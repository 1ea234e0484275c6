"""One scan of the sheets and the store's small files: who is silent, who is back, what waits. Changes nothing.

It needs neither a run of a tenant's Dag, nor that its Dag file loads, nor Airflow's database.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from renkei import settings
from renkei.channel import Channel
from renkei.clock import DAILY_AT
from renkei.errors import StoreError
from renkei.notifications.monitor import silence
from renkei.notifications.monitor.expiry import Waiting
from renkei.notifications.monitor.silence import Expected, Notes, Results, Silence
from renkei.orchestration.link import Link
from renkei.orchestration.timetable import EveryMinutes, timetable_of
from renkei.runs.notes import LastResult
from renkei.runs.notes import read as read_note
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import AllGrants
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage import records
from renkei.storage.store import DamagedFileError, Store
from renkei.storage.tenant_folder import TenantFolder, watch_folder

log = logging.getLogger(__name__)

READERS = 16  # an object store answers in some 20 ms


@dataclass(frozen=True, slots=True)
class MonitoredSheets:
    """What the sheets say of when a tenant speaks, and to whom."""

    expected: Mapping[str, Expected]
    unlinked: frozenset[str]  # 連携解除
    channels: Mapping[str, tuple[Channel, ...]]
    compiled: Mapping[str, Compiled[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one scan found; `notes` are as they stood, with the schedules of now."""

    sheets: MonitoredSheets
    notes: Notes
    silent: tuple[Silence, ...]
    back: Mapping[str, dt.datetime]
    waiting: Mapping[str, Waiting]
    results: Results


def scan(
    link: Link,
    store: Store,
    folder: Path,
    grants: AllGrants,
    now: dt.datetime,
    grace: dt.timedelta,
    without: Notes | None = None,
) -> ScanResult:
    """Who is silent, who speaks again, which runs wait for an answer that is soon too late; changes nothing.

    `without` are the notes to go by where there are none yet; by default, what is not yet due is not late.
    """
    sheets, notes = read_sheets(link, folder, grants), read_notes(link, store, without or silence.NONE_YET)
    schedules = silence.update_schedules(notes, sheets.expected, sheets.unlinked, now)
    with ThreadPoolExecutor(READERS) as readers:
        folders = [TenantFolder(store, link.name, tenant) for tenant in schedules]
        results = dict(zip(schedules, readers.map(_last_result, folders), strict=True))
        read = readers.map(lambda one: read_note(store, one.waiting, Waiting), folders)
        waiting = dict(zip(schedules, read, strict=True))
        begun = readers.map(lambda one: _was_linked(link, one, results[one.tenant][0]), folders)
        linked = dict(zip(schedules, begun, strict=True))
    silent = []
    for tenant, schedule in sorted(schedules.items()):
        expected, (last, readable) = sheets.expected.get(tenant), results[tenant]
        start_on = expected.link_start_on if expected else None
        tick = silence.silent_since(schedule, start_on, last, linked[tenant], now, grace)
        if tick is not None:
            cause = silence.SHEET_GONE if expected is None else "" if readable else silence.UNREADABLE
            silent.append(Silence(tenant, tick, last, cause))
    return ScanResult(
        sheets,
        replace(notes, schedules=schedules),
        tuple(silent),
        silence.back_again(notes, {tenant: last for tenant, (last, _) in results.items()}),
        {tenant: one for tenant, one in waiting.items() if one is not None and one.ends_soon(now)},
        Results(
            {tenant: last for tenant, (last, _) in results.items() if last is not None},
            sorted(tenant for tenant, one in linked.items() if one),
        ),
    )


def read_sheets(link: Link, folder: Path, grants: AllGrants) -> MonitoredSheets:
    """The tenants as the Dag files see them, broken sheets with what could be saved of them (L5)."""
    expected, unlinked, channels, compiled = {}, set(), {}, {}
    try:
        files = tenants(folder)
    except OSError as error:  # then every tenant's sheet is gone, which is told
        log.error("the folder of sheets cannot be read: %s", type(error).__name__)
        files = []
    loaded = load_all(link.sheets(), files, settings.index_folder(), settings.allowed_hosts())
    for file, found in zip(files, loaded, strict=True):
        sheet = link.check_grants()(found, grants.of(file.tenant), file.name)
        if sheet.mapping is not None and not sheet.scheduled:
            unlinked.add(file.tenant)
            continue
        expected[file.tenant] = expected_of(link, sheet)
        channels[file.tenant], compiled[file.tenant] = sheet.channels, sheet
    return MonitoredSheets(expected, frozenset(unlinked), channels, compiled)


def expected_of(link: Link, sheet: Compiled[Any]) -> Expected:
    """When the tenant is to have a result, by its Dag's timetable; side runs give none."""
    timetable = timetable_of(link, sheet)
    every = timetable.every if isinstance(timetable, EveryMinutes) else None
    return Expected(sheet.run_at or DAILY_AT, sheet.link_start_on, every)


def read_notes(link: Link, store: Store, without: Notes) -> Notes:
    """Raises StoreError: the store is out of reach. Notes that cannot be understood are lost."""
    try:
        return records.read_or_none(store, _notes_key(link), Notes) or without
    except StoreError as error:
        if not store.exists(_notes_key(link)):
            raise
        log.error("everything counts as untold: %s", error)
        return silence.LOST


def write_notes(link: Link, store: Store, notes: Notes) -> None:
    records.write(store, _notes_key(link), notes)


def read_results(link: Link, store: Store) -> Results:
    """When each tenant last had a result, and who was linked, as the newest scan found it: for a list of all, one file instead of a thousand.

    Raises:
        StoreError: the store is out of reach.
    """
    try:
        found = records.read_or_none(store, _results_key(link), Results)
    except DamagedFileError as error:  # the next scan writes it anew
        log.warning("%s", error)
        return Results({})
    return found or Results({})


def write_results(link: Link, store: Store, results: Results) -> None:
    records.write(store, _results_key(link), results)


def _results_key(link: Link) -> str:
    return f"{watch_folder(link.name)}/results.json"


def _notes_key(link: Link) -> str:
    return f"{watch_folder(link.name)}/silence.json"


def _last_result(folder: TenantFolder) -> tuple[dt.datetime | None, bool]:
    """When the tenant last had a result, and whether that could be read."""
    try:
        last = records.read_or_none(folder.store, folder.last_result, LastResult)
    except StoreError as error:
        log.warning("%s", error)
        return None, False
    return (last.at if last else None), True


def _was_linked(link: Link, folder: TenantFolder, last: dt.datetime | None) -> bool:
    """Whether it ever was linked; where nobody can say, it counts as linked."""
    try:
        return bool(folder.store.names(folder.baselines)) if link.has_baseline else last is not None
    except StoreError:
        return True
