"""災害時凍結, 復元 and 照合 over random days: what EMC held then, and what it may lose now, is computed here."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renkei.clock import utcnow
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from tests.harness.expected import Export, differences
from tests.harness.tenant import FORMAT
from tests.harness.world import Kept, World
from tests.proof.case import Case, Effort, Say, in_parts
from tests.proof.tried import Try, case
from tests.proof.worlds import worlds

STORIES = {Effort.FULL: 16, Effort.SLICE: 2}
MADE_ANEW = ("パスワード", "パスワード強制変更")  # whoever is added again starts with a first password


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    return in_parts((freezes, ways_back), folder, effort, say)


def freezes(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as new:
        return [frozen_days(new("frozen"), STORIES[effort])]


def ways_back(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as new:
        return [restored(new("restored"), STORIES[effort]), compared(new("compared"), STORIES[effort])]


@case(
    "modes",
    "災害時凍結 over one to three random days, then lifted",
    "L1 L3 E34 E35",
    "frozen: nobody and no value gone, everybody new in; lifted: EMC is SmartHR's present state",
)
def frozen_days(world: World, stories: int) -> Iterator[Try]:
    start = linked(world)
    for seed in range(stories):
        world.back_to(start)
        chance, had, wrong = random.Random(seed), world.export(), []
        world.tenant.disaster = True
        for _ in range(chance.randint(1, 3)):
            random_day(world, chance)
            run(world)
            found = world.export()
            wrong += [*lost(had, found), *not_in(found, world.expected(had, world.ours()))]
            had = found
        world.tenant.disaster = False
        run(world)
        wrong += differences(world.export(), world.expected(had, {file: set(had[file]) for file in had}))
        yield f"seed {seed}", wrong + world.wrong_baseline()


def lost(before: Export, after: Export) -> list[str]:
    """Records and values that EMC had and has no more."""
    wrong = []
    for file in before:
        for key, values in before[file].items():
            if key not in after[file]:
                wrong.append(f"{file} {key} is gone under the freeze")
            else:
                wrong += [f"{file} {key} lost {item}" for item in values if item not in after[file][key]]
    return wrong


def not_in(found: Export, today: Export) -> list[str]:
    """Records and values of SmartHR's present state that EMC has not."""
    return [
        f"{file} {key} lacks {item}"
        for file in today
        for key, values in today[file].items()
        for item, value in values.items()
        if found[file].get(key, {}).get(item) != value
    ]


@case(
    "modes",
    "復元 of any generation after two to four random days",
    "L3 L4 E36",
    "nothing before the approval; then every record and value of that generation, one baseline more",
)
def restored(world: World, stories: int) -> Iterator[Try]:
    start = linked(world)
    for seed in range(stories):
        world.back_to(start)
        chance = random.Random(1000 + seed)
        states = {1: world.export()}
        for _ in range(chance.randint(2, 4)):
            random_day(world, chance)
            run(world)
            states[world.tenant.generation()] = world.export()
        newest = world.tenant.generation()
        if newest >= 2:
            wanted = chance.randint(1, newest - 1)
            yield f"seed {seed}, generation {wanted} of {newest}", back_to(world, wanted, newest, states)


def back_to(world: World, wanted: int, newest: int, states: dict[int, Export]) -> Iterator[str]:
    tenant, now = world.tenant, dt.datetime.now(dt.UTC)
    job = tenant.open(Mode.RESTORE, generation=wanted)
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, tenant.target, now)
    stages.validate.validate(job, tenant.target, FORMAT, now)
    if not stages.approve.is_held(job):
        yield "it does not wait for approval"
    if differences(world.export(), states[newest]):
        yield "something was written before the approval"
    stages.approve.decide(job, True, "operator", "proof", now)
    tenant.load(job)
    yield from differences(without(world.export()), without(states[wanted]))
    if tenant.generation() != newest + 1:
        yield f"the baseline is generation {tenant.generation()}, not {newest + 1}"


@case(
    "modes",
    "照合 after random changes on EMC's screen",
    "L1",
    "every change reported, none else; EMC, baseline and imports as before",
)
def compared(world: World, stories: int) -> Iterator[Try]:
    start = linked(world)
    for seed in range(stories):
        world.back_to(start, smarthr=False)
        yield f"seed {seed}", by_hand_and_compared(world, random.Random(2000 + seed))


def by_hand_and_compared(world: World, chance: random.Random) -> Iterator[str]:
    users = sorted(world.ours()["users"])
    chance.shuffle(users)
    gone, renamed = users[: chance.randint(0, 3)], users[3 : 3 + chance.randint(0, 3)]
    added = [f"BYHAND{number}" for number in range(chance.randint(0, 2))]
    for one in gone:
        world.by_hand("DELETE", "users", one)
    for one in renamed:
        world.by_hand("PATCH", "users", one, **{"氏名": "別人"})
    for one in added:
        world.somebody(one)
    before, imports, generation = world.export(), world.imports()["committed"], world.tenant.generation()
    job = world.tenant.open(Mode.RECONCILE)
    stages.diff.compare(job, world.tenant.target, FORMAT, utcnow())
    table = job.record.table("differences")
    for kind, wanted in (("missing", gone), ("differs", renamed), ("extra", added)):
        found = set(table.loc[table["kind"] == kind, "id"])
        if found != set(wanted):
            yield f"{kind}: {sorted(found)} instead of {sorted(wanted)}"
    if world.tenant.load(job) not in ("compared", "differs") or differences(world.export(), before):
        yield "it wrote"
    if (world.imports()["committed"], world.tenant.generation()) != (imports, generation):
        yield "an import or a baseline more"


def linked(world: World) -> Kept:
    world.tenant.run()
    return world.keep("linked")


def run(world: World) -> None:
    """The day's run; what the guards hold is approved."""
    job = world.tenant.plan(manual=False)
    if stages.approve.is_held(job):
        stages.approve.decide(job, True, "operator", "proof", dt.datetime.now(dt.UTC))
    world.tenant.load(job)


def random_day(world: World, chance: random.Random) -> None:
    kinds = {"joiners": 3, "leavers": 2, "retirements": 1, "moves": 2, "renumbered": 1, "reorganised": 1}
    world.day(**{kind: number for kind, most in kinds.items() if (number := chance.randint(0, most))})
    contacts: list[dict[str, Any]] = [{"tel_number": None}, {"tel_number": "090-1234-5678"}, {"email": None}]
    for crew in chance.sample(world.active(), 2):
        world.patch(crew["id"], **chance.choice(contacts))


def without(export: Export) -> Export:
    users = {key: {k: v for k, v in row.items() if k not in MADE_ANEW} for key, row in export["users"].items()}
    return {**export, "users": users}
