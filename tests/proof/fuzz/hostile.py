"""A file that somebody could send by mistake or on purpose, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SAME = "the sound sheet's mapping"
EITHER = "a mapping, or problems"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file, and what must become of it: SAME, EITHER, or a text that one of its problems must hold."""

    name: str
    expected: str
    build: Callable[[], bytes]
    suffix: str = ".xlsx"
    quick: bool = True  # small enough for the slice
