"""The Dag that works off messages, and once by Airflow itself."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG
from airflow.sdk import DAG
from celery import signals

from renkei import settings
from renkei.inbox.drain import HandlingResult
from renkei.inbox.inbox import Inbox, Message
from renkei.inbox.lease import Leases
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.orchestration import celery_config, pump, pump_dag
from renkei.orchestration import link as registry
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import Link, Part
from renkei.orchestration.pump_dag import DAG_ID, LASTS
from renkei.orchestration.stopping import file_of
from renkei.orchestration.tenant import Tenant
from renkei.storage.database.database import open_database
from tests.conftest import HOME, ROOT
from tests.toy_link import TOY

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
SHEET = "greeting: 挨拶\nminutes: 5\n"


class Worker:
    """Takes everything, and then the pump is asked to end."""

    at_once = 1

    def __init__(self, tenant: Tenant, leases: Leases) -> None:
        self._greeting = tenant.mapping.greeting

    def handle(self, message: Message) -> HandlingResult:
        return HandlingResult(State.DONE, self._greeting)

    def look_back(self, message: Message) -> HandlingResult | None:
        return None

    def tick(self) -> float:
        return 60.0

    def close(self) -> None:
        pass


@pytest.fixture
def mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sheets, of which the toy link's have an inbox."""
    link = Link(**{name: getattr(TOY, name) for name in TOY.__slots__} | {"drain": Part(f"{__name__}:Worker")})
    monkeypatch.setitem(registry.LINKS, "toy", link)
    monkeypatch.setenv("RENKEI_MAPPINGS", str(tmp_path / "mappings"))
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("RENKEI_DATABASE", f"sqlite:///{tmp_path}/renkei.db")
    (tmp_path / "mappings" / "toy").mkdir(parents=True)
    return tmp_path / "mappings" / "toy"


def parse(path: Path) -> dict[str, DAG]:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_l4_one_run_works_and_one_stands_by_every_minute(mappings: Path) -> None:
    """Without a tenant that has an inbox nothing is scheduled: a run would take two workers' places for nothing."""
    (dag,) = parse(ROOT / "dags/renkei_pump.py").values()
    assert dag.schedule is None
    (mappings / "acme.yaml").write_text(SHEET)
    (dag,) = parse(ROOT / "dags/renkei_pump.py").values()
    (task,) = dag.tasks
    assert (dag.dag_id, dag.max_active_runs, dag.catchup, dag.is_paused_upon_creation) == (DAG_ID, 2, False, False)
    assert dag.schedule is not None
    assert task.retries == 0
    assert task.execution_timeout is not None
    assert dag.dagrun_timeout is not None
    assert LASTS < task.execution_timeout < dag.dagrun_timeout


def test_l5_tenants_are_shared_among_the_dags_each_once(mappings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_PUMPS", "3")
    names = {f"c{number}" for number in range(20)}
    for name in names:
        (mappings / f"{name}.yaml").write_text(SHEET)
    dags = parse(ROOT / "dags/renkei_pump.py")
    assert set(dags) == {DAG_ID, f"{DAG_ID}_2", f"{DAG_ID}_3"}
    tasks = [dag.tasks[0] for dag in dags.values()]
    shared = [
        {tenant for _, tenant in pump.TenantSource(task.dag_file, task.shard, task.shards).versions()} for task in tasks
    ]
    assert all(shared)
    assert sum(map(len, shared)) == len(set.union(*shared)) == len(names)


CHILD = """
import time
from renkei.orchestration.stopping import ParentProcesses
above = ParentProcesses()
print("BEGUN", flush=True)
while not above.wants_end():
    time.sleep(0.05)
print("ENDED", flush=True)
"""


@pytest.fixture
def child() -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A supervisor with a task below it, and what the task says."""
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT / "plugins")
    assert parent.stdout is not None
    assert parent.stdout.readline() == "BEGUN\n"
    yield parent, parent.stdout
    parent.kill()
    parent.communicate()


def test_a_task_whose_supervisor_was_killed_ends_by_itself(child: tuple[subprocess.Popen[str], IO[str]]) -> None:
    parent, said = child
    parent.kill()
    assert said.readline() == "ENDED\n"


def test_a_worker_that_is_asked_to_stop_tells_the_tasks_below_it(child: tuple[subprocess.Popen[str], IO[str]]) -> None:
    parent, said = child
    file = file_of(parent.pid)
    file.touch()
    try:
        assert said.readline() == "ENDED\n"
    finally:
        file.unlink()


def test_celery_tells_by_its_signals_and_forgets_an_earlier_worker() -> None:
    """As Airflow imports the configuration."""
    assert celery_config.CONFIG is DEFAULT_CELERY_CONFIG
    file = file_of(os.getpid())
    for over in (signals.worker_init, signals.worker_shutdown):
        signals.worker_shutting_down.send(sender="celery@here", sig="SIGTERM", how="Warm", exitcode=0)
        assert file.exists()
        over.send(sender=None)
        assert not file.exists()


@pytest.mark.usefixtures("airflow_database")
def test_a_message_is_worked_off_by_airflow(mappings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the sheet says."""
    (mappings / "acme.yaml").write_text(SHEET)
    receiver = Receiver(settings.database_url(), open_store())
    receiver.accept("toy", "acme", "1", "1", NOW, b"hello").result(90)
    inbox = Inbox(open_database(settings.database_url()), open_store(), "toy", "acme")
    monkeypatch.setattr(pump_dag, "LASTS", dt.timedelta(seconds=150))
    monkeypatch.setattr(pump, "LOOKS_EVERY_S", 0.0)
    monkeypatch.setattr(pump, "_code", lambda: inbox.counts()[State.DONE])  # "another code" once it is done
    dags = HOME / "dags" / "pump"
    dags.mkdir(parents=True)
    try:
        shutil.copy(ROOT / "dags/renkei_pump.py", dags)
        run = parse(dags)[DAG_ID].test()
    finally:
        shutil.rmtree(dags)
    assert run.state == "success"
    (done,) = inbox.listed(State.DONE, 2)
    assert done.note == "挨拶"
