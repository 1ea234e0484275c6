"""Every fault of EMC at every request of diff, validate and load, and at the questions after a lost answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from renkei.errors import RejectedLoadError, RenkeiError, RetriableLoadError
from tests.harness.expected import Export, differences
from tests.harness.tenant import Run, fails
from tests.harness.world import Kept, World
from tests.proof.case import Case, Effort
from tests.proof.tried import Try, tried
from tests.proof.worlds import client_with

KINDS = (
    *("slow", "status_429", "status_500", "maintenance_503", "drop_before", "drop_after"),
    *("truncated", "not_json", "expired_token", "stuck_applying"),
)
BAFFLING = ("not_json", "expired_token")  # a single one is not asked again by the client
IMPATIENT = {"ANSWER_S": 0.25, "LONG_S": 0.25}


@dataclass
class Scene:
    """A run that has read SmartHR, and is as far as its plan, in front of EMC."""

    name: str
    world: World
    read: Kept
    planned: Kept
    ours: dict[str, set[str]]  # by the baseline
    expected: Export
    generation: int
    requests: list[str]  # of an undisturbed run: diff, validate, load
    loads: int  # how many of them are the load's

    @property
    def first_of_load(self) -> int:
        return len(self.requests) - self.loads

    def resumed(self, at: int) -> tuple[Run, int]:
        """The run just before the stage that sends request `at`, and that request's number from there on."""
        late = at >= self.first_of_load
        self.world.back_to(self.planned if late else self.read)
        run = Run(self.world.tenant, "today", manual=self.name == "first link").until("read")
        run.at = "load" if late else "diff"
        return run, at - self.first_of_load if late else at

    def wrong_meanwhile(self, error: RenkeiError | None) -> list[str]:
        """Between fault and recovery: EMC has all of the plan or nothing, and the baseline has not run ahead."""
        tenant, wrong = self.world.tenant, []
        if error is not None and not isinstance(error, RetriableLoadError | RejectedLoadError):
            wrong.append(f"failed with {type(error).__name__}: {error}")
        found = self.world.export()
        applied, moved = not differences(found, self.expected), tenant.generation() == self.generation
        if not applied and differences(found, self.read.emc):
            wrong.append("EMC holds a part of the plan")
        if moved and not applied:
            wrong.append("the baseline moved although EMC holds nothing")
        if applied and not moved and not tenant.note():
            wrong.append("EMC holds the plan, and neither baseline nor note knows")
        return wrong

    def retried(self, run: Run) -> list[str]:
        """Airflow repeats the stage."""
        run.retried()
        return self.world.wrong_end(self.expected, self.generation)

    def next_day(self, run: Run) -> list[str]:
        """Nobody repeats anything; another day passes in SmartHR, and its run comes."""
        world, had = self.world, self.world.export()
        applied = not differences(had, self.expected)
        ours = world.ours() if applied else self.ours
        world.day(joiners=1, leavers=1)
        Run(world.tenant, "tomorrow", manual=True).retried()
        return world.wrong_end(world.expected(had, ours), self.generation + applied)


RECOVERIES = {"retry": Scene.retried, "next day": Scene.next_day}


def scene(world: World, name: str) -> Scene:
    """A first link, or an ordinary day; EMC has a stranger, and the id of one newcomer already."""
    world.somebody("kanrisha")
    ours: dict[str, set[str]] = {"departments": set(), "users": set()}
    if name == "first link":
        newcomer = world.active()[0]["id"]
    else:
        Run(world.tenant, "first", manual=True).go()
        ours = world.ours()
        newcomer = world.day(joiners=2, leavers=1, renumbered=1, moves=1, reorganised=1)["joiners"][0]
    code = next(crew["emp_code"] for crew in world.active() if crew["id"] == newcomer)
    world.somebody(code, 検索ワード5="残る")
    run = Run(world.tenant, "today", manual=name == "first link").until("diff")
    read = world.keep("read")
    expected = world.expected(read.emc, ours)
    world.sent().clear()
    run.until("load")
    before_load = len(world.sent())
    planned = world.keep("planned")
    run.go()
    seen = list(world.sent())
    assert differences(world.export(), expected) == [], differences(world.export(), expected)
    return Scene(name, world, read, planned, ours, expected, world.tenant.generation(), seen, len(seen) - before_load)


def fails_under(world: World, run: Run, kind: str, path: str = "/api/v1/*", **fault: Any) -> RenkeiError | None:
    """The error with which a run ends while EMC has this fault."""
    world.emc.fault(kind, path, retry_after=0, **fault)
    with client_with(**(IMPATIENT if kind == "slow" else {})):
        error = fails(run)
    world.emc.sim("DELETE", "faults")
    return error


def every_fault(one: Scene, effort: Effort) -> Iterator[Case]:
    """Each kind of fault at each request."""
    for kind in KINDS if effort is Effort.FULL else ("drop_after", "not_json"):
        yield tried(
            "target",
            f"{one.name}: {kind} at every request",
            "L1 L2 L3 L4 E37",
            "meanwhile EMC had all or nothing and the baseline had not run ahead; "
            "after retry or next day EMC as expected, committed once, baseline moved once, no note, no open import",
            at_every_request(one, kind, effort is Effort.FULL),
        )


def at_every_request(one: Scene, kind: str, full: bool) -> Iterator[Try]:
    last = len(one.requests) - 1
    for at in (last,) if kind == "stuck_applying" or not full else range(last + 1):
        # One alone is overcome by the client, but for these two. Before the load nothing was sent: the next day finds
        # what it would have found anyway.
        for times in (1, 99) if kind in BAFFLING and full else (99,):
            for recovery in RECOVERIES if at >= one.first_of_load and times == 99 else ("retry",):
                how = f"{'once' if times == 1 else 'for a while'} at {one.requests[at]}, {recovery}"
                yield how, disturbed(one, at, kind, times, recovery)


def disturbed(one: Scene, at: int, kind: str, times: int, recovery: str) -> list[str]:
    """A run whose request number `at` meets a fault, and the recovery from it; what was wrong."""
    run, after = one.resumed(at)
    path = "/api/v1/*"
    if kind == "stuck_applying":
        path, after = "/api/v1/imports/*/commit", 0
    error = fails_under(one.world, run, kind, path, after=after, times=times, seconds=0.6 if times > 1 else 0.1)
    if recovery == "next day":
        one.world.rest(0.7 if kind == "slow" else 0.0)
    wrong = one.wrong_meanwhile(error)
    if error is None:
        return wrong + one.world.wrong_end(one.expected, one.generation)
    try:
        return wrong + RECOVERIES[recovery](one, run)
    except RenkeiError as raised:
        return [*wrong, f"{recovery} ended with {type(raised).__name__}: {raised}"]


def every_question(one: Scene, effort: Effort) -> Iterator[Case]:
    """After a lost answer: GET the import (and DELETE it, if it was never committed), each disturbed."""
    kinds = KINDS[:-1] if effort is Effort.FULL else ("not_json",)
    for lost, questions in (("commit", 1), ("users", 2)):
        yield tried(
            "target",
            f"{one.name}: answer on {lost} lost, and asking about it disturbed",
            "L1 L3 L4 E37",
            "EMC as expected, committed once, baseline moved once, no note, no open import",
            (
                (f"{kind} at question {at + 1}", asking(one, lost, kind, at))
                for kind in kinds
                for at in range(questions)
            ),
        )


def asking(one: Scene, lost: str, kind: str, at: int) -> list[str]:
    """The answer about the load is lost, and asking what became of it is disturbed too."""
    run, _ = one.resumed(len(one.requests) - 1)
    broken = "drop_after" if lost == "commit" else "drop_before"
    error = fails_under(one.world, run, broken, f"/api/v1/imports/*/{lost}", times=99)
    wrong = [] if isinstance(error, RetriableLoadError) else [f"the lost answer was taken as {error!r}"]
    error = fails_under(one.world, run, kind, after=at, times=99, seconds=0.6)
    wrong += one.wrong_meanwhile(error)
    try:
        return wrong + one.retried(run)
    except RenkeiError as raised:
        return [*wrong, f"retry ended with {type(raised).__name__}: {raised}"]
