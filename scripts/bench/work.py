"""F3: everything between fetch and load, for four sizes, each measured in a process of its own.

Child: `python -m scripts.bench.work prepare|first|second|csv FOLDER SIZE`; prints its figures as JSON.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import RunStart
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.sheets.load import load
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.encode import ImportFile, encode
from renkei.systems.emc.file_format import load_format
from renkei.systems.emc.payloads import Import
from scripts.bench.figures import Figure, Say, child
from scripts.local_airflow import PROJECT

SIZES = (10_000, 100_000, 1_000_000)
SMALL, SMALL_AIM_S = 40, 0.25  # people, and seconds of the processor
AIM_S = {"first": 14, "second": 20}  # for a million
PLAIN_SIZES = (10_000, 100_000)  # the loop keeps every row as a dict
TURNS = 5  # of these sizes
INSTEAD = {"duck": "DuckDB", "plain": "a plain Python loop"}
NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
FORMAT = PROJECT / "include" / "contracts" / "emc_format.yaml"


def measure(folder: Path, say: Say) -> list[Figure]:
    """Both days of every size, the same by DuckDB and a plain loop, and our encoder beside `DataFrame.to_csv`."""
    figures = _small(folder / "small")
    totals: dict[tuple[str, int], float] = {}
    for size in SIZES:
        here = folder / str(size)
        here.mkdir()
        child(__name__, "prepare", here, size)
        best = _in_turn(here, size)
        for day in ("first", "second"):
            made = best[day, "ours"]
            total = totals[day, size] = made["seconds"]
            say(f"{size:9,} people, {day} day: {total:6.2f} s, {made['peak_mb']:,.0f} MB")
            aim = {SIZES[-1]: float(AIM_S[day])}
            if (day, "plain") in best:
                aim[PLAIN_SIZES[-1]] = best[day, "plain"]["seconds"]
            parts = " ".join(f"{name} {seconds:.2f}" for name, seconds in made["stages"].items())
            what = f"{size:,} people, {'first link' if day == 'first' else 'next day'}"
            note = f"{parts}; processor {made['cpu']:.2f}"
            figures.append(Figure("F3", what, total, "s", ("<", aim[size]) if size in aim else None, note, made))
            memory = ("<", 2100.0) if size == SIZES[-1] else None
            figures.append(Figure("F3", "… peak memory", made["peak_mb"], "MB", memory))
            for module, name in INSTEAD.items():
                if (day, module) in best:
                    figures.append(_instead(name, best[day, module], made, what))
    for day in ("first", "second"):
        growth = totals[day, SIZES[-1]] / totals[day, SIZES[-2]]
        figures.append(
            Figure("F3", f"time for 10 times the people ({day} day)", growth, "×", ("<", 12), "linear is 10")
        )
    made = child(__name__, "csv", folder / str(SIZES[1]) / "turn", SIZES[1])
    figures.append(Figure("F3", f"file of {SIZES[1]:,} people, our encoder", made["ours"]))
    note = "the same bytes" if made["same"] else "OTHER BYTES"
    figures.append(Figure("F3", f"file of {SIZES[1]:,} people, DataFrame.to_csv", made["to_csv"], note=note))
    return figures


def _small(here: Path) -> list[Figure]:
    """What most tenants are: a company of which a day costs next to nothing."""
    here.mkdir()
    child(__name__, "prepare", here, SMALL)
    days = {day: child(__name__, day, here, SMALL)["cpu"] for day in ("first", "second")}
    return [
        Figure("F3", f"{SMALL} people, {day} day: processor", used, "s", ("<", SMALL_AIM_S))
        for day, used in days.items()
    ]


def _in_turn(here: Path, size: int) -> dict[tuple[str, str], Any]:
    """Of each day what ours, DuckDB and the loop needed at their fastest; small sizes are measured several times in turn.

    A single second says as much of what else the machine does as of them.
    """
    best: dict[tuple[str, str], Any] = {}
    for turn in range(TURNS if size in PLAIN_SIZES else 1):
        shutil.rmtree(here / "turn", ignore_errors=True)
        shutil.copytree(here / "store", here / "turn" / "store")
        for day in ("first", "second"):
            for who in ("ours", *INSTEAD):
                if who == "plain" and size not in PLAIN_SIZES:
                    continue
                if who == "ours":
                    made = child(__name__, day, here / "turn", size)
                else:
                    today, *yesterday = ["first.csv"] if day == "first" else ["second.csv", "first.csv"]
                    files = [here / file for file in ("departments.csv", today, "instead.csv", *yesterday)]
                    made = child(f"scripts.bench.{who}", *files)
                if turn == 0 or made["seconds"] < best[day, who]["seconds"]:
                    best[day, who] = made
    return best


def _instead(name: str, theirs: dict[str, Any], ours: dict[str, Any], what: str) -> Figure:
    """The same rows by what one would write instead, which keeps no record, holds nothing and checks less."""
    same = "the same lines" if theirs["lines"] == ours["lines"] else "OTHER LINES"
    time_, cpu = (ours[key] / theirs[key] for key in ("seconds", "cpu"))
    note = f"{same}; processor {theirs['cpu']:.2f}; ours: {time_:.2f} × the time, {cpu:.2f} × the processor"
    return Figure(
        "F3", f"{what}: {name}", theirs["seconds"], note=f"{note}; {theirs['peak_mb']:,.0f} MB", detail=theirs
    )


class Sink:
    """Stands in for EMC: has the people of the first day when it is the second, and takes every file."""

    def __init__(self, first_day_size: int) -> None:
        self._known_below = first_day_size
        self.files: tuple[ImportFile | None, ImportFile | None] = (None, None)
        self.spent = 0.0  # seconds that EMC and the network would take, in whatever way

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        self.files = (departments, users)
        return Import("1", key, "committed")

    def find_import(self, key: str) -> Import | None:
        return None

    def withdraw(self, found: Import) -> None:
        return None

    def forget(self, key: str) -> None:
        return None

    def find(
        self, record_set: Literal["departments", "users"], ids: Sequence[str], fields: Sequence[str]
    ) -> list[dict[str, str]]:
        started = time.perf_counter()
        name, *others = fields
        known, nothing = self._known_below, dict.fromkeys(others, "")
        found = [{name: i} | nothing for i in ids if int(i[1:8] if i[0] in "pD" else i) < known]
        self.spent += time.perf_counter() - started
        return found

    def ever_committed(self, source: str) -> bool:
        return False


def _mapping() -> Mapping:
    file = PROJECT / "include" / "mappings" / "smarthr_emc" / "hinata.xlsx"
    compiled = load(SHEETS, file, "hinata", allowed_hosts=("127.0.0.1:8181",))
    assert compiled.mapping is not None, compiled.problems
    return compiled.mapping


def _record(folder: Path, day: str) -> RunRecord:
    return RunRecord(TenantFolder(Store(LocalFileSystem(), str(folder / "store")), "smarthr_emc", "hinata"), day)


def _prepare(folder: Path, size: int) -> dict[str, Any]:
    """Leave both days as fetch would, and as CSV for what one would write instead."""
    from scripts.bench.people import departments, people, write_csv

    units = departments(size)
    write_csv(units, folder / "departments.csv")
    for day in ("first", "second"):
        crews, record = people(size, day == "second"), _record(folder, day)
        record.write_table("fetched_departments", units)
        record.write_table("fetched_users", crews)
        record.write_json("fetched", {"read_id": day, "baseline": "", "masters": {}})
        record.write_json("fetched_users", {"read_id": day})
        write_csv(crews, folder / f"{day}.csv")
    return {}


def _day(folder: Path, size: int, day: str) -> dict[str, Any]:
    """One day through the pipeline as the tasks take it, each stage timed; memory as it stood after each."""
    record, mapping, emc_format = _record(folder, day), _mapping(), load_format(FORMAT)
    target = Sink(0 if day == "first" else size - size // 5000)
    start = RunStart(day, Mode.NORMAL, True, NOW.isoformat(), "")
    job = stages.open_run.open_run(record, mapping, start, target, NOW)
    import pandas as pd  # a task's process has it by then
    import pyarrow.parquet  # noqa: F401

    seconds: dict[str, float] = {}
    cpu = time.process_time()
    memory = {"imports": _peak_mb()}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        started, before = time.perf_counter(), target.spent
        result = step()
        seconds[name] = time.perf_counter() - started - (target.spent - before)
        memory[name] = _peak_mb()
        return result

    timed("snapshot", lambda: stages.snapshot.take_snapshot(job))
    sets = timed("diff", lambda: stages.diff.make_diff(job, target, dt.datetime.now(dt.UTC)))
    holds = timed("validate", lambda: stages.validate.validate(job, target, emc_format, dt.datetime.now(dt.UTC)))
    if holds:  # of so many people more than 500 leave in a day: somebody approves
        stages.approve.decide(job, True, "bench", "", NOW)
    timed("encode", lambda: stages.load.apply(job, target, emc_format, lambda name: name, NOW))
    users = target.files[1]
    assert users is not None
    cpu = time.process_time() - cpu
    peak = _peak_mb()
    lines = hashlib.sha256(b"".join(sorted(io.BytesIO(users.content)))).hexdigest()
    return {
        "seconds": sum(seconds.values()),
        "stages": {name: round(spent, 3) for name, spent in seconds.items()},
        "cpu": cpu,  # of all threads: says more than the clock when something else runs too
        "peak_mb": peak,
        "peak_mb_after": memory,
        "counts": dataclasses.asdict(sets[RecordSet.USERS].counts),
        "file_mb": len(users.content) / 1e6,
        "lines": lines,
        "pandas": pd.__version__,
    }


def _csv(folder: Path) -> dict[str, Any]:
    """Our encoder and pandas' own on the users of the second day."""
    import csv

    emc_format = load_format(FORMAT)
    rows, columns = _record(folder, "second").table("users_plan"), emc_format.user_columns
    started = time.perf_counter()
    ours = encode(rows, columns, emc_format).content
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    marked = rows.mask((rows == "").mul(rows["operation"] == "UPDATE", axis=0), emc_format.clear_marker)
    flags = emc_format.flags
    marked["operation"] = rows["operation"].map(
        {"CREATE": flags.create, "UPDATE": flags.update, "DELETE": flags.delete}
    )
    text = marked.reindex(columns=list(columns)).to_csv(
        index=False, header=list(columns.values()), na_rep="", quoting=csv.QUOTE_ALL, lineterminator=emc_format.line_end
    )
    theirs = text.encode(emc_format.encoding)
    return {"ours": seconds, "to_csv": time.perf_counter() - started, "same": ours == theirs}


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


if __name__ == "__main__":
    step, where, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if step == "prepare":
        print(json.dumps(_prepare(where, count)))
    elif step == "csv":
        print(json.dumps(_csv(where)))
    else:
        print(json.dumps(_day(where, count, step)))
