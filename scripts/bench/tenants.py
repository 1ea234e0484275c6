"""F4, F5: many tenants: how long their Dag files take to parse, and until Airflow shows them all."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.shards import TENANTS_PER_SHARD, write_shards
from renkei.sheets.load import load, load_all
from renkei.sheets.tenant_files import tenants
from scripts.bench.figures import Figure, Say, child
from scripts.demo import LINK
from scripts.local_airflow import COMPOSE, PROJECT, LocalAirflow

MANY, VERY_MANY = 1_000, 10_000
TASKS = 9  # of a tenant's Dag
EMPTY = "airflow.providers.standard.operators.empty.EmptyOperator"
HOST = "127.0.0.1:8181"  # the one in the sample sheets
SAMPLES = PROJECT / "include" / "mappings" / LINK


class Site:
    """A Dags folder in shards with as many tenants as asked for, and an index that is still empty."""

    def __init__(self, folder: Path, count: int) -> None:
        self.sheets, self.index, self.dags = folder / "mappings" / LINK, folder / "index", folder / "dags"
        self.dags.mkdir(parents=True)
        write_sheets(self.sheets, count)
        first = Path(shutil.copy(PROJECT / "dags" / f"{LINK}.py", self.dags))
        self.files = write_shards(first, -(-count // TENANTS_PER_SHARD))
        self.environment = {
            "RENKEI_MAPPINGS": str(folder / "mappings"),
            "RENKEI_INDEX": str(self.index),
            "RENKEI_STORE": (folder / "store").as_uri(),
            "RENKEI_EMC_FORMAT": str(PROJECT / "include" / "contracts" / "emc_format.yaml"),
            "RENKEI_ALLOWED_HOSTS": HOST,
        }
        self._airflow = {
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "PYTHONWARNINGS": "ignore",
        }

    def parse(self, file: Path, dag_id: str = "") -> dict[str, Any]:
        """One Dag file in a fresh process; with a `dag_id`, as a task of that Dag does it."""
        environment = {**self._airflow, **self.environment}
        if dag_id:
            environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = dag_id
        parsed: dict[str, Any] = child("scripts.bench.parse", file, self.sheets, self.index, environment=environment)
        if parsed["errors"]:
            raise RuntimeError(f"{file.name} cannot be parsed: {parsed['errors'][0]}")
        return parsed


def measure_parsing(folder: Path, say: Say) -> list[Figure]:
    """1,000 tenants with an empty and with a full index; one tenant among 1,000 and 10,000; workbooks a second."""
    site = Site(folder / "many", MANY)
    cold = [site.parse(file) for file in site.files]
    say(f"cold index: {sum(p['parse'] for p in cold):.1f} s for {sum(p['dags'] for p in cold):,} Dags")
    warm = [site.parse(file) for file in site.files]
    say(f"warm index: {sum(p['parse'] for p in warm):.1f} s")
    if sum(p["dags"] for p in warm) != MANY:
        raise RuntimeError(f"{[p['dags'] for p in warm]} Dags in the files instead of {MANY}")
    total = sum(p["parse"] + p["serialize"] for p in warm)
    figures = [
        Figure(
            "F4", f"parsing {MANY:,} tenants, warm index", sum(p["parse"] for p in warm), "s", ("<", 3.5), _each(warm)
        ),
        Figure("F4", "… with turning them into JSON for the database", total, detail={"files": warm}),
        Figure("F4", f"parsing {MANY:,} tenants, cold index (YAML)", sum(p["parse"] for p in cold), note=_each(cold)),
    ]
    figures += _by_dag_factory(folder / "dag_factory", say)
    for count, where in ((MANY, site), (VERY_MANY, Site(folder / "very_many", VERY_MANY))):
        figures += _own_parse(where, count)
        say(f"a task's own parse among {count:,} tenants: {figures[-2].value:.0f} ms")
    rate = _workbooks_a_second(folder / "workbooks")
    return [
        *figures,
        Figure("F4", f"compiling {MANY:,} workbooks, cold index", rate, "/s", note=f"{MANY / rate:.0f} s"),
    ]


def _by_dag_factory(folder: Path, say: Say) -> list[Figure]:
    """As many Dags of as many tasks, of one YAML file by Astronomer's dag-factory; none where it cannot be fetched."""
    fetch = ["pip", "install", "--quiet", "--no-deps", "--target", folder / "package", "dag-factory==1.1.0"]
    if subprocess.run([Path(sys.executable).with_name("uv"), *fetch], check=False).returncode:
        say("dag-factory cannot be fetched: no figure of it")
        return []
    names = [f"task_{number}" for number in range(TASKS)]
    tasks = [
        {"task_id": name, "operator": EMPTY, "dependencies": names[max(number - 1, 0) : number]}
        for number, name in enumerate(names)
    ]
    dag = {"schedule": "30 4 * * *", "default_args": {"start_date": "2026-01-01"}, "tasks": tasks}
    (folder / "dags.yaml").write_text(json.dumps({tenant_name(number): dag for number in range(MANY)}))
    file = folder / "dags.py"
    # Airflow opens no file that does not speak of it and of a Dag.
    load = f"load_yaml_dags(globals(), config_filepath={str(folder / 'dags.yaml')!r})"
    file.write_text(f"# Airflow's Dags\nfrom dagfactory import load_yaml_dags\n\n{load}\n")
    environment = {"AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__DAGS_FOLDER": str(folder), "PYTHONWARNINGS": "ignore"}
    path = f"{folder / 'package'}:{PROJECT / 'plugins'}:{PROJECT}"
    made = child("scripts.bench.parse", file, "", "", "dagfactory", environment={**environment, "PYTHONPATH": path})
    if made["errors"] or made["dags"] != MANY:
        raise RuntimeError(f"dag-factory made {made['dags']} Dags: {made['errors']}")
    say(f"dag-factory: {made['parse']:.1f} s for {MANY:,} Dags of {TASKS} tasks")
    note = f"{TASKS} tasks without work each, one YAML file, checks nothing"
    return [Figure("F4", f"… {MANY:,} Dags by dag-factory", made["parse"], "s", note=note, detail=made)]


def _own_parse(site: Site, count: int) -> list[Figure]:
    """A task's process parses the one file that has its Dag, asking for that Dag alone."""
    tenant = tenant_name(count // 2)
    dag_id = f"{LINK}__{tenant}"
    parsed = [made for file in site.files for made in [site.parse(file, dag_id)] if made["dags"]]
    (file,) = (site.dags / made["file"] for made in parsed)
    again = [site.parse(file, dag_id) for _ in range(3)]  # its sheet is compiled by now
    opened = max(made["sheets"] for made in again)
    took = [made["parse"] * 1000 for made in again]
    imports = statistics.median(made["imports"] * 1000 for made in again)
    note = f"{min(took):.0f}–{max(took):.0f}; imports of ours and of providers {imports:.0f}"
    return [
        Figure("F4", f"a task's own parse among {count:,} tenants", statistics.median(took), "ms", None, note),
        Figure("F4", "… sheets opened for it", opened, "", ("=", 1)),
    ]


def _workbooks_a_second(folder: Path) -> float:
    """How fast workbooks become compiled sheets, written into the index."""
    folder.mkdir()
    for number in range(MANY):
        shutil.copy(SAMPLES / "hinata.xlsx", folder / f"{tenant_name(number)}.xlsx")
    found = tenants(folder)
    started = time.perf_counter()
    sheets = load_all(SHEETS, found, folder / "index", (HOST,))
    broken = [sheet for sheet in sheets if sheet.mapping is None]
    seconds = time.perf_counter() - started
    if broken:
        raise RuntimeError(f"{len(broken)} workbooks could not be compiled")
    return MANY / seconds


def measure_visible(folder: Path, say: Say) -> list[Figure]:
    """From starting Airflow until its API lists 10,000 Dags; with an empty index, then with a full one."""
    figures = []
    site = Site(folder, VERY_MANY)
    for index in ("cold", "warm"):
        started = time.monotonic()
        with LocalAirflow(folder / f"airflow_{index}", site.environment | COMPOSE, site.dags) as airflow:
            healthy = time.monotonic() - started
            seen, said = 0, 0.0
            while seen < VERY_MANY and time.monotonic() - started < 900:
                time.sleep(3)  # counting 10,000 Dags takes the API server 0.1 s of a core
                seen = airflow.api("GET", "/dags?limit=1")["total_entries"]
                if time.monotonic() - said > 15:
                    said = time.monotonic()
                    say(f"{index} index, {said - started:4.0f} s: {seen:,} Dags")
            seconds = time.monotonic() - started
            errors = airflow.api("GET", "/importErrors?limit=1")["total_entries"]
        if seen < VERY_MANY or errors:
            raise RuntimeError(f"{seen:,} Dags after {seconds:.0f} s, {errors} files with errors; see {airflow.log}")
        note = f"in {len(site.files)} files; Airflow itself was up after {healthy:.0f} s"
        figures.append(Figure("F5", f"{VERY_MANY:,} tenants visible, {index} index", seconds, "s", ("<", 120), note))
    return figures


def write_sheets(folder: Path, count: int, smarthr_url: str = "") -> None:
    """Sheets like the sample tenants', each of another tenant with an EMC account of its own."""
    folder.mkdir(parents=True)
    texts = []
    for file in tenants(SAMPLES):
        mapping = load(SHEETS, file.path, file.tenant, allowed_hosts=(HOST,)).mapping
        assert mapping is not None, file
        url = smarthr_url or mapping.smarthr_url
        write_yaml(replace(mapping, tenant="TENANT", emc_account="TENANT", smarthr_url=url), folder / "sample.yaml")
        # A Connection belongs to the tenant whose name it ends in; another's is a mistake of the sheet.
        texts.append((folder / "sample.yaml").read_text().replace(f"__{file.tenant}", "__TENANT"))
        (folder / "sample.yaml").unlink()
    for number in range(count):
        text = texts[number % len(texts)].replace("TENANT", tenant_name(number))
        (folder / f"{tenant_name(number)}.yaml").write_text(text)


def tenant_name(number: int) -> str:
    return f"t{number:05d}"


def _each(files: list[dict[str, Any]]) -> str:
    return ", ".join(f"{made['file']} {made['parse']:.2f} s" for made in files)
