"""F8: people found and explained from the record of a linked company's second day, as the console does.

Child: `python -m scripts.bench.search FOLDER`; prints its figures as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.people.cache import IndexCache
from renkei.links.smarthr_emc.people.explain import explain
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from scripts.bench.figures import Figure, Say, child

SIZES = (11_357, 1_000_000)
COLD_S, WARM_S, REPEATS = 2, 0.3, 5


def measure(folder: Path, say: Say) -> list[Figure]:
    """The first search of a company, every further one, and one person explained."""
    figures: list[Figure] = []
    for size in SIZES:
        here = folder / str(size)
        here.mkdir(parents=True)
        for step in ("prepare", "first", "second"):
            child("scripts.bench.work", step, here, size)
        made = child(__name__, here)
        say(
            f"{size:9,} people: first search {made['cold']:.2f} s, further {made['warm']:.3f} s, {made['held_mb']:.0f} MB"
        )
        what = f"{size:,} people"
        note = f"processor {made['cpu']:.2f}; {made['found']:,} found"
        figures += [
            Figure("F8", f"{what}, first search", made["cold"], "s", ("<", COLD_S), note, made),
            Figure("F8", f"{what}, every further one, the slowest of its kind", made["warm"], "s", ("<", WARM_S)),
            Figure("F8", f"{what}, one explained", made["explained"], "s"),
            Figure("F8", "… held in memory", made["held_mb"], "MB", ("<", 256)),
            Figure(
                "F8", "… more at the peak of the first", made["peak_mb"] - made["before_mb"] - made["held_mb"], "MB"
            ),
        ]
    return figures


def _searched(folder: Path) -> dict[str, Any]:
    record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(folder / "store")), "smarthr_emc", "hinata"), "second")
    indexes = IndexCache()
    import pandas  # noqa: F401  the API server has them by then
    import pyarrow.parquet  # noqa: F401

    before, cpu = _peak_mb(), time.process_time()
    cold, found = _timed(lambda: indexes(record).find("佐藤"))
    cpu, peak = time.process_time() - cpu, _peak_mb()
    warm = max(
        min(_timed(lambda text=text: indexes(record).find(text))[0] for _ in range(REPEATS))
        for text in ("0000123", "佐藤陽菜", "p0000123@", "nobody")
    )
    explained, told = _timed(lambda: explain(record.tenant_folder, "0000124", index=indexes))
    assert len(told.people) == 1, told.answer
    return {
        "cold": cold,
        "warm": warm,
        "explained": explained,
        "found": found.total,
        "cpu": cpu,
        "held_mb": indexes.nbytes / 1e6,
        "before_mb": before,
        "peak_mb": peak,
    }


def _timed(step: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = step()
    return time.perf_counter() - started, result


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(_searched(Path(sys.argv[1]))))
