"""All that may become of an approval: given, refused, forgotten, repeated, and for another plan (E36)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from renkei.errors import BaselineError, HoldError, RenkeiError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.stages.job import Job
from tests.harness.expected import differences
from tests.harness.tenant import NOW, Run, fails
from tests.harness.world import Kept, World
from tests.proof.case import Case
from tests.proof.guards.judgement import company_of, link, untouched
from tests.proof.guards.limits import under
from tests.proof.tried import Try, tried

STRICT = {"delete_users_percent": 0, "delete_users_least": 1, "delete_departments_percent": 0}
STRICT |= {"delete_departments_least": 1, "lost_contact_percent": 0, "lost_contact_least": 1}


def people_go(world: World) -> None:
    for crew in world.active()[:2]:
        world.company("DELETE", f"companies/acme/crews/{crew['id']}")


def departments_go(world: World) -> None:
    (found,) = (one["id"] for one in world.departments() if one["code"] == "X1")
    world.company("DELETE", f"companies/acme/departments/{found}")


def contacts_go(world: World) -> None:
    for crew in world.active()[:2]:
        world.patch(crew["id"], email=None, tel_number=None)


CAUSES = {"people deleted": people_go, "departments deleted": departments_go, "contacts lost": contacts_go}


@dataclass
class HeldRun:
    """A daily run that a guard holds."""

    world: World
    kept: Kept
    ours: dict[str, set[str]]
    run: Run

    @property
    def job(self) -> Job:
        return self.run.job

    def another(self, run_id: str, manual: bool = False) -> HeldRun:
        """Another run, planned now."""
        return HeldRun(self.world, self.kept, self.ours, Run(self.world.tenant, run_id, manual=manual).until("load"))

    def answer(self, approved: bool, by: str = "tanaka", why: str = "人事異動") -> None:
        with suppress(HoldError):
            stages.approve.decide(self.job, approved, by, why, NOW)

    def loads(self) -> list[str]:
        """Let through: loaded once, however often the load is repeated, and it is on record by whom and why."""
        expected = self.world.expected(self.world.export(), self.ours)
        generation = self.world.tenant.generation() + 1
        error = fails(self.run)
        wrong = [f"not loaded: {error!r}"] if error else []
        if not error and self.world.tenant.load(self.job) != "already":
            wrong.append("loaded twice")
        wrong += self.world.wrong_end(expected, generation)
        record = self.job.record.json("approval")
        if (record["by"], record["why"], record["approved"]) != ("tanaka", "人事異動", True):
            wrong.append(f"on record is {record['by']}, {record['why']}")
        return wrong

    def refused(self, by: type[RenkeiError] = HoldError) -> list[str]:
        """Not let through: nothing is written."""
        had, generation = self.world.export(), self.world.tenant.generation()
        error = fails(self.run)
        wrong = [] if isinstance(error, by) else [f"not refused: {error!r} {self.run.answer}"]
        if self.world.tenant.generation() != generation or self.world.tenant.note():
            wrong.append("the baseline moved, or a note was left")
        return wrong + differences(self.world.export(), had)

    def stays_out(self) -> list[str]:
        """Not let through, and nothing was ever written."""
        return self.refused() + untouched(self.world, self.kept)

    def cleared(self, stage: str) -> None:
        """An operator clears diff or validate and what comes after it."""
        self.run.at = stage
        self.run.until("load")


def approved(held: HeldRun) -> list[str]:
    held.answer(True)
    return held.loads()


def approved_twice(held: HeldRun) -> list[str]:
    held.answer(True)
    held.answer(True)
    wrong = held.loads()
    held.answer(True)
    if held.world.tenant.load(held.job) != "already" or held.world.imports()["committed"] != 1:
        wrong.append("approved again, it was loaded again")
    return wrong


def approved_then_cleared(held: HeldRun) -> list[str]:
    """validate repeated gives the same plan: the approval is for it."""
    held.answer(True)
    held.cleared("validate")
    return held.loads()


def unanswered(held: HeldRun) -> list[str]:
    return held.stays_out()


def refused(held: HeldRun) -> list[str]:
    held.answer(False)
    wrong, record = held.stays_out(), held.job.record.json("approval")
    return wrong + ([] if (record["by"], record["approved"]) == ("tanaka", False) else ["the refusal is not on record"])


def expired(held: HeldRun) -> list[str]:
    held.answer(False, "(期限切れ)", "")
    return held.stays_out()


def approved_then_refused(held: HeldRun) -> list[str]:
    held.answer(True)
    held.answer(False)
    return held.stays_out()


def next_day(held: HeldRun) -> list[str]:
    """Today's approval does not let tomorrow's run through; tomorrow's own does."""
    held.answer(True)
    tomorrow = held.another("tomorrow")
    wrong = tomorrow.stays_out()
    tomorrow.answer(True)
    return wrong + tomorrow.loads()


def other_plan(held: HeldRun) -> list[str]:
    """EMC changes, an operator clears diff: another plan, which the approval is not for."""
    held.answer(True)
    held.world.by_hand("DELETE", "users", sorted(held.world.ours()["users"])[-1])
    held.world.by_hand("DELETE", "departments", "X2")
    held.cleared("diff")
    wrong = held.refused()
    held.answer(True)
    return wrong + held.loads()


def other_baseline(held: HeldRun) -> list[str]:
    """Another run loads in between: neither the old plan nor, cleared, the new one goes through by the old approval."""
    held.answer(True)
    other = held.another("other", manual=True)
    other.answer(True)
    wrong = other.loads() + held.refused(BaselineError)
    held.world.by_hand("DELETE", "users", sorted(held.world.ours()["users"])[-1])
    held.cleared("diff")
    return wrong + ([] if not stages.approve.is_held(held.job) else held.refused())


LIVES = (
    *(approved, approved_twice, approved_then_cleared, unanswered, refused, expired, approved_then_refused),
    *(next_day, other_plan, other_baseline),
)


def approvals(world: World, full: bool) -> Iterator[Case]:
    """A case for each life."""
    company_of(world, 12)
    world.found_department("X1")
    world.found_department("X2")
    kept, ours = link(world), world.ours()

    def held_plan(life: Callable[[HeldRun], list[str]]) -> Iterator[Try]:
        for cause, happens in list(CAUSES.items())[: None if full else 1]:
            world.back_to(kept)
            under(world, **STRICT)
            happens(world)
            held = HeldRun(world, kept, ours, Run(world.tenant, "today").until("load"))
            wrong = [] if stages.approve.is_held(held.job) else ["it is not held at all"]
            yield cause, wrong + life(held)

    for life in LIVES if full else (other_plan,):
        yield tried(
            "guards",
            f"a held plan: {life.__name__.replace('_', ' ')}",
            "L3 E36",
            "loaded once by its own approval, on record by whom and why; else EMC and baseline as before",
            held_plan(life),
        )
