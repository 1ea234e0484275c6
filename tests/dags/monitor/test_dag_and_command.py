"""The watch as a Dag, and as a command."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, DeltaTriggerTimetable
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction
from pendulum import instance

from tests.conftest import HOME, ROOT
from tests.dags.monitor.looks import DAG_ID, LINK, World
from tests.harness.typed import renkei


def parse(path: Path) -> dict[str, DAG]:
    bag = DagBag(str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_n6_the_dag_watches_without_anybody_switching_it_on() -> None:
    """N6: every 15 minutes, one look at a time, explained in Japanese; it survives Airflow's database."""
    dag = parse(ROOT / "dags/renkei_watch.py")[DAG_ID]
    assert (dag.catchup, dag.max_active_runs, dag.owner, dag.is_paused_upon_creation) == (False, 1, "renkei", False)
    assert {task.task_id: task.task_display_name for task in dag.tasks} == {"look": "見張り"}
    assert dag.timetable == DeltaTriggerTimetable(dt.timedelta(minutes=15))
    for word in ("RENKEI_OPERATOR", "RENKEI_SILENCE_HOURS", "誰にも知らせません", "renkei watch --tell"):
        assert word in str(dag.doc_md)
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    last = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    restriction = TimeRestriction(None, None, False)
    following = again.timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval.exact(instance(last)), restriction=restriction
    )
    assert following is not None
    assert following.run_after == last + dt.timedelta(minutes=15)
    late = DataInterval.exact(instance(last - dt.timedelta(days=3)))
    following = again.timetable.next_dagrun_info(last_automated_data_interval=late, restriction=restriction)
    assert following is not None
    assert abs((following.run_after - dt.datetime.now(dt.UTC)).total_seconds()) < 60


@pytest.fixture(scope="session")
def database(airflow_database: Path) -> None:
    """Airflow's metadata database, and the Dag file where Airflow looks for it."""
    shutil.copyfile(ROOT / "dags/renkei_watch.py", HOME / "dags/renkei_watch.py")


@pytest.mark.usefixtures("database")
def test_n6_airflow_runs_the_look(acme: World, capsys: pytest.CaptureFixture[str]) -> None:
    """N6: numbers into Airflow's database; red, with what to do, while a silence could not be told."""
    acme.result("acme", dt.datetime.now(dt.UTC))
    done = parse(HOME / "dags/renkei_watch.py")[DAG_ID].test()
    (ti,) = done.get_task_instances()
    assert str(done.state) == "success"
    assert ti.xcom_pull(task_ids="look") == {"tenants": 1, "silent": 0, "back": 0, "expiring": 0}
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    acme.operator.unlink()
    done = parse(HOME / "dags/renkei_watch.py")[DAG_ID].test()
    assert str(done.state) == "failed"
    assert "1社から結果が届いていません（acme）" in capsys.readouterr().out


def test_n6_the_command_says_who_is_silent(acme: World) -> None:
    """N6: status 1 while somebody is, 0 when nobody is; nothing is written."""
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    before = acme.store.files("")
    found = renkei("watch")
    assert found.returncode == 1, found.stderr
    assert "acme  20" in found.stdout
    assert "1社のうち、結果が届いていない会社: 1社" in found.stdout
    found = renkei("watch", "--json")
    assert found.returncode == 1
    assert [one["tenant"] for one in json.loads(found.stdout)["silent"]] == ["acme"]
    assert acme.store.files("") == before
    acme.result("acme", dt.datetime.now(dt.UTC))
    assert renkei("watch").returncode == 0


def test_l1_the_command_does_not_take_an_empty_store_for_peace(world: World) -> None:
    """L1: the wrong store knows nobody; so the command could not be done."""
    world.sheet("acme")
    found = renkei("watch")
    assert found.returncode == 3
    assert "RENKEI_STORE" in found.stderr


@pytest.mark.usefixtures("airflow_database")
def test_n6_the_command_tells_where_asked(acme: World) -> None:
    """N6: what could not be told is said, and not noted as told."""
    acme.result("acme", dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    found = renkei("watch", "--tell")
    assert found.returncode == 1, found.stderr
    assert "届けられませんでした" in found.stderr
    assert acme.store.read_json(f"{LINK}/watch/silence.json")["told"] == {}
