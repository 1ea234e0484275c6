"""The Dag that does what pages ask for, and one job done by Airflow itself."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from fsspec.implementations.local import LocalFileSystem

from renkei.clock import utcnow
from renkei.jobs.records import KEPT, LASTS, Jobs, JobState
from renkei.links.smarthr_emc.rehearsal import Rehearsal
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from renkei.orchestration.jobs import DAG_ID, name_of
from renkei.orchestration.maintenance import prune_all
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.conftest import HOME, ROOT
from tests.unit.links.smarthr_emc.people.test_explain import OPTIONAL_ID, day
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import LINK, person

ASKED = {"read": "stored", "mode": "NORMAL"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, where Renkei looks for it."""
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    return Store(LocalFileSystem(), str(tmp_path / "store"))


def parse(path: Path) -> DAG:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return bag.dags[DAG_ID]


def test_l5_jobs_of_two_companies_run_beside_each_other_and_none_for_ever() -> None:
    """L5: two at once, on from the start, explained in Japanese; started by a page alone."""
    dag = parse(ROOT / "dags/renkei_jobs.py")
    (task,) = dag.tasks
    assert (dag.owner, dag.is_paused_upon_creation) == ("renkei", False)
    assert (task.max_active_tis_per_dag, task.execution_timeout) == (2, LASTS)
    assert dag.schedule is None
    assert dag.dagrun_timeout is not None
    assert "画面から始めてください" in str(dag.doc_md)


@pytest.mark.usefixtures("airflow_database")
def test_e3_airflow_does_a_job_and_gets_no_more_than_its_time(
    store: Store, mappings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """E3, L6: the result is in the store; neither XCom nor log has anything of it."""
    shutil.copyfile(ROOT / "dags/renkei_jobs.py", HOME / "dags/renkei_jobs.py")
    write_yaml(OPTIONAL_ID, mappings / "acme.yaml")
    day(store, 0, [person(1), person(2, 姓="小鳥遊")])
    jobs = Jobs(TenantFolder(store, LINK, "acme"))
    job, _ = jobs.ask("rehearsal", ASKED, "u1", "yuki", utcnow(), lambda _: True)

    def create(*, dag: Any, session: Any, **arguments: Any) -> Any:
        """As the page starts it, under the id that it has drawn."""
        arguments["run_id"] = job.request.run
        return dag.create_dagrun(run_type="manual", state="running", session=session, **arguments)

    monkeypatch.setattr("airflow.models.dagrun.get_or_create_dagrun", create)
    done = parse(HOME / "dags/renkei_jobs.py").test(run_conf={"job": name_of("smarthr_emc__acme", job.number)})
    (ti,) = done.get_task_instances()
    assert str(done.state) == "success"
    assert set(ti.xcom_pull(task_ids="work")) == {"kind", "seconds"}
    assert jobs.read(1).state(utcnow(), lambda _: None) is JobState.DONE
    assert jobs.result(1, Rehearsal).verdict == "unchanged"
    assert "小鳥遊" not in capsys.readouterr().out


def test_l6_old_results_go_with_old_records(store: Store) -> None:
    """L6: every night, of companies whose sheet is gone too."""
    jobs, now = Jobs(TenantFolder(store, LINK, "gone")), utcnow()
    for age in (KEPT + dt.timedelta(hours=1), dt.timedelta()):
        job, _ = jobs.ask("rehearsal", ASKED, "u1", "yuki", now - age, lambda _: False)
    assert prune_all(store, now, dt.timedelta(days=400), lambda *_: False)["tenants"] == 1
    assert jobs.numbers() == [job.number]
