"""Rows of Airflow's database, as a scheduler and tasks would have left them: whole histories in no time.

For a database that `initdb` has made. Only what the console reads is there.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.models.variable import Variable
from airflow.models.xcom import XComModel
from airflow.sdk import timezone
from airflow.utils.session import create_session
from sqlalchemy import and_, delete, func, insert, select, true, update

from renkei.orchestration.disaster_freeze import VARIABLE
from renkei.orchestration.web.connection_changes import BULK
from renkei.orchestration.web.connection_changes import WORDS as CONNECTIONS
from renkei.orchestration.web.freezing import EVENTS
from scripts.past_runs import BUNDLE, add_bundle


@dataclass(frozen=True)
class Row:
    """A run and what its tasks gave back, by task: `return_value`, or by (task, key)."""

    dag_id: str
    run_id: str
    state: str
    at: dt.datetime
    said: dict[Any, Any]
    run_type: str = "scheduled"
    conf: dict[str, Any] | None = None
    by: str | None = None
    failed: str = ""  # a task that failed without a word
    asks: str = ""  # a task that waits for an answer
    answered: str = ""  # by whom the question of the task `approve` was
    lasts: dt.timedelta = dt.timedelta(minutes=3)


def add_dags(*dag_ids: str, paused: bool = False, next_run: dt.datetime | None = None) -> None:
    values = {
        "is_paused": paused,
        "is_stale": False,
        "next_dagrun_create_after": next_run,
        "fileloc": "",
        "bundle_name": BUNDLE,
        "max_active_tasks": 16,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": False,
    }
    with create_session() as session:
        add_bundle(session)
        session.execute(insert(DagModel.__table__), [values | {"dag_id": dag_id} for dag_id in dag_ids])


def add_runs(rows: Sequence[Row]) -> None:
    with create_session() as session:
        for row in rows:
            over = row.state in ("success", "failed")
            number = session.execute(
                insert(DagRun.__table__).values(
                    dag_id=row.dag_id,
                    run_id=row.run_id,
                    state=row.state,
                    run_type=row.run_type,
                    run_after=row.at,
                    start_date=row.at,
                    end_date=row.at + row.lasts if over else None,
                    conf=row.conf,
                    triggering_user_name=row.by,
                )
            ).inserted_primary_key[0]
            keys = [key if isinstance(key, tuple) else (key, "return_value") for key in row.said]
            for task in {
                *(task for task, _ in keys),
                *filter(None, (row.failed, row.asks, row.answered and "approve")),
            }:
                one = uuid.uuid4()
                state = "failed" if task == row.failed else "deferred" if task == row.asks else "success"
                session.execute(
                    insert(TaskInstance.__table__).values(
                        id=one, task_id=task, dag_id=row.dag_id, run_id=row.run_id, map_index=-1, state=state,
                        pool="default_pool", pool_slots=1, queue="default", start_date=row.at,
                    )
                )  # fmt: skip
                if task == row.asks or (row.answered and task == "approve"):
                    asked: dict[str, Any] = {
                        "options": ["承認して登録する", "登録しない"],
                        "subject": "EMC-HOLD",
                        "created_at": row.at,
                    }
                    if row.answered:
                        asked |= {
                            "responded_at": row.at + row.lasts,
                            "responded_by": {"id": row.answered, "name": row.answered},
                            "chosen_options": ["承認して登録する"],
                        }
                    session.execute(insert(HITLDetail.__table__).values(ti_id=one, params={}, params_input={}, **asked))
            for (task, key), value in zip(keys, row.said.values(), strict=True):
                session.execute(
                    insert(XComModel.__table__).values(
                        dag_run_id=number, task_id=task, map_index=-1, key=key, dag_id=row.dag_id, run_id=row.run_id,
                        value=value, timestamp=row.at,
                    )
                )  # fmt: skip


def end_run(dag_id: str, run_id: str) -> None:
    """As Airflow ends one whose tasks are done."""
    with create_session() as session:
        mine = (DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        session.execute(update(DagRun).where(*mine).values(state="success"))


def answer_question(dag_id: str, run_id: str, by: str, chosen: str, why: str = "") -> bool:
    """The first answer to the question of a run; False where there is one already."""
    its = select(TaskInstance.id).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    values = {
        "responded_at": timezone.utcnow(),
        "responded_by": {"id": by, "name": by} if by else None,
        "chosen_options": [chosen] if chosen else [],
        "params_input": {"reason": why},
    }
    with create_session() as session:
        open_one = update(HITLDetail).where(HITLDetail.ti_id.in_(its), HITLDetail.responded_at.is_(None))
        return bool(session.execute(open_one.values(values).execution_options(synchronize_session=False)).rowcount)


def add_history(dag_ids: Sequence[str], days: int, last: dt.datetime, said: dict[str, Any]) -> None:
    """A good run a day of every Dag that `add_dags` has added; `said` is what tasks gave back, by task.

    The first Dag's are added like any others. SQLite copies them for the rest: tens of thousands, in a moment.
    """
    first, *others = dag_ids
    first_day = last - dt.timedelta(days=days - 1)
    add_runs(
        [Row(first, f"scheduled__{day}", "success", first_day + dt.timedelta(days=day), said) for day in range(days)]
    )
    other, run = DagModel.__table__, DagRun.__table__.alias()
    its_run = and_(run.c.dag_id == other.c.dag_id, run.c.run_id == XComModel.run_id)
    with create_session() as session:
        for model, own in (
            (DagRun, {"id": None}),
            (TaskInstance, {"id": func.lower(func.hex(func.randomblob(16)))}),
            (XComModel, {"dag_run_id": run.c.id}),
        ):
            values = {column.name: column for column in model.__table__.c} | {"dag_id": other.c.dag_id} | own
            values = {name: value for name, value in values.items() if value is not None}
            every = model.__table__.join(other, true())
            copies = select(*values.values()).select_from(every.join(run, its_run) if model is XComModel else every)
            copies = copies.where(model.dag_id == first, other.c.dag_id.in_(others))
            session.execute(insert(model.__table__).from_select(list(values), copies))


@contextmanager
def emptied() -> Iterator[None]:
    """Nothing of what was added is there before or after."""
    _empty()
    try:
        yield
    finally:
        _empty()


def _empty() -> None:
    with create_session() as session:
        session.execute(delete(Variable).where(Variable.key == VARIABLE))
        session.execute(delete(Log).where(Log.event.in_([*EVENTS.values(), *CONNECTIONS, BULK])))
        for model in (XComModel, HITLDetail, TaskInstance, DagRun, DagModel, Connection):
            session.execute(delete(model.__table__))


def diff_said(valid: int, created: int, updated: int, deleted: int) -> dict[str, Any]:
    """What the task `diff` of SmartHR → EMC gives back, of people."""
    counts = {
        "previous_total": valid, "previous_valid": valid, "received_total": valid, "received_valid": valid,
        "created": created, "updated": updated, "deleted": deleted,
    }  # fmt: skip
    return {"users": {"counts": counts, "changed": True}}
