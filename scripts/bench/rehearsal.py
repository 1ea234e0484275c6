"""F7: a rehearsal of a changed sheet with the store's newest read, from the start of its process to the JSON.

Child: `python -m scripts.bench.rehearsal read|rehearse|trace FOLDER SIZE`; prints its figures as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.mapping import Mapping, Source, SourceField
from renkei.sheets.load import load
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.file_format import load_format
from scripts.bench.figures import Figure, Say, child
from scripts.bench.work import FORMAT, NOW
from scripts.local_airflow import PROJECT

SIZES = (11_357, 1_000_000)
LIMITS_S = {11_357: 5, 1_000_000: 90}
LINK, TENANT = "smarthr_emc", "hinata"


def measure(folder: Path, say: Say) -> list[Figure]:
    """A linked company of every size, whose sheet changes on the next day."""
    figures: list[Figure] = []
    for size in SIZES:
        here = folder / str(size)
        here.mkdir(parents=True)
        for step in ("prepare", "first"):
            child("scripts.bench.work", step, here, size)
        child(__name__, "read", here, size)
        for step, what in (("rehearse", "a changed sheet rehearsed"), ("trace", "one person explained")):
            started = time.perf_counter()
            made = child(__name__, step, here, size)
            seconds = time.perf_counter() - started  # the whole process, imports and all
            say(f"{size:9,} people, {what}: {seconds:6.2f} s, {made['peak_mb']:,.0f} MB")
            target = ("<", LIMITS_S[size]) if step == "rehearse" else None
            note = f"processor {made['cpu']:.2f}; {made['note']}"
            figures.append(Figure("F7", f"{size:,} people, {what}", seconds, "s", target, note, made))
            figures.append(Figure("F7", "… peak memory", made["peak_mb"], "MB"))
    return figures


def _store(folder: Path) -> Store:
    return Store(LocalFileSystem(), str(folder / "store"))


def _mapping() -> Mapping:
    file = PROJECT / "include" / "mappings" / "smarthr_emc" / "hinata.xlsx"
    compiled = load(SHEETS, file, TENANT, allowed_hosts=("127.0.0.1:8181",))
    assert compiled.mapping is not None, compiled.problems
    return compiled.mapping


def _changed(mapping: Mapping) -> Mapping:
    """The sheet with another source for the first search word."""
    users = tuple(
        dataclasses.replace(rule, source=Source(((SourceField("役職1"),),))) if rule.item == "search_word_1" else rule
        for rule in mapping.users
    )
    return dataclasses.replace(mapping, users=users)


def _read(folder: Path) -> dict[str, Any]:
    """The second day's read, frozen by a run that came no further."""
    from renkei.links.smarthr_emc import stages
    from renkei.links.smarthr_emc.model import Mode
    from renkei.links.smarthr_emc.records import RunStart
    from renkei.links.smarthr_emc.rehearsal.targets import OfflineTarget

    record = RunRecord(TenantFolder(_store(folder), LINK, TENANT), "second")
    start = RunStart("second", Mode.NORMAL, True, NOW.isoformat(), "")
    stages.snapshot.take_snapshot(stages.open_run.open_run(record, _mapping(), start, OfflineTarget(), NOW))
    return {}


def _rehearse(folder: Path) -> dict[str, Any]:
    from renkei.links.smarthr_emc.rehearsal import rehearse

    found = rehearse(_store(folder), LINK, _changed(_mapping()), load_format(FORMAT), NOW)
    assert found.effect is not None
    assert found.effect.items, found.verdict
    size = len(json.dumps(found.as_json(), ensure_ascii=False))
    return {"note": f"{found.verdict}, {found.effect.people:,} people by the sheet alone, {size:,} characters of JSON"}


def _trace(folder: Path) -> dict[str, Any]:
    from renkei.links.smarthr_emc.rehearsal.person import trace

    found = trace(_store(folder), LINK, _changed(_mapping()), load_format(FORMAT), NOW, "0000001")
    assert len(found.people) == 1, found.answer
    return {"note": f"{len(found.people[0].items)} items"}


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


if __name__ == "__main__":
    where = Path(sys.argv[2])
    made = {"read": _read, "rehearse": _rehearse, "trace": _trace}[sys.argv[1]](where)
    print(json.dumps({**made, "peak_mb": _peak_mb(), "cpu": time.process_time()}))
