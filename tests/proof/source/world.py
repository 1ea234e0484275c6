"""One SmartHR and one EMC, set back for every story; each run of a story is judged by `oracle.py`."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import requests
from fsspec.implementations.local import LocalFileSystem
from requests.adapters import HTTPAdapter

from renkei.errors import RenkeiError
from renkei.storage.store import Store
from renkei.systems.smarthr import client as product_client
from tests.harness.clock import no_waits
from tests.harness.sheet import SHEET as FULL_SHEET
from tests.harness.sheet import full_mapping
from tests.harness.tenant import Recording, Tenant
from tests.proof.source import oracle
from tests.proof.source.story import LASTING, PASSING, Crews, Day, Story, moves, resolved

SHEET = {
    item: FULL_SHEET[item]
    for item in (
        *("ユーザID", "パスワード", "氏名", "氏名(ヨミ)", "所属部署コード"),
        *("緊急連絡1 媒体", "緊急連絡1 アドレス", "緊急連絡2 媒体", "緊急連絡2 アドレス"),
    )
}
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
class StoryWorld:
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
        mapping = full_mapping(SHEET)
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


@contextmanager
def patience_of_none(order: tuple[int, ...]) -> Iterator[None]:
    """The product as it is, but waiting costs nothing, and pages are answered in the order of the story."""

    def in_order(token: str) -> Recording:
        session = Recording(token)
        session.mount("http://", InOrder(order))
        return session

    with no_waits(product_client), mock.patch("tests.harness.tenant.Recording", in_order):
        yield
