"""What people are asked, and have answered, as Airflow's database has it: plain queries, each by an index."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import State
from sqlalchemy import or_, select

from renkei.orchestration.link import split_dag_id
from renkei.web.facts import Question, QuestionState, Reply


def questions() -> dict[str, Question]:
    """Who is asked for an answer, by dag id."""
    asked = (TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, HITLDetail.created_at)
    over = [state for state in State.finished if state]
    open_ones = (
        select(*asked)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(HITLDetail.responded_at.is_(None), or_(TaskInstance.state.is_(None), TaskInstance.state.not_in(over)))
    )
    with create_session() as session:
        return {
            row.dag_id: Question(row.run_id, row.task_id, row.created_at)
            for row in session.execute(open_ones)
            if split_dag_id(row.dag_id)
        }


def state(one: str, run_id: str, task_id: str) -> QuestionState | None:
    """What a task of a run asked a person, and how it was answered."""
    wanted = (
        select(
            HITLDetail.responded_at,
            HITLDetail.responded_by,
            HITLDetail.chosen_options,
            HITLDetail.params_input,
            TaskInstance.state,
        )
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(TaskInstance.dag_id == one, TaskInstance.run_id == run_id, TaskInstance.task_id == task_id)
    )
    with create_session() as session:
        row = session.execute(wanted).first()
    if row is None:
        return None
    by, options, given = row.responded_by or {}, row.chosen_options or [], row.params_input or {}
    return QuestionState(
        row.responded_at is None and row.state not in State.finished,
        str(by.get("name") or ""),
        str(options[0]) if len(options) == 1 else "",  # two answers are none
        str(given.get("reason") or ""),
        row.responded_at,
    )


def replies(one: str, run_ids: Sequence[str]) -> list[Reply]:
    """What was answered in those runs of a Dag, the newest first."""
    wanted = (
        select(TaskInstance.run_id, HITLDetail.responded_at, HITLDetail.responded_by, HITLDetail.chosen_options)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(TaskInstance.dag_id == one, TaskInstance.run_id.in_(run_ids), HITLDetail.responded_at.is_not(None))
        .order_by(HITLDetail.responded_at.desc())
    )
    with create_session() as session:
        return [
            Reply(
                row.run_id,
                row.responded_at,
                str((row.responded_by or {}).get("name") or ""),
                "、".join(map(str, row.chosen_options or ())),
            )
            for row in session.execute(wanted)
        ]
