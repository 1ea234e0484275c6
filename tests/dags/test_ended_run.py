"""What is made of a run's end in Airflow's database: its colour, and its open questions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import insert, select, update

from renkei.orchestration import run_end
from renkei.orchestration.closing_keys import WELL_KEY
from tests.harness.airflow_rows import Row, add_dags, add_runs, emptied

DAG, RUN, OTHER = "smarthr_emc__acme", "manual__1", "manual__2"
AT = dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _dag(airflow_database: Path) -> Iterator[None]:
    with emptied():
        add_dags(DAG)
        yield


def add_run(run_id: str = RUN, state: str = "success", **more: Any) -> None:
    add_runs([Row(DAG, run_id, state, AT, {"load": {}, "outcome": {}}, **more)])


def end(run_id: str = RUN) -> str:
    """As Airflow tells of it; the colour that it leaves."""
    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.run_id == run_id))
        heard = run_end.on_dag_run_success if run.state == "success" else run_end.on_dag_run_failed
        heard(run, "")
        return str(run.state)


def mark_run_good(task: str, of: uuid.UUID | None = None) -> None:
    """That the run is well: by this very try of the task, or by the try `of`."""
    with create_session() as session:
        number = session.scalar(select(DagRun.id).where(DagRun.run_id == RUN))
        this = session.scalar(select(TaskInstance.id).where(TaskInstance.run_id == RUN, TaskInstance.task_id == task))
        session.execute(
            insert(XComModel.__table__).values(
                dag_run_id=number, task_id=task, map_index=-1, key=f"{WELL_KEY} {of or this}", dag_id=DAG, run_id=RUN,
                value=True, timestamp=AT,
            )
        )  # fmt: skip


def set_task(run_id: str, task: str, state: str) -> None:
    with create_session() as session:
        its = (TaskInstance.run_id == run_id, TaskInstance.task_id == task)
        session.execute(update(TaskInstance).where(*its).values(state=state))


def question(run_id: str) -> HITLDetail:
    with create_session() as session:
        its = select(TaskInstance.id).where(TaskInstance.run_id == run_id)
        found = session.scalar(select(HITLDetail).where(HITLDetail.ti_id.in_(its)))
        session.expunge(found)
        return found


def test_e2_a_success_without_word_of_its_outcome_is_a_failure() -> None:
    """A person marked it."""
    add_run()
    assert end() == "failed"


def test_e2_a_success_that_its_outcome_found_stays_one() -> None:
    add_run()
    mark_run_good("outcome")
    assert end() == "success"


def test_e2_the_word_of_an_earlier_try_counts_no_more() -> None:
    """It was cleared since, and marked."""
    add_run()
    mark_run_good("outcome", of=uuid.uuid4())
    assert end() == "failed"


@pytest.mark.parametrize(("outcome", "state"), [("skipped", "success"), ("success", "failed")])
def test_e2_another_tasks_word_counts_where_the_outcome_was_skipped(outcome: str, state: str) -> None:
    """It ended the run early."""
    add_run()
    mark_run_good("load")
    set_task(RUN, "outcome", outcome)
    assert end() == state


@pytest.mark.parametrize("state", ["success", "failed"])
def test_e36_the_question_of_a_task_that_is_over_is_closed(state: str) -> None:
    """An answer would be taken, and do nothing. Nobody answered for a person: nothing is chosen. Other runs' stay open."""
    add_run(RUN, state, asks="approve")
    add_run(OTHER, state, asks="approve")
    for run_id in (RUN, OTHER):
        set_task(run_id, "approve", "failed")
    end()
    closed = question(RUN)
    assert closed.responded_at is not None
    assert closed.chosen_options == []
    assert question(OTHER).responded_at is None


def test_e36_the_question_of_a_task_that_waits_stays_open() -> None:
    """A run is marked while its last tasks have yet to run."""
    add_run(state="failed", asks="approve")
    end()
    assert question(RUN).responded_at is None


def test_e36_an_answer_stays_that_persons() -> None:
    add_run(answered="sato")
    end()
    found = question(RUN)
    assert found.responded_by == {"id": "sato", "name": "sato"}
    assert found.chosen_options == ["承認して登録する"]
