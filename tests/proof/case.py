"""What one case of the campaign found: `make proof` prints these as its table."""

from __future__ import annotations

import enum
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]  # one line of progress


class Effort(enum.Enum):
    """How much is tried: all of it (`make proof`), or a small slice (`make test`)."""

    FULL = "full"
    SLICE = "slice"


@dataclass(frozen=True, slots=True)
class Case:
    """One row: a case, how often it was tried, and what EMC and the baseline held afterwards."""

    group: str  # crashes, source, target …
    case: str
    rules: str  # ids of SPEC.md, e.g. "L3 L4"
    tries: int
    wrong: tuple[str, ...]  # one line each: how to repeat it, what was expected, what was found
    afterwards: str  # what held after every try, e.g. "EMC as uninterrupted, baseline moved once, one mail"
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        return self.tries > 0 and not self.wrong


Part = Callable[[Path, Effort, Say], list[Case]]


def in_parts(parts: tuple[Part, ...], folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Each part with neighbours of its own: the campaign in processes of their own too, so that both cores are used."""
    if effort is Effort.SLICE:
        return [case for part in parts for case in part(folder / part.__name__, effort, say)]
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
        found = [pool.submit(part, folder / part.__name__, effort, print) for part in parts]
        return [case for part in found for case in part.result()]
