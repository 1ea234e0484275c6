"""One tenant, `acme`, run by Airflow itself over the simulators and a real mail server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.builders import CONTACT, Line, mapping
from tests.conftest import HOME, ROOT
from tests.end_to_end.personal_data import personal

APPROVE, REFUSE = "承認して登録する", "登録しない"
DAG_ID = "smarthr_emc__acme"
ADDRESS = "soumu@acme.example.jp"
SHEET: dict[str, Line] = {
    "ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー"),
    "パスワード": "社員番号",
    "氏名": ('姓&"　"&名', "登録", "エラー", "更新", "エラー"),
    "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
    "所属部署コード": "部署1(コード)",
    **CONTACT,
    "緊急連絡2 媒体": "固定値「電話番号」",
    "緊急連絡2 アドレス": "電話番号",
}


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    run_id: str
    folder: str  # of its record
    state: str
    tasks: dict[str, str | None]
    tries: dict[str, int]
    answers: dict[str, Any]  # what tasks returned, by task

    def failed(self) -> list[str]:
        return sorted(task for task, state in self.tasks.items() if state == "failed")


@dataclass
class World:
    """The tenant, everything around it, and the operator's hands."""

    neighbours: Neighbours
    folder: Path
    mappings: Path
    monkeypatch: pytest.MonkeyPatch
    seen: set[str] = field(default_factory=set)  # personal data of everybody who was in SmartHR when a run began

    # --- settings

    def write_sheet(self, lines: dict[str, Line] | None = None, **changes: Any) -> Mapping:
        sheet = mapping(SHEET | (lines or {}))
        sheet = dataclasses.replace(sheet, smarthr_url=self.neighbours.urls["smarthr"], **changes)
        write_yaml(sheet, self.mappings / "acme.yaml")
        return sheet

    def connect(self, conn_id: str, **connection: Any) -> None:
        """Set an Airflow Connection."""
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def connect_all(self) -> None:
        self.connect("smarthr__acme", conn_type="smarthr", password="shr_sim_acme")
        self.connect("emc__acme", conn_type="emc", host=self.neighbours.urls["emc"], password="emc_sim_acme")
        self.connect_mail(self.neighbours.smtp_port)

    def connect_chat(self) -> None:
        """Everything that the simulated chat services hand out, as Connections of acme."""
        for conn_id, connection in chat_connections(self.neighbours.chat_registrations(), "acme").items():
            self.connect(conn_id, **connection)

    def connect_mail(self, port: int) -> None:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@renkei.example.jp", "retry_limit": 1}
        self.connect("smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)

    # --- the neighbours

    def call(self, system: str, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.neighbours.urls[system]}/_sim/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def day(self, **changes: int) -> dict[str, list[str]]:
        return self.neighbours.play_day("acme", **changes)

    def crews(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("smarthr", "GET", "companies/acme/crews")
        return found

    def codes(self) -> set[str]:
        """社員番号 of everybody who is not 退職済."""
        return {crew["emp_code"] for crew in self.crews() if crew["emp_status"] != "retired" and crew["emp_code"]}

    def line_of(self, crew_id: str) -> int:
        """The row of a crew in what SmartHR sends, from 1."""
        headers = {"Authorization": "Bearer shr_sim_acme"}
        url = f"{self.neighbours.urls['smarthr']}/api/v1/crews"
        crews = requests.get(url, headers=headers, params={"per_page": 100}, timeout=30).json()
        return [crew["id"] for crew in crews].index(crew_id) + 1

    def in_emc(self) -> set[str]:
        """The user ids that EMC has."""
        headers = {"Authorization": "Bearer emc_sim_acme"}
        url = f"{self.neighbours.urls['emc']}/api/v1/users"
        answer = requests.get(url, headers=headers, params={"limit": 1000}, timeout=30)
        answer.raise_for_status()
        return {user["ユーザID"] for user in answer.json()["items"]}

    def imports(self) -> dict[str, int]:
        """EMC's imports by state."""
        counts: dict[str, int] = self.call("emc", "GET", "accounts/acme")["imports"]
        return counts

    def mails(self) -> list[dict[str, Any]]:
        """The mails so far; of result mails the company at the subject's end is left out."""
        return [mail | {"subject": mail["subject"].removesuffix(" acme")} for mail in self.neighbours.mails()]

    def baselines(self) -> dict[str, bytes]:
        """Every baseline file with its content: unmoved is unchanged."""
        found = (self.folder / "store/smarthr_emc/tenants/acme/baselines").glob("*.json")
        return {path.name: path.read_bytes() for path in found}

    def record(self, run: Run, name: str) -> dict[str, Any]:
        """A JSON record of a run in the store."""
        path = self.folder / "store/smarthr_emc/tenants/acme/runs" / run.folder / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def now(self) -> tuple[set[str], dict[str, int], dict[str, bytes]]:
        """All that a run which writes nothing leaves alone: EMC's people, its imports, the baselines."""
        return self.in_emc(), self.imports(), self.baselines()

    # --- runs

    def run(
        self,
        mode: str = "NORMAL",
        *,
        scheduled: bool = False,
        late: dt.timedelta = dt.timedelta(),
        retries: int | None = None,
        person: Callable[[Question], None] | None = None,
        anew: Run | None = None,
        clear: tuple[Run, str] | None = None,
        form: dict[str, Any] | None = None,
        run_type: str = "manual",
        **conf: Any,
    ) -> Run:
        """Let Airflow run the Dag as it is now; `person` is called, in another thread, when a task asks for one.

        `anew` is deleted first, and its id comes back. `clear` runs an ended run again, from that task on.
        With `form`, the run is started by the REST API with that body, as Airflow's own pages do it.
        """
        from airflow.dag_processing.dagbag import DagBag

        self.seen |= {value for crew in self.crews() for value in personal(crew)}
        bag = DagBag(str(HOME / "dags"))
        assert bag.import_errors == {}
        dag = bag.dags[DAG_ID]
        if retries is not None:
            for task in dag.tasks:
                task.retries = retries
        kind = "scheduled" if scheduled else run_type
        run_after = dt.datetime.now(dt.UTC) - late
        with self.monkeypatch.context() as patch:
            create = _clear_run(*clear) if clear else _trigger(form) if form else _create_run(kind, anew)
            patch.setattr("airflow.models.dagrun.get_or_create_dagrun", create)
            operator = _Person(person) if person else None
            patch.setattr("time.sleep", _shorten(time.sleep, operator))
            if operator:
                operator.start()
            done = dag.test(run_after=run_after, logical_date=None, run_conf={"mode": mode, **conf})
            if operator:
                operator.join(timeout=60)
                operator.check()
        instances = done.get_task_instances()
        folders = (ti.xcom_pull(task_ids=ti.task_id, key="run") for ti in instances)
        return Run(
            done.run_id,
            next((folder for folder in folders if folder), ""),
            str(done.state),
            {ti.task_id: ti.state and str(ti.state) for ti in instances},
            {ti.task_id: ti.try_number for ti in instances},
            {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in instances},
        )


def _create_run(kind: str, anew: Run | None) -> Callable[..., Any]:
    """In place of dag.test's own: that one makes manual runs alone, and removes the run before."""
    from airflow.api_fastapi.core_api.routes.public.dag_run import delete_dag_run
    from airflow.utils.types import DagRunType

    def create(*, dag: Any, session: Any, **arguments: Any) -> Any:
        if anew:
            delete_dag_run(DAG_ID, anew.run_id, session)
            session.flush()
            arguments["run_id"] = anew.run_id
        return dag.create_dagrun(run_type=DagRunType(kind), state="running", session=session, **arguments)

    return create


def _clear_run(run: Run, task_id: str) -> Callable[..., Any]:
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


def _shorten(sleep: Callable[[float], None], operator: _Person | None) -> Callable[[float], None]:
    """dag.test looks once a second whether a task can run, and a failure takes as many looks as there are tasks."""
    deadline = time.monotonic() + 600

    def nap(seconds: float) -> None:
        if seconds == 1 and operator:
            operator.check()
        if seconds == 1 and time.monotonic() > deadline:
            raise TimeoutError("the run does not end; does a task wait for a person?")
        sleep(0.05 if seconds == 1 else seconds)

    return nap


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


class _Person(threading.Thread):
    """The operator: waits until a task asks, and does what the test says."""

    def __init__(self, act: Callable[[Question], None]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            question = self._wait()
            try:
                self.act(question)
            except BaseException:
                question.answer(REFUSE, "")  # else dag.test would wait for ever
                raise
        except BaseException as error:
            self.error = error

    def check(self) -> None:
        """Called whenever dag.test looks for work: what went wrong over here ends the test."""
        if self.error:
            raise self.error

    def _wait(self) -> Question:
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import select
        from sqlalchemy.orm import joinedload

        waiting = select(TaskInstance).options(joinedload(TaskInstance.hitl_detail))
        waiting = waiting.where(TaskInstance.state == "awaiting_input")
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            with create_session() as session:
                ti = session.scalar(waiting)
                if ti is not None:
                    return Question(ti.dag_id, ti.run_id, ti.task_id, ti.hitl_detail.body, ti.trigger_timeout)
            time.sleep(0.1)
        raise TimeoutError("no task asked for a person")


@pytest.fixture(scope="session")
def airflow_database() -> Path:
    """Airflow's metadata database, and the Dag folder with our one Dag file."""
    from airflow.utils.db import initdb

    shutil.copyfile(ROOT / "dags/smarthr_emc.py", HOME / "dags/smarthr_emc.py")
    initdb()
    return HOME / "airflow.db"


@pytest.fixture
def no_runs(airflow_database: Path) -> None:
    """Nothing of what other tests ran: dag.test begins by clearing, one by one, every task of every run there has been."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(DagRun))


@pytest.fixture
def world(
    no_runs: None, neighbours: Neighbours, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """Thirty people in SmartHR, an empty EMC, an empty mailbox, a sheet and all Connections."""
    world = World(neighbours, tmp_path, mappings, monkeypatch)
    world.call("smarthr", "POST", "companies", {"name": "acme", "seed": 1, "size": 30})
    world.call("smarthr", "DELETE", "faults")
    world.call("emc", "DELETE", "accounts/acme")
    world.call("emc", "DELETE", "faults")
    world.call("mail", "DELETE", "messages")
    world.call("mail", "DELETE", "faults")
    world.call("chat", "POST", "reset")
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    hosts = ",".join(urlsplit(neighbours.urls[name]).netloc for name in ("smarthr", "chat"))
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", hosts)
    monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
    world.write_sheet()
    world.connect_all()
    return world
