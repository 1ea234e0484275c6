"""What a guard must hold, by SPEC.md's words, and what is wrong with a run that it judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import pandas as pd

from renkei.errors import HoldError, RenkeiError
from renkei.links.smarthr_emc.stages.job import Job
from tests.harness.expected import differences
from tests.harness.tenant import Run, fails
from tests.harness.world import Kept, World

NEVER = 10**9


def beyond(count: int, of: int, percent: str, least: int) -> bool:
    """More than `percent` % of `of`, and at least `least`; nothing at all is never too much."""
    return count > 0 and count >= least and Fraction(count * 100, of) > Fraction(percent)


def first_beyond(of: int, percent: str, least: int, most: int = NEVER) -> int:
    """The smallest number that is held."""
    return next(n for n in range(1, of + 1) if beyond(n, of, percent, least) or n > most)


def company_of(world: World, people: int) -> list[str]:
    """Exactly so many valid people, all with both contacts and a department: their crew ids."""
    crews = world.active()
    assert len(crews) >= people
    kept = {crew["id"]: number for number, crew in enumerate(crews[:people])}
    for crew in world.smarthr.sim("GET", "companies/acme/crews"):
        if crew["id"] not in kept:
            world.company("DELETE", f"companies/acme/crews/{crew['id']}")
    for crew_id, number in kept.items():
        world.patch(crew_id, email=f"a{number}@example.jp", tel_number=f"090-0000-{number:04d}")
    return list(kept)


def link(world: World) -> Kept:
    assert Run(world.tenant, "first", manual=True).go() == "loaded"
    kept = world.keep("linked")
    world.back_to(kept)  # EMC's history begins here
    return kept


def judged(world: World, kept: Kept, kinds: Iterable[str]) -> tuple[Job, list[str]]:
    """A daily run: held for exactly these reasons and nothing written; or, for none, loaded."""
    kinds = sorted(kinds)
    run = Run(world.tenant, "today").until("read")
    try:
        run.until("load")
    except RenkeiError as broken:
        return run.job, [f"not planned: {broken!r}", *untouched(world, kept)]
    found = sorted(hold["kind"] for hold in run.job.record.json("hold")["holds"])
    wrong = [] if found == kinds else [f"held for {found}, not for {kinds}"]
    error = fails(run)
    if not kinds:
        wrong += [] if run.answer == "loaded" else [f"not loaded: {error!r}"]
    else:
        wrong += [] if isinstance(error, HoldError) else [f"not held: {error!r} {run.answer}"]
        wrong += untouched(world, kept)
    return run.job, wrong


def untouched(world: World, kept: Kept) -> list[str]:
    """Nothing has been written."""
    wrong = differences(world.export(), kept.emc)
    if world.tenant.generation() != 1:
        wrong.append("the baseline moved")
    if world.tenant.note() or world.imports()["open"] or world.imports()["committed"]:
        wrong.append("an import was begun")
    return wrong


def stopped(world: World, kept: Kept, by: type[RenkeiError], word: str) -> list[str]:
    """A daily run fails with this error, whose message names the word; nothing is written."""
    error = fails(Run(world.tenant, "today"))
    wrong = [] if isinstance(error, by) else [f"not stopped: {error!r}"]
    if word not in str(error):
        wrong.append(f"the message does not name {word}")
    return wrong + untouched(world, kept)


def figures(job: Job, kind: str, count: int, of: int) -> list[str]:
    """The hold says how many of how many, also in its text."""
    (hold,) = (hold for hold in job.record.json("hold")["holds"] if hold["kind"] == kind)
    wrong = [] if (hold["count"], hold["of"]) == (count, of) else [f"figures {hold['count']}/{hold['of']}"]
    return wrong + [f"{n} is not in the text" for n in (count, of) if str(n) not in hold["text"]]


def named(job: Job, table: str, where: Callable[[pd.DataFrame], pd.Series[bool]], crews: Iterable[str]) -> list[str]:
    """The record names exactly these crews."""
    rows = job.record.table(table)
    found, right = set(rows.loc[where(rows), "crew_id"]), set(crews)
    return [] if found == right else [f"{table} names {len(found)} crews, {len(found ^ right)} of them wrongly"]


def is_deleted(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["operation"] == "DELETE"
