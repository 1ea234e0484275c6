"""Faults of the source: whatever SmartHR does while it is read, EMC ends right or stays as it was (E5–E14, E31, E33).

Hypothesis invents small companies on many small pages, what changes overnight and while the pages are read, in which
order the pages are answered, and what breaks. `oracle.py` says what is right. To repeat one row with the same stories:

    python -m tests.proof.source "status_500 at every page position"
"""

from __future__ import annotations

import itertools
import logging
import random
import shutil
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import requests
from fsspec.implementations.local import LocalFileSystem
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from requests.adapters import HTTPAdapter

from renkei.errors import RenkeiError
from renkei.storage.store import Store
from renkei.systems.smarthr import client as product_client
from renkei.systems.smarthr.pacer import Pacer
from scripts.neighbours import Neighbours
from tests.harness import sheet
from tests.harness.folders import in_memory
from tests.harness.tenant import Recording, Tenant
from tests.proof import oracle
from tests.proof.case import Case, Effort, Say
from tests.unit.systems.transport import SkipClock

SHEET = {
    item: sheet.SHEET[item]
    for item in (
        *("ユーザID", "パスワード", "氏名", "氏名(ヨミ)", "所属部署コード"),
        *("緊急連絡1 媒体", "緊急連絡1 アドレス", "緊急連絡2 媒体", "緊急連絡2 アドレス"),
    )
}
SIZES = (3, 6, 9, 11, 14)  # crews of a company before anything happens to it
POSITIONS = (*(("/crews", page) for page in (1, 2, 3, 4, 5)), *(("/departments", page) for page in (1, 2, 3)))
TIMES = (1, 3, None)  # None: from then on always

PASSING = {"slow", "status_429", "status_500", "maintenance_503", "maintenance_json", "truncated", "drop_connection"}
LASTING = {  # what the run must fail with when it never ends
    **dict.fromkeys(PASSING - {"slow"}, "RetriableFetchError"),
    "not_json": "RetriableFetchError",
    **dict.fromkeys(("expired_token", "forbidden", "ip_not_permitted"), "RefusedFetchError"),
}
LIES = (
    *("repeated_page", "shifted_page", "resorted_page", "short_total", "wrong_total", "empty"),
    *("null_crew", "missing_id", "hidden_attribute"),
)
KINDS = ("slow", *LASTING, *LIES)


@dataclass(frozen=True)
class Change:
    """One thing that happens to one crew, chosen by number among those there are then."""

    what: str
    whom: int
    value: int


@dataclass(frozen=True)
class Step:
    """What happens just before the `after`-th next answer for a page of crews."""

    page: int
    after: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Day:
    overnight: tuple[Change, ...] = ()
    during: tuple[Step, ...] = ()
    fault: dict[str, Any] | None = None


@dataclass(frozen=True)
class Story:
    """A company and its days. `order` ranks pages 2, 3 … of a list: so they are answered."""

    size: int
    page_size: int
    order: tuple[int, ...]
    days: tuple[Day, ...]
    linked: bool = True


Crews = dict[str, dict[str, Any]]  # by crew id, as SmartHR shows them
Export = dict[str, dict[str, dict[str, str]]]  # departments and users of EMC by id


class Wrong(AssertionError):
    """A run ended otherwise than SPEC.md says."""


class InOrder(HTTPAdapter):
    """The real wire; the pages of a list of crews leave in a given order, each after the answer to the one before."""

    def __init__(self, order: tuple[int, ...]) -> None:
        super().__init__(pool_maxsize=20)
        self._order = order
        self._queue: list[int] = []
        self._turn = threading.Condition()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        query = dict(parse_qsl(str(url.query)))
        if not str(url.path).endswith("/crews") or "id" in query or "sort" in query:
            return super().send(request, *args, **kwargs)
        page = int(query["page"])
        with self._turn:
            # Not for ever: a torn read gives up pages that have not left yet.
            self._turn.wait_for(lambda: page not in self._queue or self._queue[0] == page, timeout=2)
        try:
            response = super().send(request, *args, **kwargs)
            if page == 1:
                last = -(-int(response.headers.get("x-total-count", 0)) // int(response.headers.get("x-per-page", 1)))
                self._queue = sorted(range(2, last + 1), key=lambda n: (self._order[(n - 2) % len(self._order)], n))
            return response
        finally:
            with self._turn:
                if page in self._queue:
                    self._queue.remove(page)
                self._turn.notify_all()


@dataclass
class World:
    """One SmartHR and one EMC, set back for every story."""

    urls: dict[str, str]
    folder: Path
    judged: int = 0  # runs
    refused: int = 0  # of them
    struck: set[tuple[str, int]] = field(default_factory=set)  # positions where a fault was met
    wire: requests.Session = field(default_factory=requests.Session)
    linked: dict[int, dict[str, list[dict[str, str]]]] = field(default_factory=dict)  # EMC after a first link, by size
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.wire.request(method, f"{self.urls['smarthr']}/_sim/{path}", json=body, timeout=20)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def emc(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.wire.request(
            method,
            f"{self.urls['emc']}{path}",
            json=body,
            headers={"Authorization": "Bearer emc_sim_acme"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def crews(self) -> Crews:
        return {crew["id"]: crew for crew in self.sim("GET", "companies/acme/crews")}

    def exported(self) -> dict[str, dict[str, dict[str, str]]]:
        """EMC's departments and users by id, blank items left out."""
        found = {}
        for file in ("departments", "users"):
            rows = self.emc("GET", f"/api/v1/{file}")["items"]
            found[file] = {next(iter(row.values())): {k: v for k, v in list(row.items())[1:] if v} for row in rows}
        return found

    def begin(self, size: int, linked: bool) -> Tenant:
        """A company of `size` crews, always the same, and its tenant; `linked`: as after a first link."""
        self.sim("DELETE", "faults")
        self.emc("DELETE", "/_sim/accounts/acme")
        self.sim("POST", "companies", {"name": "acme", "seed": size, "size": size})
        kept = self.folder / f"linked-{size}"
        if linked and size not in self.linked:
            first = self._tenant(kept)
            assert first.run(run_id="first") == "loaded"
            first.close()
            self.linked[size] = {
                file: [{k: v for k, v in row.items() if v} for row in self.emc("GET", f"/api/v1/{file}")["items"]]
                for file in ("departments", "users")
            }
            return self.begin(size, linked)
        store = self.folder / f"store-{next(self.numbers)}"
        if linked:
            shutil.copytree(kept, store)
            for file, rows in self.linked[size].items():
                self.emc("POST", f"/_sim/accounts/acme/{file}", rows)
        return self._tenant(store)

    def _tenant(self, store: Path) -> Tenant:
        mapping = sheet.full_mapping(SHEET)
        return Tenant.over_http(Store(LocalFileSystem(), str(store)), mapping, self.urls["smarthr"], self.urls["emc"])

    def play(self, story: Story) -> None:
        """Every run of a story, each judged.

        Raises:
            Wrong: what was expected and what was found.
        """
        with patience_of_none(story.order):
            tenant = self.begin(story.size, story.linked)
            self.sim("PATCH", "companies/acme", {"per_page_most": story.page_size})
            departments = self.sim("GET", "companies/acme/departments")
            crews, emc = self.crews(), self.exported()
            try:
                for day in story.days:
                    crews, emc = self.day(tenant, day, departments, crews, emc)
            except Wrong as wrong:
                raise Wrong(f"{story}: {wrong}") from wrong.__cause__
            finally:
                tenant.close()
                shutil.rmtree(tenant.store.root, ignore_errors=True)

    def day(
        self, tenant: Tenant, day: Day, departments: list[dict[str, Any]], crews: Crews, emc: Export
    ) -> tuple[Crews, Export]:
        """One run, judged: from SmartHR and EMC as they were to how they are then."""
        tree = [department["id"] for department in departments]
        if day.overnight:
            for crew_id, values in resolved(day.overnight, crews, tree).items():
                if values is None:
                    self.sim("DELETE", f"companies/acme/crews/{crew_id}")
                elif crew_id in crews:
                    self.sim("PATCH", f"companies/acme/crews/{crew_id}", values)
                else:
                    self.sim("POST", "companies/acme/crews", {**values, "id": crew_id})
            crews = self.crews()
        faults = [*moves(day.during, crews, tree), *([day.fault] if day.fault else [])]
        if faults:
            self.sim("POST", "faults", faults)
        generation, refusal = tenant.generation(), ""
        try:
            tenant.run()
        except RenkeiError as error:
            refusal = next(c.__name__ for c in type(error).__mro__ if c.__name__ in REASONS)
        except Exception as error:
            raise Wrong(f"the run failed with {type(error).__name__}: {error}") from error
        struck, end = False, crews
        if faults:
            struck = any(f["fired"] for f in self.sim("GET", "faults") if f["kind"] != "change_while_reading")
            self.sim("DELETE", "faults")
            end = self.crews()
        self.judged += 1
        self.refused += bool(refusal)
        if struck and day.fault:
            self.struck.add((day.fault["path"], day.fault["page"]))
        found, users = self.exported(), mapped(emc["users"])
        if refusal:
            expect(found == emc, f"EMC after a run refused with {refusal}", emc, found)
            expect(tenant.generation() == generation, "the baseline's number", generation, tenant.generation())
        right = oracle.quiet_day(users, crews)
        self._judge_refusal(day, refusal, right.refusal, moved=crews != end, struck=struck)
        if not refusal:
            expect(found["departments"] == oracle.departments(departments), "departments", departments, found)
            if crews == end:
                expect(mapped(found["users"]) == right.users, "users", right.users, found["users"])
            faults_found = oracle.faults_of_a_moving_day(mapped(found["users"]), crews, end)
            expect(not faults_found, "; ".join(faults_found), users, found["users"])
        return end, found

    def _judge_refusal(self, day: Day, refusal: str, right: str, *, moved: bool, struck: bool) -> None:
        if moved:
            return  # any refusal is right, and so is none: what EMC has then is judged by itself
        fault = day.fault if struck else None
        if fault is None:
            expect(refusal == right, "the refusal of a quiet day", right, refusal)
        elif fault["kind"] == "slow" or (fault["kind"] in PASSING and fault["times"] is not None):
            expect(refusal == right, f"a passing {fault['kind']}", right, refusal)
        elif fault["kind"] in LASTING and fault["times"] is None:
            expect(refusal == LASTING[fault["kind"]], fault["kind"], LASTING[fault["kind"]], refusal)
        else:  # seen through, or gone when the read is repeated
            expect(refusal != "" or right == "", f"a day that had to be refused for {right}", right, refusal)


REASONS = {
    *("IncompleteReadError", "RetriableFetchError", "RefusedFetchError", "RecordError", "HoldError"),
    *("LoadError", "BaselineError", "SettingError", "StoreError", "RenkeiError"),
}


def expect(held: bool, what: str, expected: object, found: object) -> None:
    if not held:
        raise Wrong(f"{what}: expected {expected!r}, found {found!r}")


def mapped(users: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The items that come from SmartHR."""
    return {user: {k: v for k, v in row.items() if k in SHEET} for user, row in users.items()}


def moves(during: tuple[Step, ...], crews: Crews, departments: list[str]) -> list[dict[str, Any]]:
    """What happens during a read, as faults of the simulator."""
    everything = resolved(tuple(change for step in during for change in step.changes), crews, departments)
    faults = []
    for step in during:
        ours = resolved(step.changes, crews, departments).keys() & everything.keys()
        changes = {crew_id: everything.pop(crew_id) for crew_id in sorted(ours)}
        if changes:
            place = {"path": "/crews", "page": step.page, "after": step.after}
            faults.append({"kind": "change_while_reading", **place, "changes": changes})
    return faults


def resolved(changes: tuple[Change, ...], crews: Crews, departments: list[str]) -> dict[str, dict[str, Any] | None]:
    """Crew id → fields to set (None: delete), a crew changes once at most. The first of the company never does."""
    first, *others = sorted(crews)
    found: dict[str, dict[str, Any] | None] = {}
    for change in changes:
        number, rng = change.value, random.Random(change.value)
        if change.what.startswith("join"):
            place = 2**32 - 1 if change.what == "join_last" else rng.getrandbits(32)
            crew_id = f"{place:08x}-0000-4000-8000-{number:012x}"
            if crew_id not in crews:
                found.setdefault(crew_id, _person(number, rng, departments))
        elif others:
            values: dict[str, dict[str, Any] | None] = {
                "leave": None,
                "retire": {"emp_status": "retired"},
                "return": {"emp_status": "employed"},
                "rest": {"emp_status": "absent"},
                "move": {"department_ids": rng.choice([[], [None, departments[0]], *([d] for d in departments)])},
                "rename": {"last_name": f"改姓{number % 97}", "last_name_yomi": "カイセイ"},
                "renumber": {"emp_code": f"R{number}"},
                "lose_code": {"emp_code": rng.choice([None, ""])},
                "mail": {"email": rng.choice([None, "", f"m{number}@example.com"])},
                "phone": {"tel_number": rng.choice([None, "", f"090-0000-{number % 10_000:04d}"])},
                "blank_name": {"last_name": "", "first_name": ""},
                "same_code": {"emp_code": crews[first]["emp_code"]},
            }
            found.setdefault(others[change.whom % len(others)], values[change.what])
    return found


def _person(number: int, rng: random.Random, departments: list[str]) -> dict[str, Any]:
    return {
        "emp_code": rng.choice([f"J{number}"] * 9 + [None]),
        "emp_status": rng.choice(["employed"] * 8 + ["absent", "retired"]),
        **{"last_name": "新人", "first_name": f"{number}番", "last_name_yomi": "シンジン", "first_name_yomi": "バン"},
        "email": f"j{number}@example.com",
        "tel_number": f"080-0000-{number % 10_000:04d}",
        "department_ids": [rng.choice(departments)],
    }


@contextmanager
def patience_of_none(order: tuple[int, ...]) -> Iterator[None]:
    """The product as it is, but waiting costs nothing, and pages are answered in the order of the story."""
    clock = SkipClock()

    def in_order(token: str) -> Recording:
        session = Recording(token)
        session.mount("http://", InOrder(order))
        return session

    with (
        mock.patch.object(product_client, "time", clock),
        mock.patch.object(product_client, "Pacer", lambda rate: Pacer(rate, clock.monotonic, clock.sleep)),
        mock.patch("tests.harness.tenant.Recording", in_order),
    ):
        yield


often = st.sampled_from(("join", "leave"))
seldom = st.sampled_from(
    (
        *("join", "leave", "retire", "return", "rest", "move", "rename", "renumber", "lose_code", "mail", "phone"),
        *("blank_name", "same_code"),
    )
)
values = st.integers(0, 2**32 - 1)
orders = st.permutations(range(5)).map(tuple)


def changes(kinds: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[tuple[Change, ...]]:
    change = st.builds(Change, kinds, st.integers(0, 20), values)
    return st.lists(change, min_size=least, max_size=most, unique_by=lambda c: c.value).map(tuple)


def swap(page: int, whom: int, value: int) -> Step:
    """Somebody on an early page leaves and somebody comes at the end: no total tells, and all between move up."""
    return Step(page, 0, (Change("leave", whom, value), Change("join_last", 0, value)))


def steps(most: int) -> st.SearchStrategy[tuple[Step, ...]]:
    what = st.one_of(changes(often, 2, 4), changes(seldom, 1, 3))
    step = st.one_of(
        st.builds(swap, st.integers(2, 5), st.integers(0, 8), values),
        st.builds(Step, st.integers(1, 6), st.integers(0, 2), what),
    )
    return st.lists(step, min_size=1, max_size=most).map(tuple)


def broken(kind: str, path: str, page: int) -> st.SearchStrategy[Story]:
    """One fault at one position, on an ordinary day."""
    hidden = {"field": "email"} if kind == "hidden_attribute" else {}
    fault = st.fixed_dictionaries(
        {
            **{name: st.just(value) for name, value in {"kind": kind, "path": path, "page": page, **hidden}.items()},
            "times": st.sampled_from(TIMES),
            "after": st.integers(0, 2),
            "seconds": st.just(0.01),
        }
    )
    day = st.builds(Day, changes(seldom, 0, 3), st.just(()), fault)
    days = st.one_of(day.map(lambda d: (d,)), day.map(lambda d: (d,)), day.map(lambda d: (d, Day())))
    # Twelve crews and four departments on pages of two or three: every position exists.
    linked = st.sampled_from((True, True, True, False)) if kind != "hidden_attribute" else st.just(True)
    return st.builds(Story, st.sampled_from((11, 14)), st.sampled_from((2, 3)), orders, days, linked)


# Five pages; between the third and the fourth, one of the second leaves: the first of the fourth is on no page.
UNSEEN = Story(14, 3, (0, 1, 2, 3, 4), (Day(during=(swap(4, 3, 7),)), Day()), linked=False)


def moving() -> st.SearchStrategy[Story]:
    """People come and go between the pages of a read; the quiet run after it must be exactly right."""
    day = st.builds(Day, changes(seldom, 0, 2), steps(3))
    days = st.lists(day, min_size=1, max_size=2).map(lambda found: tuple(d for day in found for d in (day, Day())))
    return st.builds(Story, st.sampled_from(SIZES), st.integers(2, 4), orders, days, st.booleans())


def eventful() -> st.SearchStrategy[Story]:
    """A few days with whatever may happen on them."""
    fault = st.fixed_dictionaries(
        {
            "kind": st.sampled_from([kind for kind in KINDS if kind != "hidden_attribute"]),
            "path": st.sampled_from(("/crews", "/departments")),
            "page": st.integers(1, 4),
            "times": st.sampled_from(TIMES),
            "after": st.integers(0, 3),
            "seconds": st.just(0.01),
        }
    )
    day = st.builds(
        Day, changes(seldom, 0, 8), st.one_of(st.just(()), steps(2)), st.one_of(st.none(), st.none(), fault)
    )
    days = st.lists(day, min_size=2, max_size=3).map(lambda found: (*found, Day()))
    return st.builds(Story, st.sampled_from(SIZES), st.integers(2, 5), orders, days, st.booleans())


@dataclass(frozen=True)
class Row:
    """A row of the table: its stories by part, and how many of each part."""

    case: str
    rules: str
    parts: tuple[Callable[[], st.SearchStrategy[Story]], ...]
    full: int
    slice: int


def _parts(kind: str) -> tuple[Callable[[], st.SearchStrategy[Story]], ...]:
    places = [
        place for place in POSITIONS if kind != "hidden_attribute" or place[0] == "/crews"
    ]  # people's, not tables'
    return tuple(lambda p=path, n=page: broken(kind, p, n) for path, page in places)


ROWS = {
    row.case: row
    for row in (
        Row("changes while reading", "E33 L1", (moving,), 180, 1),
        Row("random days", "E5 E6 E7 E8 E9 E10 E13 E14 E31 E33 E34", (eventful,), 90, 1),
        *(
            Row(f"{kind} at every page position", "E33 L1 L2", _parts(kind), 6, int(kind in ("status_500", "empty")))
            for kind in KINDS
        ),
    )
}


def tell(world: World, case: str, effort: Effort) -> Case:
    """All stories of a row."""
    row, began, judged, refused = ROWS[case], time.monotonic(), world.judged, world.refused
    world.struck.clear()
    wrong = []
    for part, stories in enumerate(row.parts):
        told = settings(
            max_examples=row.full if effort is Effort.FULL else row.slice,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        play = given(stories())(world.play)
        if stories is moving:
            play = example(UNSEEN)(play)
        try:
            seed(zlib.crc32(f"{row.case} {part}".encode()))(told(play))()
        except (Wrong, Flaky) as error:
            wrong.append(f'python -m tests.proof.source "{row.case}": {error}')
    positions = f"; struck at {len(world.struck)} positions" if len(row.parts) > 1 else ""
    tries, no = world.judged - judged, world.refused - refused
    afterwards = f"{tries - no} runs as the oracle says, {no} refused with EMC and baseline as before{positions}"
    return Case("source", row.case, row.rules, tries, tuple(wrong), afterwards, time.monotonic() - began)


_worlds: list[World] = []  # of this process


def _settle(places: Queue[tuple[dict[str, str], Path]]) -> None:
    logging.disable(logging.WARNING)  # the product tells of every read that it repeats
    _worlds.append(World(*places.get()))


def _tell(case: str) -> Case:
    return tell(_worlds[0], case, Effort.FULL)


def campaign(folder: Path, effort: Effort, say: Say, only: str = "") -> list[Case]:
    """Every row, or `only` one; all of them in two processes, each with simulators of its own."""
    names = [only] if only else [case for case, row in ROWS.items() if effort is Effort.FULL or row.slice]
    workers = 2 if effort is Effort.FULL else 1
    limits = ("--per-second", "1000000", "--per-hour", "1000000000")
    cases = []
    with ExitStack() as stack:
        memory = Path(stack.enter_context(in_memory()))
        places = []
        for number in range(workers):
            around = Neighbours(folder / f"neighbours-{number}", ["acme:1:3"], ["acme"], limits)
            (memory / str(number)).mkdir()
            places.append((stack.enter_context(around).urls, memory / str(number)))
        if effort is Effort.SLICE:
            world = World(*places[0])
            stack.callback(world.wire.close)
            found = (tell(world, case, effort) for case in names)
        else:
            context = get_context("spawn")
            queue: Queue[tuple[dict[str, str], Path]] = context.Queue()
            for place in places:
                queue.put(place)
            pool = stack.enter_context(ProcessPoolExecutor(workers, context, _settle, (queue,)))
            found = (done.result() for done in [pool.submit(_tell, case) for case in names])
        for case in found:
            say(f"source: {case.case}: {case.afterwards} ({case.seconds:.0f} s)")
            cases.append(case)
    return cases


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        table = campaign(Path(scratch), Effort.FULL, print, *sys.argv[1:2])
        print(f"{sum(case.tries for case in table)} runs", *(line for case in table for line in case.wrong), sep="\n")
