"""One tenant between the two simulators, by the product's own clients; its runs can be killed at any moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from renkei.clock import TOKYO
from renkei.errors import RenkeiError
from renkei.links.hotprofile_kintone import conflicts, history
from renkei.links.hotprofile_kintone.model import Job, Mode, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import OVERWRITE, DataSet, Item
from renkei.links.hotprofile_kintone.stages.check import check
from renkei.links.hotprofile_kintone.stages.plan import plan
from renkei.links.hotprofile_kintone.stages.read import read
from renkei.links.hotprofile_kintone.stages.write import write
from renkei.storage.database.database import open_database
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kintone.client import KintoneClient
from tests.harness.hotprofile import KEY, HotProfile
from tests.harness.hotprofile_kintone import COMPANIES, MAPPING, NINE, LinkWorld
from tests.harness.kintone import Kintone
from tests.harness.moments import Moments, Watched, is_killed, watched
from tests.proof.kintone.oracle import LONGEST_NAME, wrong_about

_TEXT = {"type": "SINGLE_LINE_TEXT"}
_KEY = {"type": "SINGLE_LINE_TEXT", "unique": True}
APPS: dict[int, dict[str, dict[str, Any]]] = {
    1: {"id": _KEY, "name": {**_TEXT, "maxLength": str(LONGEST_NAME)}, "note": {"type": "MULTI_LINE_TEXT"}},
    2: {
        "id": _KEY,
        "name": _TEXT,
        "company": {
            **_TEXT,
            "lookup": {"relatedApp": {"app": "1"}, "relatedKeyField": "id", "fieldMappings": []},
        },
    },
}
TENANT_APPS = replace(
    MAPPING,
    at_once=2,
    data_sets=(
        replace(
            COMPANIES,
            items=(Item("会社ID", "id"), Item("会社名", "name"), Item("備考", "note", conflict=OVERWRITE)),
            old_key_item="カスタム項目:旧会社ID",
        ),
        DataSet(
            "leads", "2", True, "リードID", (Item("リードID", "id"), Item("氏名", "name"), Item("会社ID", "company"))
        ),
    ),
)
DAYS = 40  # that what is held may take


@dataclass
class SalesWorld(LinkWorld):
    """A tenant with companies and leads, whose three clocks stand still and are moved together."""

    systems: tuple[HotProfile, Kintone] | None = None
    enabled: str = ""  # when, as Hot Profile writes it
    tokens: str = "app1,app2"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mapping = replace(TENANT_APPS, domain=self.app.url)

    @property
    def source(self) -> HotProfile:
        assert self.systems
        return self.systems[0]

    @property
    def app(self) -> Kintone:
        assert self.systems
        return self.systems[1]

    def wait(self, **span: float) -> None:
        self.clock += dt.timedelta(**span)
        for system in (self.source, self.app):
            system.sim("POST", "clock", {"advance_s": dt.timedelta(**span).total_seconds()})

    def start(self) -> None:
        """Both systems are empty, and the link is enabled."""
        for system in (self.source, self.app):
            system.clear()
            system.sim("POST", "clock", {"at": NINE.isoformat(), "stands": True})
        for number, fields in APPS.items():
            self.app.app(number, fields)
        super().start()
        self.enabled = f"{NINE.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}"

    def steps(self, job: Job, moment: Callable[[], None] = lambda: None) -> list[Callable[[], Any]]:
        reading, writing = Watched(moment), Watched(moment)
        writing.headers["X-Cybozu-API-Token"] = self.tokens
        source: Any = HotProfileClient(reading, self.source.url, KEY)

        def app_of(data_set: DataSet, app: str) -> Any:
            quota = Quota(job.database, host_of(self.mapping), app, self.quota)

            def spend(count: int) -> None:
                quota.reserve(count, self.clock, history.added(job, data_set, requests=count))

            return KintoneClient(writing, self.mapping.domain, "", spend, at_once=self.mapping.at_once)

        def write_one(data_set: DataSet) -> Callable[[], Any]:
            return lambda: write(job, data_set, lambda app: app_of(data_set, app), source, self.now)

        return [
            lambda: check(job, lambda one: app_of(one, one.app), self.now),
            lambda: read(job, source),
            lambda: plan(job, source, self.clock),
            *map(write_one, self.mapping.enabled),
        ]

    def go(self, mode: Mode = Mode.NORMAL, job: Job | None = None) -> None:
        """A run as Airflow has it: where a task fails, those after it do not run."""
        job = job or self.job(mode)
        try:
            for step in self.steps(job):
                step()
        except RenkeiError:
            pass

    def killed(self, job: Job, at: int) -> bool:
        """The run in a process of its own that dies at a moment; whether it came to that."""

        def run() -> None:
            moment = Moments(at)
            database = watched(open_database(f"sqlite:///{self.folder}/renkei.db"), moment)
            for step in self.steps(Job(database, job.record, job.start), moment):
                step()

        return is_killed(self.database, run)

    def settle(self) -> None:
        """Nothing is broken any more: run until nothing waits."""
        for system in (self.source, self.app):
            system.sim("DELETE", "faults")
        self.source.sim("POST", "settings", {"bend_next": 0, "date_ahead_s": 0.0})
        for mode in (Mode.NORMAL, Mode.RETRY_FAILED):
            self.wait(minutes=10)
            self.go(mode)
            for _ in range(DAYS):
                if not self.waiting():
                    break
                self.wait(days=1)
                self.go()
        self.wait(days=1)
        self.go()

    def waiting(self) -> int:
        return sum(one.waiting for one in history.data_set_statuses(self.database, self.mapping.tenant).values())

    def wrong(self) -> list[str]:
        """What the oracle, and the counts of requests, have against it."""
        failed = {(one.data_set, one.source_id) for one in history.failed_records(self.database, self.mapping.tenant)}
        found = wrong_about(
            self.enabled,
            *(self.source.sim("GET", f"{kind}?limit=10000") for kind in ("clients", "leads")),
            *(self.app.records(number) for number in APPS),
            failed,
        )
        if left := self.waiting():
            found.append(f"{left} records still wait")
        if taken := conflicts.count(self.database, self.mapping.tenant):  # nobody but us writes these apps
            found.append(f"{taken} fields of our own count as changed by people")
        return found + self.wrong_requests()

    def wrong_requests(self) -> list[str]:
        """The quota by kintone's own count; it is never overspent, and nothing is sent that was not reserved (K15)."""
        hours = self.app.sim("GET", "requests")["hours"]
        wrong = []
        for number in APPS:
            reserved = dict(history.requests_by_day(self.database, host_of(self.mapping), str(number)))
            sent: dict[str, int] = {}
            for hour, count in hours.get(str(number), {}).items():
                sent[hour[:10]] = sent.get(hour[:10], 0) + count
            for day, count in sent.items():
                if count > self.quota:
                    wrong.append(f"app {number} had {count} requests on {day}, {self.quota} are allowed")
                if count > reserved.get(dt.date.fromisoformat(day), 0):
                    wrong.append(f"app {number} had {count} requests on {day}, {reserved} were reserved")
        return wrong


def begun(folder: Path, systems: tuple[HotProfile, Kintone]) -> SalesWorld:
    """One with nothing but an enabled link."""
    world = SalesWorld(folder, systems=systems)
    world.start()
    return world
