"""One look at the sheets and at the store's small files: who is silent, who is back, what waits. Changes nothing.

It needs neither a run of a tenant's Dag, nor that its Dag file loads, nor Airflow's database.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from renkei import settings
from renkei.clock import DAILY_AT
from renkei.errors import StoreError
from renkei.links.smarthr_emc.sheet.index import Compiled, TenantFile, load, tenants
from renkei.links.smarthr_emc.sheet.mapping import LinkState
from renkei.notifications.channel import Channel
from renkei.notifications.watch import silence
from renkei.notifications.watch.expiry import Waiting
from renkei.notifications.watch.silence import Expected, Notes, Silence, moment
from renkei.orchestration.stage import LINK
from renkei.storage.store import MissingKeyError, Store

log = logging.getLogger(__name__)

READERS = 16  # an object store answers in some 20 ms


@dataclass(frozen=True, slots=True)
class Sheets:
    """What the sheets say of when a tenant speaks, and to whom."""

    expected: Mapping[str, Expected]
    unlinked: frozenset[str]  # 連携解除
    channels: Mapping[str, tuple[Channel, ...]]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found; `notes` are as they stood, with the schedules of now."""

    sheets: Sheets
    notes: Notes
    silent: tuple[Silence, ...]
    back: Mapping[str, dt.datetime]
    waiting: Mapping[str, Waiting]


def look(store: Store, folder: Path, now: dt.datetime, grace: dt.timedelta, without: Notes | None = None) -> Look:
    """Who is silent, who speaks again, which runs wait for an answer that is soon too late; changes nothing.

    `without` are the notes to go by where there are none yet; by default, what is not yet due is not late.
    """
    sheets, notes = read_sheets(folder), read_notes(store, without or Notes())
    schedules = silence.follow(notes, sheets.expected, sheets.unlinked, now)
    with ThreadPoolExecutor(READERS) as readers:
        results = dict(zip(schedules, readers.map(lambda t: _last_result(store, t), schedules), strict=True))
        waiting = dict(zip(schedules, readers.map(lambda t: _waiting(store, t), schedules), strict=True))
    silent = []
    for tenant, schedule in sorted(schedules.items()):
        expected, (last, readable) = sheets.expected.get(tenant), results[tenant]
        tick = silence.overdue(schedule, expected.link_start_on if expected else None, last, now, grace)
        if tick is not None and _was_linked(store, tenant):
            cause = silence.SHEET_GONE if expected is None else "" if readable else silence.UNREADABLE
            silent.append(Silence(tenant, tick, last, cause))
    return Look(
        sheets,
        replace(notes, schedules=schedules),
        tuple(silent),
        silence.back_again(notes, {tenant: last for tenant, (last, _) in results.items()}),
        {tenant: one for tenant, one in waiting.items() if one is not None and one.ends_soon(now)},
    )


def read_sheets(folder: Path) -> Sheets:
    """The tenants as the Dag files see them, broken sheets with what could be saved of them (L5)."""
    expected, unlinked, channels = {}, set(), {}
    try:
        files = tenants(folder)
    except OSError as error:  # then every tenant's sheet is gone, which is told
        log.error("the folder of sheets cannot be read: %s", type(error).__name__)
        files = []
    for file in files:
        sheet = _compiled(file)
        if sheet.mapping is not None and sheet.mapping.state is not LinkState.ACTIVE:
            unlinked.add(file.tenant)
            continue
        expected[file.tenant] = Expected(sheet.run_at or DAILY_AT, sheet.link_start_on)
        channels[file.tenant] = sheet.channels
    return Sheets(expected, frozenset(unlinked), channels)


def _compiled(file: TenantFile) -> Compiled:
    if file.problem is None:
        try:
            return load(file.path, file.tenant, settings.index_folder(), settings.allowed_hosts())
        except Exception as error:  # one tenant's odd file must not hide another's silence (L5)
            log.error("sheet of tenant=%s cannot be read: %s", file.tenant, type(error).__name__)
    return Compiled(file.tenant, "", None)


def read_notes(store: Store, without: Notes) -> Notes:
    """Raises StoreError: the store is out of reach. Notes that cannot be understood are lost."""
    try:
        return Notes.from_json(store.read_json(_notes_key()))
    except MissingKeyError:
        return without
    except ValueError:
        return Notes(whole=False)
    except StoreError:
        if not store.exists(_notes_key()):
            raise
        log.error("the notes of the watch cannot be read: everything counts as untold")
        return Notes(whole=False)


def write_notes(store: Store, notes: Notes) -> None:
    store.write_json(_notes_key(), notes.as_json())


def _notes_key() -> str:
    return f"{LINK}/watch/silence.json"


def _last_result(store: Store, tenant: str) -> tuple[dt.datetime | None, bool]:
    """When the tenant last had a result, and whether that could be read."""
    try:
        return moment(store.read_json(f"{LINK}/tenants/{tenant}/last_result.json")["at"]), True
    except MissingKeyError:
        return None, True
    except (StoreError, ValueError, KeyError, TypeError):
        return None, False


def _waiting(store: Store, tenant: str) -> Waiting | None:
    try:
        return Waiting.from_json(store.read_json(f"{LINK}/tenants/{tenant}/waiting.json"))
    except MissingKeyError:
        return None
    except (StoreError, ValueError, KeyError, TypeError) as error:
        log.error("what tenant=%s waits for cannot be read: %s", tenant, type(error).__name__)
        return None


def _was_linked(store: Store, tenant: str) -> bool:
    """Whether it ever was linked; where nobody can say, it counts as linked."""
    try:
        return bool(store.names(f"{LINK}/tenants/{tenant}/baselines"))
    except StoreError:
        return True
