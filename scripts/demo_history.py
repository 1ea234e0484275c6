"""What happens in SmartHR in the thirty days before `make run`'s own, as a table: joiners, leavers, a bad row, a quiet day.

Days are counted back from the last one (0), so that the story is the same whenever it is told. The runs that go with
it: `scripts.past_runs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

DAYS = 30
HAPPENS: dict[str, dict[int, dict[str, int]]] = {
    "hinata": {
        27: {"joiners": 2, "moves": 3},
        25: {"joiners": 1, "retirements": 1},
        24: {"moves": 4},
        22: {"joiners": 1, "leavers": 1},
        20: {"joiners": 3},
        18: {"joiners": 18, "moves": 25, "reorganised": 1},  # a new half-year
        17: {"retirements": 2, "moves": 2},
        15: {"joiners": 1, "renumbered": 1},
        13: {"moves": 5},
        11: {"joiners": 2, "leavers": 1},
        10: {"retirements": 3},
        8: {"joiners": 1, "moves": 2},
        6: {"renumbered": 2},
        4: {"joiners": 1, "retirements": 1, "moves": 3},
        3: {"joiners": 2},
        1: {"joiners": 1, "moves": 4},
    },
    "minato": {
        26: {"joiners": 1},
        23: {"moves": 2},
        19: {"retirements": 1},
        18: {"joiners": 6},
        12: {"joiners": 1, "moves": 1},
        7: {"joiners": 1, "blank_names": 1},  # the run fails; see `mend`
        5: {"retirements": 1},
        2: {"joiners": 1, "moves": 3},
    },
    "sakura": {
        24: {"joiners": 1},
        21: {"moves": 2},
        16: {"retirements": 1},
        9: {"leavers": 20},  # more than the guards let through
        8: {"joiners": 2},
        3: {"moves": 1},
        1: {"joiners": 1},
    },
}  # on day 14 nothing happens anywhere
ACCOUNTS = (("hinata",), ("minato", "sakura"))  # those of one EMC account run one after the other
COMPARED = ("hinata", 6)  # on that day somebody asks for a 照合
Names = dict[str, dict[str, str]]


def happen(smarthr: str, company: str, day: int) -> Names:
    """Let a day pass at a company; the names that somebody has emptied, by crew id."""
    changes, before = HAPPENS[company].get(day, {}), {}
    if "blank_names" in changes:
        url = f"{_of(smarthr, company)}/crews?fields=id,last_name,first_name"
        before = {crew.pop("id"): crew for crew in _answer("GET", url)}
    touched = _answer("POST", f"{_of(smarthr, company)}/day", changes)
    return {crew_id: before[crew_id] for crew_id in touched["blank_names"]}


def mend(smarthr: str, company: str, names: Names) -> None:
    """Somebody at the company fills in what a run has complained of."""
    for crew_id, name in names.items():
        _answer("PATCH", f"{_of(smarthr, company)}/crews/{crew_id}", name)


def repeat(smarthr: str) -> None:
    """All of it at once, for a simulator that has forgotten."""
    for day in reversed(range(DAYS)):
        for company in HAPPENS:
            mend(smarthr, company, happen(smarthr, company, day))


@contextmanager
def no_limits(smarthr: str) -> Iterator[None]:
    """SmartHR's simulator lets thirty days pass at once."""
    usual = _answer("GET", f"{smarthr}/_sim/limits")
    _answer("POST", f"{smarthr}/_sim/limits", {"per_second": 1_000_000, "per_hour": 1_000_000})
    try:
        yield
    finally:
        _answer("POST", f"{smarthr}/_sim/limits", usual)


def _of(smarthr: str, company: str) -> str:
    return f"{smarthr}/_sim/companies/{company}"


def _answer(method: str, url: str, body: Any = None) -> Any:
    answer = requests.request(method, url, json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()
