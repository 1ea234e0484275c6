"""Hot Profile → kintone: the process is killed, both systems misbehave, and records change while all of that happens."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from renkei.systems import retrying
from renkei.systems.hotprofile import client as hotprofile_client
from renkei.systems.kintone import client as kintone_client
from tests.harness.hotprofile import HotProfile
from tests.harness.kintone import Kintone
from tests.harness.migrated import databases_copied
from tests.harness.program import Program
from tests.proof.case import Case, Effort, Say, in_parts
from tests.proof.kintone.world import SalesWorld, begun
from tests.proof.tried import Try, case
from tests.proof.worlds import HURRIED, Copies

GROUP = "kintone"
WHOLE = "each record in kintone once, as Hot Profile has it, or listed; no request beyond the quota; nothing of ours taken for people's"
OF_KINTONE = (
    *("maintenance", "lock", "lock_520", "too_many", "address", "interrupted"),
    *("drop", "drop_after", "truncated", "hang", "slow", "answer"),
)
OF_HOTPROFILE = (
    *("error", "maintenance", "login_page", "empty_page", "too_many", "address"),
    *("drop", "truncated", "hang", "slow", "answer"),
)
# What a person does to the app while a run writes it, and how it is mended.
MEDDLING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the token is revoked": (
        {"method": "DELETE", "path": "tokens/app1"},
        {"method": "PUT", "path": "tokens/app1", "body": {"app": 1, "rights": ["view", "add", "edit"]}},
    ),
    "a field is renamed": (
        {"method": "PATCH", "path": "apps/1/fields/note", "body": {"code": "other"}},
        {"method": "PATCH", "path": "apps/1/fields/other", "body": {"code": "note"}},
    ),
    "the name may have only 3 characters": (
        {"method": "PATCH", "path": "apps/1/fields/name", "body": {"maxLength": "3"}},
        {"method": "PATCH", "path": "apps/1/fields/name", "body": {"maxLength": "10"}},
    ),
}


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return in_parts((the_process_dies, systems_misbehave), folder, effort, say)


def the_process_dies(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return _played((_killed, _meddled), folder, effort)


def systems_misbehave(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return _played((_kintone, _hotprofile, _stories), folder, effort)


def _played(cases: Iterable[Callable[[Copies[SalesWorld], bool], Case]], folder: Path, effort: Effort) -> list[Case]:
    with ExitStack() as stack:
        stack.enter_context(databases_copied())
        systems = stack.enter_context(HotProfile.start()), stack.enter_context(Kintone.start())
        for module in (
            hotprofile_client,
            kintone_client,
            retrying,
        ):  # they do what they do, only their clocks run faster
            stack.enter_context(mock.patch.object(module, "time", HURRIED))
        worlds = Copies(folder, systems, lambda place: begun(place, systems))
        return [play(worlds, effort is Effort.FULL) for play in cases]


def eventful(world: SalesWorld) -> None:
    """Something to add, to change, to replace and to refuse, in two batches of companies and one of leads."""
    add, change = world.source.add, world.source.change
    add("clients", *({"id": number, "name": f"会社{number}", "note": ""} for number in range(1, 11)))
    add("leads", *({"id": number, "name": f"人{number}", "client_id": number} for number in range(1, 6)))
    world.wait(minutes=5)
    world.go()
    world.wait(minutes=30)
    add("clients", *({"id": number, "name": f"新{number}", "note": "新"} for number in range(20, 140)))
    add("clients", {"id": 140, "name": "名前が十文字より長い会社", "note": ""})
    for number in range(4, 11):
        change("clients", number, {"name": f"変{number}", "note": "変"})
    world.source.sim("POST", "clients/1/cleanse", {"new_id": 1001})
    add("leads", *({"id": number, "name": f"人{number}", "client_id": 4} for number in range(20, 40)))
    add("leads", {"id": 40, "name": "会社なし", "client_id": 9999})
    world.wait(minutes=5)


@case(GROUP, "killed before and after each request and each transaction", "L2 L4 K5 K15", WHOLE)
def _killed(worlds: Copies[SalesWorld], full: bool) -> Iterator[Try]:
    """Repeated by Airflow, or found by the next run."""
    for at in itertools.count(1, 1 if full else 45):
        for repeated in (True, False) if full else (True,):
            world = worlds.next(eventful)
            job = world.job()
            died = world.killed(job, at)
            if repeated:
                world.go(job=job)
            else:
                world.wait(minutes=5)
                world.go()
            waits = [f"{left} records still wait after one more run"] if (left := world.waiting()) else []
            world.settle()
            yield f"moment {at}, {'again' if repeated else 'anew'}", waits + world.wrong()
        if not died:
            return


@case(GROUP, "kintone misbehaves", "K15 K16 K17 K19 K21", WHOLE)
def _kintone(worlds: Copies[SalesWorld], full: bool) -> Iterator[Try]:
    for kind, after, times in _faults(OF_KINTONE, 7):
        if full or (kind, after, times) == ("drop_after", 3, 1):
            world = worlds.next(eventful)
            world.app.fault(kind, after=after, times=times, **_more(kind))
            world.go()
            found = _never_struck(world.app, times) + world.wrong_requests()
            world.settle()
            yield f"{kind} after {after}, times {times}", found + world.wrong()


@case(GROUP, "somebody changes the app while a run writes it", "K8 K11 K17", WHOLE)
def _meddled(worlds: Copies[SalesWorld], full: bool) -> Iterator[Try]:
    for (what, (done, undone)), after in itertools.product(MEDDLING.items(), range(7)):
        if full or (what, after) == ("a field is renamed", 2):
            world = worlds.next(eventful)
            world.app.fault("calls", after=after, calls=[done])
            world.go()
            world.wait(minutes=5)
            world.app.sim("DELETE", "faults")
            world.go()
            with contextlib.suppress(AssertionError):  # a run may have had fewer requests
                world.app.sim(**undone)
            world.settle()
            yield f"{what} after {after} requests", world.wrong()


@case(GROUP, "Hot Profile misbehaves", "K4 K5 K6", WHOLE)
def _hotprofile(worlds: Copies[SalesWorld], full: bool) -> Iterator[Try]:
    for kind, after, times in _faults(OF_HOTPROFILE, 3):
        if full or (kind, after, times) == ("truncated", 1, None):
            world = worlds.next(eventful)
            world.source.fault(kind, after=after, times=times, **_more(kind))
            world.go()
            found = _never_struck(world.source, times)
            world.settle()
            yield f"{kind} after {after}, times {times}", found + world.wrong()
    bends: list[dict[str, Any]] = [
        {"bend_next": 1, "bend_drop": 3},
        {"bend_next": 99, "bend_drop": 1},
        {"bend_next": 1, "bend_total": 5},
        {"bend_next": 99, "bend_total": -1},
        {"order": "thrown"},
        {"order": "oldest"},
    ]
    for bend in bends if full else bends[:1]:
        world = worlds.next(eventful)
        world.source.sim("POST", "settings", bend)
        world.go()
        world.source.sim("POST", "settings", {"bend_next": 0, "order": "newest"})
        world.settle()
        yield f"settings {bend}", world.wrong()


def _faults(kinds: Iterable[str], requests: int) -> Iterator[tuple[str, int, int | None]]:
    """Each kind after so many requests of a run, once and lasting; one that is only slow is slow all the time."""
    for kind in kinds:
        yield from [(kind, 0, None)] if kind == "slow" else itertools.product([kind], range(requests), (1, None))


def _never_struck(system: Program, times: int | None) -> list[str]:
    """A run that has fewer requests than a try is made for proves nothing."""
    return ["the fault never struck"] if times and system.sim("GET", "faults") else []


def _more(kind: str) -> dict[str, Any]:
    if kind == "answer":
        return {"answer": {"status": 500, "body": "<html>"}}
    return {"seconds": 0.05} if kind in ("hang", "slow") else {}


CHANGES = ("add", "change", "late", "rename", "long", "lead", "move", "cleanse", "fault", "kill")
Happening = tuple[str, int, int]
STORIES = st.lists(
    st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 9), st.integers(0, 99)), max_size=6),
    min_size=1,
    max_size=5,
)


@case(GROUP, "stories that Hypothesis invents", "K5 K6 K7 K15 K17 K18 K22", WHOLE)
def _stories(worlds: Copies[SalesWorld], full: bool) -> Iterator[Try]:
    tries: list[Try] = []

    def play(runs: list[list[Happening]], quota: int) -> None:
        world = worlds.next()
        world.quota = quota
        for happenings in runs:
            _told(world, happenings)
        world.settle()
        tries.append((f"{quota} requests a day, {runs}", wrong := world.wrong()))
        assert not wrong, wrong

    told = settings(
        max_examples=300 if full else 3,
        phases=(Phase.generate, Phase.shrink) if full else (Phase.generate,),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        seed(14)(told(given(STORIES, st.sampled_from((4, 9, 5_000)))(play)))()
    except AssertionError:
        yield from (one for one in tries if not one[1])
        yield tries[-1]  # the shortest
    else:
        yield from tries


def _told(world: SalesWorld, happenings: list[Happening]) -> None:
    """What happens, all in one second, and the run after it."""
    source, at = world.source, 0
    for what, which, value in happenings:
        if what == "fault":
            kinds = OF_KINTONE if value % 2 else OF_HOTPROFILE
            kind = kinds[value % len(kinds)]
            (world.app if value % 2 else source).fault(kind, after=which, **_more(kind))
            continue
        if what == "kill":
            at = 1 + value
            continue
        companies = [one["id"] for one in source.sim("GET", "clients?limit=1000")]
        company = companies[which % len(companies)] if companies else 0
        if what == "add":
            start = 10 + max(companies, default=0)
            source.add("clients", *({"id": start + n, "name": f"社{start + n}", "note": ""} for n in range(1 + value)))
        elif what in ("lead", "move"):
            leads = [one["id"] for one in source.sim("GET", "leads?limit=1000")]
            if what == "lead":
                number = 1 + max(leads, default=0)
                source.add("leads", {"id": number, "name": f"人{value}", "client_id": company or 77})
            elif leads and company:
                source.change("leads", leads[which % len(leads)], {"client_id": company})
        elif company:
            if what in ("change", "late"):
                later = {"visible_after_s": 60.0 * which} if what == "late" else {}
                source.change("clients", company, {"note": f"{what} {value}"}, **later)
            elif what == "rename":
                source.change("clients", company, {"name": f"名{value}"})
            elif what == "long":
                source.change("clients", company, {"name": f"名前が十文字より長い{value}"})
            elif what == "cleanse":
                source.sim("POST", f"clients/{company}/cleanse", {})
    world.wait(minutes=5)
    if at:
        world.killed(world.job(), at)
    else:
        world.go()
