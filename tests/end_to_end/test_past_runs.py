"""The history that `make run` begins with: runs of past days, played at once, are what Airflow would have left."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from renkei.orchestration.web import state
from renkei.runs.outcome import Outcome
from renkei.web.facts import Counts
from scripts import demo_history
from scripts.past_runs import Answer, dags_of, in_the_past, parse_into_database, play
from tests.conftest import HOME
from tests.end_to_end.airflow_world import DAG_ID, AirflowWorld

DAG_FILE = HOME / "dags/smarthr_emc.py"
FIRST = dt.datetime(2026, 10, 5, 4, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
DAY = dt.timedelta(days=1)
APPROVES = Answer("承認して登録する", "退職を確認", "tanaka", dt.timedelta(hours=4))


def test_past_runs_are_what_airflow_would_have_left(world: AirflowWorld) -> None:
    """Linked, held and approved, failed and mended, at their own times; then a run by Airflow itself goes on from there."""
    parse_into_database(DAG_FILE)
    dag = dags_of(DAG_FILE)[DAG_ID]
    with in_the_past():
        assert play(dag, FIRST, by="tanaka") == "success"
        world.day(leavers=8)
        assert play(dag, FIRST + DAY, answer=APPROVES) == "success"
        crew = world.day(blank_names=1, joiners=1)["blank_names"][0]
        assert play(dag, FIRST + 2 * DAY) == "failed"
        world.patch(crew, last_name="山田", first_name="花子")
        assert play(dag, FIRST + 3 * DAY) == "success"
    runs = state.runs_of(DAG_ID, FIRST)[::-1]
    assert [run.at for run in runs] == [FIRST + day * DAY for day in range(4)]
    assert [run.outcome for run in runs] == [Outcome.OK, Outcome.OK, Outcome.DATA, Outcome.OK]
    assert [run.by for run in runs] == ["tanaka", "", "", ""]
    assert [run.counts.deleted for run in runs if run.counts] == [0, 8, 0, 0]
    assert all(run.at <= run.started < run.ended < run.at + dt.timedelta(hours=5) for run in runs)
    assert runs[1].ended - runs[1].started > APPROVES.after
    with create_session() as session:
        asked = session.scalar(select(HITLDetail))
        assert asked.responded_by == {"id": "tanaka", "name": "tanaka"}
        assert asked.responded_at - asked.created_at >= APPROVES.after
    mails = [mail["subject"] for mail in world.mails()]
    assert mails == ["EMC-OK", "EMC-HOLD", "EMC-OK", "EMC-ERROR-D(Update NG)", "EMC-OK"]

    past = _rows(runs[3].run_id)  # now: dag.test empties the tasks of every run before its own
    world.day(joiners=2)
    real = world.run(scheduled=True)
    assert state.runs_of(DAG_ID, FIRST)[0].counts == Counts(len(world.active()), 2, len(world.active()) - 2, 0)
    assert past == _rows(real.run_id)


def _rows(run_id: str) -> dict[str, Any]:
    """What Airflow keeps of a run, without what differs from run to run."""
    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.run_id == run_id))
        tasks = session.execute(
            select(TaskInstance.task_id, TaskInstance.state, TaskInstance.try_number, TaskInstance.operator)
            .where(TaskInstance.run_id == run_id)
            .order_by(TaskInstance.task_id)
        )
        words = session.execute(select(XComModel.task_id, XComModel.key).where(XComModel.run_id == run_id))
        return {
            "run": (run.state, run.run_type, bool(run.note)),
            "tasks": [tuple(row) for row in tasks],
            "words": sorted((task, key.partition(" ")[0]) for task, key in words),
        }


def test_the_story_is_the_same_when_it_is_told_again(world: AirflowWorld) -> None:
    """A simulator that has forgotten is brought back to where the runs left it: nobody has another id."""
    found = []
    for _ in range(2):
        for company, seed in (("hinata", 1), ("minato", 2), ("sakura", 3)):
            world.smarthr.sim("POST", "companies", {"name": company, "seed": seed, "size": 80})
        demo_history.repeat(world.smarthr.url)
        found.append({company: world.crews(company) for company in demo_history.HAPPENS})
    assert found[0] == found[1]
    assert all(crew["last_name"] for crew in found[0]["minato"].values())
