"""A run that has ended, in Airflow's database: its questions, its colour, its note. `run_end` hears of the end."""

from __future__ import annotations

from typing import Any

from airflow.models.dagrun import DagRunNote
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from airflow.utils.state import State
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import object_session

from renkei.orchestration.closing_keys import SUMMARY_KEY, WELL_KEY
from renkei.orchestration.markdown import quoted

MAX_NOTE = 1000  # of the column; a longer one would fail in the scheduler's own transaction
HEAD = "**Renkei**: "  # the page shows the first line, so that is the subject
NOT_WELL = "成功に変更されましたが、最後のタスクが正常な終了を確かめた記録がないため、失敗のままにします"
CLOSED = {"id": "renkei", "name": "Renkei（処理が終了したため締め切り）"}


def finish(dag_run: Any) -> None:
    """Close its questions, keep it red unless it is well on record, and write its note."""
    session = object_session(dag_run)
    if session is not None:  # whoever ends the run is in the middle of a transaction, which is theirs to end
        _finish(session, dag_run)
    else:
        with create_session() as own:
            _finish(own, dag_run)


def _finish(session: Any, dag_run: Any) -> None:
    """Also called for a run that was marked while its last tasks have yet to run: its state is not yet that of an end."""
    _close_questions(session, dag_run)
    undone = dag_run.state == "success" and not _is_well(session, dag_run)
    if undone:
        dag_run.set_state("failed")
    _note(session, dag_run, [NOT_WELL] if undone else [])


def _close_questions(session: Any, dag_run: Any) -> None:
    """An answer to a task that is over would be taken (200), and do nothing; Airflow refuses the second one (409)."""
    over = select(TaskInstance.id).where(
        TaskInstance.dag_id == dag_run.dag_id,
        TaskInstance.run_id == dag_run.run_id,
        TaskInstance.state.in_([state for state in State.finished if state]),
    )
    unanswered = update(HITLDetail).where(HITLDetail.responded_at.is_(None), HITLDetail.ti_id.in_(over))
    closed = {"responded_at": func.now(), "responded_by": CLOSED, "chosen_options": []}
    session.execute(unanswered.values(closed).execution_options(synchronize_session=False))


def _is_well(session: Any, dag_run: Any) -> bool:
    of_run = (XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id)
    words = session.execute(
        select(XComModel.task_id, XComModel.key).where(*of_run, XComModel.key.startswith(f"{WELL_KEY} "))
    ).all()
    its = (TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
    tries = {
        row.task_id: row
        for row in session.execute(select(TaskInstance.task_id, TaskInstance.id, TaskInstance.state).where(*its))
    }
    outcome = tries.get("outcome")
    allowed = tries if outcome is not None and outcome.state == "skipped" else {"outcome"} & tries.keys()
    return any(task in allowed and key == f"{WELL_KEY} {tries[task].id}" for task, key in words)


def _note(session: Any, dag_run: Any, lines: list[str]) -> None:
    inserts: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
    insert = inserts.get(session.get_bind().dialect.name)
    this = (XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id)
    said = select(XComModel).where(*this, XComModel.key == SUMMARY_KEY).order_by(XComModel.timestamp.desc())
    row = session.scalar(said.limit(1))
    lines = [*lines, *(XComModel.deserialize_value(row) if row else ())]
    if insert is None or not lines:
        return
    kept = session.scalar(select(DagRunNote.content).where(DagRunNote.dag_run_id == dag_run.id)) or ""
    content = note_text(lines, kept)
    if content != kept:  # a person may write one at the same moment: no conflict may end the scheduler's transaction
        new = insert(DagRunNote).values(dag_run_id=dag_run.id, content=content)
        session.execute(new.on_conflict_do_update(index_elements=["dag_run_id"], set_={"content": content}))


def note_text(lines: list[str], kept: str = "") -> str:
    """Markdown of the lines below what a person had written, which stays; at most `MAX_NOTE` characters."""
    text = kept.partition(HEAD)[0].rstrip()
    text = f"{text}\n\n{HEAD}" if text else HEAD
    text += f"{quoted(lines[0][:200])}\n" if lines else "\n"
    rest = "\n- …"
    for line in lines[1:]:
        shown = f"\n- {quoted(line[:200])}"
        if len(text) + len(shown) + len(rest) > MAX_NOTE:
            return text + rest if len(text) + len(rest) <= MAX_NOTE else kept
        text += shown
    return text if len(text) <= MAX_NOTE else kept
