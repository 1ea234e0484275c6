"""A linked company whose data in EMC can be changed by hand, and what a daily run must make of that."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.errors import RejectedLoadError
from tests.harness.expected import Export, differences
from tests.harness.tenant import Run, fails
from tests.harness.world import Kept, World

ORDINARY = {"joiners": 1, "leavers": 1, "moves": 1}


@dataclass
class Linked:
    """Three empty departments, X1 above X2 above X3, beside those with people; `kanrisha` is a stranger in EMC."""

    world: World
    kept: Kept
    ours: dict[str, set[str]]
    runs: int = 0

    def again(self, **day: int) -> World:
        """As just after the first link; then such a day passes in SmartHR."""
        self.world.back_to(self.kept)
        if day:
            self.world.day(**day)
        return self.world

    def run(self) -> Run:
        """The daily run, not yet begun."""
        self.runs += 1
        return Run(self.world.tenant, f"day{self.runs}")

    def expected(self) -> Export:
        """What EMC must hold after the next run."""
        return self.world.expected(self.world.export(), self.ours)


def linked(world: World) -> Linked:
    top = world.found_department("X1")
    below = world.found_department("X2", top)
    world.found_department("X3", below)
    world.somebody("kanrisha")
    Run(world.tenant, "first", manual=True).go()
    return Linked(world, world.keep("linked"), world.ours())


def heals_at_once(at: Linked, generation: int = 2, ours: dict[str, set[str]] | None = None) -> list[str]:
    """The next daily run succeeds, and EMC is as expected."""
    world = at.world
    expected = world.expected(world.export(), ours or at.ours)
    error = fails(at.run())
    return [f"{type(error).__name__}: {error}"] if error else world.wrong_end(expected, generation)


def stops(at: Linked, run: Run, code: str) -> list[str]:
    """EMC refuses with this code; nothing of it is applied, and the account is free."""
    world, had = at.world, at.world.export()
    error = fails(run)
    if not isinstance(error, RejectedLoadError):
        return [f"expected a refusal, found {error!r}"]
    wrong = differences(world.export(), had)
    if set(reasons(run)) != {code}:
        wrong.append(f"EMC's reasons on record are {reasons(run)}, not {code}")
    if world.tenant.generation() != 1 or world.tenant.note() or world.imports()["open"]:
        wrong.append("the baseline moved, or a note or an open import was left")
    return wrong


def reasons(run: Run) -> list[str]:
    """EMC's codes, as the run's record has them; each must name the record that it is about (L8)."""
    found = run.job.record.json_or_none("emc_problems") or {"problems": []}
    return [problem["code"] if problem["id"] else f"{problem['code']} of nobody" for problem in found["problems"]]
