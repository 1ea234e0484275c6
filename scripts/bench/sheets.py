"""F6: workbooks checked per minute on one core, beside pandas merely reading them.

Child: `python -m scripts.bench.sheets FOLDER`; prints its figures as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.review import review
from renkei.sheets.bounded import Compiler
from renkei.sheets.load import load
from scripts.bench.figures import Figure, Say, child
from scripts.bench.tenants import HOST, SAMPLES

WORKBOOKS = 100  # each another one, none seen before; a thousand take as long for each


def measure(folder: Path, say: Say) -> list[Figure]:
    """Every sheet is reviewed with all others as its neighbours' names, without any cache."""
    sheet = load(SHEETS, SAMPLES / "sakura.xlsx", "sakura", allowed_hosts=[HOST]).mapping
    assert sheet is not None
    for number in range(WORKBOOKS):
        own = dataclasses.replace(sheet, id_prefix=f"s{number:03d}-", emc_account="")  # another's would be refused
        write_workbook(own, folder / f"t{number:03d}.xlsx")
    made = child(__name__, folder)
    per_minute = 60 * WORKBOOKS / made["review"]
    say(f"{per_minute:,.0f} workbooks a minute")
    note = f"one process on one core; the first one, with imports, {made['first']:.2f} s"
    theirs = "reads the cells of the three worksheets, checks nothing"
    return [
        Figure("F6", "workbooks checked in a minute", per_minute, "", ("≥", 1000), note, made),
        Figure("F6", "… pandas.read_excel", 60 * WORKBOOKS / made["pandas"], "", None, theirs),
    ]


def _timed(folder: Path) -> dict[str, Any]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files = sorted(folder.glob("*.xlsx"))
    with Compiler(SHEETS) as compiler:
        started = time.perf_counter()
        review(files[0], files[0].stem, allowed_hosts=[HOST], compiler=compiler)
        first = time.perf_counter() - started
        started = time.perf_counter()
        found = [review(file, file.stem, allowed_hosts=[HOST], compiler=compiler) for file in files]
        seconds = time.perf_counter() - started
    if unusable := [report for report in found if report.mapping is None]:
        raise RuntimeError(f"{len(unusable)} workbooks cannot be used: {unusable[0].problems[0]}")
    import pandas as pd

    started = time.perf_counter()
    for file in files:
        pd.read_excel(file, sheet_name=["連携情報", "部署データ", "ユーザデータ"], header=None)
    return {"first": first, "review": seconds, "pandas": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(_timed(Path(sys.argv[1]))))
