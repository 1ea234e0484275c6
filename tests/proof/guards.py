"""Guards: each limit of the sheet from just below to just above it, torn reads, and what an approval is good for.

What must be held is worked out here from SPEC.md's words (`beyond`), with no function of the product (E33–E36).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from renkei.errors import BaselineError, FetchError, HoldError, RenkeiError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.stages.job import Job
from tests.harness.expected import differences
from tests.harness.sheet import full_mapping
from tests.harness.tenant import NOW, Run, fails
from tests.harness.world import Kept, World
from tests.proof.case import Case, Effort, Row, Say, cases_of, in_parts
from tests.proof.worlds import worlds

PEOPLE = 50
NEVER = 10**9
LOOSE = {"delete_users_percent": 100, "delete_users_most": NEVER - 1, "delete_departments_percent": 100}
LOOSE |= {"lost_contact_percent": 100, "clear_percent": 100}


def beyond(count: int, of: int, percent: str, least: int) -> bool:
    """More than `percent` % of `of`, and at least `least`; nothing at all is never too much."""
    return count > 0 and count >= least and Fraction(count * 100, of) > Fraction(percent)


def first_beyond(of: int, percent: str, least: int, most: int = NEVER) -> int:
    """The smallest number that is held."""
    return next(n for n in range(1, of + 1) if beyond(n, of, percent, least) or n > most)


def company_of(world: World, people: int) -> None:
    """Exactly so many valid people, all with both contacts and a department."""
    crews = world.active()
    assert len(crews) >= people
    for crew in world.smarthr.sim("GET", "companies/acme/crews"):
        if crew["emp_status"] == "retired" or not crew["emp_code"]:
            world.company("DELETE", f"companies/acme/crews/{crew['id']}")
    for crew in crews[people:]:
        world.company("DELETE", f"companies/acme/crews/{crew['id']}")
    for number, crew in enumerate(crews[:people]):
        world.patch(crew["id"], email=f"a{number}@example.jp", tel_number=f"090-0000-{number:04d}")


def link(world: World) -> Kept:
    assert Run(world.tenant, "first", manual=True).go() == "loaded"
    kept = world.keep("linked")
    world.back_to(kept)  # EMC's history begins here
    return kept


def under(world: World, **guards: Any) -> None:
    """The sheet has these limits from the next run on."""
    world.tenant.mapping = full_mapping(guards=LOOSE | guards)


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


def figures(job: Job, kind: str, count: int, of: int) -> list[str]:
    """The hold says how many of how many, also in its text."""
    (hold,) = (hold for hold in job.record.json("hold")["holds"] if hold["kind"] == kind)
    wrong = [] if (hold["count"], hold["of"]) == (count, of) else [f"figures {hold['count']}/{hold['of']}"]
    return wrong + [f"{n} is not in the text" for n in (count, of) if str(n) not in hold["text"]]


def named(job: Job, table: str, where: Callable[[pd.DataFrame], pd.Series[bool]], crews: set[str]) -> list[str]:
    """The record names exactly these crews."""
    rows = job.record.table(table)
    found = set(rows.loc[where(rows), "crew_id"])
    return [] if found == crews else [f"{table} names {len(found)} crews, {len(found ^ crews)} of them wrongly"]


def is_deleted(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["operation"] == "DELETE"


# E34 -------------------------------------------------------------------------------------------------------------

# percent, least, most: text 1's own, each condition alone, both met at once, fractions, nothing allowed, never
PEOPLE_LIMITS = (
    *(("10", 5, 500), ("5", 5, 500), ("8", 5, 500), ("20", 5, 500), ("14.5", 5, 500), ("16", 1, 500), ("10", 9, 500)),
    *(("0", 0, 500), ("0", 1, 500), ("0", 5, 500), ("2", 1, 500), ("1.9999", 0, 500), ("90", 5, 3)),
    *(("10", 5, 0), ("10", 5, 4), ("12", 0, 6), ("100", 0, 12)),
)
DEPARTMENT_LIMITS = (
    *(("20", 3), ("19.9", 3), ("13.3", 3), ("0", 3), ("0", 0), ("6.6", 1), ("6.7", 1), ("26", 2), ("20", 5), ("40", 3)),
)


def people_deleted(world: World, effort: Effort, say: Say) -> Case:
    """Leavers, the retired, lost ids and the old ids of ID変更, all counted."""
    row = Row(
        "guards",
        f"deletions of {PEOPLE} people at each limit",
        "E8 E12 E34 E36",
        "at the limit loaded, one more held: EMC and baseline as before, every crew named in users_diff",
    )
    company_of(world, PEOPLE)
    kept = link(world)
    limits = {limit: first_beyond(PEOPLE, *limit) for limit in PEOPLE_LIMITS[: None if effort is Effort.FULL else 1]}
    order, gone = [crew["id"] for crew in world.active()], set[str]()
    for number in range(max(limits.values()) + 1):
        for limit, first in limits.items():
            if number not in (first - 1, first) or number == 0:
                continue
            world.back_to(kept, smarthr=False)
            under(
                world,
                **dict(zip(("delete_users_percent", "delete_users_least", "delete_users_most"), limit, strict=True)),
            )
            job, wrong = judged(world, kept, ["delete_users"] if number == first else [])
            wrong += named(job, "users_diff", is_deleted, gone)
            if number == first:
                wrong += figures(job, "delete_users", number, PEOPLE)
            row.tried(f"{number} of {PEOPLE} under {limit}", wrong)
        gone.add(goes(world, order[number], number))
    return row.done(say)


WAYS = ("gone", "retired", "lost their ids", "renumbered")


def goes(world: World, crew_id: str, number: int) -> str:
    """This crew is deleted from EMC by the next run, each in another way."""
    path, way = f"companies/acme/crews/{crew_id}", number % 4
    if way == 0:
        world.company("DELETE", path)
    else:
        changes: tuple[dict[str, Any], ...] = (
            {"emp_status": "retired"},
            {"emp_code": None},
            {"emp_code": f"Z{crew_id}"},
        )
        world.company("PATCH", path, changes[way - 1])
    return crew_id


def everybody(make: Callable[..., World], say: Say) -> Case:
    row = Row(
        "guards",
        "everybody of a small company",
        "E34 E36",
        "all but one: loaded; all retired or renumbered: held; all without an id: stopped; EMC and baseline as before",
    )
    for people in (1, 2, 4):
        for way in (1, 2, 3):
            for going in {people - 1, people} - {0}:
                fresh = make(f"of {people} {way} {going}")
                company_of(fresh, people)
                kept = link(fresh)
                fresh.tenant.mapping = full_mapping()
                crews = {crew["id"] for crew in fresh.crews()[:going]}
                for crew_id in sorted(crews):
                    goes(fresh, crew_id, way)
                if way == 2 and going == people:
                    # Nobody is left with a value of the id: that is E33's lost permission, and stops the run.
                    error = fails(Run(fresh.tenant, "today"))
                    wrong = [] if isinstance(error, FetchError) else [f"not stopped: {error!r}"]
                    row.tried(f"all {people} {WAYS[way]}", wrong + untouched(fresh, kept))
                    continue
                job, wrong = judged(fresh, kept, ["delete_users"] if going == people else [])
                wrong += [] if wrong else named(job, "users_diff", is_deleted, crews)
                row.tried(f"{going} of {people} {WAYS[way]}", wrong)
    return row.done(say)


def departments_deleted(world: World, say: Say) -> Case:
    row = Row(
        "guards",
        "deletions of 15 departments at each limit",
        "E13 E34 E36",
        "at the limit loaded, one more held: EMC and baseline as before, every department named in departments_diff",
    )
    company_of(world, 8)
    empty: list[str] = []
    while len(world.departments()) < 15:
        empty.append(world.found_department(f"X{len(empty):02d}"))
    kept = link(world)
    limits = {limit: first_beyond(15, *limit) for limit in DEPARTMENT_LIMITS}
    gone: set[str] = set()
    for number in range(max(limits.values()) + 1):
        for limit, first in limits.items():
            if number not in (first - 1, first) or number == 0:
                continue
            world.back_to(kept, smarthr=False)
            under(world, **dict(zip(("delete_departments_percent", "delete_departments_least"), limit, strict=True)))
            job, wrong = judged(world, kept, ["delete_departments"] if number == first else [])
            wrong += named(job, "departments_diff", is_deleted, gone)
            if number == first:
                wrong += figures(job, "delete_departments", number, 15)
            row.tried(f"{number} of 15 under {limit}", wrong)
        world.company("DELETE", f"companies/acme/departments/{empty[number]}")
        gone.add(empty[number])
    return row.done(say)


def thousands(world: World, say: Say) -> Case:
    """The limits of a big company: 500 people although that is less than 10 %, 1 % of last contacts."""
    row = Row(
        "guards",
        f"more than 500 of {len(world.active())} people; 1 % of their last contacts",
        "E34 E35 E36",
        "500 pass, 501 are held; up to 1 % passes, one more is held; nothing written",
    )
    assert Run(world.tenant, "first", manual=True).go() == "loaded"
    world.tenant.mapping = full_mapping()
    before = world.active()
    reachable = [crew for crew in before if crew["email"] or crew["tel_number"]]
    lost: set[str] = set()
    limit = len(before) // 100
    for run_id, number in (("pass", limit), ("hold", limit + 1)):
        for crew in reachable[len(lost) : number]:
            world.patch(crew["id"], email=None, tel_number=None)
            lost.add(crew["id"])
        held = number if run_id == "hold" else 0
        wrong = big_plan(world, f"contact {run_id}", "lost_contact", held, len(before))
        row.tried(f"{number} last contacts of {len(before)}", wrong)
    for crew in reachable[: len(lost)]:
        world.patch(crew["id"], email=crew["email"], tel_number=crew["tel_number"])
    going = world.day(leavers=500)["leavers"]
    staff = {crew["id"] for crew in before}
    row.tried("500 leavers", big_plan(world, "500", "delete_users", 0, len(before)))
    while len(staff & set(going)) < 501:
        going += world.day(leavers=1)["leavers"]
    wrong = big_plan(world, "501", "delete_users", 501, len(before))
    row.tried("501 leavers", wrong)
    return row.done(say)


def big_plan(world: World, run_id: str, kind: str, count: int, of: int) -> list[str]:
    """A plan of thousands, up to the guards; `count` of `of` if it must be held for `kind`."""
    run = Run(world.tenant, run_id).until("load")
    holds = [hold for hold in run.job.record.json("hold")["holds"] if hold["kind"] == kind]
    if not count:
        return [f"held for {hold['count']} of {hold['of']}" for hold in holds]
    return figures(run.job, kind, count, of) if holds else ["not held"]


# E35 -------------------------------------------------------------------------------------------------------------

CONTACT_LIMITS = (*(("10", 5), ("1", 5), ("1", 1), ("4", 1), ("0", 0), ("0", 3), ("8.2", 1), ("10", 7), ("12", 5)),)
CLEAR_LIMITS = (*(("10", 5), ("25", 5), ("24.9", 5), ("20", 1), ("0", 0), ("0", 5), ("10", 8), ("35", 2), ("5", 1)),)
CLEARED = ("clear:contact_2_address",)


def contacts_lost(world: World, say: Say) -> Case:
    """One leaver beside them: the share is of those who stay."""
    row = Row(
        "guards",
        f"last contacts lost, of {PEOPLE - 1} people who stay, at each limit",
        "E20 E35 E36",
        "at the limit loaded, one more held: EMC and baseline as before, every crew named in warnings.json",
    )
    company_of(world, PEOPLE)
    kept = link(world)
    crews = [crew["id"] for crew in world.active()]
    stay = PEOPLE - 1
    world.company("DELETE", f"companies/acme/crews/{crews.pop()}")
    world.patch(crews[-1], email=None)  # one of two contacts: still reachable
    limits = {limit: first_beyond(stay, *limit) for limit in CONTACT_LIMITS}
    for number in range(max(limits.values()) + 1):
        for limit, first in limits.items():
            if number not in (first - 1, first) or number == 0:
                continue
            world.back_to(kept, smarthr=False)
            under(world, lost_contact_percent=limit[0], lost_contact_least=limit[1])
            job, wrong = judged(world, kept, ["lost_contact"] if number == first else [])
            silenced = {crew for kind, _, crew in job.record.json("warnings")["people"] if kind == "lost_contact"}
            if silenced != set(crews[:number]):
                wrong.append("warnings.json names others")
            if number == first:
                wrong += figures(job, "lost_contact", number, stay)
            row.tried(f"{number} of {stay} under {limit}", wrong)
        world.patch(crews[number], email=None, tel_number=None)
    return row.done(say)


def values_cleared(world: World, say: Say) -> Case:
    """20 of 50 people have a second contact; the share is of the values that EMC has."""
    row = Row(
        "guards",
        "values of an item cleared, of 20 that EMC has, at each limit",
        "E18 E20 E35 E36",
        "at the limit loaded, one more held: EMC and baseline as before, the crews in users_plan; items that the sheet "
        "keeps are never held",
    )
    company_of(world, PEOPLE)
    crews = [crew["id"] for crew in world.active()]
    for crew_id in crews[20:]:
        world.patch(crew_id, tel_number=None)
    kept = link(world)
    limits = {limit: first_beyond(20, *limit) for limit in CLEAR_LIMITS}
    for number in range(max(limits.values()) + 1):
        for limit, first in limits.items():
            if number not in (first - 1, first) or number == 0:
                continue
            world.back_to(kept, smarthr=False)
            under(world, clear_percent=limit[0], clear_least=limit[1])
            job, wrong = judged(world, kept, CLEARED if number == first else [])
            wrong += named(
                job, "users_plan", lambda rows: rows["contact_2_address"] == "", {*crews[20:], *crews[:number]}
            )
            if number == first:
                wrong += figures(job, CLEARED[0], number, 20)
            row.tried(f"{number} of 20 under {limit}", wrong)
        world.patch(crews[number], tel_number=None)
    world.back_to(kept)
    for crew_id in crews[1:]:
        world.patch(crew_id, biz_establishment_id=None)  # 検索ワード1: 更新×値が無い = 更新しない
    under(world, clear_percent=0, clear_least=0)
    row.tried("an item that the sheet keeps", judged(world, kept, [])[1])
    return row.done(say)


# E33 -------------------------------------------------------------------------------------------------------------

# wire field → what the message must name
READ = {
    "emp_code": "社員番号",
    "last_name": "姓",
    "first_name": "名",
    "last_name_yomi": "姓(ヨミガナ)",
    "first_name_yomi": "名(ヨミガナ)",
    "departments": "部署1(コード)",
    "email": "メールアドレス",
    "tel_number": "電話番号",
    "custom_fields": "勤務形態",
    "employment_type": "雇用形態",
    "emp_status": "在籍状況",
}
TORN: tuple[dict[str, Any], ...] = (
    {"kind": "empty"},
    {"kind": "short_total"},
    {"kind": "wrong_total"},
    {"kind": "null_crew"},
    {"kind": "missing_id"},
    {"kind": "not_json"},
    {"kind": "forbidden"},
    {"kind": "expired_token"},
)


def torn_reads(world: World, effort: Effort, say: Say) -> Case:
    row = Row(
        "guards",
        "torn reads: nobody at all, totals that do not fit, an attribute that nobody has any more",
        "L1 E33",
        "stopped, the attribute named, EMC and baseline as before; once mended the next run loaded, EMC as expected",
    )
    company_of(world, 12)
    kept = link(world)
    ours = world.ours()
    full = effort is Effort.FULL

    def stopped(how: str, word: str, mend: Callable[[], None]) -> None:
        error = fails(Run(world.tenant, "today"))
        wrong = [] if isinstance(error, FetchError) else [f"not stopped: {error!r}"]
        if word not in str(error):
            wrong.append(f"the message does not name {word}")
        wrong += untouched(world, kept)
        mend()
        world.day(moves=1)
        expected = world.expected(world.export(), ours)
        error = fails(Run(world.tenant, "tomorrow"))
        row.tried(how, wrong + ([f"not mended: {error!r}"] if error else world.wrong_end(expected, 2)))
        world.back_to(kept)

    def seen_again() -> None:
        world.smarthr.sim("DELETE", "faults")
        world.smarthr.sim("PATCH", "companies/acme", {"hidden_fields": []})

    for fault in TORN if full else TORN[:1]:
        world.smarthr.fault(**fault, times=None)
        stopped(str(fault["kind"]), "", seen_again)
    for wire, word in READ.items() if full else ():
        hidden = {"hidden_fields": [wire], "hidden_as": "null" if len(wire) % 2 else "omitted"}
        world.smarthr.sim("PATCH", "companies/acme", hidden)
        stopped(f"{wire} {hidden['hidden_as']}", word, seen_again)
    return row.done(say)


def empty_for_all(world: World, say: Say) -> Case:
    row = Row(
        "guards",
        "an item that becomes empty for all, for all but one, or was empty before",
        "L1 E33 E35",
        "for all: stopped; for all but one: held; what nobody had at the baseline stops nothing",
    )
    company_of(world, 12)
    kept = link(world)
    for wire, word in (("email", "メールアドレス"), ("tel_number", "電話番号")):
        world.back_to(kept)
        under(world, clear_percent=10, clear_least=5)
        crews = world.active()
        for crew in crews[1:]:
            world.patch(crew["id"], **{wire: None})
        slot = 1 if wire == "email" else 2
        kinds = [f"clear:contact_{slot}_address"]
        row.tried(f"{wire}, all but one", judged(world, kept, kinds)[1])
        world.back_to(kept, smarthr=False)
        world.patch(crews[0]["id"], **{wire: None})
        error = fails(Run(world.tenant, "today"))
        wrong = [] if isinstance(error, FetchError) and word in str(error) else [f"not stopped: {error!r}"]
        row.tried(f"{wire}, all", wrong + untouched(world, kept))
    return row.done(say)


# E36 -------------------------------------------------------------------------------------------------------------


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
STRICT = {"delete_users_percent": 0, "delete_users_least": 1, "delete_departments_percent": 0}
STRICT |= {"delete_departments_least": 1, "lost_contact_percent": 0, "lost_contact_least": 1}


@dataclass
class Held:
    """A daily run that a guard holds."""

    world: World
    kept: Kept
    ours: dict[str, set[str]]
    run: Run

    @property
    def job(self) -> Job:
        return self.run.job

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

    def cleared(self, stage: str) -> None:
        """An operator clears diff or validate and what comes after it."""
        self.run.at = stage
        self.run.until("load")


def approved(held: Held) -> list[str]:
    held.answer(True)
    return held.loads()


def approved_twice(held: Held) -> list[str]:
    held.answer(True)
    held.answer(True)
    wrong = held.loads()
    held.answer(True)
    if held.world.tenant.load(held.job) != "already" or held.world.imports()["committed"] != 1:
        wrong.append("approved again, it was loaded again")
    return wrong


def approved_then_cleared(held: Held) -> list[str]:
    """validate repeated gives the same plan: the approval is for it."""
    held.answer(True)
    held.cleared("validate")
    return held.loads()


def unanswered(held: Held) -> list[str]:
    return held.refused() + untouched(held.world, held.kept)


def refused(held: Held) -> list[str]:
    held.answer(False)
    wrong = held.refused() + untouched(held.world, held.kept)
    record = held.job.record.json("approval")
    return wrong + ([] if (record["by"], record["approved"]) == ("tanaka", False) else ["the refusal is not on record"])


def expired(held: Held) -> list[str]:
    held.answer(False, "(期限切れ)", "")
    return held.refused() + untouched(held.world, held.kept)


def approved_then_refused(held: Held) -> list[str]:
    held.answer(True)
    held.answer(False)
    return held.refused() + untouched(held.world, held.kept)


def next_day(held: Held) -> list[str]:
    """Today's approval does not let tomorrow's run through; tomorrow's own does."""
    held.answer(True)
    tomorrow = Held(held.world, held.kept, held.ours, Run(held.world.tenant, "tomorrow").until("load"))
    wrong = tomorrow.refused() + untouched(held.world, held.kept)
    tomorrow.answer(True)
    return wrong + tomorrow.loads()


def other_plan(held: Held) -> list[str]:
    """EMC changes, an operator clears diff: another plan, which the approval is not for."""
    held.answer(True)
    user_id = sorted(held.world.ours()["users"])[-1]
    held.world.by_hand("DELETE", "users", user_id)
    held.world.by_hand("DELETE", "departments", "X2")
    held.cleared("diff")
    wrong = held.refused()
    held.answer(True)
    return wrong + held.loads()


def other_baseline(held: Held) -> list[str]:
    """Another run loads in between: neither the old plan nor, cleared, the new one goes through by the old approval."""
    held.answer(True)
    world = held.world
    other = Held(world, held.kept, held.ours, Run(world.tenant, "other", manual=True).until("load"))
    other.answer(True)
    wrong = other.loads()
    wrong += held.refused(BaselineError)
    world.by_hand("DELETE", "users", sorted(world.ours()["users"])[-1])
    held.cleared("diff")
    return wrong + ([] if not stages.approve.is_held(held.job) else held.refused())


LIVES = (
    *(approved, approved_twice, approved_then_cleared, unanswered, refused, expired, approved_then_refused),
    *(next_day, other_plan, other_baseline),
)


def approvals(world: World, effort: Effort, say: Say) -> list[Case]:
    company_of(world, 12)
    world.found_department("X1")
    world.found_department("X2")
    kept, ours = link(world), world.ours()
    rows = []
    for life in LIVES if effort is Effort.FULL else (other_plan,):
        row = Row(
            "guards",
            f"a held plan: {life.__name__.replace('_', ' ')}",
            "L3 E36",
            "loaded once by its own approval, on record by whom and why; else EMC and baseline as before",
        )
        for cause, happens in CAUSES.items() if effort is Effort.FULL else list(CAUSES.items())[:1]:
            world.back_to(kept)
            world.tenant.mapping = full_mapping(guards=LOOSE | STRICT)
            happens(world)
            run = Run(world.tenant, "today").until("load")
            wrong = [] if stages.approve.is_held(run.job) else ["it is not held at all"]
            row.tried(cause, wrong + life(Held(world, kept, ours, run)))
        rows.append(row.done(say))
    return rows


def limits(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as world:
        cases = [people_deleted(world("people", PEOPLE + 10), effort, say)]
        if effort is Effort.SLICE:
            return cases
        for size, sweep in (
            *((20, departments_deleted), (PEOPLE + 10, contacts_lost), (PEOPLE + 10, values_cleared)),
            *((20, empty_for_all),),
        ):
            made = world(sweep.__name__, size)
            cases += cases_of("guards", sweep.__name__, lambda sweep=sweep, made=made: [sweep(made, say)], say)  # type: ignore[misc]
        return cases


def the_rest(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as world:
        cases = [torn_reads(world("torn", 20), effort, say), *approvals(world("approvals", 20), effort, say)]
        if effort is Effort.FULL:
            cases += cases_of("guards", "everybody", lambda: [everybody(world, say)], say)
            cases += cases_of("guards", "thousands", lambda: [thousands(world("big", 5700), say)], say)
        return cases


PARTS = (limits, the_rest)


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Each limit of E34 and E35 from below to above, torn reads (E33), and all that may become of an approval (E36)."""
    return in_parts(PARTS, folder, effort, say)
