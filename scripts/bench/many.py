"""F14: 200 tenants at one minute, and what one costs by process; F15: the monitor's look at a thousand, and its telling."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from renkei.clock import utcnow
from renkei.notifications.monitor.silence import NONE_YET
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.scan import read_notes, write_notes
from renkei.runs.notes import LastResult
from renkei.storage import records
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from scripts.bench.figures import Figure, Say
from scripts.bench.tenants import MANY, Site, tenant_name, write_sheets
from scripts.chat_connections import chat_connections
from scripts.demo import LINK, connections, environment
from scripts.local_airflow import COMPOSE, PROJECT, LocalAirflow
from scripts.neighbours import Neighbours

TENANTS, PEOPLE = 200, 40
PROJECTED, CORES = 1_000, 2
WAIT_S = 2_400
SILENT = 100
ALL = f"{LINK}__%"


def measure_minute(folder: Path, say: Say) -> list[Figure]:
    """All tenants' runs begin at the same moment: a first link, then a day on which somebody leaves and joins."""
    names = [tenant_name(number) for number in range(TENANTS)]
    companies = [f"{name}:{number}:{PEOPLE}" for number, name in enumerate(names, start=1)]
    with Neighbours(folder / "neighbours", companies, names) as neighbours:
        write_sheets(folder / "mappings" / LINK, TENANTS, neighbours.urls["smarthr"])
        settings = environment(folder, neighbours, [])
        for name in names:
            settings |= connections(neighbours, name, name)
        with LocalAirflow(folder, settings | COMPOSE) as airflow:
            dag_ids = [f"{LINK}__{name}" for name in names]
            airflow.wait_for_dags(dag_ids)
            first, _, _ = _all_at_once(airflow, dag_ids, say)
            say(f"first link of {TENANTS} companies: {first:.0f} s")
            for name in names:
                neighbours.play_day(name, leavers=1, joiners=1)
            seconds, used, wrong = _all_at_once(airflow, dag_ids, say)
    say(f"the next day: {seconds:.0f} s; processor by process {used}")
    cost = sum(used.values()) / TENANTS
    parts = ", ".join(f"{name} {value / TENANTS:.2f}" for name, value in used.items())
    projected = cost * PROJECTED / CORES / 60
    note = f"{PROJECTED:,} tenants of one minute: {projected:.0f} minutes on {CORES} cores"
    return [
        Figure("F14", f"{TENANTS} tenants of {PEOPLE} people at one minute", seconds, "s", ("<", 210), note),
        Figure("F14", "… a tenant's processor time, a run of seven processes", cost, note=parts, detail=used),
        Figure("F14", "… runs that did not end well", wrong, "", ("=", 0)),
        Figure("F14", "… their first links, at one minute too", first),
    ]


def _all_at_once(airflow: LocalAirflow, dag_ids: list[str], say: Say) -> tuple[float, dict[str, float], int]:
    """Seconds until the runs of all have ended, of the processor by process meanwhile, and how many ended otherwise than well."""
    airflow.api("PATCH", f"/dags?dag_id_pattern={ALL}&limit=1000", json={"is_paused": True})
    runs = {dag_id: airflow.trigger(dag_id) for dag_id in dag_ids}
    before, began = airflow.processor_by_part(), time.monotonic()
    airflow.api("PATCH", f"/dags?dag_id_pattern={ALL}&limit=1000", json={"is_paused": False})
    while time.monotonic() - began < WAIT_S:
        time.sleep(2)
        left = airflow.api("GET", "/dags/~/dagRuns?state=queued&state=running&limit=1")["total_entries"]
        if not left:
            break
    seconds, after = time.monotonic() - began, airflow.processor_by_part()
    states = {dag_id: airflow.run(dag_id, run_id)["state"] for dag_id, run_id in runs.items()}
    wrong = [dag_id for dag_id, state in states.items() if state != "success"]
    for dag_id in wrong:
        say(f"{dag_id} is {states[dag_id]}: {airflow.failure(dag_id, runs[dag_id])}")
    return seconds, {name: round(after[name] - before[name], 1) for name in after}, len(wrong)


def measure_monitor(folder: Path, say: Say) -> list[Figure]:
    """`renkei watch` over a thousand tenants, a hundred of them silent, and the operator told in Slack."""
    site = Site(folder / "many", MANY)
    with Neighbours(folder / "neighbours", [], [], chat=True) as neighbours:
        slack = chat_connections(neighbours.chat_registrations(), "operator")["slack_webhook__operator"]
        operator = folder / "operator.yaml"
        operator.write_text(
            "channels:\n  - {name: 運用, service: SLACK_WEBHOOK, connection: slack_webhook__operator}\n",
            encoding="utf-8",
        )
        store = Store(LocalFileSystem(), str(folder / "many" / "store"))
        _write_results(store)
        changed = {
            **site.environment,
            "RENKEI_OPERATOR": str(operator),
            "RENKEI_ALLOWED_HOSTS": f"127.0.0.1:8181,{neighbours.urls['chat'].removeprefix('http://')}",
            "AIRFLOW_CONN_SLACK_WEBHOOK__OPERATOR": json.dumps(slack),
        }
        _watch(changed, "--tell")  # compiles the sheets, and knows from now on when each tenant is due
        _known_since(store, utcnow() - dt.timedelta(days=30))
        look, found = _watch(changed)
        told, again = _watch(changed, "--tell")
        messages = len(neighbours.chat_messages())
    if found["tenants"] != MANY or len(found["silent"]) != SILENT or again["faults"] or not messages:
        raise RuntimeError(f"{found['tenants']} looked at, {len(found['silent'])} silent, {messages} told: {again}")
    say(f"a look at {MANY:,} tenants: {look:.1f} s, and telling of {SILENT} silent ones: {told:.1f} s")
    return [
        Figure("F15", f"the monitor's look at {MANY:,} tenants, whole command", look),
        Figure("F15", f"… and telling the operator of {SILENT} silent ones", told, note=f"{messages} message"),
    ]


def _write_results(store: Store) -> None:
    """As each tenant's last run left them: of all but a few a few minutes old."""
    now = utcnow()
    for number in range(MANY):
        folder = TenantFolder(store, LINK, tenant_name(number))
        ago = dt.timedelta(days=3) if number < SILENT else dt.timedelta(minutes=5)
        records.write(store, folder.last_result, LastResult(now - ago, "run", "success", "EMC-OK"))
        store.write(f"{folder.baselines}/0000000001/head.json", b"{}")


def _known_since(store: Store, since: dt.datetime) -> None:
    link = LINKS[LINK]
    notes = read_notes(link, store, NONE_YET)
    known = {name: one._replace(since=since) for name, one in notes.schedules.items()}
    write_notes(link, store, replace(notes, schedules=known))


def _watch(environment: dict[str, str], *options: str) -> tuple[float, dict[str, object]]:
    """Seconds of one command, and what it printed."""
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("renkei")), "watch", "--json", *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "RENKEI_"))}
    done = subprocess.run(command, cwd=PROJECT, env={**clean, **environment}, capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode not in (0, 1):
        raise RuntimeError(f"renkei watch: {done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout)
    return seconds, found
