"""Faults of the target: every one of EMC's faults at every request, and EMC's data changed by hand (L1–L4, E13 …).

What is right is computed here from SmartHR's true state and from what EMC had (`expected`), with no function of the
product. "EMC was as expected" means every item of every record, those included that are none of ours (E28).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from renkei.errors import RejectedLoadError, RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.harness.expected import FILES, Export, differences
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import NOW, Run, fails
from tests.harness.world import Kept, World
from tests.proof.case import Case, Effort, Row, Say, cases_of, in_parts
from tests.proof.worlds import client_with, worlds

KINDS = (
    *("slow", "status_429", "status_500", "maintenance_503", "drop_before", "drop_after"),
    *("truncated", "not_json", "expired_token", "stuck_applying"),
)
BAFFLING = ("not_json", "expired_token")  # a single one is not asked again by the client
IMPATIENT = {"TIMEOUT_S": (5.0, 0.25), "COMMIT_TIMEOUT_S": (5.0, 0.25)}


def reasons(run: Run) -> list[str]:
    """EMC's codes, as the run's record has them; each must name the record that it is about (L8)."""
    found = run.job.record.json_or_none("emc_problems") or {"problems": []}
    return [problem["code"] if problem["id"] else f"{problem['code']} of nobody" for problem in found["problems"]]


def fails_under(world: World, run: Run, kind: str, path: str = "/api/v1/*", **fault: Any) -> RenkeiError | None:
    """The error with which a run ends while EMC has this fault."""
    world.emc.fault(kind, path, retry_after=0, **fault)
    with client_with(**(IMPATIENT if kind == "slow" else {})):
        error = fails(run)
    world.emc.sim("DELETE", "faults")
    return error


# Every fault at every request ------------------------------------------------------------------------------------


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
    generation = world.tenant.generation()
    return Scene(name, world, read, planned, ours, expected, generation, seen, len(seen) - before_load)


def resumed(scene: Scene, at: int) -> tuple[Run, int]:
    """The run just before the stage that sends request `at`, and that request's number from there on."""
    before_load = len(scene.requests) - scene.loads
    world, late = scene.world, at >= before_load
    world.back_to(scene.planned if late else scene.read)
    run = Run(world.tenant, "today", manual=scene.name == "first link").until("read")
    run.at = "load" if late else "diff"
    return run, at - before_load if late else at


def disturbed(scene: Scene, at: int, kind: str, times: int, recovery: str) -> list[str]:
    """A run whose request number `at` meets a fault, and the recovery from it; what was wrong."""
    world = scene.world
    run, position = resumed(scene, at)
    path = "/api/v1/imports/*/commit" if kind == "stuck_applying" else "/api/v1/*"
    after = 0 if kind == "stuck_applying" else position
    seconds = 0.6 if times > 1 else 0.1
    error = fails_under(world, run, kind, path, after=after, times=times, seconds=seconds)
    if recovery == "next day":
        world.rest(0.7 if kind == "slow" else 0.0)
    wrong = wrong_meanwhile(scene, error)
    if error is None:
        return wrong + world.wrong_end(scene.expected, scene.generation)
    try:
        if recovery == "retry":
            run.retried()
            return wrong + world.wrong_end(scene.expected, scene.generation)
        return wrong + next_day(scene)
    except RenkeiError as raised:
        return [*wrong, f"{recovery} ended with {type(raised).__name__}: {raised}"]


def wrong_meanwhile(scene: Scene, error: RenkeiError | None) -> list[str]:
    """Between fault and recovery: EMC has all of the plan or nothing, and the baseline has not run ahead (L2, L3)."""
    world, wrong = scene.world, []
    if error is not None and not isinstance(error, RetriableLoadError | RejectedLoadError):
        wrong.append(f"failed with {type(error).__name__}: {error}")
    found = world.export()
    changed = differences(found, scene.read.emc)
    applied = not differences(found, scene.expected)
    if changed and not applied:
        wrong.append("EMC holds a part of the plan")
    moved = world.tenant.generation() == scene.generation
    if moved and not applied:
        wrong.append("the baseline moved although EMC holds nothing")
    if applied and not moved and not world.tenant.note():
        wrong.append("EMC holds the plan, and neither baseline nor note knows")
    return wrong


def next_day(scene: Scene) -> list[str]:
    """Nobody repeats anything; another day passes in SmartHR, and its run comes."""
    world = scene.world
    had = world.export()
    applied = not differences(had, scene.expected)
    ours = world.ours() if applied else scene.ours
    world.day(joiners=1, leavers=1)
    Run(world.tenant, "tomorrow", manual=True).retried()
    return world.wrong_end(world.expected(had, ours), scene.generation + (1 if applied else 0))


def every_fault(one: Scene, effort: Effort, say: Say) -> Iterator[Case]:
    """Each kind of fault at each request of diff, validate and load."""
    first_of_load = len(one.requests) - one.loads
    for kind in KINDS if effort is Effort.FULL else ("drop_after", "not_json"):
        row = Row(
            "target",
            f"{one.name}: {kind} at every request",
            "L1 L2 L3 L4 E37",
            "meanwhile EMC had all or nothing and the baseline had not run ahead; "
            "after retry or next day EMC as expected, committed once, baseline moved once, no note, no open import",
        )
        positions = range(len(one.requests)) if effort is Effort.FULL else (len(one.requests) - 1,)
        for at in positions if kind != "stuck_applying" else (len(one.requests) - 1,):
            # One alone is overcome by the client, but for these two. Before the load nothing was sent: the next day
            # finds what it would have found anyway.
            for times in (1, 99) if kind in BAFFLING and effort is Effort.FULL else (99,):
                for recovery in ("retry", "next day") if at >= first_of_load and times == 99 else ("retry",):
                    how = f"{'once' if times == 1 else 'for a while'} at {one.requests[at]}, {recovery}"
                    row.tried(how, disturbed(one, at, kind, times, recovery))
        yield row.done(say)


def asking(one: Scene, lost: str, kind: str, at: int) -> list[str]:
    """The answer about the load is lost, and asking what became of it is disturbed too."""
    world = one.world
    run, _ = resumed(one, len(one.requests) - 1)
    broken = "drop_after" if lost == "commit" else "drop_before"
    error = fails_under(world, run, broken, f"/api/v1/imports/*/{lost}", times=99)
    wrong = [] if isinstance(error, RetriableLoadError) else [f"the lost answer was taken as {error!r}"]
    error = fails_under(world, run, kind, after=at, times=99, seconds=0.6)
    wrong += wrong_meanwhile(one, error)
    try:
        run.retried()
    except RenkeiError as raised:
        return [*wrong, f"retry ended with {type(raised).__name__}: {raised}"]
    return wrong + world.wrong_end(one.expected, one.generation)


def every_question(one: Scene, effort: Effort, say: Say) -> Iterator[Case]:
    """After a lost answer: GET the import (and DELETE it, if it was never committed), each disturbed."""
    for lost, questions in (("commit", 1), ("users", 2)):
        row = Row(
            "target",
            f"{one.name}: answer on {lost} lost, and asking about it disturbed",
            "L1 L3 L4 E37",
            "EMC as expected, committed once, baseline moved once, no note, no open import",
        )
        for kind in KINDS[:-1] if effort is Effort.FULL else ("not_json",):
            for at in range(questions):
                row.tried(f"{kind} at question {at + 1}", asking(one, lost, kind, at))
        yield row.done(say)


# EMC's data changed by hand --------------------------------------------------------------------------------------


@dataclass
class Linked:
    """A linked company: three empty departments, one below the other, beside those with people."""

    world: World
    kept: Kept
    ours: dict[str, set[str]]
    row: Row | None = None
    runs: int = 0

    def again(self) -> World:
        self.world.back_to(self.kept)
        return self.world

    def run(self) -> Run:
        """The daily run, not yet begun."""
        self.runs += 1
        return Run(self.world.tenant, f"day{self.runs}")


def linked(world: World) -> Linked:
    top = world.found_department("X1")
    below = world.found_department("X2", top)
    world.found_department("X3", below)
    world.somebody("kanrisha")
    Run(world.tenant, "first", manual=True).go()
    return Linked(world, world.keep("linked"), world.ours())


ORDINARY = {"joiners": 1, "leavers": 1, "moves": 1}


def heals_at_once(at: Linked, generation: int = 2, ours: dict[str, set[str]] | None = None) -> list[str]:
    """The next daily run succeeds, and EMC is as expected."""
    world = at.world
    expected = world.expected(world.export(), ours or at.ours)
    error = fails(at.run())
    return [f"{type(error).__name__}: {error}"] if error else world.wrong_end(expected, generation)


def stops(at: Linked, run: Run, *codes: str, generation: int = 1) -> list[str]:
    """EMC refuses with these codes; nothing of it is applied, and the account is free."""
    world = at.world
    had = world.export()
    error = fails(run)
    if not isinstance(error, RejectedLoadError):
        return [f"expected a refusal, found {error!r}"]
    wrong = differences(world.export(), had)
    if set(reasons(run)) != set(codes):
        wrong.append(f"EMC's reasons on record are {reasons(run)}, not {codes}")
    if world.tenant.generation() != generation or world.tenant.note() or world.imports()["open"]:
        wrong.append("the baseline moved, or a note or an open import was left")
    return wrong


def user_deleted(at: Linked, effort: Effort, say: Say) -> Case:
    row = Row(
        "target",
        "a user of ours deleted by hand",
        "L1 L4 E13 E28 E31",
        "healed by the next daily run: EMC as expected, baseline moved; a leaver's delete found nobody and went through",
    )
    user_ids = sorted(at.ours["users"])[: 4 if effort is Effort.FULL else 1]
    for user_id in user_ids:
        for day in ("quiet", "ordinary", "leaves") if effort is Effort.FULL else ("quiet",):
            world = at.again()
            if day == "ordinary":
                world.day(**ORDINARY)
            if day == "leaves":
                (crew,) = (crew for crew in world.active() if crew["emp_code"] == user_id)
                world.company("DELETE", f"companies/acme/crews/{crew['id']}")
            world.by_hand("DELETE", "users", user_id)
            wrong = heals_at_once(at)
            if not wrong and day == "leaves":
                ours = world.ours()
                world.day(leavers=1)
                wrong = heals_at_once(at, 3, ours)
            row.tried(f"{user_id}, {day} day", wrong)
        if effort is Effort.SLICE:
            continue
        world = at.again()
        world.day(moves=1, joiners=1)
        run = at.run().until("load")
        world.by_hand("DELETE", "users", user_id)
        row.tried(f"{user_id}, between plan and load", stops(at, run, "UNKNOWN_ID") or heals_at_once(at))
    return row.done(say)


def all_deleted(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "all of ours deleted by hand",
        "L1 E13 E28 E31",
        "healed by the next daily run: EMC as expected, strangers untouched, baseline moved",
    )
    for files in (("users",), ("departments",), ("departments", "users")):
        for day in (False, True):
            world = at.again()
            if day:
                world.day(**ORDINARY, reorganised=2)
            for file in files:
                for record_id in at.ours[file]:
                    world.by_hand("DELETE", file, record_id)
            row.tried(f"{' and '.join(files)}, {'ordinary' if day else 'quiet'} day", heals_at_once(at))
    return row.done(say)


def department_deleted(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a department of ours deleted by hand (with, without users or departments in it)",
        "L1 E13 E28 E31",
        "healed by the next daily run: EMC as expected, baseline moved; members whom EMC's screen had left without "
        "a department have it back with the next write of the users (E14)",
    )
    world = at.again()
    parents = {(d["parent"] or {}).get("code") for d in world.departments()}
    people = sorted({values.get("所属部署コード", "") for values in at.kept.emc["users"].values()} - {""})
    for code in (*people[:2], "X1", "X3"):
        for day in ("quiet", "ordinary", "reorganised", "deleted in SmartHR too", "members cleared"):
            if code in parents and day == "deleted in SmartHR too":
                continue  # SmartHR takes those below along: tried with leaves
            world = at.again()
            if day == "ordinary":
                world.day(**ORDINARY)
            elif day == "reorganised":
                world.day(reorganised=2)
            elif day == "deleted in SmartHR too":
                (found,) = (d["id"] for d in world.departments() if d["code"] == code)
                world.company("DELETE", f"companies/acme/departments/{found}")
            elif day == "members cleared":
                for user_id, values in world.export()["users"].items():
                    if values.get("所属部署コード") == code:
                        world.by_hand("PATCH", "users", user_id, 所属部署コード="")
            world.by_hand("DELETE", "departments", code)
            if day == "members cleared":
                error = fails(at.run())
                wrong = [f"{type(error).__name__}: {error}"] if error else []
                if code not in world.export()["departments"]:
                    wrong.append("the department is not back")
                world.day(moves=1)
                row.tried(f"{code}, {day}", wrong or heals_at_once(at, 3))
            else:
                row.tried(f"{code}, {day}", heals_at_once(at))
    world = at.again()
    world.day(reorganised=2)
    run = at.run().until("load")
    world.by_hand("DELETE", "departments", "X3")
    row.tried("X3, between plan and load", stops(at, run, "UNKNOWN_ID") or heals_at_once(at))
    return row.done(say)


def id_taken(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a record added by hand has the id of tomorrow's newcomer",
        "L2 L4 E13 E28 E31",
        "adopted: the sheet's items as expected, the others as typed in; deleted when the person leaves",
    )
    variants: list[dict[str, str]] = [
        {},
        {"検索ワード5": "残る", "保有権限1": "管理者"},
        {"緊急連絡1 媒体": "電話番号", "緊急連絡1 アドレス": "03-1234-5678"},
        {"緊急連絡3 媒体": "メールアドレス", "緊急連絡3 アドレス": "hand@example.jp"},
        {"所属部署コード": "X3"},
    ]
    for number, values in enumerate(variants):
        for moment in ("before the run", "between plan and load"):
            world = at.again()
            (crew_id,) = world.day(joiners=1)["joiners"]
            user_id = next(crew["emp_code"] for crew in world.active() if crew["id"] == crew_id)
            wrong = []
            if moment == "before the run":
                world.somebody(user_id, **values)
            else:
                run = at.run().until("load")
                world.somebody(user_id, **values)
                wrong = stops(at, run, "DUPLICATE_ID")
            wrong = wrong or heals_at_once(at)
            if not wrong:
                ours = world.ours()
                world.company("DELETE", f"companies/acme/crews/{crew_id}")
                wrong = heals_at_once(at, 3, ours)
            row.tried(f"user, variant {number}, {moment}", wrong)
    for moment in ("before the run", "between plan and load"):
        world = at.again()
        world.found_department("X9")
        run = at.run()
        if moment == "between plan and load":
            run.until("load")
        world.by_hand("POST", "departments", **{"部署ID": "X9", "部署名": "手入力", "部署名(ヨミ)": "テ"})
        wrong = stops(at, run, "DUPLICATE_ID") if moment == "between plan and load" else []
        row.tried(f"department, {moment}", wrong or heals_at_once(at))
    return row.done(say)


def user_changed(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a user of ours changed by hand (a mapped item; an unmapped one)",
        "E14 E18 E28",
        "a quiet day wrote nothing; with the next write of the users mapped items were SmartHR's again, "
        "unmapped ones as typed in",
    )
    changes: list[dict[str, str]] = [
        {"氏名": "別人"},
        {"緊急連絡1 媒体": "", "緊急連絡1 アドレス": ""},
        {"緊急連絡1 媒体": "電話番号", "緊急連絡1 アドレス": "03-1234-5678"},
        {"所属部署コード": "X1", "兼務管理部署1": "X2"},
        {"検索ワード2": "手で入れた値"},
        {"検索ワード5": "手で入れた値", "保有権限1": "管理者", "兼務管理部署9": "X3"},
        {"緊急連絡3 媒体": "メールアドレス", "緊急連絡3 アドレス": "hand@example.jp"},
    ]
    for change in changes:
        for user_id in sorted(at.ours["users"])[:2]:
            world = at.again()
            world.by_hand("PATCH", "users", user_id, **change)
            had, run = world.export(), at.run()
            error = fails(run)
            wrong = [f"a quiet day ended with {error!r} {run.answer}"] if error or run.answer != "unchanged" else []
            wrong += differences(world.export(), had)
            world.day(moves=1)
            row.tried(f"{user_id}, {'、'.join(change)}", wrong or heals_at_once(at))
    return row.done(say)


def department_changed(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a department of ours changed by hand (name, place in the tree)",
        "E13 E14",
        "with the next write of the departments EMC as expected",
    )
    changes: list[tuple[str, dict[str, str]]] = [
        ("X1", {"部署名": "手入力"}),
        ("X2", {"親部署ID": ""}),
        ("X1", {"親部署ID": "X3"}),
        ("X3", {"親部署ID": "D00001"}),
    ]
    for code, change in changes:
        for day in ({"reorganised": 1}, {"reorganised": 3, **ORDINARY}):
            world = at.again()
            world.by_hand("PATCH", "departments", code, **change)
            world.day(**day)
            row.tried(f"{code}, {'、'.join(change)}, {day}", heals_at_once(at))
    return row.done(say)


def dropped(world: World, code: str) -> None:
    """SmartHR gives up a department and those below it."""
    (found,) = (one["id"] for one in world.departments() if one["code"] == code)
    world.company("DELETE", f"companies/acme/departments/{found}")


def moved_to_be_deleted(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a user of ours moved by hand into a department that we delete",
        "L2 E13 E14",
        "at once, if the users are written too; else EMC refuses with DEPARTMENT_IN_USE, nothing applied, until the "
        "users are written or somebody moves the user: then EMC as expected",
    )
    for user_id in sorted(at.ours["users"])[:3]:
        for way in ("users written", "users written next day", "moved back"):
            world = at.again()
            before = world.export()["users"][user_id].get("所属部署コード", "")
            world.by_hand("PATCH", "users", user_id, 所属部署コード="X2")
            dropped(world, "X2")
            if way == "users written":
                world.day(moves=1)
                row.tried(f"{user_id}, {way}", heals_at_once(at))
                continue
            wrong = stops(at, at.run(), "DEPARTMENT_IN_USE") + stops(at, at.run(), "DEPARTMENT_IN_USE")
            if way == "moved back":
                world.by_hand("PATCH", "users", user_id, 所属部署コード=before)
            else:
                world.day(**ORDINARY)
            row.tried(f"{user_id}, {way}", wrong or heals_at_once(at))
    return row.done(say)


def stranger_in_the_way(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "a stranger placed by hand in, or below, a department that we delete",
        "L2 E13 E28",
        "EMC refuses with DEPARTMENT_IN_USE, nothing applied, the stranger untouched; once the stranger is elsewhere "
        "EMC as expected",
    )
    for way in ("moved", "deleted", "department moved"):
        for item in ("所属部署コード", "兼務管理部署1", "兼務管理部署10"):
            world = at.again()
            if way == "department moved":
                values = {"部署ID": "tegaki", "部署名": "手入力", "部署名(ヨミ)": "テ", "親部署ID": "X3"}
                world.by_hand("POST", "departments", **values)
            else:
                world.by_hand("PATCH", "users", "kanrisha", **{item: "X3"})
            dropped(world, "X2")
            wrong = stops(at, at.run(), "DEPARTMENT_IN_USE")
            world.day(**ORDINARY)
            wrong += stops(at, at.run(), "DEPARTMENT_IN_USE")
            if way == "moved":
                world.by_hand("PATCH", "users", "kanrisha", **{item: "X1"})
            elif way == "deleted":
                world.by_hand("DELETE", "users", "kanrisha")
            else:
                world.by_hand("PATCH", "departments", "tegaki", 親部署ID="X1")
            row.tried(f"{way}, {item}", wrong or heals_at_once(at))
    return row.done(say)


def moved_out(at: Linked, say: Say) -> Case:
    """The sheet leaves 所属部署コード to EMC; somebody empties a department there, and SmartHR gives it up."""
    row = Row(
        "target",
        "a department left to EMC's screen, emptied there, then given up by SmartHR",
        "E13 E18",
        "held back while a user is in it (the users are named); once emptied, the next run deletes it",
    )
    world = at.again()
    world.tenant.mapping = full_mapping(SHEET | {"所属部署コード": ("部署1(コード)", "SET", "SKIP", "SKIP", "SKIP")})
    leaves = {d["code"] for d in world.departments()} - {(d["parent"] or {}).get("code") for d in world.departments()}
    for code in sorted(leaves):
        world = at.again()
        members = [u for u, values in world.export()["users"].items() if values.get("所属部署コード") == code]
        if not members:
            continue
        dropped(world, code)
        error = fails(at.run())
        wrong = [] if error else ["a department with users in it was deleted"]
        for user_id in members:
            world.by_hand("PATCH", "users", user_id, 所属部署コード="X1")
        had = world.export()
        error = fails(at.run())
        wrong += [f"{type(error).__name__}: {error}"] if error else []
        found = world.export()
        if found["departments"].keys() != had["departments"].keys() - {code}:
            wrong.append("the departments are not as expected")
        if any(found["users"][u].get("所属部署コード") != had["users"][u].get("所属部署コード") for u in had["users"]):
            wrong.append("somebody was moved")
        row.tried(code, wrong)
    world.tenant.mapping = full_mapping()
    return row.done(say)


def forgotten_import(at: Linked, say: Say) -> Case:
    row = Row(
        "target",
        "an import that reached EMC after we had asked for it",
        "L4 E27 E37",
        "ours was aborted and the run loaded: EMC as expected; somebody else's was left alone, and the run waited",
    )
    for tenant in ("acme", "beta"):
        world = at.again()
        world.day(**ORDINARY)
        expected = world.expected(world.export(), at.ours)
        world.emc.open(None, b'"a"\r\n', f"{tenant}.{'0' * 16}.0123456789ab")
        run = at.run()
        error = fails(run)
        wrong = [] if isinstance(error, RetriableLoadError) else [f"expected a passing fault, found {error!r}"]
        run.retried()
        row.tried(f"of {tenant}", wrong + world.wrong_end(expected, 2))
    world = at.again()
    world.day(**ORDINARY)
    world.emc.open(None, b'"a"\r\n', "by hand")
    error = fails(at.run())
    wrong = [] if isinstance(error, RetriableLoadError) else [f"expected to wait, found {error!r}"]
    (other,) = world.emc.call("GET", "/imports?key=by hand").json()["imports"]
    if other["state"] != "open":
        wrong.append(f"somebody else's import is {other['state']}")
    world.emc.call("DELETE", f"/imports/{other['id']}")
    row.tried("somebody else's", wrong or heals_at_once(at))
    return row.done(say)


# Files instead of HTTP -------------------------------------------------------------------------------------------


class Drops:
    """The tenant hands over files; `upload` is the operator on EMC's screen."""

    def __init__(self, at: Linked) -> None:
        self.at, self.world = at, at.world
        self.path = at.world.folder / "drop"
        self.folder = DropFolder(LocalFiles(self.path))

    def again(self) -> World:
        world = self.at.again()
        shutil.rmtree(self.path, ignore_errors=True)
        world.tenant.target, world.tenant.mapping = self.folder, full_mapping(loader="FILE_DROP")
        return world

    def key(self) -> str:
        (ready,) = self.path.glob("*.ready")
        return ready.name.removesuffix(".ready")

    def waiting(self) -> tuple[Run, str]:
        run = self.at.run()
        assert run.go() == "waiting"
        return run, self.key()

    def upload(self, key: str) -> dict[str, Any]:
        files = [self.path / f"{key}.{file}.csv" for file in FILES]
        return self.world.emc.load(*(file.read_bytes() if file.exists() else None for file in files))

    def answer(self, key: str, body: dict[str, Any]) -> None:
        (self.path / f"{key}.result.json").write_text(json.dumps({**body, "key": key}), encoding="utf-8")

    def confirmed(self, run: Run) -> bool:
        return stages.load.confirm(run.job, self.folder, NOW) is not None

    def good_day(self, generation: int, ours: dict[str, set[str]]) -> list[str]:
        """A run whose files are uploaded and answered."""
        expected = self.world.expected(self.world.export(), ours)
        run, key = self.waiting()
        self.answer(key, self.upload(key))
        wrong = [] if self.confirmed(run) else ["the answer was not taken"]
        wrong += self.world.wrong_end(expected, generation)
        left = sorted(path.name for path in self.path.iterdir() if key in path.name)
        return wrong + ([] if left == [f"{key}.result.json"] else [f"files of people were left: {len(left)}"])

    def refused(self, run: Run, *codes: str) -> list[str]:
        """The outcome is a refusal: on record, baseline unmoved, account free, files gone."""
        try:
            self.confirmed(run)
        except RejectedLoadError:
            wrong = [] if reasons(run) == list(codes) else [f"reasons on record: {reasons(run)}"]
        else:
            wrong = ["the refusal was not taken as one"]
        if self.world.tenant.generation() != 1 or self.world.tenant.note():
            wrong.append("the baseline moved, or the note was left")
        return wrong + (["files of people were left"] if list(self.path.glob("*.csv")) else [])

    def stopped(self, key: str) -> list[str]:
        """The next daily run does not begin, and names the import that waits."""
        had, files = self.world.export(), sorted(self.path.iterdir())
        error = fails(self.at.run())
        if not isinstance(error, RetriableLoadError) or key not in str(error):
            return [f"the next run should wait for {key}: {error!r}"]
        wrong = differences(self.world.export(), had)
        return wrong + ([] if sorted(self.path.iterdir()) == files else ["the folder was touched"])


def drop_refused(drops: Drops, say: Say) -> Case:
    row = Row(
        "target",
        "files: refused by the operator",
        "L1 L3 E38",
        "EMC and baseline as before, files removed; the next day's files were taken, EMC as expected",
    )
    for day in ({"moves": 1}, ORDINARY, {"reorganised": 2}, {"leavers": 1}):
        world = drops.again()
        world.day(**day)
        had = world.export()
        run, key = drops.waiting()
        drops.folder.confirm(key, "rejected", "tanaka")
        wrong = drops.refused(run) + differences(world.export(), had)
        world.day(joiners=1)
        row.tried(f"{day}", wrong or drops.good_day(2, drops.at.ours))
    return row.done(say)


def drop_unanswered(drops: Drops, say: Say) -> Case:
    row = Row(
        "target",
        "files: never answered",
        "L1 L3 L4 E27 E38",
        "each later run stopped and named the import, the folder was left alone; once answered the baseline moved "
        "(or not, if refused) and the next day's files were taken, EMC as expected",
    )
    for answer in ("committed", "rejected"):
        for days in (1, 2):
            world = drops.again()
            world.day(**ORDINARY)
            _, key = drops.waiting()
            body = drops.upload(key) if answer == "committed" else {"id": key, "state": "rejected"}
            ours, wrong = (world.ours() if answer == "committed" else drops.at.ours), []
            for _ in range(days):
                world.day(**ORDINARY)
                wrong += drops.stopped(key)
            drops.answer(key, body)
            generation = 3 if answer == "committed" else 2
            row.tried(f"{days} days, then {answer}", wrong or drops.good_day(generation, ours))
    return row.done(say)


def drop_twice(drops: Drops, say: Say) -> Case:
    row = Row(
        "target",
        "files: answered twice, or with a broken or foreign result",
        "L1 L3 E38",
        "the first whole answer stood, the baseline moved once or not at all; a broken or foreign one was no answer",
    )
    for first in ("committed", "rejected"):
        for second in ("committed", "rejected"):
            for by in ("operator", "file"):
                world = drops.again()
                world.day(**ORDINARY)
                expected = world.expected(world.export(), drops.at.ours)
                run, key = drops.waiting()
                body = drops.upload(key) if first == "committed" else {"id": key, "state": "rejected"}
                drops.answer(key, body)
                if by == "operator":
                    drops.folder.confirm(key, "rejected" if second == "rejected" else "committed", "tanaka")
                wrong = [] if first == "committed" and drops.confirmed(run) else drops.refused(run)
                if by == "file":
                    drops.answer(key, {"id": key, "state": second})
                if drops.confirmed(run):
                    wrong.append("the second answer was taken")
                if first == "committed":
                    wrong += world.wrong_end(expected, 2)
                ours = world.ours() if first == "committed" else drops.at.ours
                world.day(joiners=1)
                generation = 3 if first == "committed" else 2
                row.tried(f"{first}, then {second} by {by}", wrong or drops.good_day(generation, ours))
    for broken in ("{", "[]", '{"state": "committed"}', '{"id": "1", "key": "another", "state": "committed"}', ""):
        world = drops.again()
        world.day(**ORDINARY)
        expected = world.expected(world.export(), drops.at.ours)
        run, key = drops.waiting()
        (drops.path / f"{key}.result.json").write_text(broken, encoding="utf-8")
        wrong = []
        try:
            drops.confirmed(run)
            wrong.append("a broken result was taken")
        except RetriableLoadError:
            pass
        if world.tenant.generation() != 1 or not world.tenant.note():
            wrong.append("the baseline moved, or the note is gone")
        drops.answer(key, drops.upload(key))
        wrong += [] if drops.confirmed(run) else ["the mended result was not taken"]
        row.tried(f"result {broken!r}", wrong + world.wrong_end(expected, 2))
    return row.done(say)


def drop_by_hand(drops: Drops, say: Say) -> Case:
    row = Row(
        "target",
        "files: EMC's data changed by hand",
        "L2 L3 E28 E38",
        "EMC refused with its reason, nothing applied, baseline as before; once put right by hand EMC as expected. "
        "A leaver whom somebody had deleted already went through",
    )
    world = drops.again()
    (crew_id,) = world.day(joiners=1)["joiners"]
    user_id = next(crew["emp_code"] for crew in world.active() if crew["id"] == crew_id)
    world.somebody(user_id)
    run, key = drops.waiting()
    drops.answer(key, drops.upload(key))
    wrong = drops.refused(run, "DUPLICATE_ID")
    world.by_hand("DELETE", "users", user_id)
    row.tried("newcomer's id taken", wrong or drops.good_day(2, drops.at.ours))
    for day in ("moves", "leaves"):
        world = drops.again()
        user_id = world.active()[0]["emp_code"]
        world.by_hand("DELETE", "users", user_id)
        if day == "leaves":
            world.company("DELETE", f"companies/acme/crews/{world.active()[0]['id']}")
            row.tried("a leaver deleted", drops.good_day(2, drops.at.ours))
            continue
        world.day(joiners=1)
        run, key = drops.waiting()
        drops.answer(key, drops.upload(key))
        wrong = drops.refused(run, "UNKNOWN_ID")
        world.somebody(user_id)
        row.tried("somebody who stays deleted", wrong or drops.good_day(2, drops.at.ours))
    return row.done(say)


def faults(folder: Path, effort: Effort, say: Say) -> list[Case]:
    cases: list[Case] = []
    with worlds(folder) as world:
        for name in ("first link", "ordinary day") if effort is Effort.FULL else ("ordinary day",):
            one = scene(world(name), name)
            for tried in (every_fault, every_question):
                cases += cases_of("target", tried.__name__, partial(tried, one, effort, say), say)
    return cases


def by_hand(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with worlds(folder) as world:
        at = linked(world("linked"))
        cases = [user_deleted(at, effort, say)]
        if effort is Effort.SLICE:
            return cases
        for hand in (
            *(all_deleted, department_deleted, id_taken, user_changed, department_changed),
            *(moved_to_be_deleted, stranger_in_the_way, forgotten_import, moved_out),
        ):
            cases += cases_of("target", hand.__name__, lambda hand=hand: [hand(at, say)], say)  # type: ignore[misc]
        drops = Drops(at)
        for drop in (drop_refused, drop_unanswered, drop_twice, drop_by_hand):
            cases += cases_of("target", drop.__name__, lambda drop=drop: [drop(drops, say)], say)  # type: ignore[misc]
        return cases


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Every fault of EMC at every request, EMC changed by hand, and files that are refused, forgotten, answered twice."""
    return in_parts((faults, by_hand), folder, effort, say)
