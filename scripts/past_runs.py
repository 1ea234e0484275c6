"""Runs of a Dag on past days, without Airflow's scheduler and without waiting: its own tasks, on a clock that is put back.

Each task does what it does in Airflow, to the store, the systems and the channels; the rows of Airflow's database are
those that a scheduler and a worker would have left. For a database that nobody else writes to meanwhile.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.xcom import XComModel
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from renkei import clock, settings
from renkei.clock import DAILY_AT, next_daily, utcnow
from renkei.orchestration import run_end
from renkei.orchestration.link import LINKS
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.systems.smarthr import client as smarthr_client
from renkei.systems.smarthr.pacer import Pacer
from scripts.demo_history import ACCOUNTS, COMPARED, DAYS, happen, mend, no_limits
from scripts.local_airflow import PROJECT, USER

DAG_FILE = PROJECT / "dags/smarthr_emc.py"
BUNDLE = "dags-folder"


class _Clock(dt.datetime):
    """`renkei.clock`'s, some time behind the real one."""

    behind = dt.timedelta()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _Clock:
        return cls.fromtimestamp((dt.datetime.now(dt.UTC) - cls.behind).timestamp(), tz)

    @classmethod
    def put_to(cls, moment: dt.datetime) -> None:
        cls.behind = dt.datetime.now(dt.UTC) - moment


@contextmanager
def in_the_past() -> Iterator[None]:
    """Within it, runs are played: time is what a run says it is, and nobody keeps to a pace."""
    times = SimpleNamespace(**vars(dt) | {"datetime": _Clock})
    with (
        mock.patch.object(clock, "dt", times),
        mock.patch.object(smarthr_client, "Pacer", side_effect=lambda _: Pacer(10_000)),
        mock.patch.object(ExecutorSafeguard, "test_mode", True),  # no task runner calls the operators
        mock.patch.object(HITLOperator, "execute"),  # it would ask Airflow; see `_ask`
    ):
        yield


def parse_into_database(dag_file: Path) -> None:
    """What the Dag processor does with a Dag file: its Dags can be seen and triggered afterwards."""
    dags = [LazyDeserializedDAG.from_dag(dag) for dag in dags_of(dag_file).values()]
    with create_session() as session:
        add_bundle(session)
        update_dag_parsing_results_in_db(BUNDLE, None, dags, {}, None, set(), session)


def dags_of(dag_file: Path) -> dict[str, DAG]:
    """All of them, however long their sheets take: one that is still read has other tasks."""
    if link := LINKS.get(dag_file.stem):
        folder = settings.mappings_folder(str(dag_file), link.name)
        load_all(link.sheets(), tenants(folder), settings.index_folder(), settings.allowed_hosts())
    bag = DagBag(str(dag_file), bundle_name=BUNDLE)
    assert bag.import_errors == {}
    return bag.dags


def add_bundle(session: Session) -> None:
    if session.scalar(select(DagBundleModel.name).where(DagBundleModel.name == BUNDLE)) is None:
        session.execute(insert(DagBundleModel.__table__).values(name=BUNDLE, active=True))


@dataclass(frozen=True)
class Answer:
    """What a person answers to a question of the run, and how long it took."""

    chosen: str
    why: str
    by: str
    after: dt.timedelta


@dataclass
class _Task:
    """What a task is given as its `ti`, and what becomes of it."""

    id: UUID
    task_id: str
    dag_id: str
    run_id: str
    run: dict[str, _Task]  # the run's tasks so far, this one too
    map_index: int = -1
    try_number: int = 1
    state: str = ""
    needless: tuple[str, ...] = ()  # tasks after it that it skipped
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    words: dict[str, Any] = field(default_factory=dict)  # its XComs
    asked: dict[str, Any] = field(default_factory=dict)  # of a person, and the answer

    def xcom_push(self, key: str, value: Any) -> None:
        self.words[key] = value

    def xcom_pull(self, *, task_ids: str, key: str = "return_value") -> Any:
        return self.run[task_ids].words.get(key) if task_ids in self.run else None

    def get_task_states(self, **_: Any) -> dict[str, dict[str, str]]:
        return {self.run_id: {name: one.state for name, one in self.run.items()}}

    def get_dr_count(self, **_: Any) -> int:
        return 0  # every run before this one is over


@dataclass
class _State:
    """A task's state store."""

    kept: dict[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str | None:
        return self.kept.get(key)

    def set(self, key: str, value: str, **_: Any) -> None:
        self.kept[key] = value


def play(dag: DAG, at: dt.datetime, *, mode: str = "", by: str = "", answer: Answer | None = None) -> str:
    """One run from its first task to its last; its state. With `by` somebody triggered it, else it is the daily one.

    `at` is the tick, or when it was triggered.
    """
    _Clock.put_to(at)
    with create_session() as session:  # no longer than it takes: SQLite has one writer at a time
        row = _begin(session, dag, at, mode, by)
        number, ids = row.id, {one.task_id: one.id for one in row.task_instances}
        asked = SimpleNamespace(run_type=row.run_type, start_date=row.start_date, conf=row.conf)
        run_id = row.run_id
    tasks: dict[str, _Task] = {}
    for task in dag.topological_sort():
        ti = tasks[task.task_id] = _Task(ids[task.task_id], task.task_id, dag.dag_id, run_id, tasks)
        context = {"dag": dag, "dag_run": asked, "run_id": run_id, "task": task, "ti": ti, "task_instance": ti}
        _do(task, ti, context | {"task_state_store": _State()}, answer)
    with create_session() as session:
        return _end(session, session.get_one(DagRun, number), tasks)


def _begin(session: Session, dag: DAG, at: dt.datetime, mode: str, by: str) -> DagRun:
    kind = DagRunType.MANUAL if by else DagRunType.SCHEDULED
    serialized = SerializedDagModel.get_dag(dag.dag_id, session=session)
    assert serialized is not None
    return serialized.create_dagrun(
        run_id=kind.generate_run_id(suffix=at.astimezone(dt.UTC).isoformat()),
        logical_date=None if by else at,
        data_interval=None if by else (at, at),
        run_after=at,
        conf={"mode": mode} if mode else {},
        run_type=kind,
        triggered_by=DagRunTriggeredByType.UI if by else DagRunTriggeredByType.TIMETABLE,
        triggering_user_name=by or None,
        state=DagRunState.RUNNING,
        start_date=clock.utcnow(),
        session=session,
    )


def _do(task: Any, ti: _Task, context: dict[str, Any], answer: Answer | None) -> None:
    ti.start_date = clock.utcnow()
    stopped = any(one.state == "failed" for one in ti.run.values())
    if stopped and not task.is_teardown:
        ti.state = "upstream_failed"
    elif any(ti.task_id in one.needless for one in ti.run.values()):
        ti.state = "skipped"
    else:
        try:
            result = task.execute(context)
            if isinstance(task, HITLOperator) and task.body is not None:
                _ask(task, ti, context, answer)
            if result is not None:
                ti.xcom_push("return_value", result)
            ti.state = "success"
        except DownstreamTasksSkipped as skipped:
            ti.needless, ti.state = tuple(skipped.tasks), "success"
        except AirflowFailException:
            ti.state = "failed"
    ti.end_date = clock.utcnow()


def _ask(task: HITLOperator, ti: _Task, context: dict[str, Any], answer: Answer | None) -> None:
    if answer is None:
        raise RuntimeError(f"{ti.dag_id} {ti.run_id}: nobody is there to answer:\n{task.body}")
    now = clock.utcnow()
    _Clock.put_to(now + answer.after)
    person = {"id": answer.by, "name": answer.by}
    reply = {
        "chosen_options": [answer.chosen],
        "params_input": {"reason": answer.why},
        "responded_at": clock.utcnow(),
    }
    ti.asked = {
        "options": task.options,
        "subject": task.subject,
        "body": task.body,
        "defaults": task.defaults,
        "multiple": task.multiple,
        "params": task.serialized_params,
        "created_at": now,
        "responded_by": person,
        **reply,
    }
    task.execute_complete(context, reply | {"responded_by_user": person})
    task.body = None  # the next run's question is its own


def _end(session: Session, run: DagRun, tasks: dict[str, _Task]) -> str:
    """The run's state: of its leaf, which a run that ended well has skipped."""
    for row in run.task_instances:
        ti = tasks[row.task_id]
        tries = 0 if ti.state == "skipped" else 1
        row.state, row.start_date, row.end_date, row.try_number = ti.state, ti.start_date, ti.end_date, tries
        row.set_duration()
        session.add_all(
            XComModel(
                dag_run_id=run.id,
                task_id=ti.task_id,
                map_index=-1,
                key=key,
                dag_id=ti.dag_id,
                run_id=ti.run_id,
                value=value,
                timestamp=ti.end_date,
            )
            for key, value in ti.words.items()
        )
        if ti.asked:
            session.add(HITLDetail(ti_id=ti.id, **ti.asked))
    last = tasks["outcome"]
    run.state = DagRunState.FAILED if last.state == "failed" else DagRunState.SUCCESS
    run.end_date = last.end_date
    session.flush()
    (run_end.on_dag_run_failed if last.state == "failed" else run_end.on_dag_run_success)(run, "")
    return run.state


HOUR = dt.timedelta(hours=1)
ANSWER = Answer("承認して登録する", "店舗閉鎖による退職を、本社の名簿で確認しました", USER, 4.7 * HOUR)


def main() -> None:
    """The history of `make run`: what `scripts.demo_history` tells, and the runs of each day; prints how many ended how."""
    smarthr = sys.argv[1]
    logging.disable(logging.WARNING)  # how the tasks fared is in their rows
    initdb()
    parse_into_database(DAG_FILE)
    last = next_daily(DAILY_AT, utcnow() - HOUR / 6) - 24 * HOUR
    fork = get_context("fork")  # has imported all that it needs
    with no_limits(smarthr), ProcessPoolExecutor(len(ACCOUNTS), fork) as processes:
        print(json.dumps(sum(processes.map(partial(_days, smarthr, last), ACCOUNTS), Counter())))


def _days(smarthr: str, last: dt.datetime, companies: Sequence[str]) -> Counter[str]:
    """All days of companies with one EMC account, up to the tick `last`."""
    states, dags = Counter[str](), dags_of(DAG_FILE)
    with in_the_past():
        for day in reversed(range(DAYS)):
            for company in companies:
                states.update(_day(dags[f"smarthr_emc__{company}"], smarthr, company, day, last - day * 24 * HOUR))
    return states


def _day(dag: DAG, smarthr: str, company: str, day: int, tick: dt.datetime) -> Iterator[str]:
    names = happen(smarthr, company, day)
    if day == DAYS - 1:  # a person links the company, after a look
        yield play(dag, tick + 5 * HOUR, mode="CHECK_ONLY", by=USER)
        yield play(dag, tick + 5.5 * HOUR, by=USER)
        return
    yield play(dag, tick, answer=ANSWER)
    if names:
        mend(smarthr, company, names)
        yield play(dag, tick + 5.6 * HOUR, by=USER)
    if (company, day) == COMPARED:
        yield play(dag, tick + 9 * HOUR, mode="RECONCILE", by=USER)


if __name__ == "__main__":
    main()
