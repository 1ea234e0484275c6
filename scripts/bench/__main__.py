"""`make bench`: how fast, how much memory, for how many tenants, measured on this machine.

    F1 one day of a company of 11,357 from trigger to success in Airflow      F2 how well SmartHR's limit is used
    F3 the work between fetch and load for 10 thousand to a million people   F4 parsing 1,000 tenants
    F5 10,000 tenants until Airflow shows them (--slow)
    F6 workbooks checked in a minute                          F7 a rehearsal of a changed sheet
    F8 people found and explained                             F9 callbacks that are pushed at us
    F10 Hot Profile → kintone: 10,000 changes, 初期連携 of a million, quiet runs of many tenants
    F11 LINE WORKS → KING OF TIME: from a callback to its punch and reply (--minutes 10: 10,000 of them), pumps that
        end or are killed, tenants at rest
    F12 absences into calendars                               F13 workflow events to four messengers
    F14 200 tenants at one minute                             F15 the monitor's look at a thousand
    F16 a changed absence until it is in its calendar

Never fails because of a figure: the table says which targets were met.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench import (
    absences,
    callbacks,
    events,
    many,
    punching,
    rehearsal,
    runs,
    sales,
    search,
    sheets,
    tenants,
    visible,
    work,
)
from scripts.bench.figures import Figure, machine
from scripts.local_airflow import PROJECT

BENCHES = {
    "F1": runs.measure,  # F2 comes out of the same runs
    "F3": work.measure,
    "F4": tenants.measure_parsing,
    "F5": tenants.measure_visible,
    "F6": sheets.measure,
    "F7": rehearsal.measure,
    "F8": search.measure,
    "F9": callbacks.measure,
    "F10": sales.measure,
    "F11": punching.measure,
    "F12": absences.measure,
    "F13": events.measure,
    "F14": many.measure_minute,
    "F15": many.measure_monitor,
    "F16": visible.measure,
}
SLOW = {"F5"}
console = Console(highlight=False, width=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma list of groups, e.g. F1,F3")
    parser.add_argument("--minutes", type=float, default=1.0, help="F11: how long people write (10: all of 10,000)")
    parser.add_argument("--slow", action="store_true", help="F5 as well")
    parser.add_argument("--json", type=Path, default=PROJECT / "bench.json", help="where the figures are written")
    parser.add_argument("--folder", type=Path, default=PROJECT / ".run" / "bench", help="for what is made on the way")
    arguments = parser.parse_args()
    wanted = {name.strip().upper().replace("F2", "F1") for name in arguments.only.split(",") if name.strip()}
    if unknown := wanted - set(BENCHES):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    chosen = [name for name in BENCHES if (name in wanted if wanted else name not in SLOW or arguments.slow)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that context managers stop what they started

    benches = BENCHES | {"F11": partial(punching.measure, minutes=arguments.minutes)}
    about, figures, failed = machine(), [], {}
    for name in chosen:
        folder = arguments.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.monotonic()
        console.print(f"[bold]{name}[/]")
        try:
            figures += benches[name](folder, lambda text: console.print(f"   {text}"))
        except Exception as error:
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
        else:
            shutil.rmtree(folder, ignore_errors=True)  # a million people take gigabytes
        console.print(f"   {time.monotonic() - started:.0f} s")
    _show(figures)
    for name, reason in failed.items():
        console.print(f"[red]{name} could not be measured:[/] {reason}")
    result = {"machine": about, "figures": [figure.as_json() for figure in figures], "not_measured": failed}
    arguments.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    console.print(f"written to {arguments.json}")
    return 0


def _show(figures: list[Figure]) -> None:
    table = Table("", "what", "note", title="Measured")
    for name in ("value", "target"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("met")
    group = ""
    for figure in figures:
        if figure.group != group and group:
            table.add_section()
        first, group = figure.group if figure.group != group else "", figure.group
        target = f"{figure.target[0]} {figure.target[1]:,g}" if figure.target else ""
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[figure.met]
        table.add_row(first, figure.what, figure.note, f"{_short(figure.value)} {figure.unit}", target, met)
    console.print(table)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3g}" if value < 1 else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
