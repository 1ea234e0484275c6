"""Two hundred tenants due at the same minute on one machine: all done, none starved, nothing at the same time (E27).

A real `airflow standalone`, whose scheduler starts the daily runs by itself, once their Dags are switched on: while it
begins and reads the sheets the first links are made, through the product's stages, into the same store.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.storage.store import Store
from scripts.demo import LINK, environment
from scripts.local_airflow import COMPOSE, LocalAirflow
from scripts.neighbours import Neighbours
from tests.harness.sheet import compile_all, full_mapping
from tests.harness.tenant import Tenant
from tests.proof.case import Case, Effort, Say

TENANTS, PER_ACCOUNT, PEOPLE = 200, 10, 30
DAY = {"joiners": 2, "leavers": 1, "moves": 1}
TOKYO = dt.timezone(dt.timedelta(hours=9))
LONGEST_S = 900


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """One case. The slice is a tenth of it."""
    begun = time.monotonic()
    count = TENANTS if effort is Effort.FULL else TENANTS // 10
    names = [f"t{number:03d}" for number in range(count)]
    accounts = sorted({_account(number) for number in range(count)})
    companies = [f"{name}:{number}:{PEOPLE}" for number, name in enumerate(names)]
    with Neighbours(folder / "neighbours", companies, accounts) as neighbours:
        due = _next_minute(dt.datetime.now(TOKYO) + dt.timedelta(seconds=10 + count / 20))  # sheets are written before
        mappings = [_mapping(name, number, neighbours, due) for number, name in enumerate(names)]
        settings = _settings(folder, neighbours, mappings)
        with _first_links(folder, mappings, neighbours) as linked, LocalAirflow(folder, settings) as airflow:
            linked()
            for name in names:
                neighbours.play_day(name, **DAY)
            requests.delete(f"{neighbours.urls['smarthr']}/_sim/requests", timeout=10).raise_for_status()
            say(f"{count} tenants linked, a day passed at each")
            airflow.wait_for_dags([f"{LINK}__{name}" for name in names], 180)
            began = max(due, dt.datetime.now(TOKYO))
            airflow.api("PATCH", "/dags?dag_id_pattern=~&limit=1000", json={"is_paused": False})
            say(f"Airflow knows all Dags; they are due at {due:%H:%M}")
            runs, memory = _wait(airflow, count, began, say)
        wrong = list(_wrong(runs, mappings, neighbours, began))
    seconds = sorted(_seconds(run, began) for run in runs if run["end_date"])
    took = (
        f"finished {seconds[0]:.0f}–{seconds[-1]:.0f} s after they could begin (median {statistics.median(seconds):.0f})"
        if seconds
        else "none finished"
    )
    after = (
        f"EMC has everybody of every tenant; {took}; no load beside another in one account; "
        f"no 429; {memory / 2**30:.1f} GiB at most"
    )
    found = Case("load", f"{count} tenants due at the same minute", "E1 E27 L5", count, tuple(wrong), after)
    return [dataclasses.replace(found, seconds=time.monotonic() - begun)]


def _settings(folder: Path, neighbours: Neighbours, mappings: list[Mapping]) -> dict[str, str]:
    """Airflow's; the sheets, and what they are granted, are in their places then."""
    sheets = folder / "mappings" / LINK
    sheets.mkdir(parents=True)
    for mapping in mappings:
        write_yaml(mapping, sheets / f"{mapping.tenant}.yaml")
    granted = {mapping.tenant: {"emc_accounts": [mapping.emc_account]} for mapping in mappings}
    (folder / "mappings" / "operator.yaml").write_text(json.dumps({"tenants": granted}), encoding="utf-8")
    settings = environment(folder, neighbours, mappings) | COMPOSE
    compile_all(sheets, folder / "index", settings["RENKEI_ALLOWED_HOSTS"])
    return settings


def _account(number: int) -> str:
    return f"emc{number // PER_ACCOUNT:02d}"


def _mapping(name: str, number: int, neighbours: Neighbours, due: dt.datetime) -> Mapping:
    mapping = full_mapping(tenant=name, emc_account=_account(number), id_prefix=f"{name}-")
    time_of_day = due.timetz().replace(tzinfo=None)
    return dataclasses.replace(
        mapping, smarthr_url=neighbours.urls["smarthr"], run_at=time_of_day, link_start_on=due.date()
    )


@contextmanager
def _first_links(folder: Path, mappings: list[Mapping], neighbours: Neighbours) -> Iterator[Callable[[], None]]:
    """They are made meanwhile; what is given waits for them."""
    limits = {"per_second": 10_000, "per_hour": 1_000_000}
    real = requests.get(f"{neighbours.urls['smarthr']}/_sim/limits", timeout=10).json()
    requests.post(f"{neighbours.urls['smarthr']}/_sim/limits", json=limits, timeout=10).raise_for_status()
    by_account = [mappings[at : at + PER_ACCOUNT] for at in range(0, len(mappings), PER_ACCOUNT)]
    with ProcessPoolExecutor(
        2, get_context("spawn")
    ) as pool:  # two tenants of one account would be in each other's way
        links = [pool.submit(_link, account, folder / "store", neighbours.urls) for account in by_account]

        def linked() -> None:
            for one in links:
                one.result()
            requests.post(f"{neighbours.urls['smarthr']}/_sim/limits", json=real, timeout=10).raise_for_status()

        yield linked


def _link(mappings: list[Mapping], store: Path, urls: dict[str, str]) -> None:
    for mapping in mappings:
        tenant = Tenant.over_http(Store(LocalFileSystem(), str(store)), mapping, urls["smarthr"], urls["emc"])
        assert tenant.run() == "loaded"
        tenant.close()


def _next_minute(moment: dt.datetime) -> dt.datetime:
    return (moment + dt.timedelta(minutes=1)).replace(second=0, microsecond=0)


def _wait(airflow: LocalAirflow, count: int, due: dt.datetime, say: Say) -> tuple[list[dict[str, Any]], int]:
    """The runs once all have ended, and the most memory (bytes, shared pages counted once) that Airflow took."""
    most, said, deadline = 0, 0.0, time.monotonic() + 120 + LONGEST_S
    while time.monotonic() < deadline:
        time.sleep(2)
        ended = _runs(airflow, "state=success&state=failed&limit=1")["total_entries"]
        if ended >= count:
            break
        if time.monotonic() - said > 20 and dt.datetime.now(TOKYO) > due:
            said, most = time.monotonic(), max(most, _memory(airflow))
            say(f"{ended} ended; {most / 2**30:.1f} GiB at most")
    runs: list[dict[str, Any]] = []
    while page := _runs(airflow, f"limit=100&offset={len(runs)}&order_by=id")["dag_runs"]:
        runs += page
    return runs, most


def _runs(airflow: LocalAirflow, query: str) -> dict[str, Any]:
    """Those of the tenants, not of Renkei's own Dags."""
    found: dict[str, Any] = airflow.api("GET", f"/dags/~/dagRuns?dag_id_pattern={LINK}__%&{query}")
    return found


def _memory(airflow: LocalAirflow) -> int:
    total = 0
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == str(airflow.home):
                total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it ended meanwhile
    return total


def _seconds(run: dict[str, Any], due: dt.datetime) -> float:
    return (dt.datetime.fromisoformat(run["end_date"]) - due).total_seconds()


def _wrong(
    runs: list[dict[str, Any]], mappings: list[Mapping], neighbours: Neighbours, due: dt.datetime
) -> Iterator[str]:
    by_dag: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        by_dag.setdefault(run["dag_id"], []).append(run)
    for mapping in mappings:
        found = by_dag.get(f"{LINK}__{mapping.tenant}", [])
        said = [(run["run_type"], run["state"]) for run in found]
        if said != [("scheduled", "success")]:
            yield f"{mapping.tenant}: runs {said} instead of one scheduled success"
        crews = requests.get(f"{neighbours.urls['smarthr']}/_sim/companies/{mapping.tenant}/crews", timeout=60).json()
        valid = {mapping.id_prefix + c["emp_code"] for c in crews if c["emp_status"] != "retired" and c["emp_code"]}
        there = {one for one in _in_emc(neighbours, mapping.emc_account) if one.startswith(mapping.id_prefix)}
        if there != valid:
            yield f"{mapping.tenant}: {len(valid - there)} missing in EMC, {len(there - valid)} too many"
    for account in sorted({mapping.emc_account for mapping in mappings}):
        yield from _overlaps(account, neighbours, due)
    for count in requests.get(f"{neighbours.urls['smarthr']}/_sim/requests", timeout=10).json():
        if count["too_many"]:
            yield f"{count['company']}: {count['too_many']} answers 429 at {count['path']}"


def _get(neighbours: Neighbours, account: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer emc_sim_{account}"}
    answer = requests.get(f"{neighbours.urls['emc']}/api/v1/{path}", headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


def _in_emc(neighbours: Neighbours, account: str) -> list[str]:
    return [user["ユーザID"] for user in _get(neighbours, account, "users?limit=1000")["items"]]


def _overlaps(account: str, neighbours: Neighbours, due: dt.datetime) -> Iterator[str]:
    imports = _get(neighbours, account, "imports?limit=100&state=committed")["imports"]
    spans = sorted((one["opened_at"], one["finished_at"], one["source"]) for one in imports)
    today = [span for span in spans if dt.datetime.fromisoformat(span[0]) >= due]
    if len(today) != len({span[2] for span in today}):
        yield f"{account}: a tenant was imported twice"
    for (_, end, one), (start, _, other) in itertools.pairwise(today):
        if start < end:
            yield f"{account}: {other} was opened at {start}, before {one} had finished at {end}"
