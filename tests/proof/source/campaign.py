"""Faults of the source: whatever SmartHR does while it is read, EMC ends right or stays as it was (E5–E14, E31, E33).

Hypothesis invents small companies on many small pages, what changes overnight and while the pages are read, in which
order the pages are answered, and what breaks. `oracle.py` says what is right. To repeat one row with the same stories:

    python -m tests.proof.source.campaign "status_500 at every page position"
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from scripts.neighbours import Neighbours
from tests.harness.folders import in_memory
from tests.proof.case import Case, Effort, Say
from tests.proof.source.story import KINDS, LIES, POSITIONS, UNSEEN, Story, broken, eventful, moving
from tests.proof.source.world import StoryWorld, Wrong


@dataclass(frozen=True)
class Row:
    """A row of the table: its stories by part, and how many of each part."""

    case: str
    rules: str
    parts: tuple[Callable[[], st.SearchStrategy[Story]], ...]
    full: int
    slice: int


def _at_every_position(kind: str) -> Row:
    """Where SmartHR lies each position has more stories than where it says that it cannot answer."""
    # What is hidden is hidden of people, not of tables.
    places = [place for place in POSITIONS if kind != "hidden_attribute" or place[0] == "/crews"]
    parts = tuple(partial(broken, kind, path, page) for path, page in places)
    in_slice = int(kind in ("status_500", "empty"))
    return Row(f"{kind} at every page position", "E33 L1 L2", parts, 3 if kind in LIES else 2, in_slice)


ROWS = {
    row.case: row
    for row in (
        Row("changes while reading", "E33 L1", (moving,), 100, 1),
        Row("random days", "E5 E6 E7 E8 E9 E10 E13 E14 E31 E33 E34", (eventful,), 50, 1),
        *map(_at_every_position, KINDS),
    )
}


def tell(world: StoryWorld, case: str, effort: Effort) -> Case:
    """All stories of a row."""
    row, began, judged, refused = ROWS[case], time.monotonic(), world.judged, world.refused
    world.struck.clear()
    wrong = []
    for part, stories in enumerate(row.parts):
        told = settings(
            max_examples=row.full if effort is Effort.FULL else row.slice,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        play = given(stories())(world.play)
        if stories is moving:
            play = example(UNSEEN)(play)
        try:
            seed(zlib.crc32(f"{row.case} {part}".encode()))(told(play))()
        except (Wrong, Flaky) as error:
            wrong.append(f'python -m tests.proof.source.campaign "{row.case}": {error}')
    positions = f"; struck at {len(world.struck)} positions" if len(row.parts) > 1 else ""
    tries, no = world.judged - judged, world.refused - refused
    afterwards = f"{tries - no} runs as the oracle says, {no} refused with EMC and baseline as before{positions}"
    return Case("source", row.case, row.rules, tries, tuple(wrong), afterwards, time.monotonic() - began)


_worlds: list[StoryWorld] = []  # of this process


def _settle(places: Queue[tuple[dict[str, str], Path]]) -> None:
    logging.disable(logging.WARNING)  # the product tells of every read that it repeats
    _worlds.append(StoryWorld(*places.get()))


def _tell(case: str) -> Case:
    return tell(_worlds[0], case, Effort.FULL)


def campaign(folder: Path, effort: Effort, say: Say, only: str = "") -> list[Case]:
    """Every row, or `only` one; all of them in two processes, each with simulators of its own."""
    names = [only] if only else [case for case, row in ROWS.items() if effort is Effort.FULL or row.slice]
    workers = 2 if effort is Effort.FULL else 1
    limits = ("--per-second", "1000000", "--per-hour", "1000000000")
    cases = []
    with ExitStack() as stack:
        memory = Path(stack.enter_context(in_memory()))
        places = []
        for number in range(workers):
            around = Neighbours(folder / f"neighbours-{number}", ["acme:1:3"], ["acme"], limits)
            (memory / str(number)).mkdir()
            places.append((stack.enter_context(around).urls, memory / str(number)))
        if effort is Effort.SLICE:
            world = StoryWorld(*places[0])
            stack.callback(world.wire.close)
            found = (tell(world, case, effort) for case in names)
        else:
            context = get_context("spawn")
            queue: Queue[tuple[dict[str, str], Path]] = context.Queue()
            for place in places:
                queue.put(place)
            pool = stack.enter_context(ProcessPoolExecutor(workers, context, _settle, (queue,)))
            found = (done.result() for done in [pool.submit(_tell, case) for case in names])
        for case in found:
            say(f"source: {case.case}: {case.afterwards} ({case.seconds:.0f} s)")
            cases.append(case)
    return cases


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        table = campaign(Path(scratch), Effort.FULL, print, *sys.argv[1:2])
        print(f"{sum(case.tries for case in table)} runs", *(line for case in table for line in case.wrong), sep="\n")
