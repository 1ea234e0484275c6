"""F10: Hot Profile → kintone between the two simulators, each figure in a process of its own; and what a quiet run costs.

Child: `python -m scripts.bench.sales changed|initial FOLDER HOTPROFILE KINTONE`; prints its figures as JSON.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.clock import utcnow
from renkei.links.hotprofile_kintone import LINK, data_sets, history
from renkei.links.hotprofile_kintone.model import Job, Mode, RunStart, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet import SHEETS
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.links.hotprofile_kintone.stages.check import check, tested_digest
from renkei.links.hotprofile_kintone.stages.plan import plan
from renkei.links.hotprofile_kintone.stages.read import read
from renkei.links.hotprofile_kintone.stages.write import write
from renkei.sheets.load import load
from renkei.storage.database.database import open_database
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kintone.client import KintoneClient
from scripts import demo_sales
from scripts.bench.figures import Figure, Say, child
from scripts.demo import environment
from scripts.local_airflow import ENDED, PROJECT, LocalAirflow
from scripts.neighbours import Neighbours, sim

CHANGED, INITIAL = 10_000, 1_000_000
INITIAL_REQUESTS = 500  # that its first day may have here: each of the others is the same again
UNLIMITED = 10**9  # Hot Profile's own pace is not what is measured
QUIET_TENANTS, TENANTS, CORES, INTERVAL_S = 20, 500, 2, 300
PATIENCE_S = 600
IDLE_S, LEAD_S = 15, 3  # before the minute at which the runs are due


def measure(folder: Path, say: Say) -> list[Figure]:
    figures = []
    with Neighbours(folder / "neighbours", [], [], sales=1) as neighbours:
        urls = neighbours.urls["hotprofile"].rstrip("/"), neighbours.urls["kintone"].rstrip("/")
        sim("POST", urls[0], "settings", {"requests": UNLIMITED})
        figures += _changed(folder, urls, say)
        figures += _initial(folder, urls, say)
        sim("POST", urls[0], "reset")  # it keeps what it has when it ends, and a million take their time
    return figures + _quiet_in_airflow(folder, say)


def _changed(folder: Path, urls: tuple[str, str], say: Say) -> list[Figure]:
    """What was changed comes to kintone; then nothing was; then the same by a plain script."""
    made = child(__name__, "changed", folder, *urls)
    rate, each = CHANGED / made["seconds"], CHANGED / made["writes"]
    say(f"{CHANGED:,} changed: {made['seconds']:.1f} s, {made['writes']} writes; quiet run {made['quiet']}")
    figures = [
        Figure("F10", f"{CHANGED:,} changed records to kintone, a second", rate, "/s", ("≥", 1000), detail=made),
        Figure("F10", "… records a request that writes", each, "", ("≥", 100)),
        Figure("F10", "… peak memory", made["peak_mb"], "MB"),
        Figure("F10", "a quiet run: requests to kintone, one data set", made["quiet"]["kintone"], "", ("<", 3)),
        Figure("F10", "… requests to Hot Profile", made["quiet"]["hotprofile"], "", ("<", 3)),
        Figure("F10", "… its work without Airflow", made["quiet"]["seconds"]),
    ]
    if plain := _plain(folder, urls, say):
        note = "sequential, one pass, no state, no proof of the read"
        figures.append(
            Figure(
                "F10", "… the same by a script on kintone's npm client", CHANGED / plain["seconds"], "/s", None, note
            )
        )
    return figures


def _plain(folder: Path, urls: tuple[str, str], say: Say) -> dict[str, Any] | None:
    """None where there is no node, or npm cannot fetch the client."""
    if not (shutil.which("node") and shutil.which("npm")):
        say("no node here: no figure of the plain script")
        return None
    home = folder / "npm"
    home.mkdir()
    (home / "package.json").write_text('{"dependencies": {"@kintone/rest-api-client": "^5.7.0"}}')
    fetched = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=home, check=False)
    if fetched.returncode:
        say("npm could not fetch kintone's client: no figure of the plain script")
        return None
    _forget_records(urls[1])
    script = PROJECT / "scripts" / "bench" / "plain_kintone.mjs"
    ran = subprocess.run(["node", script, home, *urls], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    say(f"a plain script on kintone's npm client: {found}")
    return found


def _initial(folder: Path, urls: tuple[str, str], say: Say) -> list[Figure]:
    made = child(__name__, "initial", folder, *urls)
    say(f"初期連携 of {INITIAL:,}: read {made['read']:.0f} s, {made['peak_mb']:.0f} MB")
    note = f"read {made['read']:.0f} s, plan {made['plan']:.0f} s, then {made['written']:,} written"
    return [
        Figure("F10", f"初期連携 of {INITIAL:,}, peak memory", made["peak_mb"], "MB", ("<", 300), note, made),
        Figure("F10", "… read and planned in", made["read"] + made["plan"], note="at Hot Profile's pace 11 minutes"),
    ]


def _quiet_in_airflow(folder: Path, say: Say) -> list[Figure]:
    """What one run costs the processor with all that Airflow does about it, and what that is for many tenants."""
    tenants = [f"t{number:02}" for number in range(QUIET_TENANTS)]
    database = f"sqlite:///{folder}/rows.db"
    with Neighbours(folder / "quiet", [], [], sales=50) as neighbours:
        settings = environment(folder, neighbours, []) | {"RENKEI_DATABASE": database}
        for tenant in tenants:
            sheet = demo_sales.write_sheet(folder / "mappings", neighbours.urls["kintone"], tenant)
            settings |= demo_sales.connections(neighbours.urls, tenant)
            _note_tested(database, sheet, tenant, neighbours.urls["kintone"])
        with LocalAirflow(folder, settings) as airflow:
            dags = {f"{LINK}__{tenant}" for tenant in tenants}
            airflow.wait_for_dags(sorted(dags))
            for dag in sorted(dags):  # one after the other: Airflow's SQLite takes no twenty at once on a busy machine
                airflow.unpause(dag)
                run_id = airflow.trigger(dag, {"mode": "NORMAL"})  # it enables the link
                _until(functools.partial(_is_over, airflow, dag, run_id))
            due = (time.time() + IDLE_S + LEAD_S) // INTERVAL_S * INTERVAL_S + INTERVAL_S
            time.sleep(max(0.0, due - time.time() - IDLE_S - LEAD_S))
            idle = _used(airflow, lambda: time.sleep(IDLE_S))[1] / IDLE_S
            seconds, used = _used(airflow, lambda: _await_scheduled(airflow, dags, due))
            cost = (used - idle * seconds) / QUIET_TENANTS
    possible = CORES * INTERVAL_S / cost
    every = cost * TENANTS / CORES / 60
    say(f"{QUIET_TENANTS} quiet runs in Airflow at once: {seconds:.1f} s, {cost:.2f} s of the processor each")
    note = f"projected: {TENANTS} of them come round every {every:.1f} minutes"
    what = f"{QUIET_TENANTS} tenants' quiet runs in Airflow, due at one moment, all done after"
    return [
        Figure("F10", what, seconds - LEAD_S, note="two data sets each, nothing changed"),
        Figure("F10", "… processor time of one, Airflow's own among it", cost),
        Figure("F10", f"tenants every 5 minutes on {CORES} cores", possible, "", ("≥", TENANTS), note),
    ]


def _note_tested(database: str, sheet: Path, tenant: str, kintone: str) -> None:
    mapping: Mapping | None = load(SHEETS, sheet, tenant, allowed_hosts=(urlsplit(kintone).netloc,)).mapping
    assert mapping is not None
    store = Store(LocalFileSystem(), str(sheet.parent))  # nothing is kept there
    record = RunRecord(TenantFolder(store, LINK, tenant), "bench.000000000000")
    job = Job(open_database(database), record, RunStart("", Mode.NORMAL, utcnow(), mapping))
    for one in mapping.data_sets:
        data_sets.note_tested(job, one, tested_digest(job, one))


def _used(airflow: LocalAirflow, work: Callable[[], None]) -> tuple[float, float]:
    """Seconds that `work` takes, and of the processor that Airflow has had meanwhile."""
    began, before = time.monotonic(), airflow.processor_s()
    work()
    return time.monotonic() - began, airflow.processor_s() - before


def _await_scheduled(airflow: LocalAirflow, dags: set[str], due: float) -> None:
    """Return when each of the Dags has had a good run of its schedule, due then or later.

    Raises:
        RuntimeError: one of them was none.
    """
    done: dict[str, str] = {}

    def all_done() -> bool:
        runs = airflow.api("GET", "/dags/~/dagRuns?run_type=scheduled&limit=100&order_by=-run_after")["dag_runs"]
        ended = [run for run in runs if run["state"] in ENDED]
        these = [run for run in ended if dt.datetime.fromisoformat(run["run_after"]).timestamp() >= due]
        done.update({run["dag_id"]: run["state"] for run in these})
        return dags <= done.keys()

    _until(all_done)
    if bad := sorted(dag for dag in dags if done[dag] != "success"):
        raise RuntimeError(f"not every run was a quiet one: {bad}")


def _is_over(airflow: LocalAirflow, dag: str, run_id: str) -> bool:
    return airflow.run(dag, run_id)["state"] in ENDED


def _until(condition: Callable[[], bool]) -> None:
    """Raises RuntimeError: it does not come; a scheduler on SQLite that was locked out ends for good."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("Airflow does not go on; see its log")
        time.sleep(2)


def _forget_records(kintone: str) -> None:
    sim("DELETE", kintone, "apps/1/records")


class Bench:
    """One tenant with companies alone, and its runs in this process."""

    def __init__(self, folder: Path, hotprofile: str, kintone: str, most: int = UNLIMITED) -> None:
        self.urls = hotprofile, kintone
        sample = PROJECT / "include" / "mappings" / LINK / "sample.yaml"
        text = sample.read_text(encoding="utf-8").replace("https://sample.cybozu.com", kintone)
        sheet = folder / "bench.yaml"
        sheet.write_text(text, encoding="utf-8")
        mapping: Mapping | None = load(SHEETS, sheet, "bench", allowed_hosts=(urlsplit(kintone).netloc,)).mapping
        assert mapping is not None
        self.mapping = dataclasses.replace(mapping, data_sets=mapping.data_sets[:1], daily_requests=most)
        self.database = open_database(f"sqlite:///{folder}/renkei.db")
        self.store = Store(LocalFileSystem(), str(folder / "store"))
        self.runs = 0
        (self.companies,) = self.mapping.data_sets
        data_sets.note_tested(job := self._job(Mode.NORMAL), self.companies, tested_digest(job, self.companies))

    def _job(self, mode: Mode, since: dt.date | None = None) -> Job:
        self.runs += 1
        record = RunRecord(TenantFolder(self.store, LINK, "bench"), f"run{self.runs}.000000000000")
        return Job(self.database, record, RunStart(record.run, mode, utcnow(), self.mapping, since=since))

    def run(self, mode: Mode = Mode.NORMAL, since: dt.date | None = None) -> dict[str, float]:
        """Seconds of each task."""
        job, session = self._job(mode, since), requests.Session()
        session.headers["X-Cybozu-API-Token"] = demo_sales.TOKENS
        source = HotProfileClient(requests.Session(), self.urls[0], "hp_sim_key", UNLIMITED)

        @functools.cache
        def app_of(app: str) -> KintoneClient:
            quota = Quota(self.database, host_of(self.mapping), app, self.mapping.daily_requests)

            def spend(count: int) -> None:
                quota.reserve(count, utcnow(), history.added(job, self.companies, requests=count))

            return KintoneClient(session, self.mapping.domain, "", spend, at_once=self.mapping.at_once)

        tasks = {
            "check": lambda: check(job, lambda one: app_of(one.app), utcnow),
            "read": lambda: read(job, source),
            "plan": lambda: plan(job, source, utcnow()),
            "write": lambda: write(job, self.companies, app_of, source, utcnow),
        }
        seconds = {}
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            seconds[name] = time.perf_counter() - began
        return seconds

    def requests(self) -> tuple[int, int]:
        """How many kintone and Hot Profile have had."""
        of_kintone = sim("GET", self.urls[1], "requests")["hours"].get("1", {})
        return sum(of_kintone.values()), sum(sim("GET", self.urls[0], "requests")["counts"].values())


def _measure_changed(folder: Path, hotprofile: str, kintone: str) -> dict[str, Any]:
    sim("POST", hotprofile, "seed", {"clients": CHANGED})
    _forget_records(kintone)
    bench = Bench(folder, hotprofile, kintone)
    bench.run()
    sim("POST", hotprofile, "clients/many", {"count": CHANGED, "values": {"note": "変更"}})
    sim("POST", hotprofile, "clock", {"advance_s": 300})
    before = bench.requests()
    tasks = bench.run()
    after = bench.requests()
    sim("POST", hotprofile, "clock", {"advance_s": 3600})  # what was changed is not read again any more
    bench.run()
    sim("POST", hotprofile, "clock", {"advance_s": 300})
    between = bench.requests()
    quiet_tasks = bench.run()
    quiet = bench.requests()
    return {
        "seconds": sum(tasks.values()),
        "tasks": tasks,
        "writes": after[0] - before[0] - 1,  # one reads the form
        "reads": after[1] - before[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "quiet": {
            "seconds": sum(quiet_tasks.values()),
            "kintone": quiet[0] - between[0],
            "hotprofile": quiet[1] - between[1],
        },
    }


def _measure_initial(folder: Path, hotprofile: str, kintone: str) -> dict[str, Any]:
    (folder / "initial").mkdir()
    since = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    until = since + dt.timedelta(days=300)
    span = {"updated_from": since.isoformat(), "updated_to": until.isoformat()}
    sim("POST", hotprofile, "seed", {"clients": INITIAL, **span})
    _forget_records(kintone)
    bench = Bench(folder / "initial", hotprofile, kintone, INITIAL_REQUESTS)
    tasks = bench.run(Mode.INITIAL, since.date())
    line = history.processed(bench.database, "bench")[0]
    return {**tasks, "written": line.added, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    measured = {"changed": _measure_changed, "initial": _measure_initial}[sys.argv[1]]
    print(json.dumps(measured(Path(sys.argv[2]), *sys.argv[3:])))
