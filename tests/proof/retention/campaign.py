"""Pruning dies at every delete, over real baselines, plain and encrypted; afterwards the links go on as if it had not.

What must stay is written down by hand (`world.HISTORY`); whether the next day is right is asked from EMC and SmartHR.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.proof.case import Case, Effort, Say
from tests.proof.retention.pruning import Copy, next_day
from tests.proof.retention.world import HistoryWorld, world
from tests.proof.tried import Try, tried


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """`folder` lies best where flushing costs nothing."""
    full = effort is Effort.FULL
    with world(folder, effort) as made:
        say(f"retention: {len(made.stays)} runs must stay, {len(made.goes)} must go")
        return [
            tried("retention", f"{name}, {kind}", rules, afterwards, tries(made, kind, full))
            for kind in ("plain", "encrypted")
            for name, rules, afterwards, tries in CASES
            if full or kind == "encrypted" or tries not in (by_signal, days)
        ]


def removals(world: HistoryWorld, kind: str) -> int:
    """Deletes and removed folders of a pruning that nothing interrupts."""
    return Copy.fresh(world, kind).die(-1, "after")


def once(world: HistoryWorld, kind: str, full: bool) -> Iterator[Try]:
    """One death, then the next night. Of each removal the plain store tries one side, the encrypted one the other."""
    count = removals(world, kind)
    for at in range(0, count, 1 if full else max(1, count // 12)):
        side = "before" if (at % 2 == 0) == (kind == "plain") else "after"
        copy = Copy.fresh(world, kind)
        copy.die(at, side)
        yield f"{side} removal {at}", copy.damage() + copy.remains_after_next_night()


def in_turn(world: HistoryWorld, kind: str, full: bool) -> Iterator[Try]:
    """Each night's pruning lives for one removal only, until there is nothing left to do."""
    copy, night = Copy.fresh(world, kind), 0
    while copy.die(0, "after", days=1):
        night += 1
        yield f"night {night}", copy.damage()
    yield "after all of them", copy.remains()


def by_signal(world: HistoryWorld, kind: str, full: bool) -> Iterator[Try]:
    """As `once`, in a process of its own that gets SIGKILL."""
    count = removals(world, kind)
    for at, side in ((count // 2, "after"), (count - 1, "before"))[: 2 if full else 1]:
        copy = Copy.fresh(world, kind)
        code = copy.die_by_signal(at, side)
        found = [] if code == -signal.SIGKILL else [f"ended with {code}"]
        yield f"{side} removal {at}", found + copy.damage() + copy.remains_after_next_night()


def days(world: HistoryWorld, kind: str, full: bool) -> Iterator[Try]:
    """After a pruning that came to its end, and right after one that died half-way."""
    for at in (-1, removals(world, kind) // 2)[: 2 if full and kind == "encrypted" else 1]:
        copy = Copy.fresh(world, kind)
        copy.die(at, "after")
        yield f"the day after removal {at}", next_day(copy, full)


KEPT = "half a run never usable; after the next night exactly what the rules keep, untouched, undo's runs among it"
NEXT_DAY = "EMC as SmartHR, baseline moved once, open load settled, lost baseline refused, then 変化なし"
CASES: tuple[tuple[str, str, str, Callable[[HistoryWorld, str, bool], Iterator[Try]]], ...] = (
    ("killed at a removal", "L1 L4 L6 E31", KEPT, once),
    ("killed at every removal in turn", "L1 L4 L6", KEPT, in_turn),
    ("SIGKILL", "L4", KEPT, by_signal),
    ("the next day", "L3 L4 E31", NEXT_DAY, days),
)
