"""The world of one tenant, `acme`, whose runs are Airflow's own, and a real mail server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.conftest import HOME
from tests.end_to_end.personal_data import personal
from tests.harness.chat import Chat
from tests.harness.emc import Emc
from tests.harness.mail import Mail
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.smarthr import SmartHR
from tests.harness.world import World

APPROVE, REFUSE = "承認して登録する", "登録しない"
DAG_ID = "smarthr_emc__acme"
ADDRESS = "soumu@acme.example.jp"
NOTHING = ({"departments": {}, "users": {}}, {}, {})  # the state before any run


@dataclass(frozen=True)
class EndedRun:
    """How a run ended."""

    run_id: str
    folder: str  # of its record
    state: str
    tasks: dict[str, str | None]
    tries: dict[str, int]
    answers: dict[str, Any]  # what tasks returned, by task

    def failed(self) -> list[str]:
        return sorted(task for task, state in self.tasks.items() if state == "failed")


class AirflowWorld(World):
    """The world, its chat services and mail, Airflow before it, and the operator's hands."""

    def __init__(self, neighbours: Neighbours, folder: Path, mappings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        urls = neighbours.urls
        smarthr, emc = SmartHR(urls["smarthr"]), Emc(urls["emc"])
        self.chat, self.mail, self.smtp_port = Chat(urls["chat"]), Mail(urls["mail"]), neighbours.smtp_port
        for program in (smarthr, emc, self.chat, self.mail):
            program.clear()
        super().__init__(smarthr, emc, folder, size=30, seed=1)
        self.mappings, self.monkeypatch = mappings, monkeypatch
        self.seen: set[str] = set()  # personal data of everybody who was in SmartHR when a run began

    # --- settings

    def write_sheet(self, lines: dict[str, Any] | None = None, **changes: Any) -> Mapping:
        sheet = full_mapping(SHEET | (lines or {}))
        sheet = dataclasses.replace(sheet, smarthr_url=self.smarthr.url, **changes)
        write_yaml(sheet, self.mappings / "acme.yaml")
        self.tenant.mapping = sheet
        return sheet

    def connect(self, conn_id: str, **connection: Any) -> None:
        """Set an Airflow Connection."""
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def connect_all(self) -> None:
        self.connect("smarthr__acme", conn_type="smarthr", password="shr_sim_acme")
        self.connect("emc__acme", conn_type="emc", host=self.emc.url, password="emc_sim_acme")
        self.connect_mail(self.smtp_port)

    def connect_chat(self) -> None:
        """Everything that the simulated chat services hand out, as Connections of acme."""
        for conn_id, connection in chat_connections(self.chat.registrations, "acme").items():
            self.connect(conn_id, **connection)

    def connect_mail(self, port: int) -> None:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp", "retry_limit": 1}
        self.connect("smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)

    # --- what is there

    def line_of(self, crew_id: str) -> int:
        """The row of a crew in what SmartHR sends, from 1."""
        return [crew["id"] for crew in self.smarthr.read_all()].index(crew_id) + 1

    def mails(self) -> list[dict[str, Any]]:
        """The mails so far, oldest first; of result mails the company at the subject's end is left out."""
        found = self.mail.messages()[::-1]
        return [mail | {"subject": mail["subject"].removesuffix(" acme")} for mail in found]

    def record(self, run: EndedRun, name: str) -> dict[str, Any]:
        """A JSON record of a run in the store."""
        path = self.folder / "store/smarthr_emc/tenants/acme/runs" / run.folder / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def state(self) -> tuple[Any, ...]:
        return *super().state(), self.imports()

    # --- runs

    def link(self) -> None:
        """A first link without Airflow, in a tenth of the time: where a test only begins after one."""
        self.tenant.now = dt.datetime.now(dt.UTC)
        assert self.tenant.run() == "loaded"

    def run(
        self,
        mode: str = "NORMAL",
        *,
        scheduled: bool = False,
        late: dt.timedelta = dt.timedelta(),
        retries: int | None = None,
        person: Callable[[Question], None] | None = None,
        anew: EndedRun | None = None,
        clear: tuple[EndedRun, str] | None = None,
        form: dict[str, Any] | None = None,
        run_type: str = "manual",
        side_run: str = "",
        **conf: Any,
    ) -> EndedRun:
        """Let Airflow run the Dag as it is now; `person` is called, in another thread, when the run waits for one.

        `anew` is deleted first, and its id comes back. `clear` runs an ended run again, from that task on.
        `side_run` is the mark of one that the timetable starts beside the daily run.
        With `form`, the run is started by the REST API with that body, as Airflow's own pages do it.
        """
        from airflow.dag_processing.dagbag import DagBag

        self.seen |= {value for crew in self.crews().values() for value in personal(crew)}
        bag = DagBag(str(HOME / "dags"))
        assert bag.import_errors == {}
        dag = bag.dags[DAG_ID]
        if retries is not None:
            for task in dag.tasks:
                task.retries = retries
        kind = "scheduled" if scheduled or side_run else run_type
        run_after = dt.datetime.now(dt.UTC) - late
        with self.monkeypatch.context() as patch:
            create = _clear_run(*clear) if clear else _trigger(form) if form else _create_run(kind, anew, side_run)
            patch.setattr("airflow.models.dagrun.get_or_create_dagrun", create)
            waiting = [person] if person else []
            patch.setattr("time.sleep", _nap(time.sleep, waiting))
            done = dag.test(run_after=run_after, logical_date=None, run_conf={"mode": mode, **conf})
        assert not waiting, "no task asked for a person"
        instances = done.get_task_instances()
        folders = (ti.xcom_pull(task_ids=ti.task_id, key="run") for ti in instances)
        return EndedRun(
            done.run_id,
            next((folder for folder in folders if folder), ""),
            str(done.state),
            {ti.task_id: ti.state and str(ti.state) for ti in instances},
            {ti.task_id: ti.try_number for ti in instances},
            {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in instances},
        )


def _create_run(kind: str, anew: EndedRun | None, side_run: str) -> Callable[..., Any]:
    """In place of dag.test's own: that one makes manual runs alone, and removes the run before."""
    from airflow.api_fastapi.core_api.routes.public.dag_run import delete_dag_run
    from airflow.utils.types import DagRunType

    def create(*, dag: Any, session: Any, **arguments: Any) -> Any:
        if anew:
            delete_dag_run(DAG_ID, anew.run_id, session)
            session.flush()
            arguments["run_id"] = anew.run_id
        if side_run:
            at = arguments["run_after"].isoformat()
            arguments["run_id"] = f"scheduled__{at}__{side_run}"
        return dag.create_dagrun(run_type=DagRunType(kind), state="running", session=session, **arguments)

    return create


def _clear_run(run: EndedRun, task_id: str) -> Callable[..., Any]:
    """In place of dag.test's own: an ended run, its task and all after it cleared as the page does."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import clear_task_instances
    from sqlalchemy import select

    def find(*, dag: Any, session: Any, **arguments: Any) -> Any:
        found = session.scalar(select(DagRun).where(DagRun.dag_id == DAG_ID, DagRun.run_id == run.run_id))
        wanted = {task_id, *dag.get_task(task_id).get_flat_relative_ids()}
        instances = [ti for ti in found.get_task_instances(session=session) if ti.task_id in wanted]
        clear_task_instances(instances, session, dag_run_state="running")
        session.flush()
        for ti in found.get_task_instances(session=session):
            if ti.task_id not in wanted:
                ti.state = run.tasks[ti.task_id]  # dag.test has cleared every task of every run
        session.flush()
        found.dag = dag
        return found

    return find


def _trigger(body: dict[str, Any]) -> Callable[..., Any]:
    """In place of dag.test's own: what the REST API does with this body, and the scheduler with the run."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody
    from airflow.api_fastapi.core_api.routes.public.dag_run import trigger_dag_run
    from airflow.models.dagbag import DBDagBag
    from fastapi import Request

    def create(*, dag: Any, session: Any, **_: Any) -> Any:
        user = SimpleAuthManagerUser(username="tanto", role="op")
        request = Request({"type": "http", "headers": []})
        run = trigger_dag_run(DAG_ID, TriggerDAGRunPostBody(**body), DBDagBag(), user, session, request)
        run.state, run.start_date, run.dag = "running", dt.datetime.now(dt.UTC), dag
        return run

    return create


def _nap(sleep: Callable[[float], None], person: list[Callable[[Question], None]]) -> Callable[[float], None]:
    """What dag.test does where it would sleep a second, having found no task to run: ask the person, once.

    Only then: dag.test writes a task's state once more after the task has ended, over an answer that is there already.
    """
    deadline = time.monotonic() + 600

    def nap(seconds: float) -> None:
        if seconds != 1:
            return sleep(seconds)
        if time.monotonic() > deadline:
            raise TimeoutError("the run does not end; does a task wait for a person?")
        if person and (question := _in_a_thread(_question)):
            _in_a_thread(person.pop(), question)
        sleep(0.05)

    return nap


def _in_a_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Somebody else's work: this thread's database session is dag.test's."""
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(work, *arguments).result()


@dataclass(frozen=True)
class Question:
    """A task that waits at 要対応項目."""

    dag_id: str
    run_id: str
    task_id: str
    body: str
    until: dt.datetime

    def answer(self, option: str, why: str) -> None:
        """What the page does when a person answers."""
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
        from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
        from airflow.utils.session import create_session

        payload = UpdateHITLDetailPayload(chosen_options=[option], params_input={"reason": why})
        user = SimpleAuthManagerUser(username="tanto", role="op")
        with create_session() as session:
            update_hitl_detail(self.dag_id, self.run_id, self.task_id, payload, user, session)

    def expire(self) -> None:
        """What the scheduler does when the time is over."""
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import update

        past = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        with create_session() as session:
            waiting = TaskInstance.run_id == self.run_id, TaskInstance.task_id == self.task_id
            session.execute(update(TaskInstance).where(*waiting).values(trigger_timeout=past))
        with create_session() as session:
            SchedulerJobRunner(Job()).check_awaiting_input_timeouts(session=session)


def _question() -> Question | None:
    """The task that waits for a person, if one does."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    waiting = select(TaskInstance).options(joinedload(TaskInstance.hitl_detail))
    with create_session() as session:
        ti = session.scalar(waiting.where(TaskInstance.state == "awaiting_input"))
        return ti and Question(ti.dag_id, ti.run_id, ti.task_id, ti.hitl_detail.body, ti.trigger_timeout)
