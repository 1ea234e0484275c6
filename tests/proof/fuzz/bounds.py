"""Bounds of time and memory for one input, and the tally of many."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_S = 15.0  # of the processor, for one input
WAITING_MOST_S = 120.0  # by the clock: a machine with other work to do is no fault, a wait without end is one
MAX_MEMORY = 1 << 30  # over what the process had before


@dataclass(frozen=True)
class Tally:
    """What came of a number of inputs."""

    tries: int = 0
    taken: int = 0
    wrong: tuple[str, ...] = ()
    seconds: float = 0.0  # of the processor
    slowest_s: float = 0.0
    memory: int = 0

    @classmethod
    def of(cls, which: str, taken: bool, wrong: str, seconds: float, memory: int = 0) -> Tally:
        """One input; `which` repeats it."""
        lines = (f"python -m tests.proof.fuzz.campaign {which}: {wrong}",) if wrong else ()
        return cls(1, int(taken), lines, seconds, seconds, memory)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.tries + other.tries,
            self.taken + other.taken,
            self.wrong + other.wrong,
            self.seconds + other.seconds,
            max(self.slowest_s, other.slowest_s),
            max(self.memory, other.memory),
        )


class TooLong(BaseException):
    """Not an Exception: nothing in Renkei may take it for a damaged file."""


def set_timers(processor_s: float = LONGEST_S, clock_s: float = WAITING_MOST_S) -> None:
    signal.setitimer(signal.ITIMER_PROF, processor_s)
    signal.setitimer(signal.ITIMER_REAL, clock_s)


@contextlib.contextmanager
def too_long() -> Iterator[None]:
    """While it lasts, the end of a timer raises TooLong."""

    def late(*_: object) -> None:
        raise TooLong(f"more than {LONGEST_S} s of the processor, or {WAITING_MOST_S} s")

    before = [(each, signal.signal(each, late)) for each in (signal.SIGALRM, signal.SIGPROF)]
    try:
        yield
    finally:
        set_timers(0.0, 0.0)
        for each, handler in before:
            signal.signal(each, handler)


def trial(check: Callable[[], tuple[bool, str]]) -> tuple[bool, str, float, int]:
    """Whether the input was taken, what was wrong, the seconds and the bytes of memory that it took."""
    reading, writing = os.pipe()
    base = _pages(1) * resource.getpagesize()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _bound_memory()
        set_timers()  # whose end ends the process
        try:
            outcome: tuple[bool, str] = check()
        except BaseException as error:
            outcome = False, f"{type(error).__name__}: {ascii(error)[:200]}"
        os.write(writing, json.dumps(outcome).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    seconds, memory = used.ru_utime + used.ru_stime, max(0, used.ru_maxrss * 1024 - base)
    if status or not said:
        return False, f"no end in time, or killed (status {status})", seconds, memory
    taken, wrong = json.loads(said)
    if not wrong and memory > MAX_MEMORY:
        wrong = f"{memory >> 20} MB"
    return bool(taken), str(wrong), seconds, memory


def _pages(which: int) -> int:
    """Of this process: 0 for all that is mapped, 1 for what is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[which])


def _bound_memory() -> None:
    size = _pages(0) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_MEMORY, size + MAX_MEMORY))
