"""One tenant's runs without Airflow: the stages in their order, between the simulators."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from renkei.errors import RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import RunStart
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.client import EmcClient
from renkei.systems.emc.file_format import EmcFormat, load_format
from renkei.systems.smarthr.client import SmartHRClient
from tests.harness.program import ROOT

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 2, 4, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
FORMAT: EmcFormat = load_format(ROOT / "include/contracts/emc_format.yaml")
STAGES = ("open", "read", "diff", "validate", "load", "end")
MADE_BY_HAND = frozenset({"adopt", "administrators"})

numbers = itertools.count(1)


class Recording(requests.Session):
    """The requests that were sent, in order."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.headers["Authorization"] = f"Bearer {token}"
        self.seen: list[str] = []

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen.append(f"{method!s} {url!s}".split("/api/v1")[-1])
        return super().request(method, url, *args, **kwargs)


@dataclass
class Tenant:
    """What a tenant's runs have in common; `target` is EMC, over HTTP or through files."""

    store: Store
    mapping: Mapping
    smarthr_url: str
    target: Target
    now: dt.datetime = NOW
    company: str = ""
    disaster: bool = False  # 災害時凍結
    log_in: str | None = None  # by which SmartHR lets us read
    format: EmcFormat = FORMAT
    sessions: list[Recording] = field(default_factory=list)

    @classmethod
    def over_http(cls, store: Store, mapping: Mapping, smarthr_url: str, emc_url: str, company: str = "") -> Tenant:
        """The first of its `sessions` is the one with EMC."""
        session = Recording(f"emc_sim_{mapping.emc_account}")
        return cls(store, mapping, smarthr_url, EmcClient(session, emc_url), company=company, sessions=[session])

    def record(self, run_id: str) -> RunRecord:
        return RunRecord(TenantFolder(self.store, LINK, self.mapping.tenant), run_key(run_id, ""))

    def change(self, **settings: Any) -> None:
        """Other settings of the sheet from the next run on."""
        self.mapping = dataclasses.replace(self.mapping, **settings)

    def client(self) -> SmartHRClient:
        """SmartHR of this company."""
        self.sessions.append(Recording(f"shr_sim_{self.company or self.mapping.tenant}"))
        return SmartHRClient(self.sessions[-1], self.smarthr_url, 1000, log_in=lambda: self.log_in)

    def open(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "", generation: int = 0) -> Job:
        run_id = run_id or f"run_{next(numbers)}"
        start = RunStart(run_id, mode, manual, self.now.isoformat(), "0" * 64, self.disaster, generation)
        return stages.open_run.open_run(self.record(run_id), self.mapping, start, self.target, self.now)

    def read(self, job: Job) -> dict[str, int]:
        client = self.client()
        stages.fetch.fetch_departments(job, client, "read", self.now)
        stages.fetch.fetch_users(job, client, self.now)
        return stages.snapshot.take_snapshot(job)

    def load(self, job: Job) -> str:
        return stages.load.apply(job, self.target, self.format, lambda name: "secret", self.now)

    def plan(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "") -> Job:
        """A run up to and with validate."""
        return Run(self, run_id, mode, manual).until("load").job

    def run(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "") -> str:
        """A whole run, in which nobody approves anything; what load answered."""
        return Run(self, run_id, mode, manual, frozenset()).go()

    def generation(self) -> int:
        """How often the baseline has moved."""
        found = self.store.names(f"{LINK}/tenants/{self.mapping.tenant}/baselines")
        return len([name for name in found if name.endswith(".json")])

    def note(self) -> bool:
        """Whether the account's import lock has a note."""
        return self.store.exists(f"{LINK}/accounts/{self.mapping.emc_account}/pending.json")

    def close(self) -> None:
        for session in self.sessions:
            session.close()


@dataclass
class Run:
    """One run, stage by stage, so that a failed stage can be repeated as Airflow repeats a task."""

    tenant: Tenant
    run_id: str = ""
    mode: Mode = Mode.NORMAL
    manual: bool = False
    approved: frozenset[str] = MADE_BY_HAND  # what the operator approves before load, when it is held for these alone
    at: str = STAGES[0]  # the stage that comes next
    answer: str = ""  # load's
    job: Job = field(init=False)

    def go(self) -> str:
        """To its end; what load answered."""
        return self.until("end").answer

    def until(self, stage: str) -> Run:
        """Up to before that stage, from where it stands."""
        while (number := STAGES.index(self.at)) < STAGES.index(stage):
            self._do()
            self.at = STAGES[number + 1]
        return self

    def _do(self) -> None:
        tenant, now = self.tenant, dt.datetime.now(dt.UTC)
        if self.at == "open":
            self.job = tenant.open(self.mode, manual=self.manual, run_id=self.run_id)
        elif self.at == "read":
            tenant.read(self.job)
        elif self.at == "diff":
            stages.diff.make_diff(self.job, tenant.target, now)
        elif self.at == "validate":
            stages.validate.validate(self.job, tenant.target, tenant.format, now)
        else:
            kinds = {hold["kind"] for hold in self.job.record.json("hold")["holds"]}
            if kinds and kinds <= self.approved:
                stages.approve.decide(self.job, True, "operator", "", now)
            self.answer = tenant.load(self.job)

    def retried(self, limit_s: float = 5.0) -> str:
        """Repeats the failed stage while its error says that a later attempt may succeed."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                return self.go()
            except RetriableLoadError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def fails(run: Run) -> RenkeiError | None:
    """The error with which a run ends, None when it succeeds."""
    try:
        run.go()
    except RenkeiError as error:
        return error
    return None


def counts(job: Job, record_set: str = "users") -> dict[str, int]:
    """新規, 更新 and 削除 of a run."""
    found = job.record.json("diff")["sets"][record_set]["counts"]
    return {name: found[name] for name in ("created", "updated", "deleted")}


def warned(job: Job, kind: str) -> set[str]:
    """Crew ids that the run warns of."""
    return {crew_id for found, _, crew_id in job.record.json("warnings")["people"] if found == kind}
