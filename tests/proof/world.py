"""A company, an EMC account and the tenant between them, that can be put back to any moment, and what is right there.

What is right is computed from SmartHR's true state and from what EMC had (`expected`), with no function of the product.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RenkeiError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.stages.job import Job
from renkei.storage.store import Store
from renkei.systems.emc import client as emc_client
from renkei.systems.emc.client import EmcClient
from tests.contract.conftest import Simulator
from tests.contract.emc_client import Emc
from tests.contract.rig import FORMAT, LINK, Tenant, mapping_of
from tests.proof.case import Case, Effort, Say

Export = dict[str, dict[str, dict[str, str]]]
FILES = {"departments": "部署ID", "users": "ユーザID"}
SIZE = 12


@dataclass
class Row:
    """A case that is being tried."""

    group: str
    case: str
    rules: str
    afterwards: str
    tries: int = 0
    wrong: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def tried(self, how: str, wrong: Iterable[str]) -> None:
        self.tries += 1
        self.wrong += [f"{how}: {what}" for what in wrong]

    def done(self, say: Say) -> Case:
        seconds = time.monotonic() - self.begun
        say(f"{self.group}: {self.case}: {self.tries} tries, {len(self.wrong)} wrong, {seconds:.0f} s")
        return Case(self.group, self.case, self.rules, self.tries, tuple(self.wrong), self.afterwards, seconds)


class Recording(requests.Session):
    """The requests that were sent to EMC, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["Authorization"] = "Bearer emc_sim_acme"
        self.seen: list[str] = []

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen.append(f"{method!s} {url!s}".split("/api/v1")[-1])
        return super().request(method, url, *args, **kwargs)


@dataclass
class Kept:
    """A moment to come back to: SmartHR, EMC and the store."""

    script: int
    store: Path
    emc: Export


class World:
    """A company, an EMC account and the tenant between them."""

    def __init__(self, smarthr: Simulator, emc: Emc, folder: Path, size: int = SIZE, seed: int = 4) -> None:
        self.smarthr, self.emc, self.folder = smarthr, emc, folder
        self.script: list[tuple[str, str, Any]] = []
        self.session = Recording()
        smarthr.sim("POST", "limits", {"per_second": 10_000, "per_hour": 10_000_000})
        self.company("POST", "companies", {"name": "acme", "seed": seed, "size": size})
        for path in ("/faults", "/accounts/acme"):
            emc.sim("DELETE", path)
        store = Store(LocalFileSystem(), str(folder / "store"))
        shutil.rmtree(store.root, ignore_errors=True)
        self.tenant = Tenant(store, mapping_of(), smarthr.url, EmcClient(self.session, emc.url))

    def close(self) -> None:
        self.session.close()
        self.tenant.close()

    # SmartHR

    def company(self, method: str, path: str, body: Any = None) -> Any:
        """Something happens in SmartHR."""
        self.script.append((method, path, body))
        return self.smarthr.sim(method, path, body)

    def day(self, **changes: int) -> dict[str, Any]:
        found: dict[str, Any] = self.company("POST", "companies/acme/day", changes)
        return found

    def crews(self) -> list[dict[str, Any]]:
        """The valid crews that have a number (E7)."""
        found = self.smarthr.sim("GET", "companies/acme/crews")
        return [crew for crew in found if crew["emp_status"] != "retired" and crew["emp_code"]]

    def departments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.smarthr.sim("GET", "companies/acme/departments")
        return found

    def patch(self, crew_id: str, **values: Any) -> None:
        self.company("PATCH", f"companies/acme/crews/{crew_id}", values)

    def found_department(self, code: str, parent_id: str | None = None) -> str:
        body = {"name": f"新設{code}", "code": code, "parent_id": parent_id}
        return str(self.company("POST", "companies/acme/departments", body)["id"])

    # EMC

    def export(self) -> Export:
        found = {file: self.emc.export(file) for file in FILES}
        for file, id_name in FILES.items():
            for values in found[file].values():
                del values[id_name]
        return found

    def by_hand(self, method: str, file: str, record_id: str = "", **values: str) -> None:
        """Somebody works on EMC's screen."""
        path = f"/accounts/acme/{file}" + (f"/{record_id}" if record_id else "")
        self.emc.sim(method, path, **({"json": values} if values else {}))

    def somebody(self, user_id: str, **values: str) -> None:
        """A user typed in on EMC's screen."""
        self.by_hand(
            "POST", "users", **{"ユーザID": user_id, "氏名": "手入力", "氏名(ヨミ)": "テニュウリョク"} | values
        )

    def imports(self, state: str) -> int:
        return int(self.emc.sim("GET", "/accounts/acme").json()["imports"].get(state, 0))

    def rest(self, seconds: float) -> None:
        """Requests that are still under way have arrived, and what they began has ended."""
        time.sleep(seconds)
        deadline = time.monotonic() + 10
        while self.imports("applying") and time.monotonic() < deadline:
            time.sleep(0.05)

    # Time

    def keep(self, name: str) -> Kept:
        kept = self.folder / f"kept-{name}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.tenant.store.root, kept) if Path(self.tenant.store.root).exists() else kept.mkdir()
        return Kept(len(self.script), kept, self.export())

    def back_to(self, kept: Kept, *, smarthr: bool = True) -> None:
        """As it was; `smarthr=False` when nothing happened there since."""
        self.emc.sim("DELETE", "/faults")
        self.emc.sim("DELETE", "/accounts/acme")
        for file, id_name in FILES.items():
            rows = [{id_name: key, **values} for key, values in kept.emc[file].items()]
            if rows:
                self.emc.sim("POST", f"/accounts/acme/{file}", json=rows)
        shutil.rmtree(self.tenant.store.root, ignore_errors=True)
        shutil.copytree(kept.store, self.tenant.store.root)
        if smarthr and len(self.script) != kept.script:
            self.script = self.script[: kept.script]
            for method, path, body in self.script:
                self.smarthr.sim(method, path, body)

    # What is right

    def ours(self) -> dict[str, set[str]]:
        """The ids that SmartHR's present state makes ours."""
        return {
            "departments": {department["code"] for department in self.departments()},
            "users": {crew["emp_code"] for crew in self.crews()},
        }

    def expected(self, had: Export, ours: dict[str, set[str]]) -> Export:
        """What EMC must hold once SmartHR's present state is linked: `had` before, `ours` of it being ours."""
        places = {p["id"]: p["name"] for p in self.smarthr.get("biz_establishments").json()}
        users = {key: values for key, values in had["users"].items() if key not in ours["users"]}
        for crew in self.crews():
            kept = had["users"].get(crew["emp_code"], {"パスワード強制変更": "T"})
            users[crew["emp_code"]] = {k: v for k, v in (kept | _mapped(crew, places)).items() if v}
        departments = {key: values for key, values in had["departments"].items() if key not in ours["departments"]}
        for one in self.departments():
            parent = (one["parent"] or {}).get("code")
            values = {"部署名": one["name"], "部署名(ヨミ)": "ブショ"} | ({"親部署ID": parent} if parent else {})
            departments[one["code"]] = values
        return {"departments": departments, "users": users}

    def wrong_end(self, expected: Export, generation: int) -> list[str]:
        """What is not as it must be once a run has succeeded."""
        found = self.export()
        wrong = differences(found, expected)
        if self.tenant.generation() != generation:
            wrong.append(f"baseline is generation {self.tenant.generation()}, not {generation}")
        wrong += self.wrong_baseline()
        if self.tenant.note():
            wrong.append("the account's note was left behind")
        if self.imports("open") or self.imports("applying"):
            wrong.append("an import was left open in EMC")
        return wrong

    def wrong_baseline(self) -> list[str]:
        """The people of the newest baseline are SmartHR's."""
        tenant = Path(self.tenant.store.root) / LINK / "tenants/acme"
        newest = json.loads(max((tenant / "baselines").glob("*.json")).read_text(encoding="utf-8"))
        users = pd.read_parquet(tenant / "runs" / newest["run"] / "users.parquet")
        found = set(users.loc[users["valid"], "user_id"]) - {""}
        return [] if found == self.ours()["users"] else ["the baseline does not hold SmartHR's people"]


def _mapped(crew: dict[str, Any], places: dict[str, str]) -> dict[str, str]:
    """The items that the rig's sheet maps, "" = cleared; search words without a value are left as they are."""
    slots = [*(slot and slot["code"] for slot in crew["departments"] or ()), None, None, None]
    style = next(f for f in crew["custom_fields"] if f["template"]["name"] == "勤務形態")
    labels = {e["physical_name"] or e["name"]: e["name"] for e in style["template"]["elements"]}
    labels |= {e["id"]: e["name"] for e in style["template"]["elements"]}
    words = {
        "検索ワード1": places.get(crew["biz_establishment_id"] or "", ""),
        "検索ワード2": labels.get(style["value"], style["value"]) or (crew["employment_type"] or {}).get("name", ""),
    }
    return {
        "氏名": f"{crew['last_name']}　{crew['first_name']}",
        "氏名(ヨミ)": f"{crew['last_name_yomi']}　{crew['first_name_yomi']}",
        "所属部署コード": slots[0] or "",
        "兼務管理部署1": slots[1] or "",
        "兼務管理部署2": slots[2] or "",
        "緊急連絡1 媒体": "メールアドレス" if crew["email"] else "",
        "緊急連絡1 アドレス": crew["email"] or "",
        "緊急連絡2 媒体": "電話番号" if crew["tel_number"] else "",
        "緊急連絡2 アドレス": crew["tel_number"] or "",
    } | {item: word for item, word in words.items() if word}


def differences(found: Export, expected: Export) -> list[str]:
    """Ids and items in which two states of EMC differ; values are not shown."""
    wrong = []
    for file in FILES:
        for key in sorted(found[file].keys() | expected[file].keys()):
            have, want = found[file].get(key), expected[file].get(key)
            if have is None or want is None:
                wrong.append(f"{file} {key} is {'missing from' if have is None else 'still in'} EMC")
            elif have != want:
                items = [item for item in sorted(have.keys() | want.keys()) if have.get(item) != want.get(item)]
                wrong.append(f"{file} {key} differs in {'、'.join(items)}")
    return wrong[:5] + ([f"and {len(wrong) - 5} more"] if len(wrong) > 5 else [])


def cases_of(group: str, name: str, make: Callable[[], Iterable[Case]], say: Say) -> list[Case]:
    """The cases; one that breaks is itself wrong, and the campaign goes on."""
    try:
        return list(make())
    except Exception as error:
        say(f"{group}: {name} broke: {error!r}")
        lines = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{line.name}:{line.lineno}" for line in reversed(lines[-4:]))
        return [Case(group, name, "", 1, (f"the case broke at {where}: {error!r}",), "")]


@dataclass
class Run:
    """One run, stage by stage, so that a failed stage can be repeated as Airflow repeats a task."""

    tenant: Tenant
    run_id: str
    manual: bool = False
    at: int = 0
    job: Job | None = None
    answer: str = ""

    def go(self) -> str:
        while self.at < 5:
            self._stage()
            self.at += 1
        return self.answer

    def _stage(self) -> None:
        tenant, now = self.tenant, dt.datetime.now(dt.UTC)
        if self.at == 0:
            self.job = tenant.open(Mode.NORMAL, manual=self.manual, run_id=self.run_id)
            return
        assert self.job is not None
        if self.at == 1:
            tenant.read(self.job)
        elif self.at == 2:
            stages.diff.make_diff(self.job, tenant.target, now)
        elif self.at == 3:
            stages.validate.validate(self.job, tenant.target, FORMAT, now)
        else:
            kinds = {hold["kind"] for hold in self.job.record.json("hold")["holds"]}
            if kinds and kinds <= {"adopt", "administrators"}:  # records made by hand: the operator knows them
                stages.approve.decide(self.job, True, "proof", "", now)
            self.answer = tenant.load(self.job)

    def until(self, stage: int) -> Run:
        while self.at < stage:
            self._stage()
            self.at += 1
        return self

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


@contextmanager
def client_with(**values: Any) -> Iterator[None]:
    """The client's constants, for a while."""
    before = {name: getattr(emc_client, name) for name in values}
    for name, value in values.items():
        setattr(emc_client, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(emc_client, name, value)


# The client does what it does, only its clock runs faster.
HURRIED = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.01)), monotonic=time.monotonic)


@contextmanager
def worlds(folder: Path) -> Iterator[Callable[..., World]]:
    """SmartHR and EMC as programs of their own; the function makes a fresh company and account between them."""
    with ExitStack() as stack:
        smarthr = Simulator.start()
        stack.callback(smarthr.stop)
        folder.mkdir(parents=True, exist_ok=True)
        emc = Emc("--database", str(folder / "emc.sqlite"))
        stack.callback(emc.stop)

        def world(name: str, size: int = SIZE) -> World:
            found = World(smarthr, emc, folder / name, size)
            stack.callback(found.close)
            return found

        stack.enter_context(client_with(time=HURRIED, APPLYING_LIMIT_S=0.3))
        yield world


Part = Callable[[Path, Effort, Say], list[Case]]


def in_parts(parts: tuple[Part, ...], folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Each part with neighbours of its own: the campaign in processes of their own too, so that both cores are used."""
    if effort is Effort.SLICE:
        return [case for part in parts for case in part(folder / part.__name__, effort, say)]
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
        found = [pool.submit(part, folder / part.__name__, effort, print) for part in parts]
        return [case for part in found for case in part.result()]
