"""`make proof`: the campaign against the real Dag code and the simulators; what it found, as a table and as JSON.

Each group tries one way to lose data, as often as its table says, and looks at what the target
and the records hold afterwards. Status 0 only if everything held.

A group is a folder: `campaign.py` lists its cases and says where they are told; what they happen in is
`tests/harness/world.py` or the group's own `world.py`, `stage.py`; what is right, `judgement.py` or `oracle.py`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.harness.folders import in_memory
from tests.proof.case import Case, Effort

ROOT = Path(__file__).parents[2]
GROUPS = {
    "crashes": "the process is killed before and after every step",
    "source": "SmartHR misbehaves, or changes while it is read",
    "target": "EMC misbehaves, or is changed by hand",
    "guards": "limits of the sheet, just below and just above",
    "kintone": "Hot Profile → kintone: killed at every moment, and every fault of both systems",
    "kot": "LINE WORKS → KING OF TIME: killed at every moment, every fault, clocks that jump",
    "workplace": "WORKPLACE → LINE WORKS: killed at every moment, every fault of both systems, changes by hand",
    "modes": "照合, 復元, 災害時凍結",
    "fuzz": "workbooks and answers that make no sense",
    "leaks": "secrets and personal data where they may not be",
    "retention": "old runs are removed, and the process is killed meanwhile",
    "load": "two hundred tenants at the same minute",
}
ALONE = ("load",)  # how long it takes is what it tells
# These begin, the longest first: what is left for the end, when one of the two cores may idle, is short.
LONGEST = ("kintone", "crashes", "kot", "target", "source", "leaks", "workplace", "fuzz")
BESIDE = 2  # groups at a time; most use two processes
IN_MEMORY = (
    "kintone",
    "kot",
    "workplace",
    "target",
    "guards",
    "modes",
    "retention",
)  # thousands of small files, each flushed to the disk
console = Console(highlight=False, width=160)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make proof", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help=f"comma list of {', '.join(GROUPS)}")
    parser.add_argument("--slice", action="store_true", help="the small part that the tests run")
    parser.add_argument("--json", type=Path, default=ROOT / "proof.json", help="where the result is written")
    parser.add_argument("--folder", type=Path, default=ROOT / ".run" / "proof", help="for what is made on the way")
    parser.add_argument("--group", choices=GROUPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    effort = Effort.SLICE if arguments.slice else Effort.FULL
    if arguments.group:
        return _one_group(arguments.group, arguments.folder, effort, arguments.json)
    wanted = [name.strip() for name in arguments.only.split(",") if name.strip()]
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    started = time.monotonic()
    groups = [name for name in GROUPS if not wanted or name in wanted]
    found = _tried(groups, arguments.folder, arguments.slice)
    cases = [case for name in groups for case in found[name] or ()]
    broken = [name for name in groups if found[name] is None]
    seconds = time.monotonic() - started
    _show(cases, broken, seconds)
    held = bool(cases) and not broken and all(case.held for case in cases)
    result: dict[str, Any] = {
        "held": held,
        "seconds": round(seconds),
        "cores": len(os.sched_getaffinity(0)),
        "not_run": broken,
        "cases": [{**asdict(case), "held": case.held} for case in cases],
    }
    arguments.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    console.print(f"written to {arguments.json}")
    return 0 if held else 1


def _tried(groups: list[str], folder: Path, small: bool) -> dict[str, list[Case] | None]:
    """What each group found. BESIDE at a time, save the one whose time is its result."""

    def group(name: str) -> list[Case] | None:
        console.print(f"[bold]{name}[/]: {GROUPS[name]}")
        return _in_a_process(name, folder / name, small)

    order = sorted(groups, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))
    with ThreadPoolExecutor(BESIDE) as pool:
        beside = {name: pool.submit(group, name) for name in order if name not in ALONE}
        found = {name: done.result() for name, done in beside.items()}
    return found | {name: group(name) for name in groups if name in ALONE}


def _in_a_process(name: str, folder: Path, small: bool) -> list[Case] | None:
    """One group in a process of its own, for each needs its own Airflow home; None when it broke off."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = folder / "cases.json"
    command = [sys.executable, "-m", "tests.proof", "--group", name, "--folder", str(folder), "--json", str(result)]
    code = subprocess.run([*command, *(["--slice"] if small else [])], cwd=ROOT, check=False).returncode
    if code or not result.exists():
        console.print(f"[red]   {name} broke off (status {code})[/]")
        return None
    cases = [Case(**{**case, "wrong": tuple(case["wrong"])}) for case in json.loads(result.read_text())]
    if all(case.held for case in cases):
        shutil.rmtree(folder, ignore_errors=True)
    return cases


def _one_group(name: str, folder: Path, effort: Effort, result: Path) -> int:
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"   {time.monotonic() - started:4.0f} s  {text}", flush=True)

    campaign = importlib.import_module(f"tests.proof.{name}.campaign").campaign
    with in_memory() if name in IN_MEMORY else nullcontext(folder) as work:
        cases = campaign(Path(work), effort, say)
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    say(f"{name} took {sum(one.ru_utime + one.ru_stime for one in used):.0f} s of the processor")
    result.write_text(json.dumps([asdict(case) for case in cases]))
    return 0


def _show(cases: list[Case], broken: list[str], seconds: float) -> None:
    table = Table("", "case", "rules", title=f"Proof: {sum(case.tries for case in cases):,} tries in {seconds:.0f} s")
    table.add_column("tries", justify="right")
    table.add_column("outcome")
    table.add_column("afterwards")
    group = ""
    for case in cases:
        if group and case.group != group:
            table.add_section()
        first, group = case.group if case.group != group else "", case.group
        outcome = "[green]held[/]" if case.held else f"[red]{len(case.wrong)} wrong[/]"
        table.add_row(first, case.case, case.rules, f"{case.tries:,}", outcome, case.afterwards)
    console.print(table)
    for case in cases:
        for line in case.wrong[:10]:
            console.print(f"[red]{case.group} / {case.case}:[/] {line}")
    for name in broken:
        console.print(f"[red]{name} did not finish[/]")


if __name__ == "__main__":
    sys.exit(main())
