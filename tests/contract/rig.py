"""One tenant's runs without Airflow: the stages in their order over both simulators, and a sheet to change."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml

from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import RunStart
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.client import EmcClient
from renkei.systems.emc.file_format import EmcFormat, load_format
from renkei.systems.smarthr.client import SmartHRClient
from tests.contract.conftest import ROOT

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 11, 2, 4, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
FORMAT: EmcFormat = load_format(ROOT / "include/contracts/emc_format.yaml")

# item: source, 新規×値がある, 新規×値が無い, 更新×値がある, 更新×値が無い
SHEET: dict[str, tuple[str, str, str, str, str]] = {
    "ユーザID": ("社員番号", "SET", "SKIP", "SKIP", "REJECT"),
    "パスワード": ("社員番号", "SET", "REJECT", "SKIP", "SKIP"),
    "氏名": ('姓&"　"&名', "SET", "REJECT", "SET", "REJECT"),
    "氏名(ヨミ)": ('姓(ヨミガナ)&"　"&名(ヨミガナ)', "SET", "REJECT", "SET", "REJECT"),
    "所属部署コード": ("部署1(コード)", "SET", "SKIP", "SET", "SET"),
    "兼務管理部署1": ("部署2(コード)", "SET", "SKIP", "SET", "SET"),
    "兼務管理部署2": ("部署3(コード)", "SET", "SKIP", "SET", "SET"),
    "緊急連絡1 媒体": ("固定値「メールアドレス」", "SET", "SKIP", "SET", "SET"),
    "緊急連絡1 アドレス": ("メールアドレス", "SET", "SKIP", "SET", "SET"),
    "緊急連絡2 媒体": ("固定値「電話番号」", "SET", "SKIP", "SET", "SET"),
    "緊急連絡2 アドレス": ("電話番号", "SET", "SKIP", "SET", "SET"),
    "検索ワード1:勤務地": ("事業所", "SET", "SKIP", "SET", "SKIP"),
    "検索ワード2:勤務形態": ("カスタム項目:勤務形態 or 雇用形態", "SET", "SKIP", "SET", "SKIP"),
}


def mapping_of(sheet: dict[str, Any] | None = None, tenant: str = "acme", **settings: Any) -> Mapping:
    """The mapping of a sheet as a customer would write it; a text in place of a tuple changes the source alone."""
    users = []
    for item, line in (SHEET if sheet is None else sheet).items():
        source, *cells = (line, *SHEET[item][1:]) if isinstance(line, str) else line
        create, update = ({"when_present": a, "when_blank": b} for a, b in (cells[:2], cells[2:]))
        users.append({"item": item, "source": source, "on_create": create, "on_update": update})
    content = {
        "smarthr_url": "http://127.0.0.1:8181",
        "result_addresses": ["soumu@acme.example.jp"],
        "link_start_on": "2026-04-01",
        "emc_account": "acme",
        "departments": {"name": "部署名", "yomi": "ブショ"},
        "users": users,
        **settings,
    }
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    mapping, _ = parse(raw_from_yaml(text.encode(), f"{tenant}.yaml"), tenant, ["127.0.0.1:8181"])
    return mapping


def session_with(token: str) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return session


numbers = itertools.count(1)


@dataclass
class Tenant:
    """Runs of one tenant; `target` is EMC, over HTTP or through files."""

    store: Store
    mapping: Mapping
    smarthr_url: str
    target: Target
    now: dt.datetime = NOW
    company: str = ""
    disaster: bool = False  # 災害時凍結
    sessions: list[requests.Session] = field(default_factory=list)

    @classmethod
    def over_http(cls, store: Store, mapping: Mapping, smarthr_url: str, emc_url: str, company: str = "") -> Tenant:
        session = session_with("emc_sim_acme")
        tenant = cls(store, mapping, smarthr_url, EmcClient(session, emc_url), company=company)
        tenant.sessions.append(session)
        return tenant

    def record(self, run_id: str) -> RunRecord:
        return RunRecord(TenantFolder(self.store, LINK, self.mapping.tenant), run_key(run_id, ""))

    def change(self, **settings: Any) -> None:
        """Other settings of the sheet from the next run on."""
        self.mapping = dataclasses.replace(self.mapping, **settings)

    def open(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "", generation: int = 0) -> Job:
        run_id = run_id or f"run_{next(numbers)}"
        start = RunStart(run_id, mode, manual, self.now.isoformat(), "0" * 64, self.disaster, generation)
        return stages.open_run.open_run(self.record(run_id), self.mapping, start, self.target, self.now)

    def client(self) -> SmartHRClient:
        """SmartHR of this company."""
        session = session_with(f"shr_sim_{self.company or self.mapping.tenant}")
        self.sessions.append(session)
        return SmartHRClient(session, self.smarthr_url, 1000)

    def read(self, job: Job) -> dict[str, int]:
        client = self.client()
        stages.fetch.fetch_departments(job, client, "read", self.now)
        stages.fetch.fetch_users(job, client, self.now)
        return stages.snapshot.take_snapshot(job)

    def plan(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "") -> Job:
        """A run up to and with validate."""
        job = self.open(mode, manual=manual, run_id=run_id)
        self.read(job)
        stages.diff.make_diff(job, self.target, dt.datetime.now(dt.UTC))
        stages.validate.validate(job, self.target, FORMAT, dt.datetime.now(dt.UTC))
        return job

    def load(self, job: Job) -> str:
        return stages.load.apply(job, self.target, FORMAT, lambda name: "secret", self.now)

    def run(self, mode: Mode = Mode.NORMAL, *, manual: bool = True, run_id: str = "") -> str:
        """A whole run; what load answered."""
        return self.load(self.plan(mode, manual=manual, run_id=run_id))

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


def counts(job: Job, record_set: str = "users") -> dict[str, int]:
    """新規, 更新 and 削除 of a run."""
    found = job.record.json("diff")["sets"][record_set]["counts"]
    return {name: found[name] for name in ("created", "updated", "deleted")}
