"""WORKPLACE → LINE WORKS: the process is killed, both systems misbehave, and absences and calendars change meanwhile."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from renkei.links.workplace_lineworks.tables import ABSENCE, EVENT
from renkei.systems import retrying
from renkei.systems.workplace import client as workplace_client
from tests.harness.migrated import databases_copied
from tests.harness.workplace import Workplace, days
from tests.harness.workplace_lineworks import SATO, SUZUKI
from tests.proof.case import Case, Effort, Say, in_parts
from tests.proof.tried import Try, case
from tests.proof.workplace.oracle import OWN
from tests.proof.workplace.world import Calendars, CalendarWorld, begun, eventful
from tests.proof.worlds import HURRIED, Copies

GROUP = "workplace"
WHOLE = "each approved absence in its member's calendar once, as WORKPLACE has it, or listed; people's own events as they were"
OF_LINEWORKS: tuple[dict[str, Any], ...] = (
    *({"kind": "drop"}, {"kind": "drop_after"}, {"kind": "hang", "seconds": 0.05}),
    *({"kind": "status", "status": status} for status in (500, 503, 401)),
)
OF_WORKPLACE = ("error", "maintenance", "login_page", "empty_page", "empty_list", "drop", "truncated", "unauthorized")


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return in_parts((the_process_dies, systems_misbehave), folder, effort, say)


def the_process_dies(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return _played((_killed, _workplace, _stale), folder, effort)


def systems_misbehave(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return _played((_lineworks, _by_hand, _lost, _stories), folder, effort)


def _played(cases: Iterable[Callable[[Copies[CalendarWorld], bool], Case]], folder: Path, effort: Effort) -> list[Case]:
    with ExitStack() as stack:
        stack.enter_context(databases_copied())
        systems = stack.enter_context(Workplace.start()), stack.enter_context(Calendars.start("--port", "0"))
        for module in (workplace_client, retrying):
            stack.enter_context(mock.patch.object(module, "time", HURRIED))
        worlds = Copies(folder, systems, lambda place: begun(place, systems))
        return [play(worlds, effort is Effort.FULL) for play in cases]


@case(GROUP, "killed before and after each request and each transaction", "L4 C5 C8 C11", WHOLE)
def _killed(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    """Repeated by Airflow, or found by the next run."""
    for at in itertools.count(1, 1 if full else 23):
        for repeated in (True, False) if full else (True,):
            world = worlds.next(eventful)
            job = world.job()
            died = world.killed(job, at)
            world.go(job=job if repeated else None)
            yield f"moment {at}, {'again' if repeated else 'anew'}, at once", world.wrong()
            world.settle()
            yield f"moment {at}, {'again' if repeated else 'anew'}, settled", world.wrong()
        if not died:
            return


@case(GROUP, "LINE WORKS misbehaves", "C5 C10 C11", WHOLE)
def _lineworks(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    for fault, after, times in itertools.product(OF_LINEWORKS, range(8), (1, None)):
        if full or (fault["kind"], after, times) == ("drop_after", 5, 1):
            world = worlds.next(eventful)
            world.chat.fault(service="lineworks", path="/lineworks/*", after=after, times=times, **fault)
            world.go()
            world.settle()
            yield f"{fault} after {after}, times {times}", world.wrong()


@case(GROUP, "WORKPLACE misbehaves", "C9", "nothing deleted for it, and then " + WHOLE)
def _workplace(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    tries: list[tuple[str, dict[str, Any]]] = [
        (kind, {"after": after, "times": times})
        for kind, after, times in itertools.product(OF_WORKPLACE, range(2), (1, None))
    ]
    for kind, more in tries if full else [("empty_list", {"after": 0, "times": None})]:
        world = worlds.next()
        if more["after"]:  # so that there is a second request: what is not listed is asked for by its id
            world.source.sim("DELETE", "absences/A-000006")
        before = world.calendars()["calendars"]
        world.source.fault(kind, **more)
        world.go()
        kept = world.calendars()["calendars"] == before or (more["after"] and more["times"])  # it may be asked again
        struck = not (more["times"] and world.source.sim("GET", "faults"))
        eventful(world)
        world.settle()
        found = [*([] if kept else ["it deleted something"]), *([] if struck else ["the fault never struck"])]
        yield f"{kind} {more}", [*found, *world.wrong()]
    for drop in (1, 3, 99) if full else (3,):
        world = worlds.next()
        before = world.calendars()["calendars"]
        world.source.sim("POST", "settings", {"bend_next": 99, "bend_drop": drop})
        world.go()
        kept = world.calendars()["calendars"] == before
        world.settle()
        yield f"{drop} are not listed", [*([] if kept else ["it deleted something"]), *world.wrong()]


@case(GROUP, "an answer of an hour ago comes after a newer one", "C8", "the newer one stays")
def _stale(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    world = worlds.next()
    old = world.source.ask("absences", since="2026-10-01").json()
    eventful(world)
    world.go()
    newer = world.calendars()["calendars"]
    world.source.fault("answer", times=1, answer={"status": 200, "body": old})
    world.go()
    same = world.calendars()["calendars"] == newer
    world.settle()
    yield "the whole list", [*([] if same else ["an older revision was written"]), *world.wrong()]


@case(GROUP, "people change and delete our events, and their own", "C5 C8", WHOLE)
def _by_hand(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    for change in ("delete", "summary", "move") if full else ("delete",):
        world = worlds.next()
        for user, events in world.calendars()["calendars"].items():
            for number, event in events.items():
                path = f"lineworks/calendars/{user}/{number}"
                if event[0]["summary"] == OWN:
                    continue
                if change == "delete":
                    world.chat.sim("DELETE", path)
                else:
                    moved = {"start": {"date": "2027-01-01"}, "end": {"date": "2027-01-02"}}
                    world.chat.sim("PATCH", path, {"summary": "変更"} if change == "summary" else moved)
        eventful(world)
        world.go()
        world.settle()
        yield change, world.wrong()


@case(GROUP, "the database is lost, and absences change before the next run", "C8", WHOLE)
def _lost(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    for events_too in (True, False) if full else (True,):
        world = worlds.next()
        world.lose(*((ABSENCE, EVENT) if events_too else (ABSENCE,)))
        eventful(world)
        world.settle()
        yield "both tables" if events_too else "absences alone", world.wrong()


@case(GROUP, "stories by chance", "C4 C5 C6 C8 C9 C10", WHOLE)
def _stories(worlds: Copies[CalendarWorld], full: bool) -> Iterator[Try]:
    for seed in range(60 if full else 2):
        chance, world = random.Random(seed), worlds.next()
        for _ in range(chance.randint(1, 5)):
            for _ in range(chance.randint(0, 6)):
                _happen(world, chance)
            if chance.random() < 0.3:
                world.killed(world.job(), chance.randint(1, 60))
            else:
                world.go()
        world.settle()
        yield f"seed {seed}", world.wrong()


def _happen(world: CalendarWorld, chance: random.Random) -> None:
    known = [one["id"] for one in world.source.sim("GET", "absences")]
    start = f"2026-12-{chance.randint(10, 28)}"
    what = chance.choice(("apply", "move", "status", "member", "delete", "fault", "torn"))
    if what == "apply" or not known:
        periods = [days(start), *([{"unit": "MORNING", "on": start}] if chance.random() < 0.5 else [])]
        user = chance.choice((SATO, SUZUKI, "tanaka@acme.example", "takahashi@acme.example"))
        world.source.apply(*periods, user_id=user, status=chance.choice(("APPLIED", "APPROVED")))
    elif what == "move":
        world.source.change(chance.choice(known), periods=[days(start)])
    elif what == "status":
        status = chance.choice(("APPLIED", "APPROVED", "REJECTED", "CANCELLED"))
        world.source.change(chance.choice(known), status=status)
    elif what == "member":
        world.source.change(chance.choice(known), user_id=chance.choice((SATO, SUZUKI)))
    elif what == "delete":
        world.source.sim("DELETE", f"absences/{chance.choice(known)}")
    elif what == "torn":
        world.source.sim("POST", "settings", {"bend_next": chance.randint(1, 4), "bend_drop": 2})
    elif chance.random() < 0.5:
        fault = chance.choice(OF_LINEWORKS)
        world.chat.fault(service="lineworks", path="/lineworks/*", after=chance.randint(0, 6), **fault)
    else:
        world.source.fault(chance.choice(OF_WORKPLACE))
