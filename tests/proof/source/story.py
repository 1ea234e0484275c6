"""Stories that Hypothesis invents: a small company, what changes overnight and during a read, and what breaks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

SIZES = (3, 6, 9, 11, 14)  # crews of a company before anything happens to it
POSITIONS = (*(("/crews", page) for page in (1, 2, 3, 4, 5)), *(("/departments", page) for page in (1, 2, 3)))
TIMES = (1, 3, None)  # None: from then on always

PASSING = {"slow", "status_429", "status_500", "maintenance_503", "maintenance_json", "truncated", "drop_connection"}
LASTING = {  # what the run must fail with when it never ends
    **dict.fromkeys(PASSING - {"slow"}, "RetriableFetchError"),
    "not_json": "RetriableFetchError",
    **dict.fromkeys(("expired_token", "forbidden", "ip_not_permitted"), "RefusedFetchError"),
}
LIES = (
    *("repeated_page", "shifted_page", "resorted_page", "short_total", "wrong_total", "empty"),
    *("null_crew", "missing_id", "hidden_attribute"),
)
KINDS = ("slow", *LASTING, *LIES)


Crews = dict[str, dict[str, Any]]  # by crew id, as SmartHR shows them


@dataclass(frozen=True)
class Change:
    """One thing that happens to one crew, chosen by number among those there are then."""

    what: str
    whom: int
    value: int


@dataclass(frozen=True)
class Step:
    """What happens just before the `after`-th next answer for a page of crews."""

    page: int
    after: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Day:
    overnight: tuple[Change, ...] = ()
    during: tuple[Step, ...] = ()
    fault: dict[str, Any] | None = None


@dataclass(frozen=True)
class Story:
    """A company and its days. `order` ranks pages 2, 3 … of a list: so they are answered."""

    size: int
    page_size: int
    order: tuple[int, ...]
    days: tuple[Day, ...]
    linked: bool = True


def moves(during: tuple[Step, ...], crews: Crews, departments: list[str]) -> list[dict[str, Any]]:
    """What happens during a read, as faults of the simulator."""
    everything = resolved(tuple(change for step in during for change in step.changes), crews, departments)
    faults = []
    for step in during:
        ours = resolved(step.changes, crews, departments).keys() & everything.keys()
        changes = {crew_id: everything.pop(crew_id) for crew_id in sorted(ours)}
        if changes:
            place = {"path": "/crews", "page": step.page, "after": step.after}
            faults.append({"kind": "change_while_reading", **place, "changes": changes})
    return faults


def resolved(changes: tuple[Change, ...], crews: Crews, departments: list[str]) -> dict[str, dict[str, Any] | None]:
    """Crew id → fields to set (None: delete), a crew changes once at most. The first of the company never does."""
    first, *others = sorted(crews)
    found: dict[str, dict[str, Any] | None] = {}
    for change in changes:
        number, rng = change.value, random.Random(change.value)
        if change.what.startswith("join"):
            place = 2**32 - 1 if change.what == "join_last" else rng.getrandbits(32)
            crew_id = f"{place:08x}-0000-4000-8000-{number:012x}"
            if crew_id not in crews:
                found.setdefault(crew_id, _person(number, rng, departments))
        elif others:
            values: dict[str, dict[str, Any] | None] = {
                "leave": None,
                "retire": {"emp_status": "retired"},
                "return": {"emp_status": "employed"},
                "rest": {"emp_status": "absent"},
                "move": {"department_ids": rng.choice([[], [None, departments[0]], *([d] for d in departments)])},
                "rename": {"last_name": f"改姓{number % 97}", "last_name_yomi": "カイセイ"},
                "renumber": {"emp_code": f"R{number}"},
                "lose_code": {"emp_code": rng.choice([None, ""])},
                "mail": {"email": rng.choice([None, "", f"m{number}@example.com"])},
                "phone": {"tel_number": rng.choice([None, "", f"090-0000-{number % 10_000:04d}"])},
                "blank_name": {"last_name": "", "first_name": ""},
                "same_code": {"emp_code": crews[first]["emp_code"]},
            }
            found.setdefault(others[change.whom % len(others)], values[change.what])
    return found


def _person(number: int, rng: random.Random, departments: list[str]) -> dict[str, Any]:
    return {
        "emp_code": rng.choice([f"J{number}"] * 9 + [None]),
        "emp_status": rng.choice(["employed"] * 8 + ["absent", "retired"]),
        **{"last_name": "新人", "first_name": f"{number}番", "last_name_yomi": "シンジン", "first_name_yomi": "バン"},
        "email": f"j{number}@example.com",
        "tel_number": f"080-0000-{number % 10_000:04d}",
        "department_ids": [rng.choice(departments)],
    }


often = st.sampled_from(("join", "leave"))
seldom = st.sampled_from(
    (
        *("join", "leave", "retire", "return", "rest", "move", "rename", "renumber", "lose_code", "mail", "phone"),
        *("blank_name", "same_code"),
    )
)
values = st.integers(0, 2**32 - 1)
orders = st.permutations(range(5)).map(tuple)


def changes(kinds: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[tuple[Change, ...]]:
    change = st.builds(Change, kinds, st.integers(0, 20), values)
    return st.lists(change, min_size=least, max_size=most, unique_by=lambda c: c.value).map(tuple)


def swap(page: int, whom: int, value: int) -> Step:
    """Somebody on an early page leaves and somebody comes at the end: no total tells, and all between move up."""
    return Step(page, 0, (Change("leave", whom, value), Change("join_last", 0, value)))


def steps(most: int) -> st.SearchStrategy[tuple[Step, ...]]:
    what = st.one_of(changes(often, 2, 4), changes(seldom, 1, 3))
    step = st.one_of(
        st.builds(swap, st.integers(2, 5), st.integers(0, 8), values),
        st.builds(Step, st.integers(1, 6), st.integers(0, 2), what),
    )
    return st.lists(step, min_size=1, max_size=most).map(tuple)


def broken(kind: str, path: str, page: int) -> st.SearchStrategy[Story]:
    """One fault at one position, on an ordinary day."""
    hidden = {"field": "email"} if kind == "hidden_attribute" else {}
    fault = st.fixed_dictionaries(
        {
            **{name: st.just(value) for name, value in {"kind": kind, "path": path, "page": page, **hidden}.items()},
            "times": st.sampled_from(TIMES),
            "after": st.integers(0, 2),
            "seconds": st.just(0.01),
        }
    )
    day = st.builds(Day, changes(seldom, 0, 3), st.just(()), fault)
    days = st.one_of(day.map(lambda d: (d,)), day.map(lambda d: (d,)), day.map(lambda d: (d, Day())))
    # Twelve crews and four departments on pages of two or three: every position exists.
    linked = st.sampled_from((True, True, True, False)) if kind != "hidden_attribute" else st.just(True)
    return st.builds(Story, st.sampled_from((11, 14)), st.sampled_from((2, 3)), orders, days, linked)


# Five pages; between the third and the fourth, one of the second leaves: the first of the fourth is on no page.
UNSEEN = Story(14, 3, (0, 1, 2, 3, 4), (Day(during=(swap(4, 3, 7),)), Day()), linked=False)


def moving() -> st.SearchStrategy[Story]:
    """People come and go between the pages of a read; the quiet run after it must be exactly right."""
    day = st.builds(Day, changes(seldom, 0, 2), steps(3))
    days = st.lists(day, min_size=1, max_size=2).map(lambda found: tuple(d for day in found for d in (day, Day())))
    return st.builds(Story, st.sampled_from(SIZES), st.integers(2, 4), orders, days, st.booleans())


def eventful() -> st.SearchStrategy[Story]:
    """A few days with whatever may happen on them."""
    fault = st.fixed_dictionaries(
        {
            "kind": st.sampled_from([kind for kind in KINDS if kind != "hidden_attribute"]),
            "path": st.sampled_from(("/crews", "/departments")),
            "page": st.integers(1, 4),
            "times": st.sampled_from(TIMES),
            "after": st.integers(0, 3),
            "seconds": st.just(0.01),
        }
    )
    day = st.builds(
        Day, changes(seldom, 0, 8), st.one_of(st.just(()), steps(2)), st.one_of(st.none(), st.none(), fault)
    )
    days = st.lists(day, min_size=2, max_size=3).map(lambda found: (*found, Day()))
    return st.builds(Story, st.sampled_from(SIZES), st.integers(2, 5), orders, days, st.booleans())
