"""Each limit of E34 and E35 from just below to just above it: deletions, last contacts, cleared values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from renkei.errors import FetchError
from renkei.links.smarthr_emc.stages.job import Job
from tests.harness.sheet import full_mapping
from tests.harness.tenant import Run
from tests.harness.world import Kept, World
from tests.proof.case import Case
from tests.proof.guards.judgement import (
    NEVER,
    company_of,
    figures,
    first_beyond,
    is_deleted,
    judged,
    link,
    named,
    stopped,
)
from tests.proof.tried import Try, case, tried

PEOPLE = 50
LOOSE = {"delete_users_percent": 100, "delete_users_most": NEVER - 1, "delete_departments_percent": 100}
LOOSE |= {"lost_contact_percent": 100, "clear_percent": 100}

Limit = tuple[Any, ...]  # percent, least, and for people most

# Text 1's own, each condition alone, both met at once, fractions, nothing allowed, never.
PEOPLE_LIMITS: tuple[Limit, ...] = (
    *(("10", 5, 500), ("5", 5, 500), ("8", 5, 500), ("20", 5, 500), ("14.5", 5, 500), ("16", 1, 500), ("10", 9, 500)),
    *(("0", 0, 500), ("0", 1, 500), ("0", 5, 500), ("2", 1, 500), ("1.9999", 0, 500), ("90", 5, 3)),
    *(("10", 5, 0), ("10", 5, 4), ("12", 0, 6), ("100", 0, 12)),
)
DEPARTMENT_LIMITS: tuple[Limit, ...] = (
    *(("20", 3), ("19.9", 3), ("13.3", 3), ("0", 3), ("0", 0), ("6.6", 1), ("6.7", 1), ("26", 2), ("20", 5), ("40", 3)),
)
CONTACT_LIMITS: tuple[Limit, ...] = (
    *(("10", 5), ("1", 5), ("1", 1), ("4", 1), ("0", 0), ("0", 3), ("8.2", 1), ("10", 7), ("12", 5)),
)
CLEAR_LIMITS: tuple[Limit, ...] = (
    *(("10", 5), ("25", 5), ("24.9", 5), ("20", 1), ("0", 0), ("0", 5), ("10", 8), ("35", 2), ("5", 1)),
)


def under(world: World, **guards: Any) -> None:
    """The sheet has these limits from the next run on."""
    world.tenant.mapping = full_mapping(guards=LOOSE | guards)


def sweep(
    world: World,
    kept: Kept,
    kind: str,
    of: int,
    limits: tuple[Limit, ...],
    settings: tuple[str, ...],
    goes: Callable[[int], None],
    wrong_names: Callable[[Job, int], list[str]],
) -> Iterator[Try]:
    """More and more of `of` go, one by one; under each limit the last number that passes and the first that is held."""
    first_held = {limit: first_beyond(of, *limit) for limit in limits}
    for number in range(1, max(first_held.values()) + 1):
        goes(number - 1)
        for limit, first in first_held.items():
            if number not in (first - 1, first):
                continue
            world.back_to(kept, smarthr=False)
            under(world, **dict(zip(settings, limit, strict=True)))
            job, wrong = judged(world, kept, [kind] if number == first else [])
            wrong += wrong_names(job, number)
            if number == first:
                wrong += figures(job, kind, number, of)
            yield f"{number} of {of} under {limit}", wrong


@case(
    "guards",
    f"deletions of {PEOPLE} people at each limit",
    "E8 E12 E34 E36",
    "at the limit loaded, one more held: EMC and baseline as before, every crew named in users_diff",
)
def people_deleted(world: World, full: bool) -> Iterator[Try]:
    """Leavers, the retired, lost ids and the old ids of ID変更, all counted."""
    crews = company_of(world, PEOPLE)
    yield from sweep(
        world,
        link(world),
        "delete_users",
        PEOPLE,
        PEOPLE_LIMITS if full else PEOPLE_LIMITS[:1],
        ("delete_users_percent", "delete_users_least", "delete_users_most"),
        lambda number: goes(world, crews[number], WAYS[number % len(WAYS)]),
        lambda job, number: named(job, "users_diff", is_deleted, crews[:number]),
    )


WAYS = ("gone", "retired", "lost their ids", "renumbered")


def goes(world: World, crew_id: str, way: str) -> None:
    """This crew is deleted from EMC by the next run."""
    if way == "gone":
        world.company("DELETE", f"companies/acme/crews/{crew_id}")
    else:
        changes: dict[str, dict[str, Any]] = {
            "retired": {"emp_status": "retired"},
            "lost their ids": {"emp_code": None},
        }
        world.patch(crew_id, **changes.get(way, {"emp_code": f"Z{crew_id}"}))


@case(
    "guards",
    "everybody of a small company",
    "E34 E36",
    "all but one: loaded; all retired or renumbered: held; all without an id: stopped; EMC and baseline as before",
)
def everybody(make: Callable[..., World]) -> Iterator[Try]:
    for people in (1, 2, 4):
        for way in WAYS[1:]:
            for going in {people - 1, people} - {0}:
                world = make(f"of {people} {way} {going}")
                crews = company_of(world, people)[:going]
                kept = link(world)
                world.tenant.mapping = full_mapping()
                for crew_id in crews:
                    goes(world, crew_id, way)
                if way == "lost their ids" and going == people:
                    # Nobody is left with a value of the id: that is E33's lost permission, and stops the run.
                    wrong = stopped(world, kept, FetchError, "")
                else:
                    job, wrong = judged(world, kept, ["delete_users"] if going == people else [])
                    wrong = wrong or named(job, "users_diff", is_deleted, crews)
                yield f"{going} of {people} {way}", wrong


@case(
    "guards",
    "deletions of 15 departments at each limit",
    "E13 E34 E36",
    "at the limit loaded, one more held: EMC and baseline as before, every department named in departments_diff",
)
def departments_deleted(world: World) -> Iterator[Try]:
    company_of(world, 8)
    empty = [world.found_department(f"X{number:02d}") for number in range(15 - len(world.departments()))]
    yield from sweep(
        world,
        link(world),
        "delete_departments",
        15,
        DEPARTMENT_LIMITS,
        ("delete_departments_percent", "delete_departments_least"),
        lambda number: world.company("DELETE", f"companies/acme/departments/{empty[number]}"),
        lambda job, number: named(job, "departments_diff", is_deleted, empty[:number]),
    )


@case(
    "guards",
    f"last contacts lost, of {PEOPLE - 1} people who stay, at each limit",
    "E20 E35 E36",
    "at the limit loaded, one more held: EMC and baseline as before, every crew named in warnings.json",
)
def contacts_lost(world: World) -> Iterator[Try]:
    """One leaver beside them: the share is of those who stay."""
    *crews, leaver = company_of(world, PEOPLE)
    kept = link(world)
    world.company("DELETE", f"companies/acme/crews/{leaver}")
    world.patch(crews[-1], email=None)  # one of two contacts: still reachable

    def wrong_names(job: Job, number: int) -> list[str]:
        silenced = {crew for kind, _, crew in job.record.json("warnings")["people"] if kind == "lost_contact"}
        return [] if silenced == set(crews[:number]) else ["warnings.json names others"]

    yield from sweep(
        world,
        kept,
        "lost_contact",
        len(crews),
        CONTACT_LIMITS,
        ("lost_contact_percent", "lost_contact_least"),
        lambda number: world.patch(crews[number], email=None, tel_number=None),
        wrong_names,
    )


@case(
    "guards",
    "values of an item cleared, of 20 that EMC has, at each limit",
    "E18 E20 E35 E36",
    "at the limit loaded, one more held: EMC and baseline as before, the crews in users_plan; items that the sheet "
    "keeps are never held",
)
def values_cleared(world: World) -> Iterator[Try]:
    """20 of 50 people have a second contact; the share is of the values that EMC has."""
    crews = company_of(world, PEOPLE)
    for crew_id in crews[20:]:
        world.patch(crew_id, tel_number=None)
    kept = link(world)
    yield from sweep(
        world,
        kept,
        "clear:contact_2_address",
        20,
        CLEAR_LIMITS,
        ("clear_percent", "clear_least"),
        lambda number: world.patch(crews[number], tel_number=None),
        lambda job, number: named(
            job, "users_plan", lambda rows: rows["contact_2_address"] == "", {*crews[20:], *crews[:number]}
        ),
    )
    world.back_to(kept)
    for crew_id in crews[1:]:
        world.patch(crew_id, biz_establishment_id=None)  # 検索ワード1: 更新×値が無い = 更新しない
    under(world, clear_percent=0, clear_least=0)
    yield "an item that the sheet keeps", judged(world, kept, [])[1]


def thousands(world: World) -> Case:
    return tried(
        "guards",
        f"more than 500 of {len(world.active())} people; 1 % of their last contacts",
        "E34 E35 E36",
        "500 pass, 501 are held; up to 1 % passes, one more is held; nothing written",
        big_limits(world),
    )


def big_limits(world: World) -> Iterator[Try]:
    """The limits of a big company: 500 people although that is less than 10 %, 1 % of last contacts."""
    assert Run(world.tenant, "first", manual=True).go() == "loaded"
    world.tenant.mapping = full_mapping()
    before = world.active()
    limit = len(before) // 100
    lost = [crew for crew in before if crew["email"] or crew["tel_number"]][: limit + 1]
    for crew in lost[:limit]:
        world.patch(crew["id"], email=None, tel_number=None)
    yield f"{limit} last contacts", big_plan(world, "contact pass", "lost_contact", 0, len(before))
    world.patch(lost[limit]["id"], email=None, tel_number=None)
    yield f"{limit + 1} last contacts", big_plan(world, "contact hold", "lost_contact", limit + 1, len(before))
    for crew in lost:
        world.patch(crew["id"], email=crew["email"], tel_number=crew["tel_number"])
    going = world.day(leavers=500)["leavers"]
    staff = {crew["id"] for crew in before}
    yield "500 leavers", big_plan(world, "500", "delete_users", 0, len(before))
    while len(staff & set(going)) < 501:
        going += world.day(leavers=1)["leavers"]
    yield "501 leavers", big_plan(world, "501", "delete_users", 501, len(before))


def big_plan(world: World, run_id: str, kind: str, count: int, of: int) -> list[str]:
    """A plan of thousands, up to the guards; `count` of `of` if it must be held for `kind`."""
    run = Run(world.tenant, run_id).until("load")
    holds = [hold for hold in run.job.record.json("hold")["holds"] if hold["kind"] == kind]
    if not count:
        return [f"held for {hold['count']} of {hold['of']}" for hold in holds]
    return figures(run.job, kind, count, of) if holds else ["not held"]
