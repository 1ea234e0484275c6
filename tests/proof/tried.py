"""A case told as the tries it is made of: a generator of (how it was tried, what was wrong) becomes a row."""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable, Iterable
from typing import ParamSpec

from tests.proof.case import Case

P = ParamSpec("P")
Try = tuple[str, Iterable[str]]


def case(
    group: str, name: str, rules: str, afterwards: str
) -> Callable[[Callable[P, Iterable[Try]]], Callable[P, Case]]:
    """`tried` as a decorator, for a case whose name is known beforehand."""

    def decorator(tries: Callable[P, Iterable[Try]]) -> Callable[P, Case]:
        @functools.wraps(tries)
        def made(*args: P.args, **kwargs: P.kwargs) -> Case:
            return tried(group, name, rules, afterwards, tries(*args, **kwargs))

        return made

    return decorator


def tried(group: str, name: str, rules: str, afterwards: str, tries: Iterable[Try]) -> Case:
    """The row of these tries; one that breaks off is itself wrong, and the campaign goes on."""
    began, count, wrong = time.monotonic(), 0, list[str]()
    try:
        for how, found in tries:
            count += 1
            wrong += [f"{how}: {line}" for line in found]
    except Exception as error:
        lines = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{line.name}:{line.lineno}" for line in reversed(lines[-4:]))
        wrong.append(f"broke off after {count} tries at {where}: {error!r}")
    seconds = time.monotonic() - began
    print(f"   {group}: {name}: {count} tries, {len(wrong)} wrong, {seconds:.0f} s", flush=True)
    return Case(group, name, rules, count, tuple(wrong), afterwards, seconds)
