"""EMC's data changed by hand: records deleted, added, changed and moved on its screen, and what the next run does."""

from __future__ import annotations

from collections.abc import Iterator

from renkei.errors import RetriableLoadError
from tests.harness.expected import differences
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import fails
from tests.harness.world import World
from tests.proof.target.linked import ORDINARY, Linked, heals_at_once, stops
from tests.proof.tried import Try, case

MOMENTS = ("before the run", "between plan and load")


def dropped(world: World, code: str) -> None:
    """SmartHR gives up a department and those below it."""
    (found,) = (one["id"] for one in world.departments() if one["code"] == code)
    world.company("DELETE", f"companies/acme/departments/{found}")


def joined(world: World) -> tuple[str, str]:
    """The crew id and the user id of somebody who joins."""
    (crew_id,) = world.day(joiners=1)["joiners"]
    return crew_id, next(crew["emp_code"] for crew in world.active() if crew["id"] == crew_id)


def gone(world: World, user_id: str) -> None:
    """Somebody leaves."""
    (crew_id,) = (crew["id"] for crew in world.active() if crew["emp_code"] == user_id)
    world.company("DELETE", f"companies/acme/crews/{crew_id}")


@case(
    "target",
    "a user of ours deleted by hand",
    "L1 L4 E13 E28 E31",
    "healed by the next daily run: EMC as expected, baseline moved; a leaver's delete found nobody and went through",
)
def user_deleted(
    at: Linked, users: int, days: tuple[str, ...] = ("quiet", "ordinary", "leaves", "between plan and load")
) -> Iterator[Try]:
    for user_id in sorted(at.ours["users"])[:users]:
        for day in days:
            world, run, wrong = at.again(), at.run(), list[str]()
            if day == "ordinary":
                world.day(**ORDINARY)
            elif day == "leaves":
                gone(world, user_id)
            elif day == "between plan and load":
                world.day(moves=1, joiners=1)
                run.until("load")
            world.by_hand("DELETE", "users", user_id)
            if day == "between plan and load":
                wrong = stops(at, run, "UNKNOWN_ID")
            wrong = wrong or heals_at_once(at)
            if not wrong and day == "leaves":
                ours = world.ours()
                world.day(leavers=1)
                wrong = heals_at_once(at, 3, ours)
            yield f"{user_id}, {day}", wrong


@case(
    "target",
    "all of ours deleted by hand",
    "L1 E13 E28 E31",
    "healed by the next daily run: EMC as expected, strangers untouched, baseline moved",
)
def all_deleted(at: Linked) -> Iterator[Try]:
    for files in (("users",), ("departments",), ("departments", "users")):
        for name, day in {"quiet": {}, "ordinary": ORDINARY | {"reorganised": 2}}.items():
            world = at.again(**day)
            for file in files:
                for record_id in at.ours[file]:
                    world.by_hand("DELETE", file, record_id)
            yield f"{' and '.join(files)}, {name} day", heals_at_once(at)


@case(
    "target",
    "a department of ours deleted by hand (with, without users or departments in it)",
    "L1 E13 E28 E31",
    "healed by the next daily run: EMC as expected, baseline moved; members whom EMC's screen had left without "
    "a department have it back with the next write of the users (E14)",
)
def department_deleted(at: Linked) -> Iterator[Try]:
    world = at.again()
    parents = {(d["parent"] or {}).get("code") for d in world.departments()}
    people = sorted({values.get("所属部署コード", "") for values in at.kept.emc["users"].values()} - {""})
    for code in (*people[:2], "X1", "X3"):
        for name, day in {"quiet": {}, "ordinary": ORDINARY, "reorganised": {"reorganised": 2}}.items():
            at.again(**day).by_hand("DELETE", "departments", code)
            yield f"{code}, {name} day", heals_at_once(at)
        if code not in parents:  # else SmartHR takes those below along: tried with leaves
            dropped(at.again(), code)
            world.by_hand("DELETE", "departments", code)
            yield f"{code}, deleted in SmartHR too", heals_at_once(at)
        at.again()
        for user_id, values in world.export()["users"].items():
            if values.get("所属部署コード") == code:
                world.by_hand("PATCH", "users", user_id, 所属部署コード="")
        world.by_hand("DELETE", "departments", code)
        error = fails(at.run())
        wrong = [f"{type(error).__name__}: {error}"] if error else []
        if code not in world.export()["departments"]:
            wrong.append("the department is not back")
        world.day(moves=1)
        yield f"{code}, members cleared", wrong or heals_at_once(at, 3)
    at.again(reorganised=2)
    run = at.run().until("load")
    world.by_hand("DELETE", "departments", "X3")
    yield "X3, between plan and load", stops(at, run, "UNKNOWN_ID") or heals_at_once(at)


TYPED_IN: tuple[dict[str, str], ...] = (
    {},
    {"検索ワード5": "残る", "保有権限1": "管理者"},
    {"緊急連絡1 媒体": "電話番号", "緊急連絡1 アドレス": "03-1234-5678"},
    {"緊急連絡3 媒体": "メールアドレス", "緊急連絡3 アドレス": "hand@example.jp"},
    {"所属部署コード": "X3"},
)


@case(
    "target",
    "a record added by hand has the id of tomorrow's newcomer",
    "L2 L4 E13 E28 E31",
    "adopted: the sheet's items as expected, the others as typed in; deleted when the person leaves",
)
def id_taken(at: Linked) -> Iterator[Try]:
    for moment in MOMENTS:
        for number, values in enumerate(TYPED_IN):
            world = at.again()
            _, user_id = joined(world)
            run = at.run().until("load" if moment == MOMENTS[1] else "open")
            world.somebody(user_id, **values)
            wrong = stops(at, run, "DUPLICATE_ID") if moment == MOMENTS[1] else []
            wrong = wrong or heals_at_once(at)
            if not wrong:
                ours = world.ours()
                gone(world, user_id)
                wrong = heals_at_once(at, 3, ours)
            yield f"user, variant {number}, {moment}", wrong
        world = at.again()
        world.found_department("X9")
        run = at.run().until("load" if moment == MOMENTS[1] else "open")
        world.by_hand("POST", "departments", **{"部署ID": "X9", "部署名": "手入力", "部署名(ヨミ)": "テ"})
        wrong = stops(at, run, "DUPLICATE_ID") if moment == MOMENTS[1] else []
        yield f"department, {moment}", wrong or heals_at_once(at)


USER_CHANGES: tuple[dict[str, str], ...] = (
    {"氏名": "別人"},
    {"緊急連絡1 媒体": "", "緊急連絡1 アドレス": ""},
    {"緊急連絡1 媒体": "電話番号", "緊急連絡1 アドレス": "03-1234-5678"},
    {"所属部署コード": "X1", "兼務管理部署1": "X2"},
    {"検索ワード2": "手で入れた値"},
    {"検索ワード5": "手で入れた値", "保有権限1": "管理者", "兼務管理部署9": "X3"},
    {"緊急連絡3 媒体": "メールアドレス", "緊急連絡3 アドレス": "hand@example.jp"},
)


@case(
    "target",
    "a user of ours changed by hand (a mapped item; an unmapped one)",
    "E14 E18 E28",
    "a quiet day wrote nothing; with the next write of the users mapped items were SmartHR's again, "
    "unmapped ones as typed in",
)
def user_changed(at: Linked) -> Iterator[Try]:
    for change in USER_CHANGES:
        for user_id in sorted(at.ours["users"])[:2]:
            world = at.again()
            world.by_hand("PATCH", "users", user_id, **change)
            had, run = world.export(), at.run()
            error = fails(run)
            wrong = [f"a quiet day ended with {error!r} {run.answer}"] if error or run.answer != "unchanged" else []
            wrong += differences(world.export(), had)
            world.day(moves=1)
            yield f"{user_id}, {'、'.join(change)}", wrong or heals_at_once(at)


DEPARTMENT_CHANGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("X1", {"部署名": "手入力"}),
    ("X2", {"親部署ID": ""}),
    ("X1", {"親部署ID": "X3"}),
    ("X3", {"親部署ID": "D00001"}),
)


@case(
    "target",
    "a department of ours changed by hand (name, place in the tree)",
    "E13 E14",
    "with the next write of the departments EMC as expected",
)
def department_changed(at: Linked) -> Iterator[Try]:
    for code, change in DEPARTMENT_CHANGES:
        for day in ({"reorganised": 1}, {"reorganised": 3, **ORDINARY}):
            world = at.again()
            world.by_hand("PATCH", "departments", code, **change)
            world.day(**day)
            yield f"{code}, {'、'.join(change)}, {day}", heals_at_once(at)


@case(
    "target",
    "a user of ours moved by hand into a department that we delete",
    "L2 E13 E14",
    "at once, for the users are written too: EMC as expected",
)
def moved_to_be_deleted(at: Linked) -> Iterator[Try]:
    for user_id in sorted(at.ours["users"])[:3]:
        for name, day in {"users as they were": {}, "users changed": {"moves": 1}}.items():
            world = at.again()
            world.by_hand("PATCH", "users", user_id, 所属部署コード="X2")
            dropped(world, "X2")
            if day:
                world.day(**day)
            yield f"{user_id}, {name}", heals_at_once(at)


@case(
    "target",
    "a stranger placed by hand in, or below, a department that we delete",
    "L2 E13 E28",
    "EMC refuses with DEPARTMENT_IN_USE, nothing applied, the stranger untouched; once the stranger is elsewhere "
    "EMC as expected",
)
def stranger_in_the_way(at: Linked) -> Iterator[Try]:
    for item in ("所属部署コード", "兼務管理部署1", "兼務管理部署10"):
        for way, method, values in (("moved", "PATCH", {item: "X1"}), ("deleted", "DELETE", {})):
            world = at.again()
            world.by_hand("PATCH", "users", "kanrisha", **{item: "X3"})
            yield f"{way}, {item}", out_of_the_way(at, method, "users", "kanrisha", values)
    below = {"部署ID": "tegaki", "部署名": "手入力", "部署名(ヨミ)": "テ", "親部署ID": "X3"}
    at.again().by_hand("POST", "departments", **below)
    yield "department moved", out_of_the_way(at, "PATCH", "departments", "tegaki", {"親部署ID": "X1"})


def out_of_the_way(at: Linked, method: str, file: str, record_id: str, values: dict[str, str]) -> list[str]:
    """X2 is given up: refused on two days, until somebody does this on EMC's screen."""
    dropped(at.world, "X2")
    wrong = stops(at, at.run(), "DEPARTMENT_IN_USE")
    at.world.day(**ORDINARY)
    wrong += stops(at, at.run(), "DEPARTMENT_IN_USE")
    at.world.by_hand(method, file, record_id, **values)
    return wrong or heals_at_once(at)


@case(
    "target",
    "a department left to EMC's screen, emptied there, then given up by SmartHR",
    "E13 E18",
    "held back while a user is in it (the users are named); once emptied, the next run deletes it",
)
def moved_out(at: Linked) -> Iterator[Try]:
    """The sheet leaves 所属部署コード to EMC."""
    world = at.again()
    world.tenant.mapping = full_mapping(SHEET | {"所属部署コード": ("部署1(コード)", "SET", "SKIP", "SKIP", "SKIP")})
    leaves = {d["code"] for d in world.departments()} - {(d["parent"] or {}).get("code") for d in world.departments()}
    for code in sorted(leaves):
        at.again()
        members = [u for u, values in world.export()["users"].items() if values.get("所属部署コード") == code]
        if not members:
            continue
        dropped(world, code)
        wrong = [] if fails(at.run()) else ["a department with users in it was deleted"]
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
        yield code, wrong
    world.tenant.mapping = full_mapping()


@case(
    "target",
    "an import that reached EMC after we had asked for it",
    "L4 E27 E37",
    "ours was aborted and the run loaded: EMC as expected; somebody else's was left alone, and the run waited",
)
def forgotten_import(at: Linked) -> Iterator[Try]:
    world = at.world
    for key in (*(f"{tenant}.{'0' * 16}.0123456789ab" for tenant in ("acme", "beta")), "by hand"):
        at.again(**ORDINARY)
        expected = at.expected()
        world.emc.open(None, b'"a"\r\n', key)
        run = at.run()
        error = fails(run)
        wrong = [] if isinstance(error, RetriableLoadError) else [f"expected to wait, found {error!r}"]
        if key == "by hand":
            (other,) = world.emc.call("GET", "/imports?key=by hand").json()["imports"]
            if other["state"] != "open":
                wrong.append(f"somebody else's import is {other['state']}")
            world.emc.call("DELETE", f"/imports/{other['id']}")
            yield "somebody else's", wrong or heals_at_once(at)
        else:
            run.retried()
            yield f"of {key.split('.')[0]}", wrong + world.wrong_end(expected, 2)


HANDS = (
    *(all_deleted, department_deleted, id_taken, user_changed, department_changed),
    *(moved_to_be_deleted, stranger_in_the_way, forgotten_import, moved_out),
)
