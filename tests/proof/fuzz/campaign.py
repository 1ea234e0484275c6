"""Bad input: whatever a sheet's file or SmartHR's answer holds, it is a sound mapping or read, or problems (L1, L5, L8).

The bulk comes from a seeded generator of our own: Hypothesis spends milliseconds on an example that takes Renkei one
(`test_fuzz.py` has a property in Hypothesis). One input again: `python -m tests.proof.fuzz.campaign cells 4711`; a
hostile file by its name: `python -m tests.proof.fuzz.campaign hostile "45 MB of cells"`.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.proof.case import Case, Effort, Say
from tests.proof.fuzz import answers
from tests.proof.fuzz.bounds import Tally, TooLong, set_timers, too_long
from tests.proof.fuzz.sheets import bent_workbooks, bent_yaml, cells, sound
from tests.proof.fuzz.trials import trials

SEED = 20261122
PIECES = 12  # of a bulk


def bent_answers(seed: str, folder: Path) -> tuple[bool, str]:
    """A company whose answers have faults, read and frozen."""
    served, untouched, custom = answers.bent(seed)
    users, message, hosts = answers.read(sound(folder), served)
    return users is not None, answers.judge(users, message, hosts, untouched, custom)


@dataclass(frozen=True)
class Bulk:
    """So many inputs from seeds; `judged` says whether one was taken, and what was wrong."""

    title: str
    rules: str
    full: int
    slice: int
    judged: Callable[[str, Path], tuple[bool, str]]


BULKS = {
    "cells": Bulk("cells of a sheet, bent", "L5 L7 L8 E15", 30_000, 300, cells),
    "workbooks": Bulk("workbooks, bent in cells, XML and zip", "L5 L8 E15", 2_500, 30, bent_workbooks),
    "yaml": Bulk("YAML forms, bent", "L5 L8 E15", 4_000, 60, bent_yaml),
    "payloads": Bulk("SmartHR's answers, bent", "L1 L6 L8 E33", 4_000, 60, bent_answers),
}
HOSTILE = {
    "hostile": ("hostile workbooks and YAML forms", "L5 L8 E15"),
    "answers": ("hostile answers of SmartHR", "L1 L6 E33"),
}


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Four bulks of bent inputs, and the hostile files and answers one by one."""
    full = effort is Effort.FULL
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:  # no threads: the trials fork
        hostile = {kind: pool.submit(trials, kind, full) for kind in HOSTILE}
        if full:
            pieces = {
                kind: [
                    pool.submit(bulk, kind, at, at + -(-one.full // PIECES))
                    for at in range(0, one.full, -(-one.full // PIECES))
                ]
                for kind, one in BULKS.items()
            }
            tallies = {kind: [piece.result() for piece in found] for kind, found in pieces.items()}
        else:
            tallies = {kind: [bulk(kind, 0, one.slice)] for kind, one in BULKS.items()}
        cases = [_case(one.title, one.rules, tallies[kind], say) for kind, one in BULKS.items()]
        return cases + [_case(*HOSTILE[kind], [found.result()], say, measured=True) for kind, found in hostile.items()]


def _case(title: str, rules: str, tallies: Sequence[Tally], say: Say, measured: bool = False) -> Case:
    tally = sum(tallies, Tally())
    memory = f", at most {tally.memory >> 20} MB more" if measured else ""
    afterwards = (
        f"{tally.taken} sound, {tally.tries - tally.taken} refused in words; no traceback; "
        f"slowest {tally.slowest_s:.1f} s of the processor{memory}"
    )
    say(f"fuzz: {title}: {tally.tries} tries, {len(tally.wrong)} wrong, {tally.seconds:.0f} s")
    return Case("fuzz", title, rules, tally.tries, tuple(tally.wrong[:20]), afterwards, tally.seconds)


def bulk(kind: str, start: int, stop: int) -> Tally:
    """The inputs `start` to `stop` of a kind."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, answers.no_pauses(), too_long():
        for number in range(start, min(stop, BULKS[kind].full)):
            now = time.process_time()
            set_timers()
            try:
                taken, wrong = BULKS[kind].judged(f"{SEED}:{kind}:{number}", Path(folder))
            except (Exception, TooLong) as error:
                taken, wrong = False, f"{type(error).__name__}: {ascii(error)[:200]}"
            set_timers(0.0, 0.0)
            tally += Tally.of(f"{kind} {number}", taken, wrong, time.process_time() - now)
    return tally


def main(arguments: Sequence[str]) -> int:
    """One input again."""
    kind, which = arguments
    tally = bulk(kind, int(which), int(which) + 1) if kind in BULKS else trials(kind, True, which)
    print(tally)
    return 1 if tally.wrong or not tally.tries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
