"""Who looked: numbered, each once, a folder a day."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from renkei.storage import audit, records
from renkei.storage.audit import AuditEntry
from renkei.storage.store import Store

AT = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)


def test_s1_of_many_who_look_at_once_each_is_kept(tmp_path: Path) -> None:
    """S1: none takes another's number, and none is lost."""
    store = Store(LocalFileSystem(), str(tmp_path))
    looks = [AuditEntry(AT, f"user{n}", "smarthr_emc__acme", "search") for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda look: audit.note(store, look), looks))
    names = store.files("console/audit")
    assert names == [f"console/audit/2026-11-30/{n:08d}.json" for n in range(1, 21)]
    assert {records.read(store, name, AuditEntry).by for name in names} == {look.by for look in looks}


def test_l6_what_is_older_than_records_are_kept_goes(tmp_path: Path) -> None:
    """L6: by the day's name; nothing else in the folder is touched, and nothing is deleted twice."""
    store = Store(LocalFileSystem(), str(tmp_path))
    for days in (9, 8, 0):
        audit.note(store, AuditEntry(AT - dt.timedelta(days=days), "yuki", "smarthr_emc__acme", "person"))
    store.write("console/audit/2020-01-01.note", b"")
    assert [audit.tidy(store, AT, dt.timedelta(days=8)) for _ in range(2)] == [1, 0]
    assert store.names("console/audit") == ["2020-01-01.note", "2026-11-22", "2026-11-30"]


def test_s1_the_next_day_begins_anew(tmp_path: Path) -> None:
    """S1: a folder never holds more than a day's looks."""
    store = Store(LocalFileSystem(), str(tmp_path))
    for days in (0, 1, 1):
        audit.note(store, AuditEntry(AT + dt.timedelta(days=days), "yuki", "smarthr_emc__acme", "person"))
    assert store.files("console/audit") == [
        "console/audit/2026-11-30/00000001.json",
        "console/audit/2026-12-01/00000001.json",
        "console/audit/2026-12-01/00000002.json",
    ]
