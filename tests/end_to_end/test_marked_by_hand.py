"""Mail and colour believe what was done, not what Airflow says of tasks and runs (E2, E4, L1)."""

from __future__ import annotations

import pytest
from fastapi import HTTPException

from tests.end_to_end.airflow_world import APPROVE, DAG_ID, AirflowWorld, Question
from tests.end_to_end.test_what_airflow_tells import note_of


def mark_tasks(run_id: str, *task_ids: str, state: str = "success") -> None:
    """What the page does when a person marks tasks."""
    from airflow.api.common.mark_tasks import set_state
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        dag = SerializedDagModel.get_dag(DAG_ID, session=session)
        assert dag is not None
        tasks = [dag.get_task(task_id) for task_id in task_ids]
        for task in tasks:
            task.dag = dag
        set_state(tasks=tasks, run_id=run_id, state=state, commit=True, session=session)


def mark_run(run_id: str, state: str) -> None:
    """What the page does when a person marks a whole run."""
    from airflow.api.common import mark_tasks as by_hand
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    mark = by_hand.set_dag_run_state_to_failed if state == "failed" else by_hand.set_dag_run_state_to_success
    with create_session() as session:
        dag = SerializedDagModel.get_dag(DAG_ID, session=session)
        assert dag is not None
        mark(dag=dag, run_id=run_id, commit=True, session=session)


def patch_run(run_id: str, state: str) -> str:
    """What Airflow's API does when a person marks a whole run; the state that the run then has."""
    from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates
    from airflow.api_fastapi.core_api.services.public.dag_run import patch_dag_run_state
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    found = select(DagRun).where(DagRun.dag_id == DAG_ID, DagRun.run_id == run_id)
    with create_session() as session:
        dag, run = SerializedDagModel.get_dag(DAG_ID, session=session), session.scalar(found)
        assert dag is not None
        assert run is not None
        patch_dag_run_state(dag=dag, dag_run=run, state=DagRunMutableStates(state), session=session)
    with create_session() as session:
        return str(session.scalar(found).state)  # type: ignore[union-attr]


@pytest.fixture
def held(world: AirflowWorld) -> AirflowWorld:
    """A linked company from which half of the people have gone."""
    world.link()
    world.day(leavers=15)
    return world


@pytest.mark.parametrize("state", ["failed", "success"])
def test_e2_a_held_run_marked_by_hand_is_red_and_told(held: AirflowWorld, state: str) -> None:
    """Nothing was written, whatever the run was marked as; its question is over."""
    before, questions = held.state(), list[Question]()

    def mark(question: Question) -> None:
        questions.append(question)
        mark_run(question.run_id, state)

    run = held.run(person=mark)
    assert (run.state, run.tasks["notify"], run.tasks["outcome"]) == ("failed", "success", "failed")
    assert held.state() == before
    mail = held.mails()[-1]
    assert mail["subject"] == "EMC-ERROR-G(Guard NG)"
    assert "承認されないまま終了しました" in mail["body"]
    assert "社員データ 新規件数:\n" in mail["body"]
    assert not list((held.folder / "store").rglob("waiting.json"))
    with pytest.raises(HTTPException, match="409"):  # an answer would be taken and do nothing
        questions[0].answer(APPROVE, "確認済み")


@pytest.mark.parametrize("marked", [("approve", "load"), ("approve", "load", "outcome")], ids="-".join)
def test_e2_load_marked_done_is_not_done(held: AirflowWorld, marked: tuple[str, ...]) -> None:
    """A held run whose approval and load were marked as successes has written nothing; nor if its leaf was, too."""
    before = held.state()
    run = held.run(person=lambda question: mark_tasks(question.run_id, *marked))
    assert (run.state, run.failed()) == ("failed", [task for task in ["outcome"] if task not in marked])
    assert patch_run(run.run_id, "success") == "failed"
    assert "成功に変更されましたが" in note_of(run.run_id)
    assert held.state() == before
    assert held.mails()[-1]["subject"] == "EMC-ERROR-G(Guard NG)"
    assert "承認のうえ登録" not in held.mails()[-1]["body"]


def test_e2_a_failed_check_marked_away_stays_a_failure(world: AirflowWorld) -> None:
    """validate failed; approve and load were marked as successes and notify cleared: the same mail, red, no figures."""
    world.link()
    before = world.state()
    crew = world.active()[0]
    world.patch(crew["id"], last_name="", first_name="")
    failed = world.run()
    mark_tasks(failed.run_id, "approve", "load")
    run = world.run(clear=(failed, "notify"))
    assert (run.state, run.failed()) == ("failed", ["outcome", "validate"])
    assert world.state() == before
    assert {mail["subject"] for mail in world.mails()} == {"EMC-ERROR-D(Update NG)"}


def test_e4_a_load_that_was_done_stays_done_whatever_it_is_marked_as(world: AirflowWorld) -> None:
    """Everybody is in EMC: marked as a failure afterwards, the run still says so."""
    done = world.run()
    mark_tasks(done.run_id, "load", state="failed")
    done.tasks["load"] = "failed"  # to which the states before `notify` are set back
    run = world.run(clear=(done, "notify"))
    assert (run.tasks["load"], run.state) == ("failed", "success")
    assert patch_run(done.run_id, "failed") == "failed"
    assert patch_run(done.run_id, "success") == "success"
    assert {mail["subject"] for mail in world.mails()} == {"EMC-OK"}


def test_e36_a_loaded_run_that_is_cleared_asks_nobody_again(held: AirflowWorld) -> None:
    """The approval let its plan through; there is nothing left to ask, and the tenant is not blocked by a question."""
    run = held.run(person=lambda question: question.answer(APPROVE, "確認済み"))
    before = held.state()
    again = held.run(clear=(run, "approve"))
    assert again.state == "success"
    assert held.state() == before


def test_e3_the_next_run_after_a_marked_one_asks_anew(held: AirflowWorld) -> None:
    """An end by hand leaves nothing behind that could let the plan through later."""
    held.run(person=lambda question: mark_run(question.run_id, "failed"))
    run = held.run(person=lambda question: question.answer(APPROVE, "確認済み"))
    assert run.state == "success"
    assert set(held.users()) == held.codes()
